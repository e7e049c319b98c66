#include "train/tree_grower.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

namespace headrace::train {
namespace {

// Below, waking a thread costs more than the work.
constexpr size_t kSharedRowsMin = 4096;
constexpr size_t kChunkRowsMin = 16'384;

}  // namespace

Status TreeGrower::Check(const BinnedRows& rows, const Options& options) {
  const size_t cells = HistogramLayout(rows).cells();
  if (cells <= kHistogramBytesMax / sizeof(Cell) / options.leaves) return Ok();
  return OverLimit(std::to_string(options.leaves) + " leaves over " +
                   std::to_string(rows.features()) + " features need more than " +
                   std::to_string(kHistogramBytesMax >> 30) + " GiB for histograms")
      .WithHint("fewer leaves or fewer features");
}

TreeGrower::TreeGrower(const BinnedRows& rows, std::vector<int8_t> monotone, const Options& options,
                       os::WorkerTeam& team)
    : rows_(rows),
      monotone_(std::move(monotone)),
      options_(options),
      team_(team),
      layout_(rows),
      partition_(rows.rows(), team),
      small_splits_(rows.features()),
      large_splits_(rows.features()) {}

TreeGrower::Open& TreeGrower::NewRoot(const GradientScale& scale) {
  count_bits_ = scale.count_bits;
  for (Open& leaf : open_) {
    if (!leaf.histogram.empty()) spare_.push_back(std::move(leaf.histogram));
  }
  open_.clear();
  return open_.emplace_back();
}

Tree TreeGrower::Grow(std::span<const Gradient> gradients, const GradientScale& scale) {
  partition_.Reset(gradients);
  Open& root = NewRoot(scale);
  root.end = rows_.rows();
  for (const Gradient& gradient : gradients)
    root.sums += {gradient.first, gradient.second, 1};
  return GrowFrom(scale);
}

Tree TreeGrower::Grow(std::span<const Gradient> gradients, const GradientScale& scale,
                      const Bag& bag) {
  if (!outside_) outside_.emplace(rows_.rows(), team_);
  partition_.Reset(bag.in, gradients);
  outside_->Reset(bag.out, gradients);
  random_ = std::make_unique<os::SeededRandom>(bag.seed);
  drawn_features_ = bag.features < rows_.features() ? bag.features : 0;
  Open& root = NewRoot(scale);
  root.end = bag.in.size();
  root.out_end = bag.out.size();
  for (uint32_t row : bag.in)
    root.sums += {gradients[row].first, gradients[row].second, 1};
  DrawFeatures(&root);
  return GrowFrom(scale);
}

// The first so many of a shuffle (Fisher and Yates 1938).
void TreeGrower::DrawFeatures(Open* leaf) {
  if (drawn_features_ == 0) return;
  std::vector<size_t> order(rows_.features());
  std::iota(order.begin(), order.end(), size_t{0});
  leaf->takes.assign(order.size(), 0);
  for (size_t i = 0; i < drawn_features_; ++i) {
    std::swap(order[i], order[i + random_->Below(order.size() - i)]);
    leaf->takes[order[i]] = 1;
  }
}

Tree TreeGrower::GrowFrom(const GradientScale& scale) {
  const SplitFinder finder(
      {.l2 = options_.l2, .min_rows = static_cast<int64_t>(options_.min_leaf_rows), .scale = scale},
      count_bits_);
  Open& root = open_[0];
  root.value = finder.ValueOf(root.sums, root.bounds, options_.l2);
  Tree tree;
  if (options_.leaves > 1 && MaySplit(root)) Examine(&root, nullptr, finder);
  while (open_.size() < options_.leaves) {
    const auto best =
        std::max_element(open_.begin(), open_.end(),
                         [](const Open& a, const Open& b) { return a.best.gain < b.best.gain; });
    if (!best->best.found()) break;
    SplitLeaf(static_cast<size_t>(best - open_.begin()), finder, &tree);
  }
  for (const Open& leaf : open_)
    tree.leaves.push_back({leaf.value, finder.SecondOf(leaf.sums), leaf.sums.rows});
  return tree;
}

std::span<const uint32_t> TreeGrower::RowsOf(size_t leaf) const {
  return partition_.Of(open_[leaf].begin, open_[leaf].end).rows;
}

std::span<const uint32_t> TreeGrower::RowsOutside(size_t leaf) const {
  return outside_->Of(open_[leaf].out_begin, open_[leaf].out_end).rows;
}

bool TreeGrower::MaySplit(const Open& leaf) const {
  return rows_.features() > 0 && leaf.rows() >= 2 * options_.min_leaf_rows && leaf.rows() >= 2;
}

RowPartition::Sides TreeGrower::SidesOf(const Split& split) const {
  RowPartition::Sides left{};
  const FeatureBins& feature = rows_.feature(split.feature);
  if (feature.categorical) {
    for (uint8_t bin : split.left_bins)
      left[bin] = 1;
    return left;
  }
  std::fill_n(left.begin(), split.bin + 1, uint8_t{1});
  left[feature.values()] = split.missing_left ? 1 : 0;
  return left;
}

void TreeGrower::AddNode(size_t leaf, const SplitFinder& finder, Tree* tree) const {
  const Open& open = open_[leaf];
  const Split& split = open.best;
  const FeatureBins& feature = rows_.feature(split.feature);
  TreeNode node;
  node.column = rows_.column(split.feature);
  if (feature.categorical) {
    for (uint8_t bin : split.left_bins)
      node.categories.push_back(feature.categories[bin]);
    std::sort(node.categories.begin(), node.categories.end());
  } else {
    node.threshold = feature.upper[split.bin];
    node.missing_left = split.missing_left;
  }
  node.left = ~static_cast<int32_t>(leaf);
  node.right = ~static_cast<int32_t>(open_.size());
  node.gain = split.gain;
  node.value = open.value;
  node.weight = finder.SecondOf(open.sums);
  node.rows = open.sums.rows;
  if (open.parent >= 0) {
    TreeNode& parent = tree->nodes[static_cast<size_t>(open.parent)];
    (parent.left == node.left ? parent.left : parent.right) =
        static_cast<int32_t>(tree->nodes.size());
  }
  tree->nodes.push_back(std::move(node));
}

void TreeGrower::SplitLeaf(size_t leaf, const SplitFinder& finder, Tree* tree) {
  AddNode(leaf, finder, tree);
  Open& left = open_[leaf];
  const Split split = std::move(left.best);
  left.best = {};
  size_t stride = 0;
  const uint8_t* bins = rows_.bins(split.feature, &stride);
  const RowPartition::Sides sides = SidesOf(split);
  const size_t middle = partition_.Split(left.begin, left.end, bins, stride, sides);
  HR_CHECK(middle - left.begin == static_cast<size_t>(split.left.rows));
  Open right;
  right.begin = middle;
  right.end = std::exchange(left.end, middle);
  if (outside_) {
    right.out_begin = outside_->Split(left.out_begin, left.out_end, bins, stride, sides);
    right.out_end = std::exchange(left.out_end, right.out_begin);
  }
  DrawFeatures(&left);
  DrawFeatures(&right);
  right.bounds = left.bounds;
  left.parent = right.parent = static_cast<int32_t>(tree->nodes.size()) - 1;
  left.sums = split.left;
  right.sums = split.right;
  left.value = split.left_value;
  right.value = split.right_value;
  if (const int8_t direction = monotone_[split.feature]; direction != 0) {
    const double between = left.value / 2 + right.value / 2;
    (direction > 0 ? left.bounds.high : left.bounds.low) = between;
    (direction > 0 ? right.bounds.low : right.bounds.high) = between;
  }
  const bool more = open_.size() + 1 < options_.leaves && (MaySplit(left) || MaySplit(right));
  open_.push_back(std::move(right));
  if (!more) return;
  Open* small = &open_[leaf];
  Open* large = &open_.back();
  if (small->rows() > large->rows()) std::swap(small, large);
  // The parent's histogram becomes the larger child's.
  if (large->histogram.empty()) std::swap(small->histogram, large->histogram);
  Examine(small, large, finder);
}

void TreeGrower::RunPieces(size_t pieces, size_t rows, const os::WorkerTeam::Piece& piece) {
  if (rows >= kSharedRowsMin) return team_.Run(pieces, piece);
  for (size_t i = 0; i < pieces; ++i)
    piece(i, 0);
}

// Enough pieces for every thread; sums of chunks add up exactly, so any number will do.
size_t TreeGrower::ChunksOf(size_t rows) const {
  const size_t groups = rows_.groups().size();
  if (team_.size() == 1 || groups >= 2 * team_.size()) return 1;
  const size_t wanted = (2 * team_.size() + groups - 1) / groups;
  return std::clamp<size_t>(rows / kChunkRowsMin, 1, wanted);
}

void TreeGrower::Examine(Open* small, Open* large, const SplitFinder& finder) {
  if (small->histogram.empty() && !spare_.empty()) {
    small->histogram = std::move(spare_.back());
    spare_.pop_back();
  }
  small->histogram.resize(layout_.cells());
  const size_t groups = rows_.groups().size();
  const size_t chunks = ChunksOf(small->rows());
  partial_.resize(std::max(partial_.size(), chunks - 1));
  for (size_t c = 0; c + 1 < chunks; ++c)
    partial_[c].resize(layout_.cells());
  RunPieces(groups * chunks, small->rows(), [&](size_t piece, size_t) {
    const BinnedRows::Group& group = rows_.groups()[piece % groups];
    const size_t chunk = piece / groups;
    std::vector<Cell>& cells = chunk == 0 ? small->histogram : partial_[chunk - 1];
    std::fill(cells.begin() + static_cast<int64_t>(layout_.first(group.first)),
              cells.begin() + static_cast<int64_t>(layout_.first(group.first + group.width)),
              Cell{});
    const size_t begin = small->begin + small->rows() * chunk / chunks;
    const size_t end = small->begin + small->rows() * (chunk + 1) / chunks;
    Accumulate(group, layout_, partition_.Of(begin, end), count_bits_, cells.data());
    if (chunks == 1) FinishGroup(piece, small, large, finder);
  });
  if (chunks > 1) {
    RunPieces(groups, small->rows(), [&](size_t g, size_t) {
      const BinnedRows::Group& group = rows_.groups()[g];
      for (size_t c = 0; c + 1 < chunks; ++c) {
        for (size_t i = layout_.first(group.first); i < layout_.first(group.first + group.width);
             ++i)
          small->histogram[i].sums += partial_[c][i].sums;
      }
      FinishGroup(g, small, large, finder);
    });
  }
  if (MaySplit(*small)) TakeBest(&small_splits_, finder, small);
  if (large != nullptr && MaySplit(*large)) TakeBest(&large_splits_, finder, large);
}

void TreeGrower::TakeBest(std::vector<Split>* splits, const SplitFinder& finder, Open* leaf) {
  const auto take = [&] {
    for (Split& split : *splits) {
      if (split.gain > leaf->best.gain) leaf->best = std::move(split);
    }
  };
  take();
  if (leaf->best.found() || leaf->takes.empty()) return;
  for (size_t f = 0; f < splits->size(); ++f) {
    leaf->takes[f] ^= 1;
    (*splits)[f] = FindSplit(*leaf, f, finder);
  }
  take();
}

Split TreeGrower::FindSplit(const Open& leaf, size_t feature, const SplitFinder& finder) const {
  if (!leaf.takes.empty() && leaf.takes[feature] == 0) return {};
  Split split =
      finder.Find(rows_.feature(feature), monotone_[feature],
                  {leaf.histogram.data(), leaf.sums, leaf.bounds}, layout_.first(feature));
  split.feature = feature;
  return split;
}

void TreeGrower::FinishGroup(size_t group_at, Open* small, Open* large, const SplitFinder& finder) {
  const BinnedRows::Group& group = rows_.groups()[group_at];
  const size_t end = group.first + group.width;
  if (large != nullptr) {
    for (size_t i = layout_.first(group.first); i < layout_.first(end); ++i)
      large->histogram[i].sums -= small->histogram[i].sums;
  }
  for (size_t f = group.first; f < end; ++f) {
    if (MaySplit(*small)) small_splits_[f] = FindSplit(*small, f, finder);
    if (large != nullptr && MaySplit(*large)) large_splits_[f] = FindSplit(*large, f, finder);
  }
}

}  // namespace headrace::train
