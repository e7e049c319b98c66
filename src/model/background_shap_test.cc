// Contributions against a background, against the definition of Shapley values.
#include "model/background_shap.h"

#include <bit>
#include <cmath>

#include <gtest/gtest.h>

#include "forest/forest.h"
#include "model/tree_model.h"

namespace headrace::model {
namespace {

constexpr size_t kFeatures = 5;

uint64_t Next(uint64_t* state) {
  *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
  return *state >> 33;
}

double Unit(uint64_t* state) {
  return static_cast<double>(Next(state) % 1000) / 1000;
}

// A tree of some depth over the features; gives the child's number.
int32_t Grow(forest::Tree* tree, int depth, size_t leaf_width, uint64_t* state) {
  if (depth == 0 || Next(state) % 6 == 0) {
    for (size_t k = 0; k < leaf_width; ++k)
      tree->leaf_values.push_back(Unit(state) - 0.5);
    tree->leaf_names.push_back(tree->leaves());
    return ~(tree->leaves() - 1);
  }
  const auto at = static_cast<int32_t>(tree->nodes.size());
  tree->nodes.emplace_back();
  forest::TreeNode node;
  node.feature = static_cast<int32_t>(Next(state) % kFeatures);
  node.threshold = Unit(state);
  node.left = Grow(tree, depth - 1, leaf_width, state);
  node.right = Grow(tree, depth - 1, leaf_width, state);
  tree->nodes[static_cast<size_t>(at)] = node;
  return at;
}

std::unique_ptr<TreeModel> MakeTrees(int32_t outputs, int32_t leaf_width, uint64_t seed) {
  forest::Forest trees;
  trees.features = kFeatures;
  trees.outputs = outputs;
  trees.leaf_width = leaf_width;
  trees.has_covers = false;
  trees.base.assign(static_cast<size_t>(outputs), 0.25);
  for (int32_t t = 0; t < 6; ++t) {
    forest::Tree tree;
    tree.output = leaf_width == 1 ? t % outputs : 0;
    Grow(&tree, 5, static_cast<size_t>(leaf_width), &seed);
    EXPECT_TRUE(forest::CheckShape(&tree, "test").ok());
    trees.trees.push_back(std::move(tree));
  }
  ModelInfo info;
  info.features = {"a", "b", "c", "d", "e"};
  info.categories.resize(kFeatures);
  OutputTransform transform;
  transform.outputs = outputs;
  return std::make_unique<TreeModel>(std::move(info), std::move(trees), transform);
}

// Any function of five numbers. Immutable.
class Formula final : public Model {
 public:
  using Function = double (*)(const double* x);
  explicit Formula(Function function) : function_(function) {
    info_.features = {"a", "b", "c", "d", "e"};
  }
  void ScoreRaw(std::span<const double> features, size_t rows,
                std::span<double> raw) const override {
    for (size_t r = 0; r < rows; ++r)
      raw[r] = function_(features.data() + r * kFeatures);
  }
  void Transform(size_t, std::span<double>) const override {}
  void Leaves(std::span<const double>, std::span<int32_t>) const override {}
  Result<std::vector<double>> Contributions(std::span<const double>) const override {
    return std::vector<double>();
  }

 private:
  Function function_;
};

Background MakeBackground(size_t rows, uint64_t seed) {
  Background background;
  background.rows = rows;
  for (size_t i = 0; i < rows * kFeatures; ++i)
    background.features.push_back(Unit(&seed));
  return background;
}

// By definition: over all sets of known features, weighted by Shapley.
std::vector<double> ByDefinition(const Model& model, const std::vector<double>& row,
                                 const Background& background) {
  const auto outputs = static_cast<size_t>(model.info().outputs);
  const size_t width = kFeatures + 1;
  std::vector<std::vector<double>> mean(size_t{1} << kFeatures, std::vector<double>(outputs));
  for (uint32_t known = 0; known < mean.size(); ++known) {
    for (size_t r = 0; r < background.rows; ++r) {
      std::vector<double> mixed = row;
      for (size_t f = 0; f < kFeatures; ++f) {
        if ((known >> f & 1) == 0) mixed[f] = background.features[r * kFeatures + f];
      }
      std::vector<double> raw(outputs);
      model.ScoreRaw(mixed, 1, raw);
      for (size_t k = 0; k < outputs; ++k)
        mean[known][k] += raw[k] / static_cast<double>(background.rows);
    }
  }
  std::vector<double> values(outputs * width);
  for (size_t k = 0; k < outputs; ++k) {
    values[k * width + kFeatures] = mean[0][k];
    for (size_t f = 0; f < kFeatures; ++f) {
      for (uint32_t known = 0; known < mean.size(); ++known) {
        if ((known >> f & 1) != 0) continue;
        const auto size = static_cast<double>(std::popcount(known));
        const double weight =
            std::tgamma(size + 1) * std::tgamma(kFeatures - size) / std::tgamma(kFeatures + 1.0);
        values[k * width + f] += weight * (mean[known | 1U << f][k] - mean[known][k]);
      }
    }
  }
  return values;
}

std::vector<double> Row(uint64_t seed) {
  std::vector<double> row;
  for (size_t f = 0; f < kFeatures; ++f)
    row.push_back(Unit(&seed));
  return row;
}

TEST(BackgroundShapTest, TreesEqualTheDefinition) {
  const Background background = MakeBackground(17, 3);
  for (const auto& [outputs, leaf_width] : {std::pair{1, 1}, std::pair{3, 1}, std::pair{2, 2}}) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      const auto model = MakeTrees(outputs, leaf_width, seed);
      const std::vector<double> row = Row(seed * 77);
      const auto told = ContributionsAgainst(*model, row, background);
      ASSERT_TRUE(told.ok());
      EXPECT_TRUE(told->errors.empty());
      const std::vector<double> expected = ByDefinition(*model, row, background);
      ASSERT_EQ(told->values.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(told->values[i], expected[i], 1e-12) << seed << " " << i;
    }
  }
}

TEST(BackgroundShapTest, OtherModelsAreSampledWithinTheErrorThatIsStated) {
  const Formula model([](const double* x) {
    return std::sin(5 * x[0]) * x[1] + (x[2] > 0.5 ? x[3] * x[3] * 3 : x[0]) - x[1] * x[3];
  });
  const Background background = MakeBackground(40, 5);
  int outside = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const std::vector<double> row = Row(seed);
    const auto told = ContributionsAgainst(model, row, background);
    ASSERT_TRUE(told.ok());
    const std::vector<double> expected = ByDefinition(model, row, background);
    double sum = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      sum += told->values[i];
      outside += std::abs(told->values[i] - expected[i]) > 3 * told->errors[i] + 1e-12 ? 1 : 0;
      EXPECT_LT(told->errors[i], 0.02);
    }
    std::vector<double> raw(1);
    model.ScoreRaw(row, 1, raw);
    EXPECT_NEAR(sum, raw[0], 1e-9);
    EXPECT_EQ(told->errors[kFeatures], 0) << "the base is no sample";
    EXPECT_EQ(told->values[4], 0) << "a feature that nothing reads";
    const auto again = ContributionsAgainst(model, row, background);
    EXPECT_EQ(told->values, again->values) << "the same each time";
  }
  EXPECT_LE(outside, 1) << "of sixty, at three standard errors";
}

TEST(BackgroundShapTest, LinearModelsAreExact) {
  const Formula model([](const double* x) { return 2 * x[0] - 3 * x[1] + 0.5 * x[4] + 7; });
  const Background background = MakeBackground(30, 9);
  const std::vector<double> row = Row(4);
  const auto told = ContributionsAgainst(model, row, background);
  ASSERT_TRUE(told.ok());
  double mean = 0;
  for (size_t r = 0; r < background.rows; ++r)
    mean += background.features[r * kFeatures] / static_cast<double>(background.rows);
  EXPECT_NEAR(told->values[0], 2 * (row[0] - mean), 1e-12);
  EXPECT_LT(told->errors[0], 1e-9);
}

TEST(BackgroundShapTest, ABackgroundHasRowsAndNotTooMany) {
  const Formula model([](const double* x) { return x[0]; });
  EXPECT_EQ(ContributionsAgainst(model, Row(1), {}).error().code(), "HR3005");
  EXPECT_EQ(
      ContributionsAgainst(model, Row(1), MakeBackground(kBackgroundRowsMax + 1, 1)).error().code(),
      "HR3005");
}

}  // namespace
}  // namespace headrace::model
