#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "headrace/result.h"
#include "model/model.h"

namespace headrace::model {

// HR3005 at `line N`.
Error BadCsv(size_t line, std::string message);

// A cell as a number: blanks around it, nan, inf and -inf are understood, an empty one is NaN;
// nothing when it is no number.
std::optional<double> ParseCell(std::string_view text);

// A line without anything in a table of several columns.
bool IsEmptyLine(const std::vector<std::string>& cells, size_t columns);

// Turns the records of a CSV into rows of a model's features. `info` must outlive it. Confined.
class CsvFeatures {
 public:
  explicit CsvFeatures(const ModelInfo& info);

  // Finds the features in the line of names, as ScoreCsv says. The column called `other`, when it
  // is not empty, does not count for a match by place. Error: HR3005.
  Status MatchColumns(const std::vector<std::string>& header, std::string_view other = {});
  size_t columns() const { return columns_; }

  // Appends the features of one record to `row`. Error: HR3005.
  Status Append(const std::vector<std::string>& cells, size_t line, std::vector<double>* row) const;

 private:
  std::optional<double> ValueOf(size_t feature, const std::string& cell) const;

  const ModelInfo& info_;
  std::vector<std::unordered_map<std::string, double>> codes_;  // by feature; looked up only
  std::vector<size_t> column_of_;                               // by feature
  size_t columns_ = 0;
};

}  // namespace headrace::model
