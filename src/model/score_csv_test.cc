#include "model/score_csv.h"

#include <string>

#include <gtest/gtest.h>

#include "model/test_models.h"

namespace headrace::model {
namespace {

std::string ScoreText(const std::string& model_text, const std::string& csv, OutputKind kind) {
  const auto model = Model::Load(model_text);
  EXPECT_TRUE(model.ok()) << model.error().ToString();
  std::string out;
  const Status status = ScoreCsv(**model, csv, kind, &out);
  return status.ok() ? out : status.error().code() + " " + status.error().place();
}

TEST(ScoreCsv, MatchesColumnsByNameInAnyOrder) {
  EXPECT_EQ(
      "raw\n0.625\n-1\n",
      ScoreText(HandMadeLightGbm(), "y,label,kind,x\n10,9,3,2.5\n11,9,3,2.6\n", OutputKind::kRaw));
}

TEST(ScoreCsv, MatchesColumnsByPlaceWhenNamesAreMissing) {
  EXPECT_EQ("raw\n0.625\n",
            ScoreText(HandMadeLightGbm(), "c0,c1,c2\r\n2.5,3,10\r\n", OutputKind::kRaw));
  EXPECT_EQ("HR3005 line 1", ScoreText(HandMadeLightGbm(), "c0,c1\n2.5,3\n", OutputKind::kRaw));
}

TEST(ScoreCsv, ReadsMissingCellsWordsAndCategories) {
  const std::string model =
      HandMadeLightGbm() + "pandas_categorical:[[\"p\",\"q\",\"r\",\"s, t\"]]\n";
  EXPECT_EQ("raw\n-1.5\n0.625\n-0.125\n1.125\n",
            ScoreText(model, "x,kind,y\n,q,nan\nnan,\"s, t\",-inf\n1,unknown,1\ninf,q,1\n",
                      OutputKind::kRaw));
  EXPECT_EQ("HR3005 line 3", ScoreText(model, "x,kind,y\n1,q,1\nhello,q,1\n", OutputKind::kRaw));
  EXPECT_EQ("HR3005 line 2", ScoreText(model, "x,kind,y\n1,q\n", OutputKind::kRaw));
}

TEST(ScoreCsv, WritesPredictionsLeavesAndContributions) {
  const std::string csv = "x,kind,y\n2.6,3,11\n";
  EXPECT_EQ("prediction\n0.2689414213699951\n",
            ScoreText(HandMadeLightGbm(), csv, OutputKind::kProbability));
  EXPECT_EQ("leaf_0,leaf_1\n2,1\n", ScoreText(HandMadeLightGbm(), csv, OutputKind::kLeaf));
  EXPECT_TRUE(ScoreText(HandMadeLightGbm(), csv, OutputKind::kContributions)
                  .starts_with("x,kind,y,base\n"));
}

TEST(ScoreCsv, SkipsEmptyLinesAndRefusesAnEmptyFile) {
  EXPECT_EQ("raw\n0.625\n",
            ScoreText(HandMadeLightGbm(), "x,kind,y\n\n2.5,3,10\n\n", OutputKind::kRaw));
  EXPECT_EQ("HR3005 line 1", ScoreText(HandMadeLightGbm(), "", OutputKind::kRaw));
}

TEST(ScoreCsv, ScoresMoreRowsThanABlock) {
  std::string csv = "x,kind,y\n";
  std::string want = "raw\n";
  for (int i = 0; i < 1000; ++i) {
    csv += i % 3 == 0 ? "2.5,3,10\n" : "2.6,3,11\n";
    want += i % 3 == 0 ? "0.625\n" : "-1\n";
  }
  EXPECT_EQ(want, ScoreText(HandMadeLightGbm(), csv, OutputKind::kRaw));
}

}  // namespace
}  // namespace headrace::model
