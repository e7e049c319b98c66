#include "train/metrics.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "model/csv_features.h"
#include "model/csv_records.h"

namespace headrace::train {
namespace {

namespace fs = std::filesystem;

const char* const kRoot = "../shared/data/models/metrics";

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Given {
  std::vector<double> labels, predictions, weights;
  size_t classes = 1;
  Answers answers(bool weighted = true) const {
    return {labels, predictions, weighted ? std::span(weights) : std::span<const double>(),
            classes};
  }
};

// y, then p or p0 p1 ..., then w if there is one.
Given ReadGiven(const std::string& name) {
  const std::string csv = ReadFile(fs::path(kRoot) / (name + ".csv"));
  model::CsvRecords records(csv);
  std::vector<std::string> cells;
  EXPECT_TRUE(records.Next(&cells).value()) << name;
  const std::vector<std::string> header = cells;
  Given given;
  given.classes = 0;
  for (const std::string& column : header)
    given.classes += column.starts_with("p") ? 1 : 0;
  while (records.Next(&cells).value()) {
    for (size_t i = 0; i < header.size(); ++i) {
      const double x = *model::ParseCell(cells[i]);
      (header[i] == "y"   ? given.labels
       : header[i] == "w" ? given.weights
                          : given.predictions)
          .push_back(x);
    }
  }
  return given;
}

// The number at `path` of nested keys. The file is a plain document of objects and numbers.
double Expected(const std::string& json, std::initializer_list<std::string> path) {
  size_t at = 0;
  for (const std::string& key : path) {
    at = json.find("\"" + key + "\":", at);
    EXPECT_NE(std::string::npos, at) << key;
    at += key.size() + 3;
  }
  return std::strtod(json.c_str() + at, nullptr);
}

TEST(Metrics, EqualThoseOfScikitLearnForTwoClasses) {
  if (!fs::exists(kRoot)) GTEST_SKIP() << "skipped: no ../shared/data";
  const std::string json = ReadFile(fs::path(kRoot) / "expected.json");
  for (const std::string name :
       {"plain", "weighted", "ties", "all_same_score", "perfect", "rare", "certain"}) {
    const Given given = ReadGiven("binary_" + name);
    ASSERT_EQ(2000u, given.labels.size());
    const auto check = [&](const char* key, double got) {
      EXPECT_NEAR(Expected(json, {"binary", name, key}), got, 1e-12) << name << " " << key;
    };
    check("roc_auc", RocAuc(given.answers()));
    check("average_precision", AveragePrecision(given.answers()));
    check("log_loss", LogLoss(given.answers()));
    check("brier", BrierScore(given.answers()));
    check("accuracy_at_05", BinaryAccuracy(given.answers()));
    check("ks_statistic", KolmogorovSmirnov(given.answers()));
    check("ece_10_equal_width_unweighted", CalibrationError(given.answers(false)));
  }
}

TEST(Metrics, EqualThoseOfScikitLearnForNumbers) {
  if (!fs::exists(kRoot)) GTEST_SKIP() << "skipped: no ../shared/data";
  const std::string json = ReadFile(fs::path(kRoot) / "expected.json");
  const Given given = ReadGiven("regression");
  for (const std::string name : {"plain", "weighted"}) {
    const Answers answers = given.answers(name == "weighted");
    EXPECT_NEAR(Expected(json, {"regression", name, "rmse"}), RootMeanSquaredError(answers), 1e-12);
    EXPECT_NEAR(Expected(json, {"regression", name, "mae"}), MeanAbsoluteError(answers), 1e-12);
    EXPECT_NEAR(Expected(json, {"regression", name, "r2"}), R2(answers), 1e-12);
  }
}

TEST(Metrics, EqualThoseOfScikitLearnForSeveralClasses) {
  if (!fs::exists(kRoot)) GTEST_SKIP() << "skipped: no ../shared/data";
  const std::string json = ReadFile(fs::path(kRoot) / "expected.json");
  const Given given = ReadGiven("multiclass");
  ASSERT_EQ(4u, given.classes);
  EXPECT_NEAR(Expected(json, {"multiclass", "log_loss"}), ClassLogLoss(given.answers()), 1e-12);
  EXPECT_NEAR(Expected(json, {"multiclass", "accuracy"}), ClassAccuracy(given.answers()), 1e-12);
  EXPECT_NEAR(Expected(json, {"multiclass", "auc_ovr_macro"}), ClassRocAuc(given.answers()), 1e-12);
}

TEST(Metrics, AreThoseWorkedOutByHand) {
  // Pairs: 0.8 beats 0.3 and ties with nothing; 0.3 ties with 0.3.
  const std::vector<double> labels = {1, 0, 1, 0};
  const std::vector<double> scores = {0.8, 0.3, 0.3, 0.1};
  const Answers answers = {labels, scores, {}};
  EXPECT_DOUBLE_EQ((1 + 1 + 0.5 + 1) / 4, RocAuc(answers));
  EXPECT_DOUBLE_EQ(0.5 * 1 + 0.5 * 2 / 3, AveragePrecision(answers));
  EXPECT_DOUBLE_EQ(0.75, BinaryAccuracy(answers));
  EXPECT_DOUBLE_EQ((0.04 + 0.09 + 0.49 + 0.01) / 4, BrierScore(answers));
  EXPECT_DOUBLE_EQ((0.2 + 0.4 + 0.1) / 4, CalibrationError(answers));
}

TEST(Metrics, AWeightOfTwoIsTheRowTwice) {
  const std::vector<double> labels = {1, 0, 1, 0}, scores = {0.8, 0.4, 0.3, 0.1};
  const std::vector<double> weights = {2, 1, 1, 2};
  const std::vector<double> labels_twice = {1, 1, 0, 1, 0, 0};
  const std::vector<double> scores_twice = {0.8, 0.8, 0.4, 0.3, 0.1, 0.1};
  for (auto* measure : {RocAuc, AveragePrecision, LogLoss, BrierScore, KolmogorovSmirnov,
                        BinaryAccuracy, MeanAbsoluteError, R2}) {
    EXPECT_NEAR(measure({labels_twice, scores_twice, {}}), measure({labels, scores, weights}),
                1e-15);
  }
}

TEST(Metrics, HaveNoValueWhereTheyHaveNoMeaning) {
  const std::vector<double> ones = {1, 1}, scores = {0.2, 0.4};
  EXPECT_TRUE(std::isnan(RocAuc({ones, scores, {}})));
  EXPECT_TRUE(std::isnan(KolmogorovSmirnov({ones, scores, {}})));
  EXPECT_TRUE(std::isnan(R2({ones, scores, {}})));
  EXPECT_EQ(1, AveragePrecision({ones, scores, {}}));
  EXPECT_TRUE(std::isnan(LogLoss({})));
  EXPECT_TRUE(std::isnan(RocAuc({})));
}

}  // namespace
}  // namespace headrace::train
