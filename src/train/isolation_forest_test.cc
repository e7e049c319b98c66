#include "train/isolation_forest.h"

#include <cmath>

#include <gtest/gtest.h>

#include "train/metrics.h"
#include "train/scored_rows.h"
#include "train/train_testing.h"

namespace headrace::train {
namespace {

std::vector<double> ScoresFor(const std::string& csv, const Options& options) {
  const Trained trained = LearnCsv(csv, {}, options);
  const auto model = model::Model::Load(trained.text).value();
  const Table table = ReadTable(csv, {}, options.task()).value();
  return ScoreTable(*model, table).values;
}

// Two rows are apart after one cut, which is what two rows take on average.
TEST(IsolationForest, TwoRowsAreUsual) {
  for (double score : ScoresFor("x\n1\n2\n", Options::For(Algorithm::kIsolation)))
    EXPECT_NEAR(0.5, score, 1e-12);
}

// Of three rows a tree is as deep as two cuts. A row far off is cut off first with the chance of
// its gap, 98 in 100; else it is one of the two that the second cut parts. c(3) is 2 x 3/2 - 4/3.
TEST(IsolationForest, TheScoreIsThatOfThePaper) {
  Options options = Options::For(Algorithm::kIsolation);
  options.trees = 4000;
  const std::vector<double> scores = ScoresFor("x\n0\n2\n100\n", options);
  const double c = 5.0 / 3;
  EXPECT_NEAR(std::exp2(-(0.98 + 2 * 0.02) / c), scores[2], 0.005);
  EXPECT_NEAR(std::exp2(-(0.02 + 2 * 0.98) / c), scores[0], 0.005);
  EXPECT_NEAR(std::exp2(-2 / c), scores[1], 0.005);
}

TEST(IsolationForest, FindsWhatIsUnlikeTheRest) {
  Draws draws(3);
  std::string csv = "a,b,c\n";
  std::vector<double> odd;
  for (int i = 0; i < 1000; ++i) {
    odd.push_back(i % 50 == 0 ? 1 : 0);
    for (int f = 0; f < 3; ++f) {
      const double usual = draws.Unit() + draws.Unit() + draws.Unit();
      const double x = odd.back() > 0 ? draws.Unit() * 16 - 7 : usual;
      csv += (f > 0 ? "," : "") + (draws.OneIn(40) ? "" : ShortText(x));
    }
    csv += "\n";
  }
  const std::vector<double> scores = ScoresFor(csv, Options::For(Algorithm::kIsolation));
  EXPECT_GT(RocAuc({odd, scores, {}}), 0.95);
  for (double score : scores)
    EXPECT_TRUE(score > 0 && score < 1);
}

TEST(IsolationForest, TakesInfinitiesAndConstantsAndRefusesCategories) {
  const Options options = Options::For(Algorithm::kIsolation);
  for (double score : ScoresFor("a,b\n1,inf\n1,-inf\n1,3\n1,\n", options))
    EXPECT_TRUE(std::isfinite(score));
  ColumnChoice words;
  words.categorical = {"w"};
  EXPECT_EQ("HR3070", LearnFails("x,w\n1,a\n2,b\n", words, options));
  EXPECT_EQ("HR3070", LearnFails("x\n1\n", {}, options));
}

}  // namespace
}  // namespace headrace::train
