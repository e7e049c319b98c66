#include "train/forest.h"

#include <cmath>

#include <gtest/gtest.h>

#include "train/metrics.h"
#include "train/scored_rows.h"
#include "train/train_testing.h"

namespace headrace::train {
namespace {

Options Small(Objective objective) {
  Options options = Options::For(Algorithm::kForest);
  options.objective = objective;
  options.trees = 12;
  options.leaves = 60;
  if (objective == Objective::kQuantile) options.quantile = 0.8;
  return options;
}

constexpr Objective kObjectives[] = {Objective::kBinary, Objective::kRegression,
                                     Objective::kQuantile, Objective::kMulticlass};

TEST(Forest, TheNumberOfThreadsDoesNotShowAndTheSeedDoes) {
  for (Objective objective : kObjectives) {
    Options options = Small(objective);
    options.trees = 3;
    const std::string csv = MixedCsv(5, 20'000, options.task());
    const std::string one = LearnCsv(csv, MixedChoice(), options).text;
    options.threads = 4;
    EXPECT_EQ(one, LearnCsv(csv, MixedChoice(), options).text);
    options.seed = 2;
    EXPECT_NE(one, LearnCsv(csv, MixedChoice(), options).text);
  }
}

TEST(Forest, RowsOutOfTheBagsTellTheLossOnRowsThatNobodySaw) {
  for (Objective objective : kObjectives) {
    Options options = Small(objective);
    options.trees = 60;
    Table table =
        ReadTable(MixedCsv(1, 4000, options.task()), MixedChoice(), options.task()).value();
    const Table other =
        ReadTableLike(MixedCsv(2, 4000, options.task()), "y", table, options.task()).value();
    const Trained trained = TrainForest(std::move(table), &other, options).value();
    EXPECT_NEAR(1, trained.loss / trained.validation_loss, 0.12) << static_cast<int>(objective);
  }
}

TEST(Forest, LearnsWhatTheRowsShow) {
  for (Objective objective : kObjectives) {
    Options options = Small(objective);
    options.trees = 60;
    options.leaves = 300;
    const std::string csv = MixedCsv(1, 4000, options.task());
    const Trained trained = LearnCsv(csv, MixedChoice(), options);
    const auto model = model::Model::Load(trained.text).value();
    const ScoredRows scored =
        ScoreRows(*model, MixedCsv(2, 4000, options.task()), "y", options.task()).value();
    const Answers answers = {scored.labels, scored.values, {}, scored.width};
    if (objective == Objective::kBinary) {
      EXPECT_GT(RocAuc(answers), 0.94);
      EXPECT_LT(CalibrationError(answers), 0.12);
    } else if (objective == Objective::kRegression) {
      EXPECT_GT(R2(answers), 0.8);
    } else if (objective == Objective::kMulticlass) {
      EXPECT_GT(ClassAccuracy(answers), 0.75);
    } else {
      double below = 0;
      for (size_t row = 0; row < scored.labels.size(); ++row)
        below += scored.labels[row] <= scored.values[row] ? 1 : 0;
      EXPECT_NEAR(0.8, below / static_cast<double>(scored.labels.size()), 0.08);
    }
  }
}

// With one leaf a tree says what the rows of its bag are alike; the mean of many is what all are.
TEST(Forest, TheAnswerIsTheMeanOverTheTrees) {
  Options options = Small(Objective::kRegression);
  options.trees = 200;
  options.min_leaf_rows = 1000;
  const std::string csv = MixedCsv(3, 300, options.task());
  const Trained trained = LearnCsv(csv, MixedChoice(), options);
  EXPECT_NE(std::string::npos, trained.text.find("\naverage_output\n"));
  const auto model = model::Model::Load(trained.text).value();
  const ScoredRows scored = ScoreRows(*model, csv, "y", options.task()).value();
  double mean = 0;
  for (double label : scored.labels)
    mean += label / 300;
  EXPECT_NEAR(mean, scored.values[0], 0.05);
}

TEST(Forest, WeighsClassesAlike) {
  Options options = Small(Objective::kBinary);
  options.balanced = true;
  std::string csv = "x,y\n";
  Draws draws(4);
  for (int i = 0; i < 3000; ++i)
    csv += ShortText(draws.Unit()) + (draws.OneIn(20) ? ",1\n" : ",0\n");
  ColumnChoice choice;
  choice.label = "y";
  const auto model = model::Model::Load(LearnCsv(csv, choice, options).text).value();
  const ScoredRows scored = ScoreRows(*model, csv, "y", Task::kBinary).value();
  double mean = 0;
  for (double share : scored.values)
    mean += share / 3000;
  EXPECT_GT(mean, 0.2);  // 0.05 of the rows
}

}  // namespace
}  // namespace headrace::train
