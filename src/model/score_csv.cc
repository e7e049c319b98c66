#include "model/score_csv.h"

#include <charconv>
#include <cmath>
#include <functional>
#include <vector>

#include "model/csv_features.h"
#include "model/csv_records.h"

namespace headrace::model {
namespace {

constexpr size_t kBlockRows = 256;

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

  // Values and, where there are some, their errors behind them.
  void WriteAgainst(const AgainstBackground& told, bool header) {
    const ModelInfo& info = model_.info();
    if (header && told.errors.empty()) WriteHeader();
    if (header && !told.errors.empty()) WriteHeaderWithErrors(info);
    if (told.errors.empty()) return WriteNumbers(told.values);
    const size_t width = info.features.size() + 1;
    for (size_t i = 0; i < told.values.size(); ++i) {
      Separate();
      AppendNumber(told.values[i], &out_);
      if (i % width == width - 1) continue;
      Separate();
      AppendNumber(told.errors[i], &out_);
    }
    EndLine();
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
  void WriteHeaderWithErrors(const ModelInfo& info) {
    for (int32_t k = 0; k < info.outputs; ++k) {
      const std::string prefix = info.outputs == 1 ? "" : "k" + std::to_string(k) + "_";
      for (const std::string& feature : info.features) {
        WriteName(prefix + feature);
        WriteName(prefix + feature + "_error");
      }
      WriteName(prefix + "base");
    }
    EndLine();
  }

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

namespace {

// Hands the rows on, kBlockRows at a time.
Status ForEachBlock(
    const Model& model, std::string_view csv,
    const std::function<Status(const std::vector<double>& features, size_t rows)>& take) {
  CsvRecords records(csv);
  std::vector<std::string> cells;
  HR_ASSIGN(const bool any, records.Next(&cells));
  if (!any) return BadCsv(1, "the CSV is empty; it needs a line of column names");
  CsvFeatures builder(model.info());
  HR_TRY(builder.MatchColumns(cells));
  std::vector<double> features;
  size_t rows = 0;
  for (;;) {
    HR_ASSIGN(const bool more, records.Next(&cells));
    if (!more || rows == kBlockRows) {
      HR_TRY(take(features, rows));
      features.clear();
      rows = 0;
    }
    if (!more) return Ok();
    if (IsEmptyLine(cells, builder.columns())) continue;
    HR_TRY(builder.Append(cells, records.line(), &features));
    ++rows;
  }
}

}  // namespace

Status ScoreCsv(const Model& model, std::string_view csv, OutputKind kind, std::string* out) {
  AnswerWriter writer(model, kind, out);
  bool begun = false;
  return ForEachBlock(model, csv, [&](const std::vector<double>& features, size_t rows) {
    if (!begun) writer.WriteHeader();
    begun = true;
    return writer.Write(features, rows);
  });
}

Result<Background> ReadBackground(const Model& model, std::string_view csv) {
  Background background;
  HR_TRY(ForEachBlock(model, csv, [&](const std::vector<double>& features, size_t rows) {
    background.features.insert(background.features.end(), features.begin(), features.end());
    background.rows += rows;
    return Ok();
  }));
  return background;
}

Status ScoreCsvAgainst(const Model& model, std::string_view csv, const Background& background,
                       std::string* out) {
  AnswerWriter writer(model, OutputKind::kContributions, out);
  const size_t width = model.info().features.size();
  bool begun = false;
  return ForEachBlock(model, csv, [&](const std::vector<double>& features, size_t rows) -> Status {
    for (size_t r = 0; r < rows; ++r) {
      const auto row = std::span(features).subspan(r * width, width);
      HR_ASSIGN(const AgainstBackground told, ContributionsAgainst(model, row, background));
      writer.WriteAgainst(told, !begun);
      begun = true;
    }
    return Ok();
  });
}

}  // namespace headrace::model
