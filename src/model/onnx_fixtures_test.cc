// Runs the answers recorded from ONNX Runtime and TensorFlow Lite. Skipped where they are not
// there.
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "document/json.h"
#include "model/csv_records.h"
#include "model/model.h"
#include "model/score_csv.h"

namespace headrace::model {
namespace {

namespace fs = std::filesystem;

const char* const kRoot = "../shared/data/models";

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::vector<std::string>> Cells(std::string_view csv) {
  std::vector<std::vector<std::string>> rows;
  CsvRecords records(csv);
  std::vector<std::string> cells;
  while (records.Next(&cells).value()) {
    rows.push_back(cells);
  }
  rows.erase(rows.begin());
  return rows;
}

// Whether two cells are the same number, in float when `bits`, else within a relative 2e-5 (the
// runtimes add up in another order), or the same text.
bool Same(const std::string& got, const std::string& want, bool bits) {
  if (got == want) return true;
  double a = 0;
  double b = 0;
  const auto end_a = std::from_chars(got.data(), got.data() + got.size(), a);
  const auto end_b = std::from_chars(want.data(), want.data() + want.size(), b);
  if (end_a.ec != std::errc() || end_b.ec != std::errc()) return false;
  if (bits) return static_cast<float>(a) == static_cast<float>(b);
  return std::abs(a - b) <= 2e-5 * std::max(1.0, std::abs(b));
}

// Models made of trees, or of little else, have the runtime's very bits.
bool HasSameBits(const std::string& id) {
  for (const char* part :
       {"_rf_", "trees", "_gbm_", "isolation", "tree_", "lgb_", "xgb_", "hand_regressor",
        "hand_post_none", "hand_post_softmax", "hand_post_logistic", "one_column", "kmeans",
        "ridge", "svm", "imputer", "full_int8"}) {
    if (id.find(part) != std::string::npos) return true;
  }
  return false;
}

void CheckCase(const document::Value& entry) {
  const std::string id = *entry.Find("id")->text();
  const document::Value& files = *entry.Find("files");
  const auto file = [&](const char* name) {
    return ReadFile(fs::path(kRoot) / *files.Find(name)->text());
  };
  const auto model = Model::Load(file("model"));
  ASSERT_TRUE(model.ok()) << id << ": " << model.error().ToString();
  std::string out;
  const Status status = ScoreCsv(**model, file("input"), OutputKind::kRaw, &out);
  ASSERT_TRUE(status.ok()) << id << ": " << status.error().ToString();
  const auto got = Cells(out);
  const auto want = Cells(file("expected"));
  ASSERT_EQ(want.size(), got.size()) << id;
  size_t differ = 0;
  for (size_t r = 0; r < want.size(); ++r) {
    ASSERT_EQ(want[r].size(), got[r].size()) << id;
    for (size_t c = 0; c < want[r].size(); ++c) {
      differ += !Same(got[r][c], want[r][c], HasSameBits(id));
    }
  }
  EXPECT_EQ(0u, differ) << id;
}

size_t CheckManifest(const char* name) {
  const auto manifest =
      document::ParseJson(ReadFile(fs::path(kRoot) / name), document::NumberWidth::kFloat64);
  EXPECT_TRUE(manifest.ok());
  if (!manifest.ok()) return 0;
  for (const document::Value& entry : *manifest->array()) {
    CheckCase(entry);
  }
  return manifest->array()->size();
}

TEST(OnnxFixtures, EveryModelAnswersLikeOnnxRuntime) {
  if (!fs::exists(kRoot)) GTEST_SKIP() << "skipped: no ../shared/data";
  EXPECT_GE(CheckManifest("manifest_onnx.json"), 47u);
}

TEST(OnnxFixtures, EveryModelAnswersLikeTensorFlowLite) {
  if (!fs::exists(kRoot)) GTEST_SKIP() << "skipped: no ../shared/data";
  EXPECT_GE(CheckManifest("manifest_tflite.json"), 3u);
}

// Whatever happens to a file, Load answers, and what it accepts can be scored.
TEST(OnnxFixtures, DamagedFilesOfTensorFlowLiteAreRefusedOrScored) {
  if (!fs::exists(kRoot)) GTEST_SKIP() << "skipped: no ../shared/data";
  const std::string file = ReadFile(fs::path(kRoot) / "tflite/mlp_full_int8/model.tflite");
  ASSERT_FALSE(file.empty());
  size_t refused = 0;
  for (size_t i = 0; i < file.size(); ++i) {
    for (const int bit : {0, 4, 7}) {
      std::string damaged = bit == 0 && i % 2 == 0 ? file.substr(0, i) : file;
      if (i < damaged.size()) damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const auto model = Model::Load(damaged);
      if (!model.ok()) {
        ++refused;
        EXPECT_FALSE(model.error().place().empty()) << model.error().ToString();
        continue;
      }
      if ((*model)->info().features.size() > 1000) continue;
      const std::vector<double> row((*model)->info().features.size(), 0.5);
      std::vector<double> raw(static_cast<size_t>((*model)->info().outputs));
      (*model)->ScoreRaw(row, 1, raw);
    }
  }
  EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace headrace::model
