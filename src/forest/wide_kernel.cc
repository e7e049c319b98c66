// Asks all splits of a tree at the same time, with AVX-512: a tree of up to 32 leaves has at most
// 31 splits, and what a split compares fits into 16 bits once values are codes (Thresholds). As in
// mask_kernel.cc a split that goes right drops the leaves to its left, and the first leaf that
// is left is the answer (QuickScorer, Lucchese et al., SIGIR 2015).
//
// - One row (ScoreRow): a permutation brings each split the code it asks for, one comparison
//   answers for the whole tree, and the bits of the dropped leaves are ORed, for sixteen trees at
//   a time. A tree costs some seven cycles: what it takes to read its 224 bytes from the
//   second-level cache, in order. There is no table of combinations that grows with the forest.
// - Many rows (ScoreColumns, after RapidScorer, Ye et al., KDD 2018): each split is asked of 64
// rows
//   at once; the leaf's value is a permutation of the tree's values.
//
// What missing values mean is settled before: for each way in which splits look at a feature the
// row has a lane, a code for which the plain comparison is right. Leaves are added in tree order.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include <immintrin.h>

#include "forest/forest_kernel.h"
#include "forest/simd.h"
#include "forest/thresholds.h"

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 takes the undefined operand of its own intrinsics for a mistake (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace headrace::forest {
namespace {

constexpr size_t kLeaves = 32;
constexpr size_t kLanesMax = 64;     // two registers of codes
constexpr size_t kTogether = 16;     // trees whose leaves are found together for one row
constexpr size_t kColumnRows = 64;   // rows that a split is asked of at once
constexpr size_t kColumnsFrom = 24;  // with fewer rows, one row at a time is faster
constexpr size_t kCutsMax = 60'000;  // of one feature; codes have 16 bits
constexpr uint16_t kGoesLeft = 0;    // the code that every split sends to the left
constexpr uint16_t kGoesRight = 0xFFFF;

// A lane's code for values that are not there; for others it is how many thresholds are below.
struct Lane {
  uint16_t nan_code;
  uint16_t zero_code;
};

// The lanes of one feature.
struct LaneGroup {
  uint32_t feature;
  uint32_t first;
  uint32_t end;
  Thresholds thresholds;
};

// How a split looks at its feature.
using LaneKey = std::tuple<int32_t, MissingRule, bool>;

LaneKey KeyOf(const TreeNode& node) {
  return {node.feature, node.missing, node.missing != MissingRule::kNone && node.default_left};
}

// The splits of a tree, and behind them places that drop nothing.
struct alignas(32) SplitLanes {
  std::array<uint8_t, kLeaves> lane = {};
};
struct alignas(64) SplitCuts {
  std::array<uint16_t, kLeaves> cut = {};  // a larger code goes right
};
struct alignas(64) SplitDrops {
  std::array<uint32_t, kLeaves> leaves = {};  // those to the left of the split, as bits
};
template <typename Number>
struct alignas(64) LeafValues {
  std::array<Number, kLeaves> value = {};
};

// Leaves that are gone, sixteen words of bits.
using Words = __m512i;

HR_AVX512_INLINE Words LaneCodes(const SplitLanes& lanes, __m512i low, __m512i high, bool many) {
  const __m512i at =
      _mm512_cvtepu8_epi16(_mm256_load_si256(reinterpret_cast<const __m256i*>(lanes.lane.data())));
  return many ? _mm512_permutex2var_epi16(low, at, high) : _mm512_permutexvar_epi16(at, low);
}

// The number of the lowest bit that is not set, in each word.
HR_AVX512_INLINE __m512i LowestLeft(Words gone) {
  const __m512i left = _mm512_xor_si512(gone, _mm512_set1_epi32(-1));
  const __m512i lowest = _mm512_and_si512(left, _mm512_sub_epi32(_mm512_setzero_si512(), left));
  return _mm512_sub_epi32(_mm512_set1_epi32(31), _mm512_lzcnt_epi32(lowest));
}

// Adds each row's leaf to its sum; sixteen rows.
HR_AVX512_INLINE void AddLeaves(const LeafValues<float>& values, Words gone, float* sums) {
  const __m512 picked =
      _mm512_permutex2var_ps(_mm512_load_ps(values.value.data()), LowestLeft(gone),
                             _mm512_load_ps(values.value.data() + 16));
  _mm512_store_ps(sums, _mm512_add_ps(_mm512_load_ps(sums), picked));
}

HR_AVX512_INLINE void AddEightLeaves(const double* values, __m512i leaf, double* sums) {
  const __m512d low =
      _mm512_permutex2var_pd(_mm512_load_pd(values), leaf, _mm512_load_pd(values + 8));
  const __m512d high =
      _mm512_permutex2var_pd(_mm512_load_pd(values + 16), leaf, _mm512_load_pd(values + 24));
  const __mmask8 is_high = _mm512_test_epi64_mask(leaf, _mm512_set1_epi64(16));
  const __m512d picked = _mm512_mask_blend_pd(is_high, low, high);
  _mm512_store_pd(sums, _mm512_add_pd(_mm512_load_pd(sums), picked));
}

HR_AVX512_INLINE void AddLeaves(const LeafValues<double>& values, Words gone, double* sums) {
  const __m512i leaf = LowestLeft(gone);
  AddEightLeaves(values.value.data(), _mm512_cvtepu32_epi64(_mm512_castsi512_si256(leaf)), sums);
  AddEightLeaves(values.value.data(), _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(leaf, 1)),
                 sums + 8);
}

// `Number` is the precision in which leaves are added.
template <typename Number>
class WideKernel : public ForestKernel {
 public:
  // False when the forest does not fit.
  bool Build(const Forest& forest) {
    features_ = static_cast<size_t>(forest.features);
    trees_ = forest.trees.size();
    clean_to_float_ = forest.arithmetic == Arithmetic::kFloat32;
    for (double base : forest.base) {
      base_.push_back(static_cast<Number>(base));
    }
    std::map<int32_t, std::vector<double>> cuts;
    std::map<LaneKey, size_t> lane_of;
    if (!MakeLanes(forest, &cuts, &lane_of)) return false;
    const size_t padded = (trees_ + kTogether - 1) / kTogether * kTogether;
    lanes_of_.resize(padded);
    cuts_.resize(padded);
    drops_.resize(padded);
    values_.resize(padded);
    for (size_t t = 0; t < trees_; ++t) {
      const Tree& tree = forest.trees[t];
      outputs_.push_back(static_cast<uint32_t>(tree.output));
      splits_.push_back(static_cast<uint32_t>(tree.nodes.size()));
      size_t leaves = 0;
      size_t splits = 0;
      const auto visit = [&](const auto& self, int32_t child) -> uint32_t {
        if (child < 0) {
          const int32_t leaf = ~child;
          values_[t].value[leaves] =
              static_cast<Number>(tree.leaf_values[static_cast<size_t>(leaf)]);
          return uint32_t{1} << leaves++;
        }
        const TreeNode& node = tree.nodes[static_cast<size_t>(child)];
        const uint32_t left = self(self, node.left);
        const std::vector<double>& of = cuts[node.feature];
        const auto cut = std::lower_bound(of.begin(), of.end(), node.threshold) - of.begin();
        lanes_of_[t].lane[splits] = static_cast<uint8_t>(lane_of[KeyOf(node)]);
        cuts_[t].cut[splits] = static_cast<uint16_t>(cut);
        drops_[t].leaves[splits++] = left;
        return left | self(self, node.right);
      };
      visit(visit, tree.root());
    }
    return true;
  }

  void Score(std::span<const double> features, size_t rows, std::span<double> raw) const override {
    const double* row = features.data();
    double* scores = raw.data();
    while (rows > 0) {
      const size_t some = rows < kColumnsFrom ? 1 : std::min(rows, kColumnRows);
      if (some > 1) {
        ScoreColumns(row, some, scores);
      } else if (lanes_.size() > kLanesMax / 2) {
        ScoreRow<true>(row, scores);
      } else {
        ScoreRow<false>(row, scores);
      }
      row += some * features_;
      scores += some * base_.size();
      rows -= some;
    }
  }

 private:
  bool MakeLanes(const Forest& forest, std::map<int32_t, std::vector<double>>* cuts,
                 std::map<LaneKey, size_t>* lane_of) {
    for (const Tree& tree : forest.trees) {
      for (const TreeNode& node : tree.nodes) {
        // Nothing passes a split at NaN, missing values perhaps: no threshold says that.
        if (node.category_set >= 0 || std::isnan(node.threshold)) return false;
        (*cuts)[node.feature].push_back(node.threshold);
        lane_of->emplace(KeyOf(node), 0);
      }
    }
    if (lane_of->size() > kLanesMax) return false;
    for (auto& [key, place] : *lane_of) {
      const auto [feature, missing, default_left] = key;
      std::vector<double>& of = (*cuts)[feature];
      if (groups_.empty() || groups_.back().feature != static_cast<uint32_t>(feature)) {
        std::sort(of.begin(), of.end());
        of.erase(std::unique(of.begin(), of.end()), of.end());
        if (of.size() > kCutsMax) return false;
        const auto first = static_cast<uint32_t>(lanes_.size());
        groups_.push_back({static_cast<uint32_t>(feature), first, first, Thresholds(of)});
      }
      place = lanes_.size();
      groups_.back().end += 1;
      const auto zero =
          static_cast<uint16_t>(std::lower_bound(of.begin(), of.end(), 0.0) - of.begin());
      const uint16_t away = default_left ? kGoesLeft : kGoesRight;
      lanes_.push_back({missing == MissingRule::kNone ? zero : away,
                        missing == MissingRule::kZero ? away : zero});
    }
    return true;
  }

  // Writes the codes of one value, lane by lane, `stride` apart.
  HR_AVX512_INLINE void WriteCodes(const LaneGroup& group, double x, uint16_t* codes,
                                   size_t stride) const {
    if (clean_to_float_) {
      x = static_cast<double>(static_cast<float>(x));
    } else {
      x = std::abs(x) <= kZeroThreshold ? 0.0 : x;
    }
    const auto below = static_cast<uint16_t>(group.thresholds.CountBelow512(x));
    for (uint32_t i = group.first; i < group.end; ++i) {
      const uint16_t code = x == 0 ? lanes_[i].zero_code : below;
      codes[i * stride] = x != x ? lanes_[i].nan_code : code;
    }
  }

  // The leaves of one tree that its splits drop, in sixteen words that are to be ORed.
  template <bool kManyLanes>
  HR_AVX512_INLINE Words DroppedByTree(size_t tree, __m512i low, __m512i high) const {
    const __m512i codes = LaneCodes(lanes_of_[tree], low, high, kManyLanes);
    const __mmask32 right =
        _mm512_cmpgt_epu16_mask(codes, _mm512_load_si512(cuts_[tree].cut.data()));
    const uint32_t* drops = drops_[tree].leaves.data();
    const __m512i first = _mm512_maskz_load_epi32(static_cast<__mmask16>(right), drops);
    return _mm512_mask_or_epi32(first, static_cast<__mmask16>(right >> 16), first,
                                _mm512_load_si512(drops + 16));
  }

  // For 2, 4, 8 trees the words of each are 16, 8, 4 times halved and interleaved, until sixteen
  // trees have a word each, in order.
  template <bool kManyLanes>
  HR_AVX512_INLINE Words DroppedByTwo(size_t tree, __m512i low, __m512i high) const {
    const Words a = DroppedByTree<kManyLanes>(tree, low, high);
    const Words b = DroppedByTree<kManyLanes>(tree + 1, low, high);
    return _mm512_or_si512(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  }
  template <bool kManyLanes>
  HR_AVX512_INLINE Words DroppedByFour(size_t tree, __m512i low, __m512i high) const {
    const Words a = DroppedByTwo<kManyLanes>(tree, low, high);
    const Words b = DroppedByTwo<kManyLanes>(tree + 2, low, high);
    return _mm512_or_si512(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
  }
  template <bool kManyLanes>
  HR_AVX512_INLINE Words DroppedByEight(size_t tree, __m512i low, __m512i high) const {
    const Words a = DroppedByFour<kManyLanes>(tree, low, high);
    const Words b = DroppedByFour<kManyLanes>(tree + 4, low, high);
    return _mm512_or_si512(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xDD));
  }
  template <bool kManyLanes>
  HR_AVX512_INLINE Words DroppedBySixteen(size_t tree, __m512i low, __m512i high) const {
    const Words a = DroppedByEight<kManyLanes>(tree, low, high);
    const Words b = DroppedByEight<kManyLanes>(tree + 8, low, high);
    return _mm512_or_si512(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xDD));
  }

  template <bool kManyLanes>
  HR_AVX512 void ScoreRow(const double* row, double* raw) const {
    alignas(64) std::array<uint16_t, kLanesMax> codes;
    for (const LaneGroup& group : groups_) {
      WriteCodes(group, row[group.feature], codes.data(), 1);
    }
    const __m512i low = _mm512_load_si512(codes.data());
    const __m512i high = _mm512_load_si512(codes.data() + kLanesMax / 2);
    std::array<Number, 16> few_sums;
    std::vector<Number> many_sums(base_.size() > few_sums.size() ? base_.size() : 0);
    Number* sums = many_sums.empty() ? few_sums.data() : many_sums.data();
    std::copy(base_.begin(), base_.end(), sums);
    // The leaves of the sixteen trees before are added while those of the next are looked for: the
    // additions are a chain, and would wait for the comparisons otherwise.
    alignas(64) std::array<std::array<uint32_t, kTogether>, 2> gone;
    size_t tree = 0;
    for (; tree < trees_; tree += kTogether) {
      _mm512_store_si512(gone[tree / kTogether % 2].data(),
                         DroppedBySixteen<kManyLanes>(tree, low, high));
      if (tree > 0) AddSixteen(tree - kTogether, gone[(tree / kTogether + 1) % 2], sums);
    }
    if (tree > 0) AddSixteen(tree - kTogether, gone[(tree / kTogether + 1) % 2], sums);
    std::copy(sums, sums + base_.size(), raw);
  }

  HR_AVX512_INLINE void AddSixteen(size_t tree, const std::array<uint32_t, kTogether>& gone,
                                   Number* sums) const {
    const LeafValues<Number>* values = values_.data() + tree;
    const size_t count = std::min(kTogether, trees_ - tree);
    if (base_.size() > 1) {
      for (size_t k = 0; k < count; ++k) {
        sums[outputs_[tree + k]] += values[k].value[LeafLeft(gone[k])];
      }
      return;
    }
    Number sum = sums[0];
    if (count == kTogether) {
#pragma GCC unroll 16
      for (size_t k = 0; k < kTogether; ++k) {
        sum += values[k].value[LeafLeft(gone[k])];
      }
    } else {
      for (size_t k = 0; k < count; ++k) {
        sum += values[k].value[LeafLeft(gone[k])];
      }
    }
    sums[0] = sum;
  }

  // One leaf at least is never dropped.
  HR_AVX512_INLINE static size_t LeafLeft(uint32_t gone) {
    return static_cast<size_t>(__builtin_ctz(~gone));
  }

  // At most kColumnRows rows.
  HR_AVX512 void ScoreColumns(const double* features, size_t rows, double* raw) const {
    alignas(64) std::array<uint16_t, kLanesMax * kColumnRows> codes;
    if (rows < kColumnRows) codes.fill(0);
    for (const LaneGroup& group : groups_) {
      for (size_t r = 0; r < rows; ++r) {
        WriteCodes(group, features[r * features_ + group.feature], codes.data() + r, kColumnRows);
      }
    }
    struct alignas(64) Column {
      std::array<Number, kColumnRows> of_row;
    };
    std::array<Column, 4> few_sums;
    std::vector<Column> many_sums(base_.size() > few_sums.size() ? base_.size() : 0);
    Column* sums = many_sums.empty() ? few_sums.data() : many_sums.data();
    for (size_t k = 0; k < base_.size(); ++k) {
      sums[k].of_row.fill(base_[k]);
    }
    for (size_t t = 0; t < trees_; ++t) {
      AddTree(t, codes.data(), sums[outputs_[t]].of_row.data());
    }
    for (size_t r = 0; r < rows; ++r) {
      for (size_t k = 0; k < base_.size(); ++k) {
        raw[r * base_.size() + k] = static_cast<double>(sums[k].of_row[r]);
      }
    }
  }

  // Adds one tree's leaves to the sums of 64 rows.
  HR_AVX512_INLINE void AddTree(size_t tree, const uint16_t* codes, Number* sums) const {
    Words a = _mm512_setzero_si512();
    Words b = a;
    Words c = a;
    Words d = a;
    for (uint32_t i = 0; i < splits_[tree]; ++i) {
      const uint16_t* column = codes + size_t{lanes_of_[tree].lane[i]} * kColumnRows;
      const __m512i cut = _mm512_set1_epi16(static_cast<int16_t>(cuts_[tree].cut[i]));
      const __m512i drops = _mm512_set1_epi32(static_cast<int32_t>(drops_[tree].leaves[i]));
      const __mmask32 low = _mm512_cmpgt_epu16_mask(_mm512_load_si512(column), cut);
      const __mmask32 high = _mm512_cmpgt_epu16_mask(_mm512_load_si512(column + 32), cut);
      a = _mm512_mask_or_epi32(a, static_cast<__mmask16>(low), a, drops);
      b = _mm512_mask_or_epi32(b, static_cast<__mmask16>(low >> 16), b, drops);
      c = _mm512_mask_or_epi32(c, static_cast<__mmask16>(high), c, drops);
      d = _mm512_mask_or_epi32(d, static_cast<__mmask16>(high >> 16), d, drops);
    }
    AddLeaves(values_[tree], a, sums);
    AddLeaves(values_[tree], b, sums + 16);
    AddLeaves(values_[tree], c, sums + 32);
    AddLeaves(values_[tree], d, sums + 48);
  }

  size_t features_ = 0;
  size_t trees_ = 0;
  bool clean_to_float_ = false;
  std::vector<Number> base_;
  std::vector<LaneGroup> groups_;
  std::vector<Lane> lanes_;
  // By tree; padded to whole sixteens with trees without splits.
  std::vector<SplitLanes> lanes_of_;
  std::vector<SplitCuts> cuts_;
  std::vector<SplitDrops> drops_;
  std::vector<LeafValues<Number>> values_;
  // By tree, not padded.
  std::vector<uint32_t> splits_;
  std::vector<uint32_t> outputs_;
};

template <typename Number>
std::unique_ptr<const ForestKernel> Make(const Forest& forest) {
  auto kernel = std::make_unique<WideKernel<Number>>();
  if (!kernel->Build(forest)) return nullptr;
  return kernel;
}

bool Fits(const Forest& forest, Simd simd) {
  return simd == Simd::kAvx512 && forest.leaf_width == 1 && !forest.has_linear_leaves() &&
         std::all_of(forest.trees.begin(), forest.trees.end(), [](const Tree& tree) {
           return tree.leaves() <= static_cast<int32_t>(kLeaves);
         });
}

}  // namespace

double WideKernelCost(const Forest& forest, Simd simd) {
  if (!Fits(forest, simd)) return std::numeric_limits<double>::infinity();
  // For one row; blocks cost half of it, which no other kernel does.
  constexpr double kCodeNs = 4.5;
  constexpr double kTreeNs = 2.4;
  return kCodeNs * forest.features + kTreeNs * static_cast<double>(forest.trees.size());
}

std::unique_ptr<const ForestKernel> MakeWideKernel(const Forest& forest, Simd simd) {
  if (!Fits(forest, simd)) return nullptr;
  if (forest.arithmetic == Arithmetic::kFloat32) return Make<float>(forest);
  return Make<double>(forest);
}

}  // namespace headrace::forest
