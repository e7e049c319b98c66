#include "serve/http/ingest.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "serve/http/cloud_event.h"
#include "serve/http/json_text.h"
#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

enum class BodyForm { kJson, kLines, kCloudEvent, kCloudEventBatch };

std::optional<BodyForm> FormOf(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t'))
    type.remove_suffix(1);
  auto is = [type](std::string_view name) { return EqualsIgnoringCase(type, name); };
  if (is("application/cloudevents+json")) return BodyForm::kCloudEvent;
  if (is("application/cloudevents-batch+json")) return BodyForm::kCloudEventBatch;
  if (is(kJsonLines) || is("application/ndjson") || is("application/jsonl") ||
      is("application/x-jsonlines")) {
    return BodyForm::kLines;
  }
  // The last two are what tools send that were not told a type.
  if (type.empty() || is(kJson) || is("text/json") || is("text/plain") ||
      is("application/x-www-form-urlencoded") ||
      (type.size() > 5 && EqualsIgnoringCase(type.substr(type.size() - 5), "+json"))) {
    return BodyForm::kJson;
  }
  return std::nullopt;
}

Error TooManyEvents(size_t events_max) {
  return Error(ErrorKind::kInvalidArgument, kTooManyEvents,
               "more than " + std::to_string(events_max) + " events in one request")
      .WithHint("send them in several requests");
}

Error NotAnObject() {
  return Error(ErrorKind::kInvalidArgument, kNotAnObject, "an event must be a JSON object");
}

char FirstCharacter(std::string_view text) {
  size_t at = text.find_first_not_of(" \t\r\n");
  return at == std::string_view::npos ? '\0' : text[at];
}

// Keeps the invariant of `indices` while payloads and refusals come in the order of the request.
class EventCollector {
 public:
  explicit EventCollector(EventBody& body) : body_(body) {}

  void Take(std::string payload) {
    if (!body_.rejected.empty()) body_.indices.push_back(next_);
    body_.payloads.push_back(std::move(payload));
    ++next_;
  }
  void Refuse(Error error) {
    if (body_.rejected.empty()) {
      for (size_t i = 0; i < next_; ++i)
        body_.indices.push_back(i);
    }
    body_.rejected.push_back({next_++, std::move(error)});
  }
  void TakeObject(std::string payload) {
    if (FirstCharacter(payload) == '{') {
      Take(std::move(payload));
    } else {
      Refuse(NotAnObject());
    }
  }
  size_t count() const { return next_; }

 private:
  EventBody& body_;
  size_t next_ = 0;
};

Status SplitLines(std::string_view body, size_t events_max, EventCollector& events) {
  for (size_t at = 0; at < body.size();) {
    size_t end = std::min(body.find('\n', at), body.size());
    std::string_view line = body.substr(at, end - at);
    at = end + 1;
    if (FirstCharacter(line) == '\0' && line.find('\0') == std::string_view::npos) continue;
    if (events.count() == events_max) return TooManyEvents(events_max);
    events.TakeObject(std::string(line));
  }
  return Ok();
}

Status SplitBatch(std::string_view body, size_t events_max, EventCollector& events) {
  HR_ASSIGN(std::vector<std::string_view> envelopes, SplitJsonArray(body, events_max));
  for (std::string_view envelope : envelopes) {
    Result<std::string> data = CloudEventData(envelope);
    if (data.ok()) {
      events.TakeObject(std::move(data).value());
    } else {
      events.Refuse(std::move(data).error());
    }
  }
  return Ok();
}

// One object or an array of them.
Status SplitJson(std::string body, size_t events_max, EventBody& result, EventCollector& events) {
  if (FirstCharacter(body) != '[') {
    HR_TRY(CheckJson(body));
    result.alone = true;
    events.TakeObject(std::move(body));
    return Ok();
  }
  HR_ASSIGN(std::vector<std::string_view> elements, SplitJsonArray(body, events_max));
  result.payloads.reserve(elements.size());
  for (std::string_view element : elements)
    events.TakeObject(std::string(element));
  return Ok();
}

Status CheckEncoding(std::span<const Header> headers) {
  std::string_view encoding = FindHeader(headers, "Content-Encoding");
  if (encoding.empty() || EqualsIgnoringCase(encoding, "identity")) return Ok();
  return Error(ErrorKind::kInvalidArgument, kUnsupportedMedia,
               "Content-Encoding `" + std::string(encoding.substr(0, 40)) + "` is not taken")
      .WithHint("send the body uncompressed");
}

void AppendRejected(const std::vector<engine::Rejection>& rejected, std::string& out) {
  out += '[';
  for (size_t i = 0; i < rejected.size(); ++i) {
    out += i == 0 ? "{\"index\":" : ",{\"index\":";
    out += std::to_string(rejected[i].index);
    out += ",\"code\":";
    AppendQuoted(rejected[i].error.code(), out);
    out += ",\"message\":";
    AppendQuoted(rejected[i].error.message(), out);
    if (!rejected[i].error.place().empty()) {
      out += ",\"pointer\":";
      AppendQuoted(rejected[i].error.place(), out);
    }
    out += '}';
  }
  out += ']';
}

void AppendPlaced(const std::vector<engine::Placed>& placed, std::string& out) {
  if (placed.size() == 1) {
    out += ",\"partition\":" + std::to_string(placed[0].partition) +
           ",\"first_offset\":" + std::to_string(placed[0].first_offset);
  } else if (!placed.empty()) {
    out += ",\"placed\":[";
    for (size_t i = 0; i < placed.size(); ++i) {
      out += i == 0 ? "{\"partition\":" : ",{\"partition\":";
      out += std::to_string(placed[i].partition);
      out += ",\"first_offset\":" + std::to_string(placed[i].first_offset);
      out += ",\"count\":" + std::to_string(placed[i].count) + "}";
    }
    out += ']';
  }
}

void AppendRows(const std::vector<std::string>& rows, std::string& out) {
  size_t bytes = out.size() + 16;
  for (const std::string& row : rows)
    bytes += row.size() + 1;
  out.reserve(bytes);
  out += ",\"rows\":[";
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) out += ',';
    out += rows[i];
  }
  out += ']';
}

}  // namespace

Result<EventBody> SplitEvents(std::span<const Header> headers, std::string body,
                              size_t events_max) {
  HR_TRY(CheckEncoding(headers));
  std::string_view type = FindHeader(headers, "Content-Type");
  std::optional<BodyForm> form = FormOf(type);
  if (!form) {
    return Error(ErrorKind::kInvalidArgument, kUnsupportedMedia,
                 "Content-Type `" + std::string(type.substr(0, 80)) + "` is not taken")
        .WithHint(
            "application/json, application/x-ndjson, application/cloudevents+json or "
            "application/cloudevents-batch+json");
  }
  EventBody result;
  EventCollector events(result);
  switch (*form) {
    case BodyForm::kJson:
      if (IsBinaryCloudEvent(headers)) HR_TRY(CheckBinaryCloudEvent(headers));
      HR_TRY(SplitJson(std::move(body), events_max, result, events));
      break;
    case BodyForm::kLines:
      HR_TRY(SplitLines(body, events_max, events));
      break;
    case BodyForm::kCloudEvent: {
      HR_ASSIGN(std::string data, CloudEventData(body));
      result.alone = true;
      events.TakeObject(std::move(data));
      break;
    }
    case BodyForm::kCloudEventBatch:
      HR_TRY(SplitBatch(body, events_max, events));
      break;
  }
  return result;
}

Response EventsResponse(EventIndices request, engine::IngestReply reply) {
  if (reply.error) return Problem(*reply.error);
  std::vector<engine::Rejection>& rejected = request.rejected;
  for (engine::Rejection& rejection : reply.rejected) {
    if (rejection.index < request.indices.size()) {
      rejection.index = request.indices[rejection.index];
    }
    rejected.push_back(std::move(rejection));
  }
  std::sort(rejected.begin(), rejected.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  const bool refused = request.alone || (request.atomic && reply.accepted == 0);
  if (refused && !rejected.empty()) {
    Response response = Problem(rejected[0].error, 422);
    if (!request.alone) {
      response.body.pop_back();
      response.body += ",\"accepted\":0,\"rejected\":";
      AppendRejected(rejected, response.body);
      response.body += '}';
    }
    return response;
  }
  Response response;
  response.repeated = reply.repeated;
  std::string& out = response.body;
  out = "{\"accepted\":" + std::to_string(reply.accepted) + ",\"rejected\":";
  AppendRejected(rejected, out);
  AppendPlaced(reply.placed, out);
  if (request.wants_rows) AppendRows(reply.rows, out);
  out += '}';
  return response;
}

}  // namespace headrace::serve
