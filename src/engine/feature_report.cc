#include "engine/feature_report.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/entity.h"
#include "engine/row_cursor.h"
#include "engine/row_decoder.h"
#include "row/text.h"
#include "sql/format.h"
#include "sql/parser.h"
#include "sql/plan_support.h"

namespace headrace::engine {
namespace {

void AppendMember(std::string_view name, std::string_view text, std::string& out) {
  if (out.back() != '{') out += ',';
  out += '"' + std::string(name) + "\":";
  row::AppendJsonString(text, out);
}

template <typename Texts>
void AppendList(std::string_view name, const Texts& texts, std::string& out) {
  out += ",\"" + std::string(name) + "\":[";
  for (const std::string& text : texts) {
    if (out.back() != '[') out += ',';
    row::AppendJsonString(text, out);
  }
  out += ']';
}

// What the last rows of a stream say of its columns.
struct Sample {
  int64_t rows = 0;
  std::vector<int64_t> nulls;  // by column
  int64_t newest = INT64_MIN;  // event time
};

Result<Sample> SampleOf(const log::Log& log, const Deployment& deployment, const Deployed& item) {
  Sample sample;
  sample.nulls.resize(deployment.SchemaOf(item).columns.size());
  const int time = item.statement->time_column;
  RowDecoder decoder(deployment, item);
  for (int32_t p = 0; p < item.partitions; ++p) {
    const int64_t end = log.end_offset(item.topic(), p);
    const int64_t from = std::max<int64_t>(0, end - kFeatureSampleRows / item.partitions);
    HR_ASSIGN(auto cursor, RowCursor::Open(log, item, p, from));
    StoredRow stored;
    while (true) {
      HR_ASSIGN(bool more, cursor->Next(&stored));
      if (!more || stored.offset >= end) break;
      row::Value* values = nullptr;
      HR_ASSIGN(bool fits, decoder.Decode(stored, &values));
      if (!fits) continue;
      ++sample.rows;
      for (size_t c = 0; c < sample.nulls.size(); ++c)
        sample.nulls[c] += values[c].null ? 1 : 0;
      if (time >= 0 && !values[time].null)
        sample.newest = std::max(sample.newest, values[time].integer);
    }
  }
  return sample;
}

// The expression of the column as its statement has it; empty when it is copied by `*`.
std::string ExpressionOf(const std::string& statement, const std::string& column) {
  sql::ParseResult parsed = sql::Parse(statement, 0);
  if (parsed.statements.empty()) return "";
  const auto* create = std::get_if<sql::CreateRelation>(&parsed.statements.front().body);
  if (create == nullptr || !create->query) return "";
  for (const sql::SelectItem& item : create->query->items) {
    if (!item.expression) continue;
    const std::string name =
        item.alias.empty() ? sql::DefaultName(*item.expression) : item.alias.name;
    if (name == column) return sql::Format(*item.expression);
  }
  return "";
}

// Who reads a column of a stream, and which models take what comes of it.
class ReaderWalk {
 public:
  explicit ReaderWalk(const Deployment& deployment) : deployment_(deployment) {}

  void From(const Deployed& item, size_t column) {
    if (!seen_.insert({item.name, column}).second) return;
    if (item.statement->select) {
      TakeModels(*item.statement->select, item.statement->select->output_slots[column]);
    }
    for (const Deployed& reader : deployment_.items) {
      if (reader.statement && reader.statement->input() == item.name) Visit(reader, column);
    }
  }

  std::set<std::string> statements;
  std::set<std::string> models;

 private:
  void Visit(const Deployed& reader, size_t column) {
    const auto slot = static_cast<int>(column);
    if (!reader.statement->select) {
      if (WindowReads(*reader.statement->window, slot)) statements.insert(reader.name);
      return;
    }
    const flow::SelectPlan& plan = *reader.statement->select;
    const std::vector<int>& read = plan.copied_columns;
    if (std::find(read.begin(), read.end(), slot) == read.end()) return;
    statements.insert(reader.name);
    TakeModels(plan, slot);
    for (size_t c = 0; c < plan.output_slots.size(); ++c) {
      if (ComesFrom(plan, plan.output_slots[c], slot)) From(reader, c);
    }
  }

  void TakeModels(const flow::SelectPlan& plan, int slot) {
    for (const flow::Stage& stage : plan.stages) {
      for (const flow::Prediction& prediction : stage.predictions) {
        for (int input : prediction.input_slots) {
          if (ComesFrom(plan, input, slot)) models.insert(prediction.model);
        }
      }
      for (const flow::RemoteQuestion& question : stage.questions) {
        for (int input : question.input_slots) {
          if (ComesFrom(plan, input, slot)) models.insert(question.model->name);
        }
      }
    }
  }

  static bool WindowReads(const flow::WindowPlan& window, int slot) {
    std::vector<int> slots = window.table.key_slots;
    for (const flow::Evaluation& evaluation : window.evaluations)
      evaluation.expression->CollectSlots(slots);
    if (window.where) window.where->CollectSlots(slots);
    for (const state::GroupAggregate& aggregate : window.table.aggregates) {
      slots.push_back(aggregate.argument_slot);
      slots.push_back(aggregate.filter_slot);
    }
    return std::find(slots.begin(), slots.end(), slot) != slots.end();
  }

  const Deployment& deployment_;
  std::set<std::pair<std::string, size_t>> seen_;
};

void AppendWindows(const flow::StatementPlan& plan, size_t column, std::string& out) {
  out += ",\"windows\":[";
  if (plan.select) {
    for (size_t index : OriginOf(plan, column).features) {
      const flow::FeatureNote& feature = plan.select->features[index];
      out += out.back() == '[' ? "{" : ",{";
      AppendMember("call", feature.call, out);
      AppendMember("window", feature.window, out);
      out += '}';
    }
  }
  out += ']';
}

void AppendFreshness(const Sample& sample, size_t column, int64_t now_micros, std::string& out) {
  constexpr int64_t kMicrosPerSecond = 1'000'000;
  out += ",\"newest_event_time\":";
  if (sample.newest == INT64_MIN) {
    out += "null,\"age_seconds\":null";
  } else {
    out += '"';
    row::AppendRfc3339(sample.newest, out);
    out += "\",\"age_seconds\":" +
           std::to_string(std::max<int64_t>(0, now_micros - sample.newest) / kMicrosPerSecond);
  }
  out += ",\"sampled_rows\":" + std::to_string(sample.rows) +
         ",\"null_rows\":" + std::to_string(sample.nulls[column]) + ",\"null_rate\":";
  if (sample.rows == 0) {
    out += "null";
    return;
  }
  row::AppendJson(row::Value::Double(static_cast<double>(sample.nulls[column]) /
                                     static_cast<double>(sample.rows)),
                  {row::TypeKind::kDouble, 0, 0}, out);
}

struct Described {
  const Deployed& item;
  const row::Schema& schema;
  size_t column;
};

void AppendFeature(const Deployment& deployment, const Described& of, const Sample& sample,
                   int64_t now_micros, std::string& out) {
  const flow::StatementPlan& plan = *of.item.statement;
  const row::Column& column = of.schema.columns[of.column];
  const std::string& text = deployment.ObjectOf(of.item)->latest().text;
  out += out.back() == '[' ? "{" : ",\n{";
  AppendMember("feature", of.item.name + ":" + column.name, out);
  AppendMember("kind", plan.view ? "view" : "stream", out);
  AppendMember("type", row::ToString(column.type), out);
  std::vector<std::string> entity;
  for (size_t key : EntityOf(deployment, of.item, of.column))
    entity.push_back(of.schema.columns[key].name);
  AppendList("entity", entity, out);
  AppendMember("definition", ExpressionOf(text, column.name), out);
  AppendWindows(plan, of.column, out);
  std::vector<std::string> inputs;
  for (const Deployed* at = &of.item; at->statement;) {
    at = deployment.Find(at->statement->input());
    inputs.push_back(at->name);
  }
  AppendList("inputs", inputs, out);
  ReaderWalk readers(deployment);
  readers.From(of.item, of.column);
  AppendList("read_by", readers.statements, out);
  AppendList("models", readers.models, out);
  AppendFreshness(sample, of.column, now_micros, out);
  AppendMember("statement", text, out);
  out += '}';
}

}  // namespace

Result<std::string> DescribeFeatures(const log::Log& log, const Deployment& deployment,
                                     int64_t now_micros, const std::string& only) {
  std::string out = "{\"features\":[";
  for (const Deployed& item : deployment.items) {
    const row::Schema schema = deployment.SchemaOf(item);
    std::optional<Sample> sample;
    for (size_t c = 0; c < schema.columns.size(); ++c) {
      if (item.models || !IsFeature(item, c)) continue;
      if (!only.empty() && only != item.name + ":" + schema.columns[c].name) continue;
      if (!sample) {
        HR_ASSIGN(sample, SampleOf(log, deployment, item));
      }
      AppendFeature(deployment, {item, schema, c}, *sample, now_micros, out);
    }
  }
  if (!only.empty() && out.back() == '[') {
    return Error(ErrorKind::kNotFound, "HR4092", "no feature `" + only + "`")
        .WithHint("`headrace feature ls` lists them, as STREAM:FEATURE");
  }
  return out + "]}\n";
}

std::string FeatureValuesJson(const FeatureRequest& request, const FeatureAnswer& answer) {
  std::string out = "{\"values\":[";
  for (size_t i = 0; i < answer.columns.size(); ++i) {
    const FeatureAnswer::Column& column = answer.columns[i];
    const FeatureAnswer::Cell& cell = column.cells.front();
    out += out.back() == '[' ? "{" : ",\n{";
    AppendMember("feature", request.columns[i].stream + ":" + column.name, out);
    AppendMember("status", !cell.found ? "not_found" : cell.value.null ? "null" : "present", out);
    out += ",\"value\":";
    row::AppendJson(cell.value, column.type, out);
    out += ",\"event_time\":";
    if (cell.found) {
      out += '"';
      row::AppendRfc3339(cell.time, out);
      out += '"';
    } else {
      out += "null";
    }
    out += '}';
  }
  return out + "]}\n";
}

}  // namespace headrace::engine
