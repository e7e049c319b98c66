#include "train/boosting.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "train/binned_rows.h"
#include "train/loss.h"
#include "train/model_text.h"
#include "train/tree_grower.h"

namespace headrace::train {
namespace {

// One run of boosting.
class Boosting {
 public:
  Boosting(const Table& table, const BinnedRows& rows, const Table* validation,
           const Options& options, os::WorkerTeam& team)
      : table_(table),
        validation_(validation),
        options_(options),
        team_(team),
        loss_(Loss::Make(options, table)),
        grower_(rows, rows.MonotoneOf(table), options, team),
        start_(loss_->Start()),
        gradients_(loss_->outputs(), std::vector<Gradient>(table.rows())) {
    for (double start : start_) {
      scores_.emplace_back(table.rows(), start);
      if (validation_ != nullptr) validation_scores_.emplace_back(validation_->rows(), start);
    }
  }

  // Adds a tree to each output; false when none could be split.
  bool AddRound() {
    const bool first = trees_.empty();
    const GradientScale scale = loss_->Derive(scores_, team_, &gradients_);
    bool any = false;
    for (size_t k = 0; k < loss_->outputs(); ++k) {
      Tree tree = grower_.Grow(gradients_[k], scale);
      any = any || !tree.nodes.empty();
      if (tree.nodes.empty()) tree.leaves[0].value = 0;
      for (size_t leaf = 0; leaf < tree.leaves.size(); ++leaf) {
        double& value = tree.leaves[leaf].value;
        if (!tree.nodes.empty()) Renew(leaf, &value);
        // The first tree carries the constant, so that the sum of the leaves is the score.
        value = value * options_.learning_rate + (first ? start_[k] : 0);
      }
      AddScores(tree, first, k);
      trees_.push_back(std::move(tree));
    }
    if (any || first) return any;
    trees_.resize(trees_.size() - loss_->outputs());
    return false;
  }

  double ValidationLoss() const { return loss_->Mean(validation_->labels, validation_scores_); }

  Trained Finish(size_t rounds) {
    const size_t outputs = loss_->outputs();
    Trained trained;
    trained.rounds = rounds;
    trees_.resize(rounds * outputs);
    trained.loss = loss_->Mean(table_.labels, scores_);
    trained.scores = std::move(scores_);
    return trained;
  }

  size_t rounds() const { return trees_.size() / loss_->outputs(); }
  const std::vector<Tree>& trees() const { return trees_; }
  const Loss& loss() const { return *loss_; }

 private:
  void Renew(size_t leaf, double* value) const {
    const double renewed = loss_->LeafValue(grower_.RowsOf(leaf), scores_);
    if (!std::isnan(renewed)) *value = renewed;
  }

  void AddScores(const Tree& tree, bool first, size_t k) {
    team_.Run(tree.leaves.size(), [&](size_t leaf, size_t) {
      const double value = tree.leaves[leaf].value;
      for (uint32_t row : grower_.RowsOf(leaf))
        scores_[k][row] = first ? value : scores_[k][row] + value;
    });
    if (validation_ == nullptr) return;
    for (size_t row = 0; row < validation_->rows(); ++row) {
      const double value = tree.leaves[tree.LeafOf(*validation_, row)].value;
      validation_scores_[k][row] = first ? value : validation_scores_[k][row] + value;
    }
  }

  const Table& table_;
  const Table* validation_;
  const Options& options_;
  os::WorkerTeam& team_;
  std::unique_ptr<Loss> loss_;
  TreeGrower grower_;
  std::vector<double> start_;
  GradientPlanes gradients_;
  Planes scores_;
  Planes validation_scores_;
  std::vector<Tree> trees_;
};

}  // namespace

Result<Trained> Train(Table table, const Table* validation, const Options& options) {
  os::WorkerTeam team(options.threads);
  const BinnedRows rows = BinnedRows::Make(&table, options.seed, team);
  HR_TRY(TreeGrower::Check(rows, options));
  Boosting boosting(table, rows, validation, options, team);
  double best_loss = 0;
  size_t best = 0;
  while (boosting.rounds() < options.trees) {
    const size_t before = boosting.rounds();
    const bool any = boosting.AddRound();
    if (validation != nullptr && boosting.rounds() > before) {
      const double loss = boosting.ValidationLoss();
      if (best == 0 || loss < best_loss) {
        best_loss = loss;
        best = boosting.rounds();
      }
    }
    const bool stale = options.early_stopping > 0 && validation != nullptr &&
                       boosting.rounds() >= best + options.early_stopping;
    if (!any || stale) break;
  }
  const bool cut = validation != nullptr && options.early_stopping > 0;
  Trained trained = boosting.Finish(cut ? best : boosting.rounds());
  trained.validation_loss = best_loss;
  trained.text = ModelText({.table = table,
                            .bins = rows.all(),
                            .trees = boosting.trees(),
                            .outputs = boosting.loss().outputs(),
                            .objective = boosting.loss().Text(),
                            .options = options});
  return trained;
}

}  // namespace headrace::train
