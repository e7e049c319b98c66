#include "train/labels.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "model/csv_features.h"

namespace headrace::train {
namespace {

Error BadLabel(size_t line, std::string_view cell, std::string_view wanted) {
  const std::string seen = cell.empty() ? "the label is missing"
                                        : "the label \"" + std::string(cell.substr(0, 40)) + "\"";
  return Error(ErrorKind::kInvalidArgument, "HR3008", seen + "; it must be " + std::string(wanted))
      .AtPlace("line " + std::to_string(line));
}

std::optional<double> ReadBoolean(std::string_view cell) {
  if (cell == "true" || cell == "TRUE" || cell == "True" || cell == "t") return 1;
  if (cell == "false" || cell == "FALSE" || cell == "False" || cell == "f") return 0;
  return std::nullopt;
}

}  // namespace

Result<size_t> LabelColumn(const std::vector<std::string>& header, std::string_view label) {
  const auto found = std::find(header.begin(), header.end(), label);
  if (found != header.end()) return static_cast<size_t>(found - header.begin());
  std::string names;
  for (size_t i = 0; i < header.size() && i < 20; ++i) {
    names += (i == 0 ? "" : ", ") + header[i];
  }
  return model::BadCsv(1, "there is no column \"" + std::string(label) + "\" for the label")
      .WithHint("the columns are " + names + (header.size() > 20 ? ", ..." : ""));
}

Result<double> ReadLabel(Task task, size_t classes, std::string_view cell, size_t line) {
  std::optional<double> number = model::ParseCell(cell);
  switch (task) {
    case Task::kBinary:
      if (!number) number = ReadBoolean(cell);
      if (number && (*number == 0 || *number == 1)) return *number;
      return BadLabel(line, cell, "0 or 1");
    case Task::kRegression:
      if (number && std::isfinite(*number)) return *number;
      return BadLabel(line, cell, "a finite number");
    case Task::kMulticlass:
      if (number && *number >= 0 && *number < static_cast<double>(classes) &&
          *number == std::floor(*number)) {
        return *number;
      }
      return BadLabel(line, cell, "a whole number from 0 to " + std::to_string(classes - 1))
          .WithHint("number the classes from 0, without gaps");
  }
  return BadLabel(line, cell, "a number");
}

}  // namespace headrace::train
