#include "train/isolation_forest.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/portable_math.h"
#include "os/random.h"
#include "train/bins.h"
#include "train/model_text.h"

namespace headrace::train {
namespace {

const double kLn2 = 0.693147180559945309417;

// The mean length of a search that fails in a binary search tree of so many rows (the paper's c).
double MeanPath(size_t rows) {
  if (rows <= 1) return 0;
  double harmonic = 0;
  for (size_t i = rows - 1; i > 0; --i)
    harmonic += 1 / static_cast<double>(i);
  const auto n = static_cast<double>(rows);
  return 2 * harmonic - 2 * (n - 1) / n;
}

class IsolationTree {
 public:
  IsolationTree(const Table& table, size_t sample, os::SeededRandom& random)
      : table_(table), random_(random), unit_(-kLn2 / MeanPath(sample)) {
    for (size_t rows = 1; rows < sample; rows *= 2)
      ++depth_max_;
  }

  Tree Grow(std::vector<uint32_t> rows) {
    rows_ = std::move(rows);
    Build(0, rows_.size(), 0);
    return std::move(tree_);
  }

 private:
  struct Range {
    size_t column = 0;
    double low = 0;
    double high = 0;
  };

  int32_t Build(size_t begin, size_t end, size_t depth) {
    const std::vector<Range> ranges =
        end - begin > 1 && depth < depth_max_ ? Ranges(begin, end) : std::vector<Range>();
    if (ranges.empty()) {
      const double path = static_cast<double>(depth) + MeanPath(end - begin);
      tree_.leaves.push_back({path * unit_, 0, static_cast<int64_t>(end - begin)});
      return ~static_cast<int32_t>(tree_.leaves.size() - 1);
    }
    const size_t at = tree_.nodes.size();
    TreeNode node = Cut(ranges[random_.Below(ranges.size())]);
    node.rows = static_cast<int64_t>(end - begin);
    tree_.nodes.push_back(node);
    const std::vector<double>& values = table_.columns[node.column].values;
    const auto middle = std::partition(
        rows_.begin() + static_cast<int64_t>(begin), rows_.begin() + static_cast<int64_t>(end),
        [&](uint32_t row) {
          return std::isnan(values[row]) ? node.missing_left : values[row] <= node.threshold;
        });
    const auto cut = static_cast<size_t>(middle - rows_.begin());
    const int32_t left = Build(begin, cut, depth + 1);
    const int32_t right = Build(cut, end, depth + 1);
    tree_.nodes[at].left = left;
    tree_.nodes[at].right = right;
    return static_cast<int32_t>(at);
  }

  // The features whose finite values differ among the rows.
  std::vector<Range> Ranges(size_t begin, size_t end) const {
    std::vector<Range> ranges;
    for (size_t c = 0; c < table_.columns.size(); ++c) {
      Range range{c, std::numeric_limits<double>::infinity(),
                  -std::numeric_limits<double>::infinity()};
      for (size_t i = begin; i < end; ++i) {
        const double x = table_.columns[c].values[rows_[i]];
        if (!std::isfinite(x)) continue;
        range.low = std::min(range.low, x);
        range.high = std::max(range.high, x);
      }
      if (range.low < range.high) ranges.push_back(range);
    }
    return ranges;
  }

  // A value from the lowest up to below the highest, so that both sides have rows.
  TreeNode Cut(const Range& range) {
    const double share = static_cast<double>(random_.Next() >> 11) * 0x1p-53;
    TreeNode node;
    node.column = range.column;
    node.threshold = range.low * (1 - share) + range.high * share;
    if (!(node.threshold >= range.low && node.threshold < range.high)) node.threshold = range.low;
    node.missing_left = random_.Below(2) == 0;
    return node;
  }

  const Table& table_;
  os::SeededRandom& random_;
  double unit_;  // what one step adds to a leaf
  size_t depth_max_ = 0;
  std::vector<uint32_t> rows_;
  Tree tree_;
};

// The first so many of a shuffle, whose swaps go on from tree to tree.
std::vector<uint32_t> Draw(size_t count, std::vector<uint32_t>* rows, os::SeededRandom& random) {
  for (size_t i = 0; i < count; ++i)
    std::swap((*rows)[i], (*rows)[i + random.Below(rows->size() - i)]);
  return {rows->begin(), rows->begin() + static_cast<int64_t>(count)};
}

double MeanScore(const std::vector<Tree>& trees, const Table& table) {
  const Planes sums = SumOfTrees(trees, 1, table);
  double sum = 0;
  for (double leaves : sums[0])
    sum += base::Exp(leaves / static_cast<double>(trees.size()));
  return sum / static_cast<double>(table.rows());
}

}  // namespace

Result<Trained> TrainIsolationForest(const Table& table, const Table* validation,
                                     const Options& options) {
  std::vector<FeatureBins> bins;
  const std::vector<uint32_t> looked_at = SampleRows(table.rows(), options.seed);
  for (const Column& column : table.columns) {
    if (column.categorical) {
      return Error(ErrorKind::kInvalidArgument, "HR3070",
                   "\"" + column.name + "\" has categories, which an isolation forest cannot cut")
          .WithHint("leave the column out with --ignore " + column.name);
    }
    bins.push_back(MakeBins(column, looked_at));
  }
  const size_t sample = std::min(options.sample_rows, table.rows());
  if (sample < 2) {
    return Error(ErrorKind::kInvalidArgument, "HR3070", "an isolation forest needs two rows");
  }
  os::SeededRandom random(options.seed);
  std::vector<uint32_t> rows(table.rows());
  for (size_t row = 0; row < rows.size(); ++row)
    rows[row] = static_cast<uint32_t>(row);
  std::vector<Tree> trees;
  for (size_t t = 0; t < options.trees; ++t)
    trees.push_back(IsolationTree(table, sample, random).Grow(Draw(sample, &rows, random)));
  Trained trained;
  trained.rounds = trees.size();
  trained.loss = MeanScore(trees, table);
  if (validation != nullptr) trained.validation_loss = MeanScore(trees, *validation);
  trained.text = ModelText({.table = table,
                            .bins = bins,
                            .trees = trees,
                            .outputs = 1,
                            .objective = "poisson",
                            .options = options,
                            .whole_trees = true,
                            .average = true});
  return trained;
}

}  // namespace headrace::train
