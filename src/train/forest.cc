#include "train/forest.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "os/random.h"
#include "train/binned_rows.h"
#include "train/loss.h"
#include "train/model_text.h"
#include "train/tree_grower.h"

namespace headrace::train {
namespace {

size_t DrawnFeatures(const Options& options, size_t features) {
  const auto all = static_cast<double>(features);
  double drawn = options.task() == Task::kRegression ? all / 3 : std::sqrt(all);
  if (options.feature_share > 0) drawn = all * options.feature_share;
  return std::clamp<size_t>(static_cast<size_t>(std::ceil(drawn)), 1,
                            std::max<size_t>(features, 1));
}

// Sums of what the trees say of rows, and how many trees said it.
class Pool {
 public:
  Pool(size_t outputs, size_t rows) : sums_(outputs, std::vector<double>(rows)), trees_(rows) {}

  void Add(size_t output, size_t row, double value) {
    sums_[output][row] += value;
    if (output == 0) ++trees_[row];
  }

  // The mean loss over the rows of which some tree said something; NaN without any.
  double MeanLoss(const Loss& loss, const std::vector<double>& labels) const {
    std::vector<double> said;
    Planes means(sums_.size());
    for (size_t row = 0; row < labels.size(); ++row) {
      if (trees_[row] == 0) continue;
      said.push_back(labels[row]);
      for (size_t k = 0; k < sums_.size(); ++k)
        means[k].push_back(sums_[k][row] / static_cast<double>(trees_[row]));
    }
    return said.empty() ? std::nan("") : loss.Mean(said, means);
  }

 private:
  Planes sums_;
  std::vector<uint32_t> trees_;  // by row
};

// One forest that grows.
class Forest {
 public:
  Forest(const Table& table, const BinnedRows& rows, const Table* validation,
         const Options& options, os::WorkerTeam& team)
      : table_(table),
        validation_(validation),
        loss_(Loss::Make(options, table)),
        grower_(rows, rows.MonotoneOf(table), options, team),
        drawn_features_(DrawnFeatures(options, rows.features())),
        random_(options.seed),
        gradients_(loss_->outputs(), std::vector<Gradient>(table.rows())),
        outside_(loss_->outputs(), table.rows()),
        validated_(loss_->outputs(), validation == nullptr ? 0 : validation->rows()) {
    Planes start;
    for (double score : loss_->Start())
      start.emplace_back(table.rows(), score);
    scale_ = loss_->Derive(start, team, &gradients_);
  }

  void AddRound() {
    Bag bag = DrawBag();
    for (size_t k = 0; k < loss_->outputs(); ++k) {
      bag.seed = random_.Next();
      Tree tree = grower_.Grow(gradients_[k], scale_, bag);
      for (size_t leaf = 0; leaf < tree.leaves.size(); ++leaf) {
        const double value = loss_->ConstantFor(k, grower_.RowsOf(leaf));
        tree.leaves[leaf].value = value;
        for (uint32_t row : grower_.RowsOutside(leaf))
          outside_.Add(k, row, value);
      }
      for (size_t row = 0; validation_ != nullptr && row < validation_->rows(); ++row)
        validated_.Add(k, row, tree.leaves[tree.LeafOf(*validation_, row)].value);
      trees_.push_back(std::move(tree));
    }
  }

  double OutsideLoss() const { return outside_.MeanLoss(*loss_, table_.labels); }
  double ValidationLoss() const { return validated_.MeanLoss(*loss_, validation_->labels); }
  const std::vector<Tree>& trees() const { return trees_; }
  const Loss& loss() const { return *loss_; }

 private:
  Bag DrawBag() {
    std::vector<uint32_t> times(table_.rows());
    for (size_t i = 0; i < times.size(); ++i)
      ++times[random_.Below(times.size())];
    Bag bag;
    bag.features = drawn_features_;
    bag.in.reserve(times.size());
    for (size_t row = 0; row < times.size(); ++row) {
      bag.in.insert(bag.in.end(), times[row], static_cast<uint32_t>(row));
      if (times[row] == 0) bag.out.push_back(static_cast<uint32_t>(row));
    }
    return bag;
  }

  const Table& table_;
  const Table* validation_;
  std::unique_ptr<Loss> loss_;
  TreeGrower grower_;
  size_t drawn_features_;
  os::SeededRandom random_;
  GradientPlanes gradients_;
  GradientScale scale_;
  Pool outside_;
  Pool validated_;
  std::vector<Tree> trees_;
};

}  // namespace

Result<Trained> TrainForest(Table table, const Table* validation, const Options& options) {
  os::WorkerTeam team(options.threads);
  const BinnedRows rows = BinnedRows::Make(&table, options.seed, team);
  HR_TRY(TreeGrower::Check(rows, options));
  Forest forest(table, rows, validation, options, team);
  for (size_t round = 0; round < options.trees; ++round)
    forest.AddRound();
  Trained trained;
  trained.rounds = options.trees;
  trained.loss = forest.OutsideLoss();
  if (validation != nullptr) trained.validation_loss = forest.ValidationLoss();
  trained.text = ModelText({.table = table,
                            .bins = rows.all(),
                            .trees = forest.trees(),
                            .outputs = forest.loss().outputs(),
                            .objective = forest.loss().Text(),
                            .options = options,
                            .whole_trees = true,
                            .average = true});
  return trained;
}

}  // namespace headrace::train
