#include "train/evaluate.h"

#include <cmath>
#include <map>
#include <string>

#include <gtest/gtest.h>

namespace headrace::train {
namespace {

// x <= 2.5 ? low : high in the outputs of even number, else 0.
std::string Stump(const std::string& objective, int outputs, const std::string& leaves) {
  std::string text = "tree\nversion=v4\nnum_class=" + std::to_string(outputs) +
                     "\nnum_tree_per_iteration=" + std::to_string(outputs) +
                     "\nlabel_index=0\nmax_feature_idx=0\nobjective=" + objective +
                     "\nfeature_names=x\nfeature_infos=[0:9]\n\n";
  for (int k = 0; k < outputs; ++k) {
    text += "Tree=" + std::to_string(k) +
            "\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=2.5\ndecision_type=2\n"
            "left_child=-1\nright_child=-2\nleaf_value=" +
            (k % 2 == 0 ? leaves : "0 0") + "\nis_linear=0\nshrinkage=1\n\n\n";
  }
  return text + "end of trees\n";
}

Result<Evaluation> Evaluate(const std::string& text, const std::string& csv) {
  const auto model = model::Model::Load(text);
  EXPECT_TRUE(model.ok()) << model.error().ToString();
  return EvaluateCsv(**model, csv, "y");
}

std::map<std::string, double> Measures(const std::string& text, const std::string& csv) {
  const Result<Evaluation> evaluation = Evaluate(text, csv);
  EXPECT_TRUE(evaluation.ok()) << evaluation.error().ToString();
  std::map<std::string, double> measures;
  if (!evaluation.ok()) return measures;
  for (const Measure& measure : evaluation->measures)
    measures[measure.name] = measure.value;
  return measures;
}

std::string Failure(const std::string& text, const std::string& csv) {
  const Result<Evaluation> evaluation = Evaluate(text, csv);
  return evaluation.ok() ? "ok" : evaluation.error().code() + " " + evaluation.error().place();
}

TEST(Evaluate, MeasuresABinaryModel) {
  auto got =
      Measures(Stump("binary sigmoid:1", 1, "-1 1"), "y,x\n0,1\n0,2\n1,3\nfalse,4\ntrue,5\n");
  const double p = 1 / (1 + std::exp(-1.0));
  EXPECT_DOUBLE_EQ(5.0 / 6, got["roc_auc"]);
  EXPECT_DOUBLE_EQ(2.0 / 3, got["pr_auc"]);
  EXPECT_DOUBLE_EQ(0.8, got["accuracy"]);
  EXPECT_NEAR((-4 * std::log(p) - std::log(1 - p)) / 5, got["log_loss"], 1e-15);
  EXPECT_NEAR((4 * (1 - p) * (1 - p) + p * p) / 5, got["brier"], 1e-15);
  EXPECT_NEAR(std::sqrt(got["brier"]), got["rmse"], 1e-15);
}

TEST(Evaluate, MeasuresARegressionAndFindsTheOnlyFeatureByPlace) {
  auto got = Measures(Stump("regression", 1, "10 20"), "other,y\n1,11\n5,18\n");
  EXPECT_DOUBLE_EQ(std::sqrt(2.5), got["rmse"]);
  EXPECT_DOUBLE_EQ(1.5, got["mae"]);
  EXPECT_EQ(3u, got.size());
}

TEST(Evaluate, MeasuresSeveralClasses) {
  auto got = Measures(Stump("multiclass num_class:2", 2, "-1 1"), "y,x\n1,1\n0,3\n1,4\n");
  EXPECT_DOUBLE_EQ(2.0 / 3, got["accuracy"]);
  const double p = 1 / (1 + std::exp(-1.0));
  EXPECT_NEAR((-2 * std::log(p) - std::log(1 - p)) / 3, got["log_loss"], 1e-15);
}

TEST(Evaluate, SaysWhichLabelDoesNotFit) {
  const std::string binary = Stump("binary sigmoid:1", 1, "-1 1");
  EXPECT_EQ("HR3008 line 3", Failure(binary, "y,x\n0,1\n2,2\n"));
  EXPECT_EQ("HR3008 line 2", Failure(binary, "y,x\n,1\n"));
  EXPECT_EQ("HR3008 line 2", Failure(Stump("regression", 1, "1 2"), "y,x\ninf,1\n"));
  EXPECT_EQ("HR3008 line 2", Failure(Stump("multiclass num_class:2", 2, "1 2"), "y,x\n2,1\n"));
  EXPECT_EQ("HR3005 line 1", Failure(binary, "label,x\n0,1\n"));
  EXPECT_EQ("HR3005 line 2", Failure(binary, "y,x\n0,red\n"));
  EXPECT_EQ("HR3005 line 1", Failure(binary, "y,x\n"));
  EXPECT_EQ("HR3005 line 1", Failure(binary, ""));
}

TEST(Evaluate, HasNoMeasureOfProbabilitiesForScoresThatAreNone) {
  auto got = Measures(
      R"({"learner":{"feature_names":["x"],"feature_types":["float"],"gradient_booster":{"model":)"
      R"({"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"1"},"tree_info":[0],"trees":[)"
      R"({"default_left":[0,0,0],"id":0,"left_children":[1,-1,-1],"right_children":[2,-1,-1],)"
      R"("split_conditions":[2.5,-3,3],"split_indices":[0,0,0],"split_type":[0,0,0],)"
      R"("sum_hessian":[4,2,2],"tree_param":{"num_deleted":"0","num_feature":"1","num_nodes":"3",)"
      R"("size_leaf_vector":"1"}}]},"name":"gbtree"},"learner_model_param":{"base_score":"5E-1",)"
      R"("num_class":"0","num_feature":"1"},"objective":{"name":"binary:logitraw"}},)"
      R"("version":[2,1,0]})",
      "y,x\n0,1\n1,3\n");
  EXPECT_EQ(1, got["roc_auc"]);
  EXPECT_TRUE(std::isnan(got["brier"]));
  EXPECT_EQ(1, got["accuracy"]);
}

}  // namespace
}  // namespace headrace::train
