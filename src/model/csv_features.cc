#include "model/csv_features.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace headrace::model {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

std::string NumberText(double number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

}  // namespace

Error BadCsv(size_t line, std::string message) {
  return Error(ErrorKind::kInvalidArgument, "HR3005", std::move(message))
      .AtPlace("line " + std::to_string(line));
}

std::optional<double> ParseCell(std::string_view text) {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  if (text.empty()) return kMissing;
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Beyond the range of doubles: 0 or infinity, as the C library reads it.
    return std::strtod(std::string(text).c_str(), nullptr);
  }
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

bool IsEmptyLine(const std::vector<std::string>& cells, size_t columns) {
  return cells.size() == 1 && cells[0].empty() && columns > 1;
}

CsvFeatures::CsvFeatures(const ModelInfo& info) : info_(info), codes_(info.features.size()) {
  for (size_t f = 0; f < info.categories.size(); ++f) {
    for (size_t code = 0; code < info.categories[f].size(); ++code) {
      codes_[f].emplace(info.categories[f][code], static_cast<double>(code));
    }
  }
}

Status CsvFeatures::MatchColumns(const std::vector<std::string>& header, std::string_view other) {
  columns_ = header.size();
  column_of_.clear();
  std::unordered_map<std::string_view, size_t> places;
  std::vector<size_t> by_place;
  for (size_t i = 0; i < header.size(); ++i) {
    places.emplace(header[i], i);
    if (other.empty() || header[i] != other) by_place.push_back(i);
  }
  std::string_view absent;
  for (const std::string& feature : info_.features) {
    const auto found = places.find(feature);
    if (found == places.end()) {
      if (absent.empty()) absent = feature;
    } else {
      column_of_.push_back(found->second);
    }
  }
  if (column_of_.size() == info_.features.size()) return Ok();
  if (by_place.size() != info_.features.size()) {
    return BadCsv(1, "there is no column \"" + std::string(absent) + "\", and " +
                         std::to_string(by_place.size()) +
                         " columns cannot be taken by place for " +
                         std::to_string(info_.features.size()) + " features")
        .WithHint("name the columns as the model does");
  }
  column_of_ = std::move(by_place);
  return Ok();
}

Status CsvFeatures::Append(const std::vector<std::string>& cells, size_t line,
                           std::vector<double>* row) const {
  if (cells.size() != columns_) {
    return BadCsv(line, std::to_string(cells.size()) + " cells in a table of " +
                            std::to_string(columns_) + " columns");
  }
  for (size_t f = 0; f < column_of_.size(); ++f) {
    const std::string& cell = cells[column_of_[f]];
    const std::optional<double> value = ValueOf(f, cell);
    if (!value) {
      return BadCsv(line, "\"" + cell.substr(0, 40) + "\" is not a number, in the column of \"" +
                              info_.features[f] + "\"");
    }
    row->push_back(*value);
  }
  return Ok();
}

std::optional<double> CsvFeatures::ValueOf(size_t feature, const std::string& cell) const {
  const auto& codes = codes_[feature];
  if (codes.empty()) return ParseCell(cell);
  if (const auto found = codes.find(cell); found != codes.end()) return found->second;
  if (info_.exact_categories) return kMissing;
  // 5.0 means the category 5.
  const std::optional<double> number = ParseCell(cell);
  if (number && !std::isnan(*number)) {
    if (const auto found = codes.find(NumberText(*number)); found != codes.end()) {
      return found->second;
    }
  }
  return kMissing;
}

}  // namespace headrace::model
