// Runs the answers recorded from LightGBM and XGBoost themselves. Skipped where they are not there.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
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

// The bytes of a file, unpacked when its name ends in .xz; empty when that cannot be done here.
std::string ReadPacked(const fs::path& path) {
  if (path.extension() != ".xz") return ReadFile(path);
  std::FILE* pipe = popen(("xz -dc '" + path.string() + "' 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return {};
  std::string bytes;
  std::array<char, 65536> part{};
  for (size_t n = 0; (n = std::fread(part.data(), 1, part.size(), pipe)) > 0;) {
    bytes.append(part.data(), n);
  }
  pclose(pipe);
  return bytes;
}

struct Table {
  std::vector<std::string> names;
  std::vector<std::vector<double>> rows;
};

Table ReadTable(std::string_view csv) {
  Table table;
  CsvRecords records(csv);
  std::vector<std::string> cells;
  if (!records.Next(&table.names).value()) return table;
  while (records.Next(&cells).value()) {
    std::vector<double>& row = table.rows.emplace_back();
    for (const std::string& cell : cells) {
      double x = std::numeric_limits<double>::quiet_NaN();
      std::from_chars(cell.data(), cell.data() + cell.size(), x);
      row.push_back(x);
    }
  }
  return table;
}

// The columns whose names start with one of the stems.
Table Columns(const Table& table, std::initializer_list<std::string_view> stems) {
  std::vector<size_t> keep;
  for (size_t i = 0; i < table.names.size(); ++i) {
    for (std::string_view stem : stems) {
      if (table.names[i].starts_with(stem)) keep.push_back(i);
    }
  }
  Table kept;
  for (const auto& row : table.rows) {
    auto& out = kept.rows.emplace_back();
    for (size_t i : keep) {
      out.push_back(row[i]);
    }
  }
  return kept;
}

// How many cells differ by more than `tolerance` times the largest of their row; a tolerance of 0
// asks for the same bits, in float when `single`.
size_t CountDifferences(const Table& got, const Table& want, double tolerance, bool single) {
  size_t differ = 0;
  if (got.rows.size() < want.rows.size()) return want.rows.size();
  for (size_t r = 0; r < want.rows.size(); ++r) {
    if (got.rows[r].size() != want.rows[r].size()) return want.rows.size();
    double scale = 0;
    for (double x : want.rows[r]) {
      if (std::isfinite(x)) scale = std::max(scale, std::abs(x));
    }
    for (size_t c = 0; c < want.rows[r].size(); ++c) {
      double a = got.rows[r][c];
      double b = want.rows[r][c];
      if (single) {
        a = static_cast<double>(static_cast<float>(a));
        b = static_cast<double>(static_cast<float>(b));
      }
      if (a == b || (std::isnan(a) && std::isnan(b))) continue;
      differ += !(std::abs(a - b) <= tolerance * scale);
    }
  }
  return differ;
}

// The header and the first `rows` lines.
std::string_view FirstRows(std::string_view csv, size_t rows) {
  size_t end = 0;
  for (size_t line = 0; line <= rows && end < csv.size(); ++line) {
    end = std::min(csv.find('\n', end), csv.size() - 1) + 1;
  }
  return csv.substr(0, end);
}

Table Score(const Model& model, const fs::path& input, OutputKind kind, size_t rows) {
  std::string out;
  const std::string csv = ReadFile(input);
  const Status status = ScoreCsv(model, FirstRows(csv, rows), kind, &out);
  EXPECT_TRUE(status.ok()) << input << ": " << status.error().ToString();
  return status.ok() ? ReadTable(out) : Table();
}

void CheckAgainst(const Model& model, const fs::path& folder, const std::string& suffix) {
  const bool single = model.info().format != Format::kLightGbmText;
  const fs::path input = folder / ("input" + suffix + ".csv");
  const Table expected = ReadTable(ReadFile(folder / ("expected" + suffix + ".csv")));
  const auto check = [&](OutputKind kind, const Table& want, double tolerance, bool as_float) {
    EXPECT_FALSE(want.rows.empty()) << folder;
    const Table got = Score(model, input, kind, want.rows.size());
    EXPECT_EQ(0u, CountDifferences(got, want, tolerance, as_float))
        << folder << " output " << static_cast<int>(kind);
  };
  check(OutputKind::kRaw, Columns(expected, {"raw", "margin"}), 0, single);
  check(OutputKind::kProbability, Columns(expected, {"pred"}), single ? 1e-6 : 1e-14, single);
  if (!suffix.empty()) return;
  const fs::path leaf = folder / "leaf.csv";
  if (fs::exists(leaf)) check(OutputKind::kLeaf, ReadTable(ReadFile(leaf)), 0, false);
  const fs::path contrib = folder / "contrib.csv";
  if (fs::exists(contrib)) {
    check(OutputKind::kContributions, ReadTable(ReadFile(contrib)), single ? 1e-5 : 1e-9, false);
  }
}

size_t CheckLibrary(const char* library) {
  size_t models = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(kRoot) / library)) {
    for (const char* name : {"model.txt", "model_crlf.txt", "model.txt.xz", "model.json",
                             "model.ubj", "model.ubj.xz"}) {
      const fs::path path = entry.path() / name;
      if (!fs::exists(path)) continue;
      const std::string bytes = ReadPacked(path);
      if (bytes.empty()) continue;  // no xz on this machine
      ++models;
      const auto model = Model::Load(bytes);
      EXPECT_TRUE(model.ok()) << path << ": " << model.error().ToString();
      if (!model.ok()) continue;
      CheckAgainst(**model, entry.path(), "");
      if (fs::exists(entry.path() / "input_inf.csv")) CheckAgainst(**model, entry.path(), "_inf");
    }
  }
  return models;
}

TEST(Fixtures, EveryLightGbmModelAnswersLikeTheLibrary) {
  if (!fs::exists(kRoot)) GTEST_SKIP() << "skipped: no ../shared/data";
  EXPECT_GE(CheckLibrary("lightgbm"), 28u);
}

TEST(Fixtures, EveryXgboostModelAnswersLikeTheLibrary) {
  if (!fs::exists(kRoot)) GTEST_SKIP() << "skipped: no ../shared/data";
  EXPECT_GE(CheckLibrary("xgboost"), 60u);
}

TEST(Fixtures, EveryHostileFileIsRefusedWithACodeAndAPlace) {
  if (!fs::exists(kRoot)) GTEST_SKIP() << "skipped: no ../shared/data";
  const auto index = document::ParseJson(ReadFile(fs::path(kRoot) / "malformed/index.json"),
                                         document::NumberWidth::kFloat64);
  ASSERT_TRUE(index.ok()) << index.error().ToString();
  size_t refused = 0;
  for (const document::Value& entry : *index->array()) {
    const std::string kind = *entry.Find("kind")->text();
    if (kind != "lightgbm" && kind != "xgboost" && kind != "onnx") continue;
    const std::string file = *entry.Find("file")->text();
    const auto model = Model::Load(ReadFile(fs::path(kRoot) / file));
    if (model.ok()) {
      EXPECT_NE("refuse", *entry.Find("must")->text()) << file;
      std::vector<double> row((*model)->info().features.size(), 1.5);
      std::vector<double> raw(static_cast<size_t>((*model)->info().outputs));
      (*model)->ScoreRaw(row, 1, raw);
      continue;
    }
    ++refused;
    EXPECT_TRUE(model.error().code().starts_with("HR300")) << model.error().ToString();
    EXPECT_FALSE(model.error().place().empty()) << file << model.error().ToString();
  }
  EXPECT_GE(refused, 77u);
}

TEST(Fixtures, TheSoundOriginalsOfTheHostileFilesLoad) {
  if (!fs::exists(kRoot)) GTEST_SKIP() << "skipped: no ../shared/data";
  for (const char* name : {"lightgbm.txt", "lightgbm_linear.txt", "xgboost.json", "xgboost.ubj",
                           "matmul.onnx", "trees.onnx"}) {
    const auto model = Model::Load(ReadFile(fs::path(kRoot) / "malformed/sound" / name));
    EXPECT_TRUE(model.ok()) << name << ": " << model.error().ToString();
  }
}

}  // namespace
}  // namespace headrace::model
