#include "model/model.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "model/test_models.h"

namespace headrace::model {
namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN();

std::shared_ptr<const Model> LoadOrDie(const std::string& text) {
  auto model = Model::Load(text);
  EXPECT_TRUE(model.ok()) << model.error().ToString();
  return std::move(model).value();
}

double RawOf(const Model& model, std::vector<double> row) {
  std::vector<double> raw(static_cast<size_t>(model.info().outputs));
  model.ScoreRaw(row, 1, raw);
  return raw[0];
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(std::string::npos, at) << from;
  return text.replace(at, from.size(), to);
}

std::string RefusalOf(const std::string& text) {
  const auto model = Model::Load(text);
  if (model.ok()) return "accepted";
  EXPECT_FALSE(model.error().place().empty()) << model.error().ToString();
  return model.error().code();
}

TEST(LightGbm, ScoresNumbersCategoriesAndMissingValuesByItsRules) {
  const auto model = LoadOrDie(HandMadeLightGbm());
  EXPECT_EQ(0.5 + 0.125, RawOf(*model, {2.5, 3, 10}));  // on the threshold is left
  EXPECT_EQ(-0.25 + 0.125, RawOf(*model, {-1, 2, 5}));  // 2 is in no set
  EXPECT_EQ(1 - 2.0, RawOf(*model, {2.6, 3, 11}));
  EXPECT_EQ(0.5 - 2.0, RawOf(*model, {kNaN, 1.9, kNaN}));  // x: NaN left; 1.9 is category 1
  EXPECT_EQ(-0.25 - 2.0, RawOf(*model, {0, kNaN, 0}));     // kind: NaN right; y: zero is missing
  EXPECT_EQ(-0.25 - 2.0, RawOf(*model, {0, -1, 9e-36}));   // so is what is nearly zero
  EXPECT_EQ(-0.25 + 0.125, RawOf(*model, {0, 1e300, 2e-35}));  // a code outside int is in no set
}

TEST(LightGbm, SaysWhatItIs) {
  const auto model = LoadOrDie(HandMadeLightGbm());
  const ModelInfo& info = model->info();
  EXPECT_EQ("lightgbm", ToString(info.format));
  EXPECT_EQ("binary sigmoid:1", info.objective);
  EXPECT_EQ((std::vector<std::string>{"x", "kind", "y"}), info.features);
  EXPECT_EQ(2, info.trees);
  EXPECT_EQ(1, info.outputs);
  EXPECT_EQ(64u, info.sha256.size());
  EXPECT_EQ(3u, info.categories.size());
}

TEST(LightGbm, NamesTheLeavesAsTheFileDoes) {
  const auto model = LoadOrDie(HandMadeLightGbm());
  std::vector<int32_t> leaves(2);
  model->Leaves(std::vector<double>{3, 0, 3}, leaves);
  EXPECT_EQ((std::vector<int32_t>{2, 0}), leaves);
}

TEST(LightGbm, TransformsByTheObjective) {
  std::vector<double> scores = {0.75};
  LoadOrDie(HandMadeLightGbm("binary sigmoid:2"))->Transform(1, scores);
  EXPECT_DOUBLE_EQ(1 / (1 + std::exp(-1.5)), scores[0]);
  scores = {-3};
  LoadOrDie(HandMadeLightGbm("regression sqrt"))->Transform(1, scores);
  EXPECT_EQ(-9, scores[0]);
  scores = {-3};
  LoadOrDie(HandMadeLightGbm("poisson"))->Transform(1, scores);
  EXPECT_DOUBLE_EQ(std::exp(-3.0), scores[0]);
  scores = {-3};
  LoadOrDie(HandMadeLightGbm("lambdarank"))->Transform(1, scores);
  EXPECT_EQ(-3, scores[0]);
}

TEST(LightGbm, ARandomForestPredictsFromTheMeanAndKeepsTheSumAsRaw) {
  const auto model = LoadOrDie(
      Replaced(HandMadeLightGbm("regression"), "feature_names", "average_output\nfeature_names"));
  EXPECT_EQ(-1, RawOf(*model, {2.6, 3, 11}));
  std::vector<double> scores = {-1};
  model->Transform(1, scores);
  EXPECT_EQ(-0.5, scores[0]);
}

TEST(LightGbm, CarriageReturnsAndMissingOptionalLinesAreFine) {
  std::string text = Replaced(HandMadeLightGbm(), "leaf_count=2 4 4\n", "");
  std::string crlf;
  for (char c : text) {
    if (c == '\n') crlf += '\r';
    crlf += c;
  }
  EXPECT_EQ(0.625, RawOf(*LoadOrDie(crlf), {2.5, 3, 10}));
}

TEST(LightGbm, ALinearLeafFallsBackToItsValueWhenAnInputIsMissing) {
  const auto model = LoadOrDie(Replaced(
      HandMadeLightGbm("regression"), "internal_count=10\nis_linear=0",
      "internal_count=10\nis_linear=1\nleaf_const=1 2\nnum_features=2 0\nleaf_features=0 2  \n"
      "leaf_coeff=0.5 -1  "));
  EXPECT_EQ(1 + (1 + 0.5 * 8 - 4), RawOf(*model, {8, 0, 4}));
  EXPECT_EQ(-0.25 + 0.125, RawOf(*model, {kNaN, 0, 4}));
  EXPECT_EQ(1 + 2.0, RawOf(*model, {8, 0, 11}));
  const auto contributions = model->Contributions(std::vector<double>{8, 0, 4});
  ASSERT_FALSE(contributions.ok());
  EXPECT_EQ("HR3003", contributions.error().code());
}

TEST(LightGbm, ReadsPandasCategories) {
  const auto model =
      LoadOrDie(HandMadeLightGbm() + "\npandas_categorical:[[\"a\", \"b\", \"c\"]]\n");
  EXPECT_EQ((std::vector<std::string>{"a", "b", "c"}), model->info().categories[1]);
  EXPECT_TRUE(model->info().categories[0].empty());
}

TEST(LightGbm, RefusesWhatIsBrokenWithACodeAndAPlace) {
  const std::string good = HandMadeLightGbm();
  EXPECT_EQ("HR3002", RefusalOf(good.substr(0, good.size() - 20)));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "left_child=1 -1", "left_child=0 -1")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "left_child=1 -1", "left_child=7 -1")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "right_child=-3 -2", "right_child=-3 -3")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "split_feature=0 1", "split_feature=0 3")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "num_leaves=3", "num_leaves=2147483647")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "num_leaves=3", "num_leaves=-1")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "threshold=2.5 0", "threshold=nan 0")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "leaf_value=0.5 -0.25 1", "leaf_value=0.5 x 1")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "leaf_value=0.5 -0.25 1", "leaf_value=0.5 1")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "cat_boundaries=0 1", "cat_boundaries=0 9")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "decision_type=10 1", "decision_type=99 1")));
  EXPECT_EQ("HR3003", RefusalOf(Replaced(good, "objective=binary", "objective=telepathy")));
  EXPECT_EQ("HR3003", RefusalOf(Replaced(good, "version=v4", "version=v9")));
  EXPECT_EQ("HR3004", RefusalOf(Replaced(good, "num_class=1", "num_class=2000000000")));
  EXPECT_EQ("HR3004", RefusalOf(Replaced(good, "per_iteration=1", "per_iteration=0")));
  EXPECT_EQ("HR3004", RefusalOf(Replaced(good, "max_feature_idx=2", "max_feature_idx=2000000")));
}

TEST(Xgboost, ComparesAndAddsInFloat) {
  const auto model = LoadOrDie(HandMadeXgboost());
  EXPECT_EQ(2, RawOf(*model, {1.5, 0}));  // left is strictly below
  EXPECT_EQ(0.25, RawOf(*model, {1.4999999, 0}));
  EXPECT_EQ(2, RawOf(*model, {1.49999999, 0}));  // 1.5 as a float
  EXPECT_EQ(-1, RawOf(*model, {kNaN, kNaN}));    // a: right, b: left
  const auto shifted = LoadOrDie(HandMadeXgboost("reg:squarederror", "1E-1"));
  EXPECT_EQ(static_cast<double>(0.1F + 0.25F), RawOf(*shifted, {0, 0}));
}

TEST(Xgboost, ReadsBaseScoreInThePredictionsSpace) {
  const auto logistic = LoadOrDie(HandMadeXgboost("binary:logistic", "[2.5E-1]"));
  EXPECT_EQ(static_cast<double>(-std::log(3.0F) + 0.25F), RawOf(*logistic, {0, 0}));
  const auto poisson = LoadOrDie(HandMadeXgboost("count:poisson", "2E0"));
  EXPECT_EQ(static_cast<double>(std::log(2.0F) + 0.25F), RawOf(*poisson, {0, 0}));
  EXPECT_EQ("HR3002", RefusalOf(HandMadeXgboost("binary:logistic", "[half]")));
  EXPECT_EQ("HR3002", RefusalOf(HandMadeXgboost("binary:logistic", "[5E-1,5E-1]")));
  EXPECT_EQ("HR3002", RefusalOf(HandMadeXgboost("count:poisson", "-1")));
}

TEST(Xgboost, NamesTheLeavesByNode) {
  const auto model = LoadOrDie(HandMadeXgboost());
  std::vector<int32_t> leaves(1);
  model->Leaves(std::vector<double>{2, -4}, leaves);
  EXPECT_EQ(3, leaves[0]);
}

TEST(Xgboost, ACategoryInTheSetGoesRight) {
  std::string text = HandMadeXgboost("reg:squarederror", "0E0");
  text = Replaced(text, R"("split_type":[0,)", R"("split_type":[1,)");
  text = Replaced(text, R"("categories":[])", R"("categories":[2,40])");
  text = Replaced(text, R"("categories_nodes":[])", R"("categories_nodes":[0])");
  text = Replaced(text, R"("categories_segments":[])", R"("categories_segments":[0])");
  text = Replaced(text, R"("categories_sizes":[])", R"("categories_sizes":[2])");
  const auto model = LoadOrDie(text);
  EXPECT_EQ(2, RawOf(*model, {40, 0}));
  EXPECT_EQ(2, RawOf(*model, {2.9, 0}));
  EXPECT_EQ(0.25, RawOf(*model, {3, 0}));
  EXPECT_EQ(0.25, RawOf(*model, {-0.5, 0}));
  EXPECT_EQ(0.25, RawOf(*model, {1e9, 0}));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(text, "[2,40]", "[2,2000000000]")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(text, R"(_sizes":[2])", R"(_sizes":[3])")));
}

TEST(Xgboost, DartMultipliesEachTree) {
  std::string text = HandMadeXgboost("reg:squarederror", "0E0");
  text = Replaced(text, R"("gradient_booster":{)", R"("gradient_booster":{"gbtree":{)");
  text = Replaced(text, R"("name":"gbtree"})",
                  R"("name":"gbtree"},"name":"dart","weight_drop":[0.5]})");
  EXPECT_EQ(1, RawOf(*LoadOrDie(text), {2, 0}));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(text, "[0.5]", "[0.5,1]")));
}

TEST(Xgboost, DartOfNewerVersionsKeepsItsWeightsBesideTheTrees) {
  const std::string text = Replaced(HandMadeXgboost("reg:squarederror", "0E0"),
                                    R"("tree_info":[0])", R"("weight_drop":[0.5],"tree_info":[0])");
  EXPECT_EQ(1, RawOf(*LoadOrDie(text), {2, 0}));
}

TEST(Xgboost, TheBaseScoreOfLogitrawIsAPredictionInOldVersions) {
  const std::string text = HandMadeXgboost("binary:logitraw", "2.5E-1");
  EXPECT_EQ(0.5, RawOf(*LoadOrDie(text), {0, 0}));
  EXPECT_EQ(static_cast<double>(-std::log(3.0F) + 0.25F),
            RawOf(*LoadOrDie(Replaced(text, "[3,1,0]", "[1,2,0]")), {0, 0}));
}

TEST(Xgboost, GblinearAddsWeightsAndSkipsMissingValues) {
  const std::string text =
      R"({"learner":{"gradient_booster":{"model":{"weights":[0.5,-2,1]},"name":"gblinear"},)"
      R"("learner_model_param":{"base_score":"1E0","num_class":"0","num_feature":"2"},)"
      R"("objective":{"name":"reg:squarederror"}},"version":[1,7,6]})";
  const auto model = LoadOrDie(text);
  EXPECT_EQ(1 + 1 + 0.5 * 3 - 2 * 4, RawOf(*model, {3, 4}));
  EXPECT_EQ(1 + 1 + 0.5 * 3, RawOf(*model, {3, kNaN}));
  EXPECT_EQ((std::vector<std::string>{"f0", "f1"}), model->info().features);
  EXPECT_EQ((std::vector<double>{1.5, -8, 2}),
            model->Contributions(std::vector<double>{3, 4}).value());
  EXPECT_EQ("HR3002", RefusalOf(Replaced(text, "[0.5,-2,1]", "[0.5,-2]")));
}

TEST(Xgboost, RefusesWhatIsBrokenWithACodeAndAPlace) {
  const std::string good = HandMadeXgboost();
  EXPECT_EQ("HR3002", RefusalOf(good.substr(0, good.size() - 20)));
  EXPECT_EQ("HR3002", RefusalOf(good + "{}"));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "[1,-1,3,-1,-1]", "[0,-1,3,-1,-1]")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "[1,-1,3,-1,-1]", "[9,-1,3,-1,-1]")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "[1,-1,3,-1,-1]", "[-2,-1,3,-1,-1]")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "[1,-1,3,-1,-1]", "[1.5,-1,3,-1,-1]")));
  EXPECT_EQ("HR3002",
            RefusalOf(Replaced(good, "[0,0,1,0,0],\"split_type\"", "[2,0,1,0,0],\"split_type\"")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "[1.5,", "[NaN,")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "[1.5,", "[\"1.5\",")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "[1.5,", "[1e999,")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "\"tree_info\":[0]", "\"tree_info\":[7]")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "\"num_trees\":\"1\"", "\"num_trees\":\"9\"")));
  EXPECT_EQ("HR3002",
            RefusalOf(Replaced(good, "\"num_nodes\":\"5\"", "\"num_nodes\":\"4000000000\"")));
  EXPECT_EQ("HR3002", RefusalOf(Replaced(good, "\"num_class\":\"0\"", "\"num_class\":\"-4\"")));
  EXPECT_EQ("HR3003", RefusalOf(HandMadeXgboost("reg:telepathy")));
  EXPECT_EQ("HR3003", RefusalOf(Replaced(good, "\"name\":\"gbtree\"", "\"name\":\"gbforest\"")));
}

TEST(Model, RefusesBytesThatAreNoModel) {
  EXPECT_EQ("HR3001", RefusalOf(""));
  EXPECT_EQ("HR3001", RefusalOf("hello"));
  EXPECT_EQ("HR3001", RefusalOf("[1,2]"));
  EXPECT_EQ("HR3001", RefusalOf("{\"a\": 1}"));
  EXPECT_EQ("HR3003", RefusalOf("binf\x01\x02"));
}

// Shapley values from their definition, for the tree of HandMadeXgboost at a = 2, b = -4: with
// v(S) the expected leaf when only the features in S are known.
TEST(Contributions, AreTheShapleyValuesOfTheTree) {
  const auto model = LoadOrDie(HandMadeXgboost("reg:squarederror", "0E0"));
  const double below = (2 * -1.0 + 4 * 2.0) / 6;  // right of a, b unknown
  const double none = 0.4 * 0.25 + 0.6 * below;
  const double only_a = below;
  const double only_b = 0.4 * 0.25 + 0.6 * -1;
  const double both = -1;
  const auto got = model->Contributions(std::vector<double>{2, -4}).value();
  ASSERT_EQ(3u, got.size());
  EXPECT_NEAR((only_a - none + both - only_b) / 2, got[0], 1e-12);
  EXPECT_NEAR((only_b - none + both - only_a) / 2, got[1], 1e-12);
  EXPECT_NEAR(none, got[2], 1e-12);
}

TEST(Contributions, AddUpToTheRawScore) {
  const auto model = LoadOrDie(HandMadeLightGbm());
  for (const std::vector<double>& row :
       {std::vector<double>{1, 3, 5}, {5, 2, 12}, {kNaN, kNaN, kNaN}}) {
    double sum = 0;
    const std::vector<double> parts = model->Contributions(row).value();
    for (double part : parts) {
      sum += part;
    }
    EXPECT_NEAR(RawOf(*model, row), sum, 1e-12);
  }
}

TEST(Contributions, AreRefusedWithoutCounts) {
  const auto model = LoadOrDie(Replaced(HandMadeLightGbm(), "leaf_count=2 4 4\n", ""));
  const auto contributions = model->Contributions(std::vector<double>{1, 2, 3});
  ASSERT_FALSE(contributions.ok());
  EXPECT_EQ("HR3003", contributions.error().code());
}

}  // namespace
}  // namespace headrace::model
