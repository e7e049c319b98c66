#include "model/catboost.h"

#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

namespace headrace::model {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Models of CatBoost 1.2.10 on seeded random rows, without the parts that nothing here reads; what
// is expected is what it answers for kRows (RawFormulaVal, ShapValues).
const std::vector<double> kRows = {0.1, 2,    0.5, kNan, -1,   0,  //
                                   1.5, kNan, -2,  -3,   0.25, kNan};

constexpr std::string_view kBinary =
    R"({"features_info":{"float_features":[{"feature_id":"amount","feature_index":0,
"flat_feature_index":0,"has_nans":true,"nan_value_treatment":"AsFalse"},{
"feature_id":"age","feature_index":1,"flat_feature_index":1,"has_nans":true,
"nan_value_treatment":"AsFalse"},{"feature_id":"n","feature_index":2,
"flat_feature_index":2,"has_nans":true,"nan_value_treatment":"AsFalse"}]},"model_info":{
"params":{"loss_function":{"type":"Logloss"}}},"oblivious_trees":[{
"leaf_values":[-0.45689655172413796,0.3877551020408163,0,0.7894736842105263],
"leaf_weights":[220,135,0,45],"splits":[{"border":-0.007777275051921606,
"float_feature_index":0,"split_index":1,"split_type":"FloatFeature"},{
"border":1.0808546543121338,"float_feature_index":0,"split_index":3,
"split_type":"FloatFeature"}]},{"leaf_values":[-0.43393523666763595,0.45756955873068983,
0.3468624341739421,0.5689414106955573],"leaf_weights":[205,60,104,31],"splits":[{
"border":0.736165463924408,"float_feature_index":1,"split_index":4,
"split_type":"FloatFeature"},{"border":0.37276971340179443,"float_feature_index":0,
"split_index":2,"split_type":"FloatFeature"}]},{"leaf_values":[-0.25964553426810505,
0.19982502995099694,0.041121082805489005,0.5263687704072963],"leaf_weights":[117,13,237,
33],"splits":[{"border":1.188198208808899,"float_feature_index":1,"split_index":5,
"split_type":"FloatFeature"},{"border":-0.6166442036628723,"float_feature_index":0,
"split_index":0,"split_type":"FloatFeature"}]}],"scale_and_bias":[1,[0]]})";

constexpr std::string_view kRegression =
    R"({"features_info":{"float_features":[{"feature_id":"amount","feature_index":0,
"flat_feature_index":0,"has_nans":true,"nan_value_treatment":"AsFalse"},{
"feature_id":"age","feature_index":1,"flat_feature_index":1,"has_nans":true,
"nan_value_treatment":"AsFalse"},{"feature_id":"n","feature_index":2,
"flat_feature_index":2,"has_nans":true,"nan_value_treatment":"AsFalse"}]},"model_info":{
"params":{"loss_function":{"type":"RMSE"}}},"oblivious_trees":[{
"leaf_values":[-1.053404144274547,0.854115062582212,0,2.438359366108974],
"leaf_weights":[220,135,0,45],"splits":[{"border":-0.007777275051921606,
"float_feature_index":0,"split_index":3,"split_type":"FloatFeature"},{
"border":1.0808546543121338,"float_feature_index":0,"split_index":5,
"split_type":"FloatFeature"}]},{"leaf_values":[-0.8177356979311571,0,
-0.1487727157892533,1.174618581319274],"leaf_weights":[85,0,225,90],"splits":[{
"border":0.7387703061103821,"float_feature_index":0,"split_index":4,
"split_type":"FloatFeature"},{"border":-1.0597419738769531,"float_feature_index":0,
"split_index":1,"split_type":"FloatFeature"}]},{"leaf_values":[0.7854301790550985,0,
-0.8497098379626695,0.3749031969880602],"leaf_weights":[40,0,135,225],"splits":[{
"border":-0.3205689489841461,"float_feature_index":0,"split_index":2,
"split_type":"FloatFeature"},{"border":-3.4028234663852886e+38,"float_feature_index":0,
"split_index":0,"split_type":"FloatFeature"}]}],"scale_and_bias":[1,
[0.5574649572372437]]})";

constexpr std::string_view kMulti =
    R"({"features_info":{"float_features":[{"feature_id":"amount","feature_index":0,
"flat_feature_index":0,"has_nans":true,"nan_value_treatment":"AsFalse"},{
"feature_id":"age","feature_index":1,"flat_feature_index":1,"has_nans":true,
"nan_value_treatment":"AsFalse"},{"feature_id":"n","feature_index":2,
"flat_feature_index":2,"has_nans":true,"nan_value_treatment":"AsFalse"}]},"model_info":{
"params":{"loss_function":{"type":"MultiClass"}}},"oblivious_trees":[{
"leaf_values":[0.5673076923076813,-0.09615384615385754,-0.47115384615385897,
-0.1929133858267778,0.6574803149606245,-0.46456692913386505,-0.18902439024390258,
0.37804878048780577,-0.18902439024390247,-0.4154929577464794,0.09154929577464814,
0.3239436619718311],"leaf_weights":[147,118,73,62],"splits":[{
"border":-0.007777275051921606,"float_feature_index":0,"split_index":0,
"split_type":"FloatFeature"},{"border":0.2654220461845398,"float_feature_index":2,
"split_index":2,"split_type":"FloatFeature"}]},{"leaf_values":[0.19950405019794828,
0.091080701751095,-0.2905847519490648,-0.32948487780815544,0.29392038601226284,
0.03556449179589403,-0.24508492400437784,0.38826607843963684,-0.14318115443525797,
-0.1801157525015887,-0.2350825314526549,0.4151982839542432],"leaf_weights":[275,35,80,
10],"splits":[{"border":1.1801620721817017,"float_feature_index":2,"split_index":3,
"split_type":"FloatFeature"},{"border":0.7387703061103821,"float_feature_index":0,
"split_index":1,"split_type":"FloatFeature"}]}],"scale_and_bias":[1,[0,0,0]]})";

constexpr std::string_view kLossguide =
    R"({"features_info":{"float_features":[{"feature_id":"amount","feature_index":0,
"flat_feature_index":0,"has_nans":true,"nan_value_treatment":"AsFalse"},{
"feature_id":"age","feature_index":1,"flat_feature_index":1,"has_nans":true,
"nan_value_treatment":"AsFalse"},{"feature_id":"n","feature_index":2,
"flat_feature_index":2,"has_nans":true,"nan_value_treatment":"AsFalse"}]},"model_info":{
"params":{"loss_function":{"type":"Logloss"}}},"scale_and_bias":[1,[0]],"trees":[{
"left":{"value":-0.45689655172413796,"weight":220},"right":{"left":{"left":{
"value":0.23529411764705882,"weight":90},"right":{"value":0.5789473684210527,
"weight":45},"split":{"border":0.7387703061103821,"float_feature_index":0,
"split_index":1,"split_type":"FloatFeature"}},"right":{"value":0.7894736842105263,
"weight":45},"split":{"border":1.0808546543121338,"float_feature_index":0,
"split_index":2,"split_type":"FloatFeature"}},"split":{"border":-0.007777275051921606,
"float_feature_index":0,"split_index":0,"split_type":"FloatFeature"}},{"left":{"left":{
"left":{"value":-0.4610054931244902,"weight":39},"right":{"value":0.4301863903835749,
"weight":90},"split":{"border":-3.4028234663852886e+38,"float_feature_index":1,
"split_index":3,"split_type":"FloatFeature"}},"right":{"value":-0.3827233843483724,
"weight":180},"split":{"border":-0.6991440653800964,"float_feature_index":1,
"split_index":4,"split_type":"FloatFeature"}},"right":{"value":0.5676243228513648,
"weight":91},"split":{"border":0.736165463924408,"float_feature_index":1,
"split_index":5,"split_type":"FloatFeature"}}]})";

std::vector<double> Score(std::string_view file) {
  const auto model = Model::Load(file);
  EXPECT_TRUE(model.ok()) << model.error().ToString();
  if (!model.ok()) return {};
  std::vector<double> raw(4 * static_cast<size_t>((*model)->info().outputs));
  (*model)->ScoreRaw(kRows, 4, raw);
  return raw;
}

std::string CodeOf(const std::string& file) {
  const auto model = Model::Load(file);
  return model.ok() ? "" : model.error().code();
}

std::string Replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string made(text);
  const size_t at = made.find(from);
  EXPECT_NE(std::string::npos, at) << from;
  return at == std::string::npos ? made : made.replace(at, from.size(), to);
}

TEST(Catboost, ScoresHaveItsBits) {
  EXPECT_EQ((std::vector<double>{1.3716934311788025, -1.150477322659879, 1.1774572011899576,
                                 -1.150477322659879}),
            Score(kBinary));
  EXPECT_EQ((std::vector<double>{-0.2159889075485311, 0.18262999752574316, 0.03335891002276631,
                                 0.7668117425056296, -0.005073144402762533, -0.7617385981029238,
                                 -0.4379983098311556, 1.0457463934002613, -0.607748083569123,
                                 0.7668117425056296, -0.005073144402762533, -0.7617385981029238}),
            Score(kMulti));
  EXPECT_EQ((std::vector<double>{0.8029184404984235, -0.026710161340563032, 0.32846819108603614,
                                 -0.8396199360725103}),
            Score(kLossguide));
}

TEST(Catboost, ABiasIsAddedBeforeTheLeavesAndMayCostTheLastBit) {
  const std::vector<double> want = {1.6377105010182627, -0.5282447059133619, 4.545346101653552,
                                    -2.16338472293113};
  const std::vector<double> got = Score(kRegression);
  ASSERT_EQ(want.size(), got.size());
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_NEAR(want[i], got[i], 1e-14);
}

TEST(Catboost, ContributionsAreItsShapValues) {
  const auto model = Model::Load(kBinary);
  ASSERT_TRUE(model.ok());
  const auto got = (*model)->Contributions(std::span(kRows).first(3));
  ASSERT_TRUE(got.ok()) << got.error().ToString();
  const std::vector<double> want = {0.3983772079550433, 1.026067713207164, 0.0,
                                    -0.05275148998340462};
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_NEAR(want[i], (*got)[i], 1e-14);
}

// For trees that are not oblivious, CatBoost's own ShapValues do not add up to its raw score; ours
// are those of the definition, which do.
TEST(Catboost, ContributionsOfOtherTreesAddUpToTheScore) {
  const auto model = Model::Load(kLossguide);
  ASSERT_TRUE(model.ok());
  const auto got = (*model)->Contributions(std::span(kRows).first(3));
  ASSERT_TRUE(got.ok()) << got.error().ToString();
  EXPECT_NEAR(0.8029184404984235, std::accumulate(got->begin(), got->end(), 0.0), 1e-12);
}

TEST(Catboost, AFileSaysWhatItTakesAndGives) {
  const auto model = Model::Load(kMulti);
  ASSERT_TRUE(model.ok());
  const ModelInfo& info = (*model)->info();
  EXPECT_EQ(Format::kCatboostJson, info.format);
  EXPECT_EQ("MultiClass", info.objective);
  EXPECT_EQ((std::vector<std::string>{"amount", "age", "n"}), info.features);
  EXPECT_EQ(3, info.outputs);
  EXPECT_EQ(2, info.trees);
  std::vector<double> scores = Score(kMulti);
  (*model)->Transform(4, scores);
  EXPECT_NEAR(1, scores[0] + scores[1] + scores[2], 1e-15);
}

// It compares floats: a double that rounds to the border is not above it.
TEST(Catboost, InputsAreComparedAsFloats) {
  const auto model = Model::Load(kBinary);
  ASSERT_TRUE(model.ok());
  const auto border = static_cast<double>(0.736165463924408F);
  const auto above = static_cast<double>(std::nextafter(0.736165463924408F, 1.0F));
  const auto score = [&](double age) {
    const std::vector<double> row = {0, age, 0};
    double raw = 0;
    (*model)->ScoreRaw(row, 1, std::span(&raw, 1));
    return raw;
  };
  EXPECT_EQ(score(border), score(border + (above - border) / 4));
  EXPECT_NE(score(border), score(border + (above - border) * 3 / 4));
  EXPECT_EQ(score(above), score(border + (above - border) * 3 / 4));
}

TEST(Catboost, WhatDoesNotFitIsRefused) {
  EXPECT_EQ("HR3003", CodeOf(Replaced(kBinary, "\"Logloss\"", "\"MyLoss\"")));
  EXPECT_EQ("HR3003", CodeOf(Replaced(kBinary, "{\"float_features\"",
                                      "{\"categorical_features\":[{}],\"float_features\"")));
  EXPECT_EQ("HR3003", CodeOf(Replaced(kBinary, "\"FloatFeature\"", "\"OnlineCtr\"")));
  EXPECT_EQ("HR3002",
            CodeOf(Replaced(kBinary, "\"float_feature_index\":0", "\"float_feature_index\":3")));
  EXPECT_EQ("HR3002", CodeOf(Replaced(kBinary, "\"leaf_values\":[", "\"leaf_values\":[0,")));
  EXPECT_EQ("HR3002", CodeOf(Replaced(kBinary, "\"AsFalse\"", "\"Perhaps\"")));
  EXPECT_EQ("HR3002", CodeOf(Replaced(kBinary, "[1,[0]]", "[1]")));
  EXPECT_EQ("HR3002", CodeOf(Replaced(kMulti, "[1,[0,0,0]]", "[1,[0,0]]")));
  for (size_t cut = 1; cut < kLossguide.size(); cut += 7) {
    EXPECT_NE("", CodeOf(std::string(kLossguide.substr(0, cut))));
  }
}

}  // namespace
}  // namespace headrace::model
