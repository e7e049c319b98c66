// Every kernel must give the bits of the plain walk, whatever the forest, alone and in blocks.
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "forest/forest_kernel.h"

namespace headrace::forest {
namespace {

// A small deterministic generator (splitmix64); the tests need no good randomness.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  size_t Below(size_t n) { return Next() % n; }
  bool OneIn(size_t n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};

struct Kind {
  const char* name;
  Arithmetic arithmetic;
  size_t leaves;
  int32_t outputs;
  bool categories;
  bool zero_missing;
  int32_t features = 5;
};

// Thresholds from a few values, so that rows sit exactly on them.
double SomeThreshold(Dice* dice) {
  const double values[] = {0.0, -0.0,  1e-35, 1.0000000180025095e-35, -2.5, 1, 1.5,
                           7,   1e300, -1e-40};
  return values[dice->Below(std::size(values))];
}

double SomeValue(Dice* dice) {
  if (dice->OneIn(8)) return std::numeric_limits<double>::quiet_NaN();
  if (dice->OneIn(16)) return std::numeric_limits<double>::infinity();
  if (dice->OneIn(16)) return -std::numeric_limits<double>::infinity();
  const double threshold = SomeThreshold(dice);
  if (dice->OneIn(3)) return threshold;
  if (dice->OneIn(2)) return std::nextafter(threshold, 1e308);
  return static_cast<double>(dice->Below(80)) / 4 - 5;
}

TreeNode SomeSplit(const Kind& kind, Forest* forest, Dice* dice) {
  TreeNode node;
  node.feature = static_cast<int32_t>(dice->Below(static_cast<size_t>(forest->features)));
  node.default_left = dice->OneIn(2);
  node.missing = kind.arithmetic == Arithmetic::kFloat32 ? MissingRule::kNan
                 : kind.zero_missing && dice->OneIn(2)
                     ? MissingRule::kZero
                     : static_cast<MissingRule>(dice->Below(2) * 2);
  // The last feature is the categorical one.
  if (kind.categories && node.feature == forest->features - 1) {
    CategorySet set;
    set.words = {static_cast<uint32_t>(dice->Next()), static_cast<uint32_t>(dice->Next())};
    node.category_set = static_cast<int32_t>(forest->category_sets.size());
    forest->category_sets.push_back(set);
  } else {
    node.threshold = SomeThreshold(dice);
    if (kind.arithmetic == Arithmetic::kFloat32) {
      node.threshold = static_cast<double>(static_cast<float>(node.threshold));
    }
  }
  return node;
}

// Grows by splitting a random leaf until there are enough.
Tree SomeTree(const Kind& kind, Forest* forest, Dice* dice) {
  Tree tree;
  const size_t leaves = 1 + dice->Below(kind.leaves);
  struct Link {
    int32_t parent;
    bool left;
  };
  std::vector<Link> links = {{-1, false}};
  while (links.size() < leaves) {
    const size_t leaf = dice->Below(links.size());
    const auto at = static_cast<int32_t>(tree.nodes.size());
    TreeNode node = SomeSplit(kind, forest, dice);
    node.left = ~static_cast<int32_t>(leaf);
    node.right = ~static_cast<int32_t>(links.size());
    if (links[leaf].parent >= 0) {
      TreeNode& parent = tree.nodes[static_cast<size_t>(links[leaf].parent)];
      (links[leaf].left ? parent.left : parent.right) = at;
    }
    tree.nodes.push_back(node);
    links[leaf] = {at, true};
    links.push_back({at, false});
  }
  for (size_t i = 0; i < leaves; ++i) {
    const double value = static_cast<double>(dice->Next() >> 11) / 1e15 - 4.5;
    tree.leaf_values.push_back(kind.arithmetic == Arithmetic::kFloat32
                                   ? static_cast<double>(static_cast<float>(value))
                                   : value);
    tree.leaf_covers.push_back(1);
    tree.leaf_names.push_back(static_cast<int32_t>(i));
  }
  EXPECT_TRUE(CheckShape(&tree, "test").ok());
  return tree;
}

Forest SomeForest(const Kind& kind, size_t trees, Dice* dice) {
  Forest forest;
  forest.arithmetic = kind.arithmetic;
  forest.members_go_left = kind.arithmetic == Arithmetic::kFloat64;
  forest.features = kind.features;
  forest.outputs = kind.outputs;
  for (int32_t k = 0; k < kind.outputs; ++k) {
    forest.base.push_back(kind.arithmetic == Arithmetic::kFloat32 ? 0.25 * k : 0.0);
  }
  for (size_t t = 0; t < trees; ++t) {
    forest.trees.push_back(SomeTree(kind, &forest, dice));
    forest.trees.back().output = static_cast<int32_t>(t % static_cast<size_t>(kind.outputs));
  }
  return forest;
}

void ExpectSameBits(const ForestKernel& kernel, const Forest& forest,
                    const std::vector<double>& rows) {
  const auto width = static_cast<size_t>(forest.features);
  const auto outputs = static_cast<size_t>(forest.outputs);
  const size_t count = rows.size() / width;
  std::vector<double> want(count * outputs);
  PlainKernel(forest).Score(rows, count, want);
  for (const size_t block : {size_t{1}, size_t{3}, size_t{16}, size_t{50}, count}) {
    std::vector<double> got(count * outputs, -1);
    for (size_t r = 0; r < count; r += block) {
      const size_t some = std::min(block, count - r);
      kernel.Score(std::span(rows).subspan(r * width, some * width), some,
                   std::span(got).subspan(r * outputs, some * outputs));
    }
    EXPECT_EQ(0, std::memcmp(want.data(), got.data(), want.size() * sizeof(double)))
        << "in blocks of " << block;
  }
}

// What this machine can run; the program as it runs elsewhere is among them.
std::vector<Simd> OfferedSimd() {
  std::vector<Simd> offered;
  for (const Simd simd : {Simd::kBase, Simd::kAvx2, Simd::kAvx512}) {
    if (simd <= BestSimd()) offered.push_back(simd);
  }
  return offered;
}

// Ways in which splits look at features.
size_t LanesOf(const Forest& forest) {
  std::set<std::tuple<int32_t, MissingRule, bool>> ways;
  for (const Tree& tree : forest.trees) {
    for (const TreeNode& node : tree.nodes) {
      const bool left = node.missing != MissingRule::kNone && node.default_left;
      ways.emplace(node.feature, node.missing, left);
    }
  }
  return ways.size();
}

class EveryKind : public testing::TestWithParam<Kind> {};

TEST_P(EveryKind, OfForestHasTheSameBitsFromEveryKernelAndBlock) {
  Dice dice(7);
  for (const size_t trees : {size_t{1}, size_t{8}, size_t{37}}) {
    const Forest forest = SomeForest(GetParam(), trees, &dice);
    std::vector<double> rows;
    for (size_t i = 0; i < 300 * static_cast<size_t>(forest.features); ++i) {
      rows.push_back(SomeValue(&dice));
    }
    const auto node = MakeNodeKernel(forest);
    ASSERT_NE(nullptr, node);
    ExpectSameBits(*node, forest, rows);
    for (const Simd simd : OfferedSimd()) {
      const auto mask = MakeMaskKernel(forest, simd);
      ASSERT_EQ(GetParam().leaves <= 64, mask != nullptr);
      if (mask != nullptr) ExpectSameBits(*mask, forest, rows);
      const auto wide = MakeWideKernel(forest, simd);
      const bool fits = simd == Simd::kAvx512 && GetParam().leaves <= 32 &&
                        forest.category_sets.empty() && LanesOf(forest) <= 64;
      ASSERT_EQ(fits, wide != nullptr);
      if (wide != nullptr) ExpectSameBits(*wide, forest, rows);
      ExpectSameBits(*MakeKernel(forest, simd), forest, rows);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kernels, EveryKind,
    testing::Values(Kind{"Double", Arithmetic::kFloat64, 31, 1, false, false},
                    Kind{"DoubleZeroMissing", Arithmetic::kFloat64, 32, 1, false, true},
                    Kind{"DoubleCategories", Arithmetic::kFloat64, 63, 1, true, false},
                    Kind{"DoubleClasses", Arithmetic::kFloat64, 64, 3, true, true},
                    Kind{"Float", Arithmetic::kFloat32, 32, 1, false, false},
                    Kind{"FloatCategories", Arithmetic::kFloat32, 20, 4, true, false},
                    Kind{"DoubleManyLanes", Arithmetic::kFloat64, 32, 1, false, true, 12},
                    Kind{"DoubleTooManyLanes", Arithmetic::kFloat64, 32, 1, false, true, 60},
                    Kind{"FloatManyClasses", Arithmetic::kFloat32, 31, 20, false, false, 40},
                    Kind{"Stumps", Arithmetic::kFloat32, 2, 1, false, false},
                    Kind{"Large", Arithmetic::kFloat64, 400, 2, true, true}),
    [](const auto& kind) { return std::string(kind.param.name); });

TEST(Kernels, TakeAForestWithoutTrees) {
  Forest forest;
  forest.features = 2;
  forest.base = {0.5};
  const std::vector<double> row = {1, 2};
  std::vector<double> raw(1);
  MakeKernel(forest, BestSimd())->Score(row, 1, raw);
  EXPECT_EQ(0.5, raw[0]);
}

TEST(Kernels, LeaveASplitThatNothingPassesToThePlainWalk) {
  Forest forest;
  forest.arithmetic = Arithmetic::kFloat32;
  forest.members_go_left = false;
  forest.features = 1;
  forest.base = {0.0};
  Tree tree;
  TreeNode node;
  node.threshold = std::numeric_limits<double>::quiet_NaN();  // x < -inf
  node.left = ~0;
  node.right = ~1;
  node.missing = MissingRule::kNan;
  node.default_left = true;
  tree.nodes = {node};
  tree.leaf_values = {1, 2};
  tree.leaf_names = {1, 2};
  forest.trees = {tree};
  EXPECT_EQ(nullptr, MakeNodeKernel(forest));
  const double inf = std::numeric_limits<double>::infinity();
  ExpectSameBits(*MakeKernel(forest, BestSimd()), forest, {-inf, 0, inf, std::nan("")});
  std::vector<double> raw(1);
  MakeKernel(forest, BestSimd())->Score(std::vector<double>{-inf}, 1, raw);
  EXPECT_EQ(2, raw[0]);
  MakeKernel(forest, BestSimd())->Score(std::vector<double>{std::nan("")}, 1, raw);
  EXPECT_EQ(1, raw[0]);
}

}  // namespace
}  // namespace headrace::forest
