#include "cli/data_card.h"

#include "row/text.h"

namespace headrace::cli {
namespace {

// Members of one JSON object, one a line. Confined.
class Members {
 public:
  explicit Members(std::string indent) : indent_(std::move(indent)) {}

  void Json(std::string_view name, std::string_view json) {
    out_ += out_.empty() ? "{\n" : ",\n";
    out_ += indent_;
    row::AppendJsonString(name, out_);
    out_ += ": ";
    out_ += json;
  }
  void Text(std::string_view name, std::string_view text) {
    std::string json;
    row::AppendJsonString(text, json);
    Json(name, json);
  }
  void Count(std::string_view name, uint64_t count) { Json(name, std::to_string(count)); }
  void Number(std::string_view name, double number) {
    std::string json;
    row::AppendJson(row::Value::Double(number), {row::TypeKind::kDouble, 0, 0}, json);
    Json(name, json);
  }
  void Time(std::string_view name, const std::optional<int64_t>& micros) {
    if (!micros) return Json(name, "null");
    std::string text;
    row::AppendRfc3339(*micros, text);
    Text(name, text);
  }
  std::string Close() { return out_ + "\n" + indent_.substr(2) + "}"; }

 private:
  std::string indent_;
  std::string out_;
};

template <typename Items, typename Write>
std::string List(const Items& items, const Write& write) {
  std::string out = "[";
  for (const auto& item : items)
    out += (out.size() > 1 ? ",\n    " : "\n    ") + write(item);
  return out + (out.size() > 1 ? "\n  ]" : "]");
}

std::string ColumnJson(const engine::ColumnSummary& column) {
  Members members("      ");
  members.Text("name", column.name);
  members.Text("type", row::ToString(column.type));
  members.Count("nulls", column.nulls);
  if (column.values > 0) {
    members.Number("min", column.min);
    members.Number("max", column.max);
    members.Number("mean", column.mean);
    members.Number("correlation_with_label", column.correlation);
  }
  return members.Close();
}

std::string DefinitionOf(const engine::Engine& engine, const std::string& stream) {
  for (const engine::StreamInfo& info : engine.streams()) {
    if (info.name == stream) return info.definition;
  }
  return "";
}

}  // namespace

std::string DataCard(const engine::Engine& engine, const engine::TrainingSetRequest& request,
                     const engine::TrainingSetReport& report) {
  Members card("  ");
  card.Text("stream", request.stream);
  card.Text("definition", DefinitionOf(engine, request.stream));
  card.Text("labels", request.labels);
  card.Text("on", request.on);
  card.Text("labels_on", request.labels_on);
  card.Text("label", request.label);
  card.Time("as_of", request.as_of);
  card.Time("from", request.from);
  card.Time("to", request.to);
  card.Count("last_lsn", report.last_lsn);
  card.Count("rows", report.rows);
  card.Count("rows_without_a_label", report.unlabelled);
  card.Count("labels_corrected", report.corrected);
  card.Count("labels_before_their_row", report.early_labels);
  card.Json("label_counts", List(report.label_counts, [](const auto& count) {
              return "{\"label\": " + count.first + ", \"rows\": " + std::to_string(count.second) +
                     "}";
            }));
  card.Json("columns", List(report.columns, ColumnJson));
  card.Json("warnings", List(report.warnings, [](const std::string& warning) {
              std::string json;
              row::AppendJsonString(warning, json);
              return json;
            }));
  return card.Close() + "\n";
}

}  // namespace headrace::cli
