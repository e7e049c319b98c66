#include "engine/training_steps.h"

#include <cmath>

#include "engine/lookup.h"
#include "expr/quote.h"
#include "row/text.h"
#include "sql/format.h"
#include "sql/parser.h"
#include "sql/planner.h"

namespace headrace::engine {
namespace {

void Append(std::string_view key, const row::Value& value, row::TypeKind kind, std::string& out) {
  out += out.empty() ? "{\"" : ",\"";
  out += key;
  out += "\":";
  row::AppendJson(value, {kind, 0, 0}, out);
}

void AppendText(std::string_view key, std::string_view text, std::string& out) {
  if (!text.empty()) Append(key, row::Value::Text(text), row::TypeKind::kText, out);
}

void AppendWhole(std::string_view key, std::optional<int64_t> number, std::string& out) {
  if (number) Append(key, row::Value::Integer(*number), row::TypeKind::kBigint, out);
}

void AppendNumber(std::string_view key, std::optional<double> number, std::string& out) {
  const bool there = number && std::isfinite(*number);
  if (there) Append(key, row::Value::Double(*number), row::TypeKind::kDouble, out);
}

}  // namespace

std::string StepsName(const std::string& trainer) {
  return std::string(kTrainingPrefix) + trainer;
}

std::string StepsStatement(const std::string& trainer) {
  const std::string name = StepsName(trainer);
  std::string text = "CREATE STREAM " + sql::FormatName(name) +
                     " (ts TIMESTAMP WITH TIME ZONE NOT NULL, run BIGINT NOT NULL, "
                     "step TEXT NOT NULL, model TEXT NOT NULL, lsn BIGINT NOT NULL, why TEXT, "
                     "rows BIGINT, held_out BIGINT, metric TEXT, value DOUBLE PRECISION, "
                     "deciding DOUBLE PRECISION, version BIGINT, sha256 TEXT, "
                     "WATERMARK FOR ts AS ts) WITH (topic = ";
  expr::AppendQuotedLiteral(name, text);
  return text + ")";
}

Result<Deployed> StepsOf(const std::string& trainer) {
  sql::SourceMap sources;
  const int index = sources.Add("trainer", StepsStatement(trainer));
  const sql::ParseResult parsed = sql::Parse(sources.text(index), index);
  std::vector<sql::Diagnostic> diagnostics = parsed.errors;
  Deployed item;
  item.name = StepsName(trainer);
  const Deployment none;
  const DeploymentLookup lookup(none);
  if (diagnostics.empty()) {
    item.source = sql::Planner(lookup, sources, diagnostics)
                      .PlanSource(std::get<sql::CreateRelation>(parsed.statements.at(0).body));
  }
  if (item.source) return item;
  // A topic's name cannot be any text.
  return Error(ErrorKind::kInvalidArgument, diagnostics.front().code, diagnostics.front().message);
}

std::string PayloadOf(const TrainingHead& head, const TrainingStep& step) {
  std::string out;
  Append("ts", row::Value::Integer(head.time), row::TypeKind::kTimestampTz, out);
  AppendWhole("run", static_cast<int64_t>(head.run), out);
  AppendText("step", step.step, out);
  AppendText("model", head.model, out);
  AppendWhole("lsn", static_cast<int64_t>(head.lsn), out);
  AppendText("why", step.why, out);
  AppendWhole("rows", step.rows, out);
  AppendWhole("held_out", step.held_out, out);
  AppendText("metric", step.metric, out);
  AppendNumber("value", step.value, out);
  AppendNumber("deciding", step.deciding, out);
  AppendWhole("version", step.version, out);
  AppendText("sha256", step.sha256, out);
  return out + "}";
}

}  // namespace headrace::engine
