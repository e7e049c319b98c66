#include "train/calibration.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "train/train_testing.h"

namespace headrace::train {
namespace {

// Labels that are less sure than their scores say.
ScoredRows Rows(uint64_t seed, size_t rows, bool ties) {
  Draws draws(seed);
  ScoredRows scored;
  for (size_t i = 0; i < rows; ++i) {
    double score = draws.Unit() * 8 - 4;
    if (ties) score = std::floor(score * 2);
    scored.values.push_back(score);
    scored.labels.push_back(draws.Unit() < 1 / (1 + std::exp(1 - score / 3)) ? 1 : 0);
  }
  return scored;
}

TEST(Calibration, NoLogisticCurveIsMoreLikely) {
  const ScoredRows rows = Rows(1, 800, false);
  const auto positive =
      static_cast<double>(std::count(rows.labels.begin(), rows.labels.end(), 1.0));
  const auto loss = [&](double slope, double offset) {
    double sum = 0;
    for (size_t row = 0; row < 800; ++row) {
      const double target =
          rows.labels[row] > 0 ? (positive + 1) / (positive + 2) : 1 / (800 - positive + 2);
      const double p = 1 / (1 + std::exp(-slope * rows.values[row] - offset));
      sum -= target * std::log(p) + (1 - target) * std::log(1 - p);
    }
    return sum;
  };
  const PlattCurve curve = FitPlatt(rows);
  EXPECT_NEAR(1.0 / 3, curve.slope, 0.1);
  for (double step : {1e-3, 1e-4}) {
    EXPECT_LT(loss(curve.slope, curve.offset), loss(curve.slope + step, curve.offset));
    EXPECT_LT(loss(curve.slope, curve.offset), loss(curve.slope - step, curve.offset));
    EXPECT_LT(loss(curve.slope, curve.offset), loss(curve.slope, curve.offset + step));
    EXPECT_LT(loss(curve.slope, curve.offset), loss(curve.slope, curve.offset - step));
  }
}

// The least squares among rising values have a closed form: the largest over starts of the least
// over ends of the mean between (Robertson, Wright, Dykstra 1988).
TEST(Calibration, TheIsotonicCurveIsThatOfItsDefinition) {
  for (bool ties : {false, true}) {
    ScoredRows rows = Rows(2, 150, ties);
    const model::IsotonicCurve curve = FitIsotonic(rows);
    std::vector<size_t> order(rows.labels.size());
    for (size_t i = 0; i < order.size(); ++i)
      order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return rows.values[a] < rows.values[b]; });
    const auto mean = [&](double low, double high) {
      double sum = 0, count = 0;
      for (size_t row = 0; row < rows.labels.size(); ++row) {
        if (rows.values[row] < low || rows.values[row] > high) continue;
        sum += rows.labels[row];
        ++count;
      }
      return sum / count;
    };
    for (size_t i = 0; i < order.size(); i += 7) {
      const double score = rows.values[order[i]];
      double largest = 0;
      for (double low : rows.values) {
        if (low > score) continue;
        double least = 1;
        for (double high : rows.values) {
          if (high >= score) least = std::min(least, mean(low, high));
        }
        largest = std::max(largest, least);
      }
      EXPECT_NEAR(largest, curve.At(score), 1e-12);
    }
    EXPECT_EQ(curve.shares.front(), curve.At(-1e300));
    EXPECT_EQ(curve.shares.back(), curve.At(1e300));
  }
}

std::string BinaryModel(Algorithm algorithm) {
  Options options = Options::For(algorithm);
  options.trees = 10;
  options.leaves = std::min<size_t>(options.leaves, 20);
  ColumnChoice choice = MixedChoice();
  choice.ignored = {"gaps"};
  return LearnCsv(MixedCsv(1, 1500, Task::kBinary), choice, options).text;
}

TEST(Calibration, AFileGivesTheCurveOfItsRawScores) {
  const std::string csv = MixedCsv(2, 1000, Task::kBinary);
  for (Algorithm algorithm : {Algorithm::kBoosting, Algorithm::kForest, Algorithm::kLinear}) {
    const std::string text = BinaryModel(algorithm);
    const auto before = model::Model::Load(text).value();
    ScoredRows raw = ScoreRows(*before, csv, "y", Task::kBinary, ScoreStage::kRaw).value();
    const PlattCurve platt = FitPlatt(raw);
    const std::string fitted = Calibrate(text, csv, "y", Calibration::kPlatt).value();
    const auto with_platt = model::Model::Load(fitted).value();
    EXPECT_EQ(before->info().trees + 1, with_platt->info().trees);
    const ScoredRows got = ScoreRows(*with_platt, csv, "y", Task::kBinary).value();
    for (size_t row = 0; row < raw.values.size(); ++row) {
      const double score = platt.slope * raw.values[row] + platt.offset;
      EXPECT_NEAR(1 / (1 + std::exp(-score)), got.values[row], 1e-12);
    }
    if (algorithm == Algorithm::kForest) {
      for (double& score : raw.values)
        score /= 10;
    }
    const model::IsotonicCurve curve = FitIsotonic(raw);
    const std::string risen = Calibrate(text, csv, "y", Calibration::kIsotonic).value();
    const auto with_curve = model::Model::Load(risen).value();
    const ScoredRows shares = ScoreRows(*with_curve, csv, "y", Task::kBinary).value();
    for (size_t row = 0; row < raw.values.size(); ++row)
      EXPECT_EQ(curve.At(raw.values[row]), shares.values[row]);
    EXPECT_EQ("HR3074", Calibrate(risen, csv, "y", Calibration::kPlatt).error().code());
  }
}

TEST(Calibration, SaysWhatItCannotCalibrate) {
  const std::string text = BinaryModel(Algorithm::kBoosting);
  const std::string csv = MixedCsv(2, 100, Task::kBinary);
  Options options;
  options.objective = Objective::kRegression;
  options.trees = 2;
  const std::string numbers =
      LearnCsv(MixedCsv(1, 500, options.task()), MixedChoice(), options).text;
  EXPECT_EQ("HR3074", Calibrate(numbers, csv, "y", Calibration::kPlatt).error().code());
  std::string one_class = csv.substr(0, csv.find('\n') + 1) + "1,1,1,1,1,red,7\n";
  EXPECT_EQ("HR3074", Calibrate(text, one_class, "y", Calibration::kPlatt).error().code());
  EXPECT_EQ("HR3005", Calibrate(text, "a,b\n1,2\n", "y", Calibration::kPlatt).error().code());
  EXPECT_EQ("HR3001", Calibrate("hello", csv, "y", Calibration::kPlatt).error().code());
}

TEST(Calibration, ACurveThatIsNoneIsRefused) {
  const std::string text = BinaryModel(Algorithm::kBoosting);
  for (const char* words : {"", " 1", " 1 0.5 2", " 1 0.5 1 0.6", " 1 0.5 2 0.4", " 1 1.5", " x 0",
                            " 1 nan", " inf 0.5"}) {
    const auto loaded = model::Model::Load(text + "headrace_isotonic:" + words + "\n");
    ASSERT_FALSE(loaded.ok()) << words;
    EXPECT_EQ("HR3002", loaded.error().code());
  }
  EXPECT_TRUE(model::Model::Load(text + "headrace_isotonic: 1 0.5\n").ok());
}

}  // namespace
}  // namespace headrace::train
