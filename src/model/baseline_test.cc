#include "model/baseline.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "model/model.h"
#include "model/test_models.h"

namespace headrace::model {
namespace {

TEST(BaselineTest, KeepsQuantilesAtEqualStepsAndTheShareOfWhatIsMissing) {
  std::vector<double> values;
  for (int i = 1000; i >= 0; --i)
    values.push_back(i);
  values.resize(2002, std::nan(""));
  values.back() = std::numeric_limits<double>::infinity();
  const ColumnBaseline baseline = ColumnBaseline::Of(values);
  EXPECT_EQ(baseline.null_share, 1001.0 / 2002.0);
  ASSERT_EQ(baseline.quantiles.size(), ColumnBaseline::kQuantiles);
  EXPECT_EQ(baseline.quantiles.front(), 0);
  EXPECT_EQ(baseline.quantiles[10], 100);
  EXPECT_EQ(baseline.quantiles.back(), 1000);
}

TEST(BaselineTest, ReadsBackToTheSameBits) {
  Baseline baseline;
  baseline.rows = 7;
  baseline.columns = {ColumnBaseline::Of({0.1, 1e-300, -1.0 / 3}), ColumnBaseline::Of({}),
                      ColumnBaseline::Of({std::nan("")})};
  const Result<Baseline> read = Baseline::Decode(baseline.Encode(), 3);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->rows, 7U);
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_EQ(read->columns[c].null_share, baseline.columns[c].null_share);
    EXPECT_EQ(read->columns[c].quantiles, baseline.columns[c].quantiles);
  }
}

TEST(BaselineTest, RefusesWhatIsNone) {
  for (const char* text : {"", "1", "1 ", "2 7|0|0", "1 7|0 1", "1 7|0 1|0 1|0 1", "1 7|2 1|0 1",
                           "1 7|0 2 1|0 1", "1 7|0 nan|0 1", "1 7|0 inf|0 1", "1 x|0|0"}) {
    EXPECT_FALSE(Baseline::Decode(text, 2).ok()) << text;
  }
  EXPECT_EQ(Baseline::Decode("2 7|0|0", 2).error().code(), "HR3002");
}

TEST(BaselineTest, StandsInTheHeaderOfAModelThatScoresAsBefore) {
  std::string text = HandMadeLightGbm();
  const auto before = Model::Load(text).value();
  EXPECT_EQ(before->info().baseline, nullptr);
  Baseline baseline;
  baseline.rows = 5;
  baseline.columns.resize(before->info().features.size() + 1);
  baseline.columns.back().quantiles = {0.25, 0.75};
  ASSERT_TRUE(baseline.AddTo(text));
  const auto after = Model::Load(text).value();
  ASSERT_NE(after->info().baseline, nullptr);
  EXPECT_EQ(after->info().baseline->columns.back().quantiles, baseline.columns.back().quantiles);
  const std::vector<double> features(before->info().features.size(), 0.5);
  std::vector<double> one(1);
  std::vector<double> other(1);
  before->ScoreRaw(features, 1, one);
  after->ScoreRaw(features, 1, other);
  EXPECT_EQ(one, other);
}

}  // namespace
}  // namespace headrace::model
