#include "model/baseline.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace headrace::model {
namespace {

constexpr std::string_view kVersion = "1 ";

void AppendNumber(double number, std::string& out) {
  char text[32];
  const auto written = std::to_chars(text, text + sizeof text, number);
  out.append(text, written.ptr);
}

// The text up to the separator, which goes with it.
std::string_view TakeUpTo(char separator, std::string_view& text) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

template <typename Number>
bool Read(std::string_view text, Number* number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), *number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

bool ReadColumn(std::string_view text, ColumnBaseline* column) {
  if (!Read(TakeUpTo(' ', text), &column->null_share)) return false;
  if (!(column->null_share >= 0 && column->null_share <= 1)) return false;
  while (!text.empty()) {
    double quantile = 0;
    if (!Read(TakeUpTo(' ', text), &quantile) || !std::isfinite(quantile)) return false;
    if (!column->quantiles.empty() && quantile < column->quantiles.back()) return false;
    if (column->quantiles.size() >= Baseline::kQuantilesMax) return false;
    column->quantiles.push_back(quantile);
  }
  return true;
}

}  // namespace

ColumnBaseline ColumnBaseline::Of(std::vector<double> values) {
  ColumnBaseline baseline;
  const size_t rows = values.size();
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (rows > 0) {
    baseline.null_share = static_cast<double>(rows - values.size()) / static_cast<double>(rows);
  }
  std::sort(values.begin(), values.end());
  if (values.size() <= kQuantiles) {
    baseline.quantiles = std::move(values);
    return baseline;
  }
  for (size_t i = 0; i < kQuantiles; ++i)
    baseline.quantiles.push_back(values[i * (values.size() - 1) / (kQuantiles - 1)]);
  return baseline;
}

std::string Baseline::Encode() const {
  std::string out = std::string(kVersion) + std::to_string(rows);
  for (const ColumnBaseline& column : columns) {
    out += '|';
    AppendNumber(column.null_share, out);
    for (double quantile : column.quantiles) {
      out += ' ';
      AppendNumber(quantile, out);
    }
  }
  return out;
}

Result<Baseline> Baseline::Decode(std::string_view text, size_t columns) {
  const Error malformed(ErrorKind::kInvalidArgument, "HR3002",
                        "headrace_baseline is not what `headrace model train` writes");
  Baseline baseline;
  if (!text.starts_with(kVersion)) return malformed;
  text.remove_prefix(kVersion.size());
  if (!Read(TakeUpTo('|', text), &baseline.rows)) return malformed;
  while (!text.empty()) {
    if (baseline.columns.size() == columns) return malformed;
    if (!ReadColumn(TakeUpTo('|', text), &baseline.columns.emplace_back())) return malformed;
  }
  if (baseline.columns.size() != columns) return malformed;
  return baseline;
}

bool Baseline::AddTo(std::string& text) const {
  const size_t infos = text.find("\nfeature_infos=");
  if (infos == std::string::npos) return false;
  const size_t end = text.find('\n', infos + 1);
  if (end == std::string::npos) return false;
  text.insert(end + 1, std::string(kKey) + "=" + Encode() + "\n");
  return true;
}

}  // namespace headrace::model
