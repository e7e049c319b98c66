#include "model/score_csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>
#include <vector>

#include "model/csv_records.h"

namespace headrace::model {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kBlockRows = 256;

Error BadCsv(size_t line, std::string message) {
  return Error(ErrorKind::kInvalidArgument, "HR3005", std::move(message))
      .AtPlace("line " + std::to_string(line));
}

std::optional<double> ParseNumber(std::string_view text) {
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

void AppendNumber(double number, std::string* out) {
  if (std::isnan(number)) return static_cast<void>(out->append("nan"));  // whatever its sign
  char digits[32];
  out->append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void AppendCell(std::string_view text, std::string* out) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out->append(text);
    return;
  }
  out->push_back('"');
  for (char c : text) {
    if (c == '"') out->push_back('"');
    out->push_back(c);
  }
  out->push_back('"');
}

// Turns records into rows of features.
class RowBuilder {
 public:
  explicit RowBuilder(const ModelInfo& info) : info_(info), codes_(info.features.size()) {
    for (size_t f = 0; f < info.categories.size(); ++f) {
      for (size_t code = 0; code < info.categories[f].size(); ++code) {
        codes_[f].emplace(info.categories[f][code], static_cast<double>(code));
      }
    }
  }

  Status MatchColumns(const std::vector<std::string>& header) {
    columns_ = header.size();
    std::unordered_map<std::string_view, size_t> places;
    for (size_t i = 0; i < header.size(); ++i) {
      places.emplace(header[i], i);
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
    if (header.size() != info_.features.size()) {
      return BadCsv(1, "there is no column \"" + std::string(absent) + "\", and " +
                           std::to_string(header.size()) +
                           " columns cannot be taken by place for " +
                           std::to_string(info_.features.size()) + " features")
          .WithHint("name the columns as the model does");
    }
    column_of_.clear();
    for (size_t i = 0; i < header.size(); ++i) {
      column_of_.push_back(i);
    }
    return Ok();
  }

  size_t columns() const { return columns_; }

  Status Append(const std::vector<std::string>& cells, size_t line,
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

 private:
  std::optional<double> ValueOf(size_t feature, const std::string& cell) const {
    const auto& codes = codes_[feature];
    if (codes.empty()) return ParseNumber(cell);
    if (const auto found = codes.find(cell); found != codes.end()) return found->second;
    if (info_.exact_categories) return kMissing;
    // 5.0 means the category 5.
    const std::optional<double> number = ParseNumber(cell);
    if (number && !std::isnan(*number)) {
      std::string text;
      AppendNumber(*number, &text);
      if (const auto found = codes.find(text); found != codes.end()) return found->second;
    }
    return kMissing;
  }

  const ModelInfo& info_;
  std::vector<std::unordered_map<std::string, double>> codes_;  // by feature; looked up only
  std::vector<size_t> column_of_;                               // by feature
  size_t columns_ = 0;
};

// Writes the answers for blocks of rows.
class AnswerWriter {
 public:
  AnswerWriter(const Model& model, OutputKind kind, std::string* out)
      : model_(model), kind_(kind), out_(*out) {}

  void WriteHeader() {
    const ModelInfo& info = model_.info();
    switch (kind_) {
      case OutputKind::kRaw:
        if (info.output_names.empty()) return WriteNames("raw", info.outputs);
        for (const std::string& name : info.output_names) {
          WriteName(name);
        }
        return EndLine();
      case OutputKind::kProbability:
        return WriteNames("prediction", info.predictions);
      case OutputKind::kLeaf:
        for (int32_t t = 0; t < info.trees; ++t) {
          WriteName("leaf_" + std::to_string(t));
        }
        return EndLine();
      case OutputKind::kContributions:
        for (int32_t k = 0; k < info.outputs; ++k) {
          const std::string prefix = info.outputs == 1 ? "" : "k" + std::to_string(k) + "_";
          for (const std::string& feature : info.features) {
            WriteName(prefix + feature);
          }
          WriteName(prefix + "base");
        }
        return EndLine();
    }
  }

  Status Write(const std::vector<double>& features, size_t rows) {
    const size_t width = model_.info().features.size();
    if (kind_ == OutputKind::kRaw || kind_ == OutputKind::kProbability) {
      WriteScores(features, rows);
      return Ok();
    }
    for (size_t r = 0; r < rows; ++r) {
      const auto row = std::span(features).subspan(r * width, width);
      if (kind_ == OutputKind::kLeaf) {
        std::vector<int32_t> leaves(static_cast<size_t>(model_.info().trees));
        model_.Leaves(row, leaves);
        for (int32_t leaf : leaves) {
          WriteName(std::to_string(leaf));
        }
        EndLine();
      } else {
        HR_ASSIGN(const std::vector<double> contributions, model_.Contributions(row));
        WriteNumbers(contributions);
      }
    }
    return Ok();
  }

 private:
  void WriteScores(const std::vector<double>& features, size_t rows) {
    const ModelInfo& info = model_.info();
    std::vector<double> scores(rows * static_cast<size_t>(info.outputs));
    model_.ScoreRaw(features, rows, scores);
    auto width = static_cast<size_t>(info.outputs);
    if (kind_ == OutputKind::kProbability) {
      model_.Transform(rows, scores);
      width = static_cast<size_t>(info.predictions);
    }
    for (size_t r = 0; r < rows; ++r) {
      for (size_t k = 0; k < width; ++k) {
        WriteScore(scores[r * width + k], k);
      }
      EndLine();
    }
  }

  void WriteScore(double score, size_t column) {
    const ModelInfo& info = model_.info();
    const bool text = kind_ == OutputKind::kRaw
                          ? !info.text_outputs.empty() && info.text_outputs[column]
                          : info.text_prediction;
    if (text) return WriteName(TextOf(info, score));
    Separate();
    AppendNumber(score, &out_);
  }

  void WriteNames(std::string_view stem, int32_t count) {
    for (int32_t k = 0; k < count; ++k) {
      WriteName(count == 1 ? std::string(stem) : std::string(stem) + "_" + std::to_string(k));
    }
    EndLine();
  }

  void WriteNumbers(std::span<const double> numbers) {
    for (double number : numbers) {
      Separate();
      AppendNumber(number, &out_);
    }
    EndLine();
  }

  void WriteName(const std::string& name) {
    Separate();
    AppendCell(name, &out_);
  }

  void Separate() {
    if (in_line_) out_.push_back(',');
    in_line_ = true;
  }

  void EndLine() {
    out_.push_back('\n');
    in_line_ = false;
  }

  const Model& model_;
  OutputKind kind_;
  std::string& out_;
  bool in_line_ = false;
};

}  // namespace

Status ScoreCsv(const Model& model, std::string_view csv, OutputKind kind, std::string* out) {
  if (csv.starts_with("\xEF\xBB\xBF")) csv.remove_prefix(3);
  CsvRecords records(csv);
  std::vector<std::string> cells;
  HR_ASSIGN(const bool any, records.Next(&cells));
  if (!any) return BadCsv(1, "the CSV is empty; it needs a line of column names");
  RowBuilder builder(model.info());
  HR_TRY(builder.MatchColumns(cells));
  AnswerWriter writer(model, kind, out);
  writer.WriteHeader();
  std::vector<double> features;
  size_t rows = 0;
  for (;;) {
    HR_ASSIGN(const bool more, records.Next(&cells));
    if (!more || rows == kBlockRows) {
      HR_TRY(writer.Write(features, rows));
      features.clear();
      rows = 0;
    }
    if (!more) return Ok();
    if (cells.size() == 1 && cells[0].empty() && builder.columns() > 1) continue;  // an empty line
    HR_TRY(builder.Append(cells, records.line(), &features));
    ++rows;
  }
}

}  // namespace headrace::model
