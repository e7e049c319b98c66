// Scores trees of at most 64 leaves without walking them, after QuickScorer (Lucchese et al.,
// SIGIR 2015): every leaf is a bit of its tree's word; a split that is not taken to the left clears
// the bits of the leaves to its left; the lowest bit that is left after all splits is the leaf.
//
// Here the splits are not even looked at one by one. The value of a feature is first turned into a
// code (FeatureCodes); what all splits on that feature clear together depends on the code only and
// is read from a table. So a row costs one 64-byte AND for each feature and chunk of trees (a chunk
// is what fits into 64 bytes: 16 trees of up to 32 leaves, or 8 of up to 64), whatever the depth of
// the trees, and no branch depends on the data. Leaves are added in tree order.
//
// Within a chunk few of a feature's thresholds occur, so many codes share a line of the table: the
// table holds each line once, and two bytes for each code and chunk say which.

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <map>
#include <utility>

#include <immintrin.h>

#include "forest/feature_codes.h"
#include "forest/forest_kernel.h"
#include "forest/simd.h"

namespace headrace::forest {
namespace {

constexpr size_t kLineBytes = 64;
constexpr size_t kBlockRows = 32;
// More distinct lines than this do not stay in a cache, and do not fit the 16-bit numbers.
constexpr size_t kLinesMax = 65'000;
constexpr size_t kLineNumbersMax = size_t{2} << 20;

struct alignas(kLineBytes) Line {
  std::array<uint64_t, kLineBytes / sizeof(uint64_t)> words;
  auto operator<=>(const Line&) const = default;
};

constexpr Line kAllOnes = {{~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL}};

// A split with the leaves to its left, as bits.
struct MaskedSplit {
  const TreeNode* node;
  size_t tree;  // place in the chunk
  uint64_t left_leaves;
};

int32_t LeavesOfLargestTree(const Forest& forest) {
  int32_t most = 0;
  for (const Tree& tree : forest.trees) {
    most = std::max(most, tree.leaves());
  }
  return most;
}

// Numbers the leaves of a tree from left to right and collects its splits.
class LeafOrder {
 public:
  LeafOrder(const Tree& tree, size_t place) : tree_(tree), place_(place) { Visit(tree.root()); }

  std::vector<int32_t> leaves;  // the tree's leaves from left to right
  std::vector<MaskedSplit> splits;

 private:
  // Bits of all leaves under a child. Recurses: a tree of 64 leaves is at most 63 deep.
  uint64_t Visit(int32_t child) {
    if (child < 0) {
      leaves.push_back(~child);
      return uint64_t{1} << (leaves.size() - 1);
    }
    const TreeNode& node = tree_.nodes[static_cast<size_t>(child)];
    const uint64_t left = Visit(node.left);
    splits.push_back({&node, place_, left});
    return left | Visit(node.right);
  }

  const Tree& tree_;
  size_t place_;
};

// Like std::countr_zero, for a mask that is not 0 (a leaf is always left), which spares the check.
template <typename Mask>
size_t LowestBit(Mask mask) {
  return static_cast<size_t>(sizeof(Mask) == 8 ? __builtin_ctzll(mask)
                                               : __builtin_ctz(static_cast<uint32_t>(mask)));
}

// `Mask` has a bit per leaf; `Number` is the precision in which leaves are added.
template <typename Mask, typename Number>
class MaskKernel : public ForestKernel {
 public:
  static constexpr size_t kChunkTrees = kLineBytes / sizeof(Mask);
  static constexpr size_t kLeaves = sizeof(Mask) * 8;

  // False when the forest does not fit.
  bool Build(const Forest& forest, Simd simd) {
    simd_ = simd;
    features_ = static_cast<size_t>(forest.features);
    trees_ = forest.trees.size();
    for (double base : forest.base) {
      base_.push_back(static_cast<Number>(base));
    }
    if (!MakeCodes(forest)) return false;
    leaf_values_.resize(trees_ * kLeaves);
    chunks_ = (trees_ + kChunkTrees - 1) / kChunkTrees;
    if (first_number_.back() * chunks_ > kLineNumbersMax) return false;
    line_numbers_.resize(first_number_.back() * chunks_);
    lines_.push_back(kAllOnes);
    for (size_t chunk = 0; chunk < chunks_; ++chunk) {
      if (!AddChunk(forest, chunk)) return false;
    }
    lines_.shrink_to_fit();
    place_of_feature_.clear();
    return true;
  }

  void Score(std::span<const double> features, size_t rows, std::span<double> raw) const override {
    const size_t outputs = base_.size();
    while (rows > 0) {
      const size_t block = std::min(rows, kBlockRows);
      ScoreBlock(features.data(), block, raw.data());
      features = features.subspan(block * features_);
      raw = raw.subspan(block * outputs);
      rows -= block;
    }
  }

 private:
  bool MakeCodes(const Forest& forest) {
    std::vector<std::vector<const TreeNode*>> nodes(features_);
    for (const Tree& tree : forest.trees) {
      outputs_.push_back(static_cast<uint32_t>(tree.output));
      for (const TreeNode& node : tree.nodes) {
        nodes[static_cast<size_t>(node.feature)].push_back(&node);
      }
    }
    first_number_.push_back(0);
    place_of_feature_.resize(features_);
    for (size_t f = 0; f < features_; ++f) {
      if (nodes[f].empty()) continue;
      place_of_feature_[f] = used_features_.size();
      used_features_.push_back(static_cast<uint32_t>(f));
      codes_.emplace_back(forest, nodes[f]);
      if (!codes_.back().usable()) return false;
      first_number_.push_back(first_number_.back() + codes_.back().size());
    }
    clean_to_float_ = forest.arithmetic == Arithmetic::kFloat32;
    return true;
  }

  bool AddChunk(const Forest& forest, size_t chunk) {
    std::vector<std::vector<MaskedSplit>> by_place(used_features_.size());
    const size_t first = chunk * kChunkTrees;
    for (size_t t = first; t < std::min(first + kChunkTrees, trees_); ++t) {
      const Tree& tree = forest.trees[t];
      const LeafOrder order(tree, t - first);
      for (size_t i = 0; i < order.leaves.size(); ++i) {
        leaf_values_[t * kLeaves + i] =
            static_cast<Number>(tree.leaf_values[static_cast<size_t>(order.leaves[i])]);
      }
      for (const MaskedSplit& split : order.splits) {
        const auto feature = static_cast<size_t>(split.node->feature);
        by_place[place_of_feature_[feature]].push_back(split);
      }
    }
    for (size_t i = 0; i < by_place.size(); ++i) {
      if (!AddLines(forest, chunk, i, by_place[i])) return false;
    }
    return true;
  }

  // The lines of one used feature in one chunk. Without splits they stay line 0, all ones.
  bool AddLines(const Forest& forest, size_t chunk, size_t place,
                const std::vector<MaskedSplit>& splits) {
    if (splits.empty()) return true;
    const FeatureCodes& codes = codes_[place];
    std::map<Line, uint16_t> known;
    for (size_t code = 0; code < codes.size(); ++code) {
      auto masks = std::bit_cast<std::array<Mask, kChunkTrees>>(kAllOnes);
      for (const MaskedSplit& split : splits) {
        const TreeNode& node = *split.node;
        const bool left = ChildOf(forest, node, codes.representative(code)) == node.left;
        if (!left) masks[split.tree] &= static_cast<Mask>(~split.left_leaves);
      }
      const auto line = std::bit_cast<Line>(masks);
      const auto [found, is_new] = known.emplace(line, static_cast<uint16_t>(lines_.size()));
      if (is_new) lines_.push_back(line);
      line_numbers_[(first_number_[place] + code) * chunks_ + chunk] = found->second;
    }
    return lines_.size() <= kLinesMax;
  }

  double Clean(double x) const {
    if (clean_to_float_) return static_cast<double>(static_cast<float>(x));
    return std::abs(x) <= kZeroThreshold ? 0.0 : x;
  }

  // For each row and used feature, where the line numbers of its code start.
  void CodeRows(const double* features, size_t rows, uint32_t* starts) const {
    const size_t used = used_features_.size();
    for (size_t i = 0; i < used; ++i) {
      const double* column = features + used_features_[i];
      for (size_t r = 0; r < rows; ++r) {
        starts[r * used + i] = StartOf(i, codes_[i].CodeOf(Clean(column[r * features_])));
      }
    }
  }
  HR_AVX512 void CodeRows512(const double* features, size_t rows, uint32_t* starts) const {
    const size_t used = used_features_.size();
    for (size_t i = 0; i < used; ++i) {
      const double* column = features + used_features_[i];
      for (size_t r = 0; r < rows; ++r) {
        starts[r * used + i] = StartOf(i, codes_[i].CodeOf512(Clean(column[r * features_])));
      }
    }
  }
  uint32_t StartOf(size_t place, uint32_t code) const {
    return (static_cast<uint32_t>(first_number_[place]) + code) * static_cast<uint32_t>(chunks_);
  }

  void ScoreBlock(const double* features, size_t rows, double* raw) const {
    const size_t used = used_features_.size();
    const size_t outputs = base_.size();
    std::array<uint32_t, 2048> few_starts;
    std::vector<uint32_t> many_starts;
    uint32_t* starts = few_starts.data();
    if (rows * used > few_starts.size()) {
      many_starts.resize(rows * used);
      starts = many_starts.data();
    }
    if (simd_ == Simd::kAvx512) {
      CodeRows512(features, rows, starts);
    } else {
      CodeRows(features, rows, starts);
    }
    std::array<Number, kBlockRows> few_sums;
    std::vector<Number> many_sums;
    Number* sums = few_sums.data();
    if (rows * outputs > few_sums.size()) {
      many_sums.resize(rows * outputs);
      sums = many_sums.data();
    }
    for (size_t r = 0; r < rows; ++r) {
      std::copy(base_.begin(), base_.end(), sums + r * outputs);
    }
    if (simd_ >= Simd::kAvx2) {
      AddChunksAvx2(starts, rows, sums);
    } else {
      AddChunks(starts, rows, sums);
    }
    std::copy(sums, sums + rows * outputs, raw);
  }

  // The leaves of a chunk's trees that are left, as bits.
  struct alignas(kLineBytes) Left {
    std::array<Mask, kChunkTrees> of_tree;
  };

  void AddChunks(const uint32_t* starts, size_t rows, Number* sums) const {
    const size_t used = used_features_.size();
    const __m128i ones = _mm_set1_epi32(-1);
    const auto* lines = reinterpret_cast<const __m128i*>(lines_.data());
    Left left;
    auto* out = reinterpret_cast<__m128i*>(left.of_tree.data());
    for (size_t chunk = 0; chunk < chunks_; ++chunk) {
      const uint16_t* numbers = line_numbers_.data() + chunk;
      for (size_t r = 0; r < rows; ++r) {
        __m128i a = ones;
        __m128i b = ones;
        __m128i c = ones;
        __m128i d = ones;
        for (const uint32_t start : std::span(starts + r * used, used)) {
          const __m128i* line = lines + size_t{numbers[start]} * 4;
          a = _mm_and_si128(a, _mm_load_si128(line));
          b = _mm_and_si128(b, _mm_load_si128(line + 1));
          c = _mm_and_si128(c, _mm_load_si128(line + 2));
          d = _mm_and_si128(d, _mm_load_si128(line + 3));
        }
        _mm_store_si128(out, a);
        _mm_store_si128(out + 1, b);
        _mm_store_si128(out + 2, c);
        _mm_store_si128(out + 3, d);
        AddLeaves(chunk, left, sums + r * base_.size());
      }
    }
  }

  // The same with half as many instructions.
  HR_AVX2 void AddChunksAvx2(const uint32_t* starts, size_t rows, Number* sums) const {
    const size_t used = used_features_.size();
    const __m256i ones = _mm256_set1_epi32(-1);
    const auto* lines = reinterpret_cast<const __m256i*>(lines_.data());
    Left left;
    auto* out = reinterpret_cast<__m256i*>(left.of_tree.data());
    for (size_t chunk = 0; chunk < chunks_; ++chunk) {
      const uint16_t* numbers = line_numbers_.data() + chunk;
      for (size_t r = 0; r < rows; ++r) {
        __m256i a = ones;
        __m256i b = ones;
        for (const uint32_t start : std::span(starts + r * used, used)) {
          const __m256i* line = lines + size_t{numbers[start]} * 2;
          a = _mm256_and_si256(a, _mm256_load_si256(line));
          b = _mm256_and_si256(b, _mm256_load_si256(line + 1));
        }
        _mm256_store_si256(out, a);
        _mm256_store_si256(out + 1, b);
        AddLeaves(chunk, left, sums + r * base_.size());
      }
    }
  }

  // Adds the leaves of one chunk to one row's sums. A part of its caller, so that it is compiled
  // for what the caller is.
  __attribute__((always_inline)) void AddLeaves(size_t chunk, const Left& left,
                                                Number* sums) const {
    const size_t first = chunk * kChunkTrees;
    const size_t count = std::min(kChunkTrees, trees_ - first);
    const Number* values = leaf_values_.data() + first * kLeaves;
    if (base_.size() == 1) {
      Number sum = sums[0];
      for (size_t t = 0; t < count; ++t) {
        sum += values[t * kLeaves + LowestBit(left.of_tree[t])];
      }
      sums[0] = sum;
      return;
    }
    for (size_t t = 0; t < count; ++t) {
      sums[outputs_[first + t]] += values[t * kLeaves + LowestBit(left.of_tree[t])];
    }
  }

  Simd simd_ = Simd::kBase;
  size_t features_ = 0;
  size_t trees_ = 0;
  size_t chunks_ = 0;
  bool clean_to_float_ = false;
  std::vector<Number> base_;
  std::vector<uint32_t> outputs_;         // by tree
  std::vector<uint32_t> used_features_;   // features that some split asks for
  std::vector<size_t> place_of_feature_;  // the other way round; only while building
  std::vector<FeatureCodes> codes_;       // by place among the used features
  std::vector<size_t> first_number_;      // by place: the codes of all places before
  std::vector<uint16_t> line_numbers_;    // place- and code-major, then by chunk
  std::vector<Line> lines_;
  std::vector<Number> leaf_values_;  // kLeaves for each tree, from left to right
};

template <typename Mask, typename Number>
std::unique_ptr<const ForestKernel> Make(const Forest& forest, Simd simd) {
  auto kernel = std::make_unique<MaskKernel<Mask, Number>>();
  if (!kernel->Build(forest, simd)) return nullptr;
  return kernel;
}

}  // namespace

double MaskKernelCost(const Forest& forest) {
  const int32_t leaves = LeavesOfLargestTree(forest);
  if (leaves > 64 || forest.leaf_width != 1 || forest.has_linear_leaves()) {
    return std::numeric_limits<double>::infinity();
  }
  const size_t chunk = leaves > 32 ? 8 : 16;
  std::vector<size_t> last_chunk(static_cast<size_t>(forest.features), SIZE_MAX);
  double steps = 0;
  double features = 0;
  for (size_t t = 0; t < forest.trees.size(); ++t) {
    for (const TreeNode& node : forest.trees[t].nodes) {
      size_t& last = last_chunk[static_cast<size_t>(node.feature)];
      if (last == t / chunk) continue;
      features += last == SIZE_MAX ? 1 : 0;
      steps += 1;
      last = t / chunk;
    }
  }
  constexpr double kCodeNs = 7;
  constexpr double kStepNs = 2;
  constexpr double kTreeNs = 1;
  return kCodeNs * features + kStepNs * steps + kTreeNs * static_cast<double>(forest.trees.size());
}

std::unique_ptr<const ForestKernel> MakeMaskKernel(const Forest& forest, Simd simd) {
  const int32_t leaves = LeavesOfLargestTree(forest);
  if (leaves > 64 || forest.leaf_width != 1 || forest.has_linear_leaves()) return nullptr;
  const bool narrow = forest.arithmetic == Arithmetic::kFloat32;
  if (leaves <= 32)
    return narrow ? Make<uint32_t, float>(forest, simd) : Make<uint32_t, double>(forest, simd);
  return narrow ? Make<uint64_t, float>(forest, simd) : Make<uint64_t, double>(forest, simd);
}

}  // namespace headrace::forest
