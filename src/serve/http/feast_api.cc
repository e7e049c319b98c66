#include "serve/http/feast_api.h"

#include <algorithm>
#include <utility>

#include "row/text.h"
#include "serve/http/feast_request.h"
#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

constexpr size_t kCellsAtOnce = 4096;  // that the worker thread reads itself
constexpr std::string_view kNoTime = "\"1970-01-01T00:00:00Z\"";

// Feast's JSON of a value: a double has a point, a time counts seconds.
void AppendValue(const row::Value& value, row::Type type, std::string& out) {
  constexpr int64_t kMicrosPerSecond = 1'000'000;
  if (value.null) {
    out += "null";
    return;
  }
  if (type.kind == row::TypeKind::kTimestampTz || type.kind == row::TypeKind::kTimestamp) {
    out += std::to_string(value.integer / kMicrosPerSecond);
    return;
  }
  const size_t before = out.size();
  row::AppendJson(value, type, out);
  if (type.kind != row::TypeKind::kDouble) return;
  if (out.find_first_not_of("-0123456789", before) == std::string::npos) out += ".0";
}

void AppendColumn(const engine::FeatureAnswer::Column& column, bool entity, std::string& out) {
  out += out.back() == '[' ? "{\"values\":[" : ",{\"values\":[";
  for (const auto& cell : column.cells) {
    if (&cell != column.cells.data()) out += ',';
    AppendValue(cell.value, column.type, out);
  }
  out += "],\"statuses\":[";
  for (const auto& cell : column.cells) {
    if (&cell != column.cells.data()) out += ',';
    out += cell.found ? "\"PRESENT\"" : "\"NOT_FOUND\"";
  }
  out += "],\"event_timestamps\":[";
  for (const auto& cell : column.cells) {
    if (&cell != column.cells.data()) out += ',';
    if (entity || !cell.found) {
      out += kNoTime;
      continue;
    }
    out += '"';
    row::AppendRfc3339(cell.time, out);
    out += '"';
  }
  out += "]}";
}

Response ResponseOf(const engine::FeatureAnswer& answer, const std::vector<std::string>& names) {
  Response response;
  std::string& out = response.body;
  out = "{\"results\":[";
  for (const auto& column : answer.entities)
    AppendColumn(column, true, out);
  for (const auto& column : answer.columns)
    AppendColumn(column, false, out);
  out += "],\"metadata\":{\"feature_names\":[";
  for (const auto& column : answer.entities) {
    if (out.back() != '[') out += ',';
    AppendQuoted(column.name, out);
  }
  for (const std::string& name : names) {
    if (out.back() != '[') out += ',';
    AppendQuoted(name, out);
  }
  out += "]}}";
  return response;
}

Response RefusalOf(const Error& error) {
  const std::string text = error.code() + ": " + error.message() +
                           (error.hint().empty() ? "" : " (" + error.hint() + ")");
  if (error.code() == "HR1204") {
    return NamedRefusal(404, "FeatureViewNotFoundException", text).ToResponse();
  }
  // As Feast: what is wrong with a name or an entity is 500 there.
  const bool theirs = error.kind() == ErrorKind::kInvalidArgument;
  return PlainRefusal(theirs ? 500 : StatusOf(error), text).ToResponse();
}

Response ReadAndWait(const engine::Engine& engine, const OnlineRequest& request) {
  auto answer = engine.ReadFeatures(request.features, true);
  if (!answer.ok()) return RefusalOf(answer.error());
  HR_CHECK(answer->has_value());
  return ResponseOf(**answer, request.names);
}

}  // namespace

void FeastApi::Handle(const Route& route, Request request, Answer answer) {
  if (route.kind == RouteKind::kOnlineFeatures) return Read(request, std::move(answer));
  if (route.kind != RouteKind::kFeastHealth) return Push(route, request, std::move(answer));
  Response response;
  if (!engine_.ready()) response = PlainRefusal(503, "the journal takes no more").ToResponse();
  answer(std::move(response));
}

void FeastApi::Read(const Request& request, Answer answer) {
  auto parsed = std::make_shared<OnlineRequest>();
  FeastRefusal refusal;
  const bool service = request.body.find("feature_service") != std::string::npos;
  if (!ParseOnlineRequest(request.body,
                          service ? engine_.streams() : std::vector<engine::StreamInfo>{},
                          parsed.get(), &refusal)) {
    return answer(refusal.ToResponse());
  }
  const size_t cells = parsed->names.size() * parsed->features.entities.front().texts.size();
  if (cells <= kCellsAtOnce) {
    auto read = engine_.ReadFeatures(parsed->features, false);
    if (!read.ok()) return answer(RefusalOf(read.error()));
    if (*read) return answer(ResponseOf(**read, parsed->names));
  }
  AnswerFrom(runner_, [this, parsed] { return ReadAndWait(engine_, *parsed); }, std::move(answer));
}

void FeastApi::Push(const Route& route, const Request& request, Answer answer) {
  const bool pushes = route.kind == RouteKind::kPush;
  const std::vector<engine::StreamInfo> streams = engine_.streams();
  PushRequest parsed;
  FeastRefusal refusal;
  if (!ParsePushRequest(request.body, pushes ? "push_source_name" : "feature_view_name", streams,
                        events_max_, &parsed, &refusal)) {
    return answer(refusal.ToResponse());
  }
  Response done;
  done.body = pushes ? "" : "null";
  if (parsed.events.empty()) return answer(std::move(done));
  engine::IngestRequest ingest;
  ingest.topic = parsed.stream->topic;
  ingest.payloads = std::move(parsed.events);
  ingest.atomic = true;
  ingest.done = [answer = std::move(answer), done = std::move(done)](engine::IngestReply reply) {
    if (reply.error) return answer(RefusalOf(*reply.error));
    if (reply.rejected.empty()) return answer(done);
    const engine::Rejection& first = reply.rejected.front();
    answer(PlainRefusal(422, first.error.code() + ": row " + std::to_string(first.index) + ", " +
                                 first.error.place() + ": " + first.error.message())
               .ToResponse());
  };
  engine_.Submit(std::move(ingest));
}

}  // namespace headrace::serve
