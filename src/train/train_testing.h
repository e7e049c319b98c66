#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "model/csv_features.h"
#include "model/csv_records.h"
#include "model/model.h"
#include "os/random.h"
#include "train/boosting.h"
#include "train/trainer.h"

namespace headrace::train {

// Draws for test rows; the same for the same seed.
class Draws {
 public:
  explicit Draws(uint64_t seed) : random_(seed) {}
  double Unit() { return static_cast<double>(random_.Next() >> 11) * 0x1p-53; }
  size_t Below(size_t bound) { return random_.Below(bound); }
  bool OneIn(size_t n) { return Below(n) == 0; }

 private:
  os::SeededRandom random_;
};

inline std::string ShortText(double x) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, x).ptr};
}

// Rows of every kind: x rises with the label, gaps is often missing and has infinities, few has
// five values and zeros that are none, code is a category by number, word by name, same is
// constant.
inline std::string MixedCsv(uint64_t seed, size_t rows, Task task) {
  Draws draws(seed);
  const char* const words[] = {"red", "green", "deep blue", "a,b", "\"", "e"};
  std::string csv = "x,gaps,y,few,code,word,same\n";
  for (size_t i = 0; i < rows; ++i) {
    const double x = draws.Unit() * 10 - 5;
    const size_t few = draws.Below(5);
    const size_t code = draws.Below(40);
    const size_t word = draws.Below(6);
    const double gaps = draws.Unit();
    double target = x + (few == 2 ? 3 : 0) + (code % 3 == 1 ? 2 : 0) + (word < 2 ? 2 : 0) +
                    (gaps < 0.3 ? 4 : gaps) + draws.Unit() * 4 - 3;
    if (task == Task::kBinary) target = target > 1 ? 1 : 0;
    if (task == Task::kMulticlass) target = target < -2 ? 0 : target < 2 ? 1 : 2;
    csv += ShortText(x) + ",";
    csv += gaps < 0.3
               ? (draws.OneIn(2) ? "," : "nan,")
               : (draws.OneIn(50) ? (draws.OneIn(2) ? "inf," : "-inf,") : ShortText(gaps) + ",");
    csv +=
        ShortText(target) + "," + (few == 0 ? "1e-40" : ShortText(static_cast<double>(few))) + ",";
    csv += (draws.OneIn(30) ? std::string() : std::to_string(code)) + ",\"" +
           (std::string(words[word]) == "\"" ? "\"\"" : words[word]) + "\",7\n";
  }
  return csv;
}

inline ColumnChoice MixedChoice() {
  ColumnChoice choice;
  choice.label = "y";
  choice.categorical = {"code", "word"};
  return choice;
}

inline Trained TrainCsv(const std::string& csv, const ColumnChoice& choice,
                        const Options& options) {
  Result<Table> table = ReadTable(csv, choice, options.task());
  EXPECT_TRUE(table.ok()) << table.error().ToString();
  if (!table.ok()) return {};
  Result<Trained> trained = Train(std::move(*table), nullptr, options);
  EXPECT_TRUE(trained.ok()) << trained.error().ToString();
  return trained.ok() ? std::move(*trained) : Trained();
}

// Learns by options.algorithm.
inline Trained LearnCsv(const std::string& csv, const ColumnChoice& choice,
                        const Options& options) {
  Result<Table> table = ReadTable(csv, choice, options.task());
  EXPECT_TRUE(table.ok()) << table.error().ToString();
  if (!table.ok()) return {};
  Result<Trained> trained = Learn(std::move(*table), nullptr, options);
  EXPECT_TRUE(trained.ok()) << trained.error().ToString();
  return trained.ok() ? std::move(*trained) : Trained();
}

// The code of the error that learning ends with; "" when it does not.
inline std::string LearnFails(const std::string& csv, const ColumnChoice& choice,
                              const Options& options) {
  Result<Table> table = ReadTable(csv, choice, options.task());
  if (!table.ok()) return std::string(table.error().code());
  const Result<Trained> trained = Learn(std::move(*table), nullptr, options);
  return trained.ok() ? "" : std::string(trained.error().code());
}

// What our own evaluator says of the rows: a plane of raw scores an output.
inline Planes ScoresOf(const std::string& text, const std::string& csv) {
  const auto model = model::Model::Load(text);
  EXPECT_TRUE(model.ok()) << model.error().ToString();
  if (!model.ok()) return {};
  const auto outputs = static_cast<size_t>((*model)->info().outputs);
  Planes planes(outputs);
  model::CsvFeatures features((*model)->info());
  model::CsvRecords records(csv);
  std::vector<std::string> cells;
  EXPECT_TRUE(records.Next(&cells).value());
  EXPECT_TRUE(features.MatchColumns(cells).ok());
  while (records.Next(&cells).value()) {
    std::vector<double> row;
    EXPECT_TRUE(features.Append(cells, records.line(), &row).ok());
    std::vector<double> raw(outputs);
    (*model)->ScoreRaw(row, 1, raw);
    for (size_t k = 0; k < outputs; ++k)
      planes[k].push_back(raw[k]);
  }
  return planes;
}

}  // namespace headrace::train
