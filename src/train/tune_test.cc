#include "train/tune.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "train/train_testing.h"

namespace headrace::train {
namespace {

TEST(Folds, TheFutureNeverTeaches) {
  Draws draws(1);
  std::vector<double> times;
  for (int i = 0; i < 500; ++i)
    times.push_back(static_cast<double>(draws.Below(60)));
  const std::vector<Fold> folds = FoldsByTime(times, 4).value();
  ASSERT_EQ(4u, folds.size());
  std::set<uint32_t> tested;
  for (const Fold& fold : folds) {
    EXPECT_GT(fold.tested.size(), 60u);
    double newest = 0;
    for (uint32_t row : fold.learned)
      newest = std::max(newest, times[row]);
    for (uint32_t row : fold.tested) {
      EXPECT_GT(times[row], newest);
      EXPECT_TRUE(tested.insert(row).second);
    }
    EXPECT_TRUE(std::is_sorted(fold.learned.begin(), fold.learned.end()));
  }
  EXPECT_EQ("HR3072", FoldsByTime(std::vector<double>(50, 7.0), 2).error().code());
  EXPECT_EQ("HR3072", FoldsByTime(std::vector<double>{1, 2, 3}, 5).error().code());
}

TEST(Folds, AGroupIsTestedTogether) {
  std::vector<double> groups;
  for (int i = 0; i < 400; ++i)
    groups.push_back(static_cast<double>(i * i % 23));
  const std::vector<Fold> folds = FoldsByGroup(groups, 3).value();
  size_t tested = 0;
  for (const Fold& fold : folds) {
    std::set<double> here;
    for (uint32_t row : fold.tested)
      here.insert(groups[row]);
    for (uint32_t row : fold.learned)
      EXPECT_FALSE(here.contains(groups[row]));
    EXPECT_EQ(400u, fold.learned.size() + fold.tested.size());
    EXPECT_NEAR(400.0 / 3, static_cast<double>(fold.tested.size()), 40);
    tested += fold.tested.size();
  }
  EXPECT_EQ(400u, tested);
  EXPECT_EQ("HR3072", FoldsByGroup(std::vector<double>{0, 1, 1}, 3).error().code());
}

// A column that says when, as a time or as a number, and one that says who.
TEST(Folds, ATableReadsWhatTheyGoBy) {
  ColumnChoice choice;
  choice.label = "y";
  choice.fold = "ts";
  choice.fold_by_time = true;
  const std::string csv = "ts,x,y\n2026-01-02T00:00:00Z,1,0\n2026-01-01T00:00:00Z,2,1\n";
  const Table table = ReadTable(csv, choice, Task::kBinary).value();
  EXPECT_EQ(1u, table.columns.size());
  EXPECT_EQ(86'400e6, table.folds[0] - table.folds[1]);
  EXPECT_EQ("HR3005", ReadTable("ts,x,y\nnoon,1,0\n", choice, Task::kBinary).error().code());
  EXPECT_EQ("HR3005", ReadTable("ts,x,y\n,1,0\n", choice, Task::kBinary).error().code());
  choice.fold_by_time = false;
  EXPECT_EQ((std::vector<double>{0, 1}), ReadTable(csv, choice, Task::kBinary)->folds);
}

Table TimedRows(size_t rows, Task task) {
  ColumnChoice choice = MixedChoice();
  choice.ignored = {"gaps"};
  Table table = ReadTable(MixedCsv(3, rows, task), choice, task).value();
  for (size_t row = 0; row < rows; ++row)
    table.folds.push_back(static_cast<double>(row));
  return table;
}

// A model that learned from the first part alone says of the second what the fold says.
TEST(CrossValidation, AFoldIsWhatItSaysItIs) {
  Options options;
  options.objective = Objective::kRegression;
  options.trees = 5;
  const Table table = TimedRows(300, options.task());
  const std::vector<Fold> folds = FoldsByTime(table.folds, 2).value();
  const auto results = CrossValidate(table, folds, options).value();
  ASSERT_EQ(2u, results.size());
  EXPECT_EQ(100u, results[0].learned);
  EXPECT_EQ(100u, results[0].tested);
  EXPECT_EQ(200u, results[1].learned);
  const Trained trained = Learn(table.Take(folds[1].learned), nullptr, options).value();
  const Table tested = table.Take(folds[1].tested);
  const Planes scores = [&] {
    const auto model = model::Model::Load(trained.text).value();
    Planes planes(1);
    for (size_t row = 0; row < tested.rows(); ++row) {
      std::vector<double> values;
      for (const Column& column : tested.columns)
        values.push_back(column.values[row]);
      double raw = 0;
      model->ScoreRaw(values, 1, {&raw, 1});
      planes[0].push_back(raw);
    }
    return planes;
  }();
  // Enough to learn from a fold's rows, not to keep the others meanwhile.
  options.memory = MemoryOf(table.Take(folds[0].learned), options);
  EXPECT_EQ("HR3007", CrossValidate(table, folds, options).error().code());
  EXPECT_EQ("rmse", results[1].measures[0].name);
  EXPECT_EQ(RootMeanSquaredError({tested.labels, scores[0], {}}), results[1].measures[0].value);
  EXPECT_EQ((results[0].measures[0].value + results[1].measures[0].value) / 2,
            MeanOf(results, "rmse"));
}

TEST(CrossValidation, AFoldWithOneClassIsRefused) {
  Table table = TimedRows(90, Task::kBinary);
  for (size_t row = 0; row < 90; ++row)
    table.labels[row] = row < 40 ? 0 : 1;
  const std::vector<Fold> folds = FoldsByTime(table.folds, 2).value();
  EXPECT_EQ("HR3072", CrossValidate(table, folds, {}).error().code());
}

TEST(Tune, FindsWhatIsBetterAndTheSameEachTime) {
  Search search;
  search.options.objective = Objective::kRegression;
  search.options.learning_rate = 0.001;  // far too little
  search.options.trees = 15;
  search.ranges = {{"learning-rate", 0.001, 0.5}, {"leaves", 3, 40}};
  search.budget = 6;
  search.measure = "rmse";
  const Table table = TimedRows(400, Task::kRegression);
  const std::vector<Fold> folds = FoldsByTime(table.folds, 2).value();
  const Tuned tuned = Tune(table, folds, search).value();
  ASSERT_EQ(6u, tuned.candidates.size());
  EXPECT_EQ((std::vector<double>{0.001, 31}), tuned.candidates[0].values);
  EXPECT_NE(0u, tuned.best);
  for (const Candidate& candidate : tuned.candidates) {
    EXPECT_LE(tuned.candidates[tuned.best].mean, candidate.mean);
    EXPECT_EQ(candidate.values[0], candidate.options.learning_rate);
    EXPECT_EQ(candidate.values[1], std::floor(candidate.values[1]));
    EXPECT_TRUE(candidate.values[1] >= 3 && candidate.values[1] <= 40);
  }
  search.options.threads = 3;
  const Tuned again = Tune(table, folds, search).value();
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(tuned.candidates[i].values, again.candidates[i].values);
    EXPECT_EQ(tuned.candidates[i].mean, again.candidates[i].mean);
  }
}

TEST(Tune, SaysWhatItCannotSearchFor) {
  const Table table = TimedRows(90, Task::kRegression);
  const std::vector<Fold> folds = FoldsByTime(table.folds, 2).value();
  const auto code = [&](Range range, std::string measure) {
    Search search;
    search.options.objective = Objective::kRegression;
    search.options.trees = 2;
    search.ranges = {std::move(range)};
    search.budget = 2;
    search.measure = std::move(measure);
    const auto tuned = Tune(table, folds, search);
    return tuned.ok() ? "" : std::string(tuned.error().code());
  };
  EXPECT_EQ("", code({"leaves", 2, 4}, "mae"));
  EXPECT_EQ("HR3073", code({"leaves", 4, 2}, "mae"));
  EXPECT_EQ("HR3073", code({"leaves", 1, 4}, "mae"));
  EXPECT_EQ("HR3073", code({"l1-share", 0, 1}, "mae"));
  EXPECT_EQ("HR3073", code({"leaves", 2, 4}, "roc_auc"));
}

}  // namespace
}  // namespace headrace::train
