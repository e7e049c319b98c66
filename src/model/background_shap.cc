#include "model/background_shap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/hash.h"
#include "forest/forest.h"
#include "model/tree_model.h"

namespace headrace::model {
namespace {

constexpr uint64_t kSeed = 0x5eed;

// Walks one tree with a row and a row of the background, and adds what each feature has of every
// leaf that some mixture of the two reaches. A leaf for which the features A must be the row's and
// B the background's has Shapley values that depend on the numbers of A and B alone. Confined.
class MixedWalk {
 public:
  MixedWalk(const forest::Forest& of, std::span<const double> row, std::span<double> contributions)
      : forest_(of),
        row_(row),
        contributions_(contributions),
        width_(static_cast<size_t>(of.features) + 1),
        side_(static_cast<size_t>(of.features), kEither) {}

  void Add(const forest::Tree& tree, std::span<const double> other) {
    tree_ = &tree;
    other_ = other;
    Visit(tree.root());
  }

 private:
  enum Side : uint8_t { kEither, kRow, kOther };

  // Recurses as deep as the tree.
  void Visit(int32_t at) {
    if (at < 0) return AddLeaf(static_cast<size_t>(~at));
    const forest::TreeNode& node = tree_->nodes[static_cast<size_t>(at)];
    const auto feature = static_cast<size_t>(node.feature);
    const int32_t with_row = forest::ChildOf(forest_, node, row_[feature]);
    const int32_t with_other = forest::ChildOf(forest_, node, other_[feature]);
    if (with_row == with_other || side_[feature] == kRow) return Visit(with_row);
    if (side_[feature] == kOther) return Visit(with_other);
    Decide(feature, kRow, rows_, with_row);
    Decide(feature, kOther, others_, with_other);
  }

  void Decide(size_t feature, Side side, std::vector<size_t>& decided, int32_t child) {
    side_[feature] = side;
    decided.push_back(feature);
    Visit(child);
    decided.pop_back();
    side_[feature] = kEither;
  }

  void AddLeaf(size_t leaf) {
    const auto leaf_width = static_cast<size_t>(forest_.leaf_width);
    for (size_t k = 0; k < leaf_width; ++k) {
      const size_t output = leaf_width == 1 ? static_cast<size_t>(tree_->output) : k;
      const double value = tree_->leaf_values[leaf * leaf_width + k];
      double* to = contributions_.data() + output * width_;
      if (rows_.empty()) to[width_ - 1] += value;  // the background's own leaf
      if (!rows_.empty()) {
        const double part = value * Weight(rows_.size() - 1, others_.size());
        for (size_t feature : rows_)
          to[feature] += part;
      }
      if (!others_.empty()) {
        const double part = value * Weight(rows_.size(), others_.size() - 1);
        for (size_t feature : others_)
          to[feature] -= part;
      }
    }
  }

  // a! b! / (a + b + 1)!, by products that stay near one.
  static double Weight(size_t a, size_t b) {
    double weight = 1 / static_cast<double>(a + b + 1);
    for (size_t i = 1; i <= std::min(a, b); ++i) {
      weight *= static_cast<double>(i) / static_cast<double>(std::max(a, b) + i);
    }
    return weight;
  }

  const forest::Forest& forest_;
  std::span<const double> row_;
  std::span<const double> other_;
  std::span<double> contributions_;
  size_t width_;
  const forest::Tree* tree_ = nullptr;
  std::vector<Side> side_;      // by feature: whose value the way took
  std::vector<size_t> rows_;    // features that are the row's, on the way
  std::vector<size_t> others_;  // and the background's
};

std::vector<double> Cleaned(const forest::Forest& of, std::span<const double> row) {
  std::vector<double> cleaned;
  for (double x : row)
    cleaned.push_back(forest::CleanInput(of, x));
  return cleaned;
}

AgainstBackground ExplainTrees(const forest::Forest& of, std::span<const double> row,
                               const Background& background) {
  const size_t width = row.size();
  AgainstBackground told;
  told.values.resize(static_cast<size_t>(of.outputs) * (width + 1));
  const std::vector<double> cleaned = Cleaned(of, row);
  MixedWalk walk(of, cleaned, told.values);
  for (size_t r = 0; r < background.rows; ++r) {
    const std::vector<double> other =
        Cleaned(of, std::span(background.features).subspan(r * width, width));
    for (const forest::Tree& tree : of.trees)
      walk.Add(tree, other);
  }
  for (double& value : told.values)
    value /= static_cast<double>(background.rows);
  for (size_t k = 0; k < static_cast<size_t>(of.outputs); ++k)
    told.values[k * (width + 1) + width] += of.base[k];
  return told;
}

// Numbers that are the same each time (splitmix64). Confined.
class Draws {
 public:
  size_t Below(size_t bound) { return base::MixHash(state_++) % bound; }

 private:
  uint64_t state_ = kSeed;
};

// Samples permutations for one row. Confined.
class Sampling {
 public:
  Sampling(const Model& model, std::span<const double> row, const Background& background)
      : model_(model),
        row_(row),
        background_(background),
        outputs_(static_cast<size_t>(model.info().outputs)),
        order_(row.size()),
        sums_(outputs_ * (row.size() + 1)),
        variances_(sums_.size()) {
    std::iota(order_.begin(), order_.end(), 0);
  }

  AgainstBackground Run() {
    // All rows of the background equally often: what is left to chance are the permutations.
    const size_t rounds =
        std::max<size_t>((kSampledWalks + background_.rows - 1) / background_.rows, 2);
    for (size_t r = 0; r < background_.rows; ++r) {
      std::vector<double> means(sums_.size());
      std::vector<double> squares(sums_.size());
      for (size_t i = 1; i <= rounds; ++i) {
        Shuffle();
        const std::vector<double> parts = Walk(r);
        // Welford 1962.
        for (size_t p = 0; p < parts.size(); ++p) {
          const double away = parts[p] - means[p];
          means[p] += away / static_cast<double>(i);
          squares[p] += away * (parts[p] - means[p]);
        }
      }
      Add(means, squares, static_cast<double>(rounds));
    }
    return Finish();
  }

 private:
  void Shuffle() {
    for (size_t i = order_.size(); i > 1; --i)
      std::swap(order_[i - 1], order_[draws_.Below(i)]);
  }

  // There: features become the row's one by one; and back, in the other order.
  std::vector<double> Walk(size_t other) {
    const size_t width = row_.size();
    const auto from = std::span(background_.features).subspan(other * width, width);
    std::vector<double> parts(sums_.size());
    AddWay(from, parts);
    std::reverse(order_.begin(), order_.end());
    AddWay(from, parts);
    for (double& part : parts)
      part /= 2;
    return parts;
  }

  // The mean over the walks from one row of the background, and the variance of that mean.
  void Add(const std::vector<double>& means, const std::vector<double>& squares, double rounds) {
    for (size_t i = 0; i < means.size(); ++i) {
      sums_[i] += means[i];
      variances_[i] += squares[i] / (rounds - 1) / rounds;
    }
  }

  void AddWay(std::span<const double> from, std::vector<double>& parts) {
    const size_t width = row_.size();
    std::vector<double> mixed(from.begin(), from.end());
    std::vector<double> rows(mixed);
    for (size_t feature : order_) {
      mixed[feature] = row_[feature];
      rows.insert(rows.end(), mixed.begin(), mixed.end());
    }
    std::vector<double> scores((width + 1) * outputs_);
    model_.ScoreRaw(rows, width + 1, scores);
    for (size_t k = 0; k < outputs_; ++k) {
      double* to = parts.data() + k * (width + 1);
      to[width] += scores[k];
      for (size_t i = 0; i < width; ++i)
        to[order_[i]] += scores[(i + 1) * outputs_ + k] - scores[i * outputs_ + k];
    }
  }

  AgainstBackground Finish() {
    AgainstBackground told{sums_, variances_};
    const size_t width = row_.size() + 1;
    const auto rows = static_cast<double>(background_.rows);
    for (size_t i = 0; i < sums_.size(); ++i) {
      told.values[i] = sums_[i] / rows;
      told.errors[i] = std::sqrt(variances_[i]) / rows;
    }
    const std::vector<bool>& texts = model_.info().text_outputs;
    for (size_t k = 0; k < texts.size(); ++k) {
      if (!texts[k]) continue;
      const auto begin = static_cast<ptrdiff_t>(k * width);
      std::fill_n(told.values.begin() + begin, width, std::numeric_limits<double>::quiet_NaN());
    }
    return told;
  }

  const Model& model_;
  std::span<const double> row_;
  const Background& background_;
  size_t outputs_;
  Draws draws_;
  std::vector<size_t> order_;
  std::vector<double> sums_;
  std::vector<double> variances_;
};

}  // namespace

Result<AgainstBackground> ContributionsAgainst(const Model& model, std::span<const double> row,
                                               const Background& background) {
  if (background.rows == 0 || background.rows > kBackgroundRowsMax) {
    return Error(ErrorKind::kInvalidArgument, "HR3005",
                 "the background has " + std::to_string(background.rows) + " rows, 1 to " +
                     std::to_string(kBackgroundRowsMax) + " are meant")
        .WithHint("some hundred rows that stand for what is usual are enough");
  }
  const auto* trees = dynamic_cast<const TreeModel*>(&model);
  if (trees != nullptr && !trees->forest().has_linear_leaves()) {
    return ExplainTrees(trees->forest(), row, background);
  }
  return Sampling(model, row, background).Run();
}

}  // namespace headrace::model
