#include "train/linear.h"

#include <cmath>

#include <gtest/gtest.h>

#include "train/design.h"
#include "train/elastic_net.h"
#include "train/scored_rows.h"
#include "train/train_testing.h"

namespace headrace::train {
namespace {

constexpr size_t kFeatures = 4;

ColumnChoice Choice() {
  ColumnChoice choice;
  choice.label = "y";
  return choice;
}

Options Linear(Objective objective, double penalty, double l1_share) {
  Options options = Options::For(Algorithm::kLinear);
  options.objective = objective;
  options.penalty = penalty;
  options.l1_share = l1_share;
  return options;
}

// Rows of scales that differ; the second feature goes with the first, the last means nothing.
std::string Rows(uint64_t seed, size_t rows, Task task) {
  Draws draws(seed);
  std::string csv = "a,b,c,d,y\n";
  for (size_t i = 0; i < rows; ++i) {
    const double a = draws.Unit() * 1000;
    const double b = a / 500 + draws.Unit();
    const double c = draws.Unit() - 5;
    const double d = draws.Unit() * 1e-6;
    double y = a / 250 - b - 3 * (c + 4.5) + draws.Unit() * 3 - 1;
    if (task == Task::kBinary) y = y > 0 ? 1 : 0;
    if (task == Task::kMulticlass) y = y < -1 ? 0 : y < 1 ? 1 : 2;
    for (double x : {a, b, c, d})
      csv += ShortText(x) + ",";
    csv += ShortText(y) + "\n";
  }
  return csv;
}

// Scores of the rows with one feature moved by a standard deviation, less those as they are: the
// weight of the standardised feature.
double WeightOf(const model::Model& model, const Table& table, size_t f, double deviation,
                size_t output) {
  const auto outputs = static_cast<size_t>(model.info().outputs);
  std::vector<double> row;
  for (const Column& column : table.columns)
    row.push_back(column.values[0]);
  std::vector<double> before(outputs);
  std::vector<double> after(outputs);
  model.ScoreRaw(row, 1, before);
  row[f] += deviation;
  model.ScoreRaw(row, 1, after);
  return after[output] - before[output];
}

// At the least of a convex function no direction goes down: by each weight of the output the slope
// of the mean loss is what the penalty holds.
void CheckLeast(const model::Model& model, const Table& table, const Options& options, size_t k) {
  const auto rows = static_cast<double>(table.rows());
  const ScoredRows scored = ScoreTable(model, table);
  std::vector<double> residuals;
  double intercept = 0;
  for (size_t row = 0; row < table.rows(); ++row) {
    const bool several = options.objective == Objective::kMulticlass;
    const double label = table.labels[row];
    const double wanted = several ? (label == static_cast<double>(k) ? 1.0 : 0.0) : label;
    residuals.push_back((scored.values[row * scored.width + k] - wanted) / rows);
    intercept += residuals.back();
  }
  EXPECT_NEAR(0, intercept, 1e-8);
  for (size_t f = 0; f < kFeatures; ++f) {
    const std::vector<double>& x = table.columns[f].values;
    const Scale scale = Scale::Of(table.columns[f]).value();
    double slope = 0;
    for (size_t row = 0; row < x.size(); ++row)
      slope += residuals[row] * (x[row] - scale.mean) / scale.deviation;
    const double weight = WeightOf(model, table, f, scale.deviation, k);
    const double l1 = options.penalty * options.l1_share;
    const double held = slope + options.penalty * (1 - options.l1_share) * weight;
    if (std::abs(weight) > 1e-9) {
      EXPECT_NEAR(0, held + (weight > 0 ? l1 : -l1), 1e-7) << f << " " << options.l1_share;
    } else {
      EXPECT_LE(std::abs(held), l1 + 1e-7) << f << " " << options.l1_share;
    }
  }
}

TEST(Linear, NoWeightCouldBeBetter) {
  for (Objective objective : {Objective::kBinary, Objective::kRegression, Objective::kMulticlass}) {
    for (double l1_share : {0.0, 0.5, 1.0}) {
      const Options options = Linear(objective, 0.03, l1_share);
      const std::string csv = Rows(7, 700, options.task());
      const Trained trained = LearnCsv(csv, Choice(), options);
      const auto model = model::Model::Load(trained.text).value();
      const Table table = ReadTable(csv, Choice(), options.task()).value();
      for (size_t k = 0; k < static_cast<size_t>(model->info().outputs); ++k)
        CheckLeast(*model, table, options, k);
    }
  }
}

TEST(Scale, IsTheMeanAndTheDeviationOfWhatIsThere) {
  Column column;
  column.values = {1, std::nan(""), 5, 3};
  const Scale scale = Scale::Of(column).value();
  EXPECT_EQ(3, scale.mean);
  EXPECT_NEAR(std::sqrt(8.0 / 3), scale.deviation, 1e-15);
  column.values = {0.1, 0.1, 0.1};
  EXPECT_EQ(0, Scale::Of(column)->deviation);
}

TEST(Linear, AbsoluteValuesDropWhatMeansNothing) {
  const Options options = Linear(Objective::kRegression, 0.2, 1);
  const std::string text = LearnCsv(Rows(3, 2000, options.task()), Choice(), options).text;
  EXPECT_NE(std::string::npos, text.find("leaf_features=2\n"));
  EXPECT_EQ(std::string::npos, text.find("leaf_features=3\n"));
}

TEST(Linear, TheNumberOfThreadsDoesNotShow) {
  for (Objective objective : {Objective::kBinary, Objective::kRegression, Objective::kMulticlass}) {
    Options options = Linear(objective, 0.01, 0.5);
    const std::string csv = MixedCsv(5, 40'000, options.task());
    ColumnChoice choice = MixedChoice();
    choice.ignored = {"gaps"};  // has infinities
    const std::string one = LearnCsv(csv, choice, options).text;
    options.threads = 4;
    EXPECT_EQ(one, LearnCsv(csv, choice, options).text);
  }
}

TEST(Linear, AMissingValueIsTheMeanAndACategoryHasAWeight) {
  const Options options = Linear(Objective::kRegression, 1e-9, 0);
  ColumnChoice choice = Choice();
  choice.categorical = {"w"};
  std::string csv = "x,w,y\n";
  for (int i = 0; i < 300; ++i) {
    const int x = i % 7;
    csv += std::to_string(x) + ",w" + std::to_string(i % 5) + "," +
           std::to_string(2 * x + 10 * (i % 5)) + "\n";
  }
  const Trained trained = LearnCsv(csv, choice, options);
  double mean = 0;
  for (int i = 0; i < 300; ++i)
    mean += (i % 7) / 300.0;
  const Planes got = ScoresOf(trained.text, "x,w\n3,w0\n3,w4\n,w4\n6,w2\n");
  EXPECT_NEAR(6, got[0][0], 1e-4);
  EXPECT_NEAR(46, got[0][1], 1e-4);
  EXPECT_NEAR(2 * mean + 40, got[0][2], 1e-4);
  EXPECT_NEAR(32, got[0][3], 1e-4);
  // What is said of a row adds up, and a line is measured from the mean.
  const auto model = model::Model::Load(trained.text).value();
  const std::vector<double> row = {3, 4};
  const std::vector<double> parts = model->Contributions(row).value();
  ASSERT_EQ(3u, parts.size());
  EXPECT_NEAR(46, parts[0] + parts[1] + parts[2], 1e-4);
  EXPECT_NEAR(2 * (3 - mean), parts[0], 1e-4);
}

TEST(Linear, AConstraintHoldsTheSign) {
  const Options options = Linear(Objective::kRegression, 1e-6, 0);
  ColumnChoice choice = Choice();
  choice.monotone = {{"c", 1}};  // it falls
  const std::string text = LearnCsv(Rows(3, 500, options.task()), choice, options).text;
  EXPECT_EQ(std::string::npos, text.find("leaf_features=2\n"));
}

TEST(Linear, SaysWhatItCannotLearnFrom) {
  const std::string apart = "x,y\n1,0\n2,0\n3,1\n4,1\n";
  EXPECT_EQ("HR3071", LearnFails(apart, Choice(), Linear(Objective::kBinary, 0, 0)));
  EXPECT_EQ("", LearnFails(apart, Choice(), Linear(Objective::kBinary, 0.01, 0)));
  const Options options = Linear(Objective::kRegression, 0.1, 0);
  EXPECT_EQ("HR3070", LearnFails("x,y\n1,0\ninf,2\n", Choice(), options));
  EXPECT_EQ("HR3070", LearnFails("x,y\n1,0\n1e200,2\n", Choice(), options));
  Options small = options;
  small.memory = 100;
  EXPECT_EQ("HR3007", LearnFails("x,y\n1,0\n3,2\n", Choice(), small));
}

TEST(Linear, WithoutAnythingThatVariesTheAnswerIsAConstant) {
  const Trained trained =
      LearnCsv("x,y\n5,1\n5,2\n5,6\n", Choice(), Linear(Objective::kRegression, 0.1, 0));
  EXPECT_EQ((Planes{{3, 3}}), ScoresOf(trained.text, "x\n5\n7\n"));
}

TEST(ElasticNet, TheBestShiftIsTheBestOfMany) {
  Draws draws(9);
  for (int round = 0; round < 300; ++round) {
    std::vector<double> weights;
    for (size_t k = 0; k < 2 + draws.Below(6); ++k)
      weights.push_back(draws.OneIn(3) ? 0 : draws.Unit() * 4 - 2);
    const double l1 = draws.OneIn(4) ? 0 : draws.Unit();
    const double l2 = draws.OneIn(4) && l1 > 0 ? 0 : draws.Unit() + 0.01;
    const auto penalty = [&](double shift) {
      double sum = 0;
      for (double weight : weights)
        sum += l1 * std::abs(weight - shift) + l2 / 2 * (weight - shift) * (weight - shift);
      return sum;
    };
    const double got = penalty(BestShift(weights, l1, l2));
    for (double shift = -2; shift <= 2; shift += 0.001)
      EXPECT_LE(got, penalty(shift) + 1e-12);
  }
}

}  // namespace
}  // namespace headrace::train
