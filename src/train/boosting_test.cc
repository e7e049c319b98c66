#include "train/boosting.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "train/metrics.h"
#include "train/train_testing.h"

namespace headrace::train {
namespace {

Options Small(Objective objective) {
  Options options;
  options.objective = objective;
  options.trees = 8;
  options.leaves = 9;
  options.min_leaf_rows = 5;
  if (objective == Objective::kQuantile) options.quantile = 0.8;
  return options;
}

constexpr Objective kObjectives[] = {Objective::kBinary, Objective::kRegression,
                                     Objective::kQuantile, Objective::kMulticlass};

TEST(Boosting, OurEvaluatorGivesTheScoresThatTheTrainerHadToTheBit) {
  for (Objective objective : kObjectives) {
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      const Options options = Small(objective);
      const std::string csv = MixedCsv(seed, 150 + 400 * seed, options.task());
      const Trained trained = TrainCsv(csv, MixedChoice(), options);
      EXPECT_EQ(8u, trained.rounds);
      EXPECT_EQ(trained.scores, ScoresOf(trained.text, csv))
          << static_cast<int>(objective) << " " << seed;
    }
  }
}

TEST(Boosting, TheNumberOfThreadsDoesNotShow) {
  for (Objective objective : kObjectives) {
    Options options = Small(objective);
    options.trees = 3;
    options.leaves = 31;
    // More rows than a piece, and few enough features that a group is cut into chunks of rows.
    const std::string csv = MixedCsv(5, 40'000, options.task());
    const Trained one = TrainCsv(csv, MixedChoice(), options);
    for (size_t threads : {2, 4}) {
      options.threads = threads;
      EXPECT_EQ(one.text, TrainCsv(csv, MixedChoice(), options).text) << threads;
    }
  }
}

// One split over one feature, against every cut of the sorted rows.
TEST(Boosting, TheFirstSplitIsTheBestOfAllByBruteForce) {
  Draws draws(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::pair<double, double>> rows;
    std::string csv = "x,y\n";
    for (int i = 0; i < 120; ++i) {
      const double x = std::floor(draws.Unit() * 60);
      const double y = draws.Unit() + (x > 20 ? 0.4 : 0);
      rows.emplace_back(x, y);
      csv += ShortText(x) + "," + ShortText(y) + "\n";
    }
    std::sort(rows.begin(), rows.end());
    double all = 0;
    for (const auto& row : rows)
      all += row.second;
    double best = -1;
    double cut = 0, low = 0, high = 0, left = 0;
    for (size_t i = 0; i + 1 < rows.size(); ++i) {
      left += rows[i].second;
      const auto count = static_cast<double>(i + 1);
      if (rows[i].first == rows[i + 1].first || count < 10 || count > 110) continue;
      const double gain = left * left / count + (all - left) * (all - left) / (120 - count);
      if (gain <= best) continue;
      best = gain;
      cut = (rows[i].first + rows[i + 1].first) / 2;
      low = left / count;
      high = (all - left) / (120 - count);
    }
    Options options = Small(Objective::kRegression);
    options.trees = 1;
    options.leaves = 2;
    options.min_leaf_rows = 10;
    options.learning_rate = 1;
    const Trained trained = TrainCsv(csv,
                                     {.label = "y",
                                      .features = {"x"},
                                      .ignored = {},
                                      .categorical = {},
                                      .monotone = {},
                                      .fold = {}},
                                     options);
    EXPECT_NE(std::string::npos, trained.text.find("\nthreshold=" + ShortText(cut) + "\n"));
    const Planes got =
        ScoresOf(trained.text, "x\n" + ShortText(cut) + "\n" + ShortText(cut + 0.5) + "\n");
    EXPECT_NEAR(low, got[0][0], 1e-7);
    EXPECT_NEAR(high, got[0][1], 1e-7);
  }
}

TEST(Boosting, LearnsWhatTheRowsShow) {
  for (Objective objective : kObjectives) {
    Options options = Small(objective);
    options.trees = 60;
    const std::string csv = MixedCsv(1, 3000, options.task());
    const std::string other = MixedCsv(2, 3000, options.task());
    const Table table = ReadTable(other, MixedChoice(), options.task()).value();
    const Trained trained = TrainCsv(csv, MixedChoice(), options);
    const Planes scores = ScoresOf(trained.text, other);
    const Answers answers = {table.labels, scores[0], {}};
    if (objective == Objective::kBinary) {
      EXPECT_GT(RocAuc(answers), 0.95);
    } else if (objective == Objective::kRegression) {
      EXPECT_GT(R2(answers), 0.85);
    } else if (objective == Objective::kQuantile) {
      size_t below = 0;
      for (size_t row = 0; row < table.rows(); ++row)
        below += table.labels[row] <= scores[0][row] ? 1 : 0;
      EXPECT_NEAR(0.8, static_cast<double>(below) / static_cast<double>(table.rows()), 0.04);
    } else {
      std::vector<double> rows;
      for (size_t row = 0; row < table.rows(); ++row)
        for (const auto& plane : scores)
          rows.push_back(plane[row]);
      EXPECT_GT(ClassAccuracy({table.labels, rows, {}, 3}), 0.8);
    }
  }
}

TEST(Boosting, AMonotoneConstraintHoldsEverywhere) {
  for (const int8_t direction : {int8_t{1}, int8_t{-1}}) {
    for (Objective objective : {Objective::kBinary, Objective::kRegression}) {
      Options options = Small(objective);
      options.trees = 40;
      options.leaves = 31;
      ColumnChoice choice = MixedChoice();
      choice.monotone = {{"x", direction}, {"few", 1}};
      const Trained trained = TrainCsv(MixedCsv(3, 2500, options.task()), choice, options);
      Draws draws(17);
      for (int line = 0; line < 40; ++line) {
        const std::string rest = "," + ShortText(draws.Unit()) + "," +
                                 std::to_string(draws.Below(5)) + "," +
                                 std::to_string(draws.Below(40)) + ",green,7\n";
        std::string csv = "x,gaps,few,code,word,same\n";
        for (int x = -60; x <= 60; ++x)
          csv += ShortText(x / 10.0) + rest;
        const Planes scores = ScoresOf(trained.text, csv);
        for (size_t i = 1; i < scores[0].size(); ++i)
          EXPECT_GE((scores[0][i] - scores[0][i - 1]) * direction, 0);
      }
    }
  }
}

TEST(Boosting, MissingValuesGoWhereTheyHelp) {
  std::string csv = "x,y\n";
  Draws draws(9);
  for (int i = 0; i < 400; ++i) {
    const bool missing = draws.OneIn(3);
    csv += (missing ? "" : ShortText(draws.Unit())) + std::string(missing ? ",5\n" : ",1\n");
  }
  Options options = Small(Objective::kRegression);
  options.learning_rate = 1;
  options.trees = 1;
  ColumnChoice choice;
  choice.label = "y";
  const Trained trained = TrainCsv(csv, choice, options);
  const Planes scores = ScoresOf(trained.text, "x,z\n,0\n0.5,0\n-1e308,0\n1e308,0\ninf,0\n");
  EXPECT_NEAR(5, scores[0][0], 1e-6);
  for (size_t row = 1; row < 4; ++row)
    EXPECT_NEAR(1, scores[0][row], 1e-6) << row;
}

TEST(Boosting, AWeightOfTwoIsEveryPositiveRowTwice) {
  std::string once = "x,y\n", twice = "x,y\n";
  Draws draws(13);
  for (int i = 0; i < 600; ++i) {
    const size_t x = draws.Below(30);
    const bool positive = draws.Below(40) < x;
    const std::string line = std::to_string(x) + (positive ? ",1\n" : ",0\n");
    once += line;
    twice += positive ? line + line : line;
  }
  Options options = Small(Objective::kBinary);
  options.min_leaf_rows = 1;
  ColumnChoice choice;
  choice.label = "y";
  const Planes want = ScoresOf(TrainCsv(twice, choice, options).text, once);
  options.positive_weight = 2;
  const Planes got = ScoresOf(TrainCsv(once, choice, options).text, once);
  for (size_t row = 0; row < want[0].size(); ++row)
    EXPECT_NEAR(want[0][row], got[0][row], 1e-5);
}

TEST(Boosting, BalancedClassesStartFromAHalf) {
  for (Objective objective : {Objective::kBinary, Objective::kMulticlass}) {
    Options options = Small(objective);
    options.balanced = true;
    options.trees = 1;
    options.min_leaf_rows = 100'000;  // no split: the constant alone
    const Trained trained = TrainCsv(MixedCsv(1, 500, options.task()), MixedChoice(), options);
    const double want = objective == Objective::kBinary ? 0 : std::log(1.0 / 3);
    for (const auto& plane : trained.scores)
      EXPECT_NEAR(want, plane[0], 1e-12);
    EXPECT_EQ(trained.scores, ScoresOf(trained.text, MixedCsv(1, 500, options.task())));
  }
}

TEST(Boosting, StopsWhenTheValidationRowsAreNoBetterAndKeepsTheBest) {
  Options options = Small(Objective::kBinary);
  options.trees = 400;
  options.leaves = 63;
  options.learning_rate = 0.3;
  options.early_stopping = 10;
  const std::string csv = MixedCsv(1, 600, Task::kBinary);
  const std::string other = MixedCsv(2, 600, Task::kBinary);
  const Table table = ReadTable(csv, MixedChoice(), Task::kBinary).value();
  const Table validation = ReadTableLike(other, "y", table, Task::kBinary).value();
  const Trained trained = Train(table, &validation, options).value();
  EXPECT_LT(trained.rounds, 390u);
  EXPECT_GT(trained.rounds, 3u);
  std::vector<double> chances = ScoresOf(trained.text, other)[0];
  for (double& score : chances)
    score = 1 / (1 + std::exp(-score));
  EXPECT_NEAR(trained.validation_loss, LogLoss({validation.labels, chances, {}}), 1e-12);
  // No other number of trees is better.
  for (size_t trees : {trained.rounds - 1, trained.rounds + 1, trained.rounds + 5}) {
    Options fixed = options;
    fixed.early_stopping = 0;
    fixed.trees = trees;
    std::vector<double> others = ScoresOf(Train(table, nullptr, fixed).value().text, other)[0];
    for (double& score : others)
      score = 1 / (1 + std::exp(-score));
    EXPECT_GE(LogLoss({validation.labels, others, {}}), trained.validation_loss - 1e-12) << trees;
  }
}

TEST(Boosting, RowsThatNothingTellsApartGiveTheirMean) {
  std::string csv = "x,y\n";
  for (int i = 0; i < 100; ++i)
    csv += "1," + std::to_string(i % 4) + "\n";
  ColumnChoice choice;
  choice.label = "y";
  const Trained trained = TrainCsv(csv, choice, Small(Objective::kRegression));
  EXPECT_EQ(1u, trained.rounds);
  EXPECT_EQ(1.5, ScoresOf(trained.text, "x\n1\n")[0][0]);
}

TEST(Boosting, RefusesHistogramsOverTheLimit) {
  std::string csv = "y";
  for (int i = 0; i < 200; ++i)
    csv += ",f" + std::to_string(i);
  Draws draws(1);
  for (int row = 0; row < 300; ++row) {
    csv += "\n" + std::to_string(row);
    for (int i = 0; i < 200; ++i)
      csv += "," + std::to_string(draws.Below(1000));
  }
  Options options = Small(Objective::kRegression);
  options.leaves = kTrainingLeavesMax;
  ColumnChoice choice;
  choice.label = "y";
  const Result<Trained> trained =
      Train(ReadTable(csv, choice, Task::kRegression).value(), nullptr, options);
  ASSERT_FALSE(trained.ok());
  EXPECT_EQ("HR3007", trained.error().code());
}

}  // namespace
}  // namespace headrace::train
