#include "serve/http/http_api.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "engine/feature_report.h"
#include "row/datetime_text.h"
#include "row/text.h"
#include "serve/http/idempotency.h"
#include "serve/http/ingest.h"
#include "serve/http/json_text.h"
#include "serve/http/problem.h"
#include "serve/query_json.h"

namespace headrace::serve {
namespace {

constexpr int64_t kRowsDefault = 1000;
constexpr int64_t kRowsMax = 1'000'000'000;

// STREAM:PARTITION:OFFSET.
bool IsRowId(std::string_view id) {
  size_t last = id.rfind(':');
  if (last == std::string_view::npos || last == 0) return false;
  size_t middle = id.rfind(':', last - 1);
  if (middle == std::string_view::npos || middle == 0) return false;
  return ParseDigits(id.substr(middle + 1, last - middle - 1), INT32_MAX).has_value() &&
         ParseDigits(id.substr(last + 1), INT64_MAX).has_value();
}

Response JsonResponse(Result<std::string> document) {
  if (!document.ok()) return Problem(document.error());
  Response response;
  response.body = std::move(document).value();
  return response;
}

Result<std::string> SqlOf(std::string_view body) {
  HR_ASSIGN(std::vector<JsonMember> members, SplitJsonObject(body));
  for (const JsonMember& member : members) {
    if (member.key != "sql") continue;
    if (auto text = DecodeJsonString(member.value)) return std::move(*text);
    return Error(ErrorKind::kInvalidArgument, kBadParameter, "`sql` is not a string")
        .AtPlace("/sql");
  }
  return Error(ErrorKind::kInvalidArgument, kBadParameter, "`sql` is missing")
      .AtPlace("/sql")
      .WithHint("send {\"sql\":\"SELECT ...\"}");
}

Response MethodNotAllowed(RouteKind kind) {
  const std::string all = kind == RouteKind::kEvents ? "POST, DELETE"
                          : TakesPost(kind)          ? "POST"
                                                     : "GET, HEAD";
  Response response =
      Problem(Error(ErrorKind::kInvalidArgument, kMethodNotAllowed,
                    std::string(PathTemplate(kind)) + " takes only " +
                        (kind == RouteKind::kEvents || TakesPost(kind) ? all : "GET")));
  response.allow = all;
  return response;
}

// ?before_offset=N or ?before_time=T, and &partition=P.
Result<engine::TrimRequest> TrimOf(const Route& route) {
  HR_TRY(route.Only({"before_offset", "before_time", "partition"}));
  const std::string* time = route.Find("before_time");
  if ((time == nullptr) == (route.Find("before_offset") == nullptr)) {
    return Error(ErrorKind::kInvalidArgument, kBadParameter,
                 "one of the parameters `before_offset` and `before_time` is meant")
        .WithHint("they say which events are to go, for good");
  }
  engine::TrimRequest request;
  request.topic = route.name;
  if (route.Find("partition") != nullptr) {
    HR_ASSIGN(int64_t partition, route.Number("partition", 0, INT32_MAX));
    request.partition = static_cast<int32_t>(partition);
  }
  if (time == nullptr) {
    HR_ASSIGN(request.before_offset, route.Number("before_offset", 0, INT64_MAX));
    return request;
  }
  int64_t micros = 0;
  if (!row::ParseRfc3339(*time, &micros)) {
    return Error(ErrorKind::kInvalidArgument, kBadParameter,
                 "parameter `before_time` is no time such as 2026-01-31T23:59:59Z")
        .AtPlace("?before_time");
  }
  request.SetTime(micros);
  return request;
}

bool NeedsEngine(RouteKind kind) {
  return kind != RouteKind::kIndex && kind != RouteKind::kMetrics && kind != RouteKind::kLive;
}

// A number of seconds or a percentage, with one decimal.
void AppendTenths(std::string_view name, double number, std::string& out) {
  const auto tenths = static_cast<int64_t>(number * 10);
  out += ",\"";
  out += name;
  out += "\":" + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

// ?labels=STREAM&on=COLUMN&label=COLUMN[&as_of=TIME], as the flags of the command line; nothing
// when there is none of them.
Result<std::optional<engine::LabelRequest>> LabelsOf(const Route& route) {
  HR_TRY(route.Only({"labels", "on", "label", "as_of"}));
  if (route.parameters.empty()) return std::optional<engine::LabelRequest>{};
  for (const char* name : {"labels", "on", "label"}) {
    const std::string* value = route.Find(name);
    if (value != nullptr && !value->empty()) continue;
    return Error(ErrorKind::kInvalidArgument, kBadParameter,
                 "parameter `" + std::string(name) + "` is missing")
        .AtPlace("?" + std::string(name))
        .WithHint("labels=STREAM&on=COLUMN&label=COLUMN go together");
  }
  engine::LabelRequest request;
  request.labels = *route.Find("labels");
  request.JoinOn(*route.Find("on"));
  request.label = *route.Find("label");
  if (const std::string* text = route.Find("as_of")) {
    int64_t micros = 0;
    if (!row::ParseRfc3339(*text, &micros)) {
      return Error(ErrorKind::kInvalidArgument, kBadParameter,
                   "parameter `as_of` is no time such as 2026-01-31T23:59:59Z")
          .AtPlace("?as_of");
    }
    request.as_of = micros;
  }
  return std::optional<engine::LabelRequest>(std::move(request));
}

Response NoSuchPath() {
  return Problem(Error(ErrorKind::kNotFound, kNoSuchPath, "there is nothing at this path")
                     .WithHint("GET / lists what there is"));
}

}  // namespace

Status CheckOrigin(std::span<const Header> headers) {
  std::string_view origin = FindHeader(headers, "Origin");
  if (origin.empty()) return Ok();
  size_t scheme = origin.find("://");
  std::string_view host = FindHeader(headers, "Host");
  if (scheme != std::string_view::npos && EqualsIgnoringCase(origin.substr(scheme + 3), host)) {
    return Ok();
  }
  return Error(ErrorKind::kInvalidArgument, kForeignOrigin,
               "a page of another origin may not use this server");
}

HttpApi::HttpApi(engine::Engine& engine, QueryRunner& runner, HttpMetrics& metrics,
                 const os::Clock& clock, const HttpLimits& limits, SourcePolicy sources)
    : engine_(engine),
      runner_(runner),
      metrics_(metrics),
      clock_(clock),
      limits_(limits),
      inference_(engine, runner),
      mlflow_(engine, runner, clock, std::move(sources)),
      feast_(engine, runner, limits.events_per_request_max),
      has_engine_(engine.startup().phase == engine::StartupProgress::Phase::kReady) {}

void HttpApi::Handle(const Route& route, Request request, Answer answer) {
  if (route.kind == RouteKind::kUnknown) return answer(NoSuchPath());
  const bool reads = request.method == Method::kGet || request.method == Method::kHead;
  if (route.kind == RouteKind::kEvents && request.method == Method::kDelete) {
    Status origin = CheckOrigin(request.headers);
    if (!origin.ok()) return answer(Problem(origin.error()));
    return has_engine_ ? HandleTrim(route, std::move(answer)) : answer(Starting());
  }
  const bool any_method = route.kind == RouteKind::kMlflow;  // which checks it itself
  if (!any_method && (TakesPost(route.kind) ? request.method != Method::kPost : !reads)) {
    return answer(MethodNotAllowed(route.kind));
  }
  if (Status origin = CheckOrigin(request.headers); !origin.ok()) {
    return answer(Problem(origin.error()));
  }
  if (!has_engine_ && NeedsEngine(route.kind)) return answer(Starting());
  switch (route.kind) {
    case RouteKind::kEvents:
      return HandleEvents(route, std::move(request), std::move(answer));
    case RouteKind::kSql:
      return HandleSql(route, std::move(request), std::move(answer));
    case RouteKind::kRows:
      return HandleRows(route, request, std::move(answer));
    case RouteKind::kView:
      return HandleView(route, std::move(answer));
    case RouteKind::kDecision:
      return HandleDecision(route, std::move(answer));
    case RouteKind::kModel:
      return HandleModel(route, std::move(answer));
    case RouteKind::kInferenceServer:
    case RouteKind::kInferenceHealth:
    case RouteKind::kInferenceIndex:
    case RouteKind::kInferenceModel:
    case RouteKind::kInferenceReady:
    case RouteKind::kInfer:
      return inference_.Handle(route, std::move(request), std::move(answer));
    case RouteKind::kMlflow:
      return mlflow_.Handle(route, request, std::move(answer));
    case RouteKind::kOnlineFeatures:
    case RouteKind::kPush:
    case RouteKind::kOnlineWrite:
    case RouteKind::kFeastHealth:
      return feast_.Handle(route, std::move(request), std::move(answer));
    case RouteKind::kFeatureList:
      return HandleFeatures(route, std::move(answer));
    case RouteKind::kFeatureValue:
      return HandleFeature(route, std::move(answer));
    case RouteKind::kIndex:
      return answer(Index());
    case RouteKind::kStreams:
      return answer(Streams());
    case RouteKind::kMetrics: {
      Response response;
      response.content_type = kPrometheusText;
      response.body = metrics_.Text();
      return answer(std::move(response));
    }
    default:
      return answer(Health(route.kind));
  }
}

Result<engine::IngestRequest> HttpApi::ParseEvents(const Route& route,
                                                   const Request& request) const {
  HR_TRY(route.Only({"return", "atomic"}));
  engine::IngestRequest ingest;
  ingest.topic = route.name;
  HR_ASSIGN(ingest.atomic, route.Flag("atomic", false));
  if (const std::string* stream = route.Find("return")) {
    if (stream->empty()) {
      return Error(ErrorKind::kInvalidArgument, kBadParameter,
                   "parameter `return` names no stream");
    }
    ingest.return_stream = *stream;
  }
  HR_ASSIGN(std::optional<std::string> key, IdempotencyKeyOf(request.headers));
  if (key) {
    ingest.idempotency_key = std::move(*key);
    ingest.fingerprint = FingerprintOf(route, request.headers, request.body);
  }
  return ingest;
}

void HttpApi::HandleEvents(const Route& route, Request request, Answer answer) {
  auto refuse = [&answer](const Error& error) { answer(Problem(error)); };
  if (auto busy = engine_.RefuseNow(request.body.size())) return refuse(*busy);
  Result<engine::IngestRequest> parsed = ParseEvents(route, request);
  if (!parsed.ok()) return refuse(parsed.error());
  engine::IngestRequest& ingest = *parsed;
  Result<EventBody> split =
      SplitEvents(request.headers, std::move(request.body), limits_.events_per_request_max);
  if (!split.ok()) return refuse(split.error());
  EventBody& body = *split;

  EventIndices indices{std::move(body.indices), std::move(body.rejected), body.alone, ingest.atomic,
                       !ingest.return_stream.empty()};
  if (body.payloads.empty() || (ingest.atomic && !indices.rejected.empty())) {
    auto streams = engine_.streams();
    bool known = std::any_of(streams.begin(), streams.end(),
                             [&](const auto& stream) { return stream.topic == route.name; });
    if (known) return answer(EventsResponse(std::move(indices), {}));
    return refuse(Error(ErrorKind::kNotFound, kNoSuchPath, "no topic `" + route.name + "`"));
  }
  ingest.payloads = std::move(body.payloads);
  ingest.done = [alive = std::weak_ptr(alive_), answer = std::move(answer),
                 indices = std::move(indices), topic = route.name,
                 start = clock_.MonotonicNanoseconds()](engine::IngestReply reply) mutable {
    auto self = alive.lock();
    if (!self) return;
    if (!reply.error && !reply.repeated) self->metrics_.CountEvents(topic, reply.accepted);
    const bool decided = !reply.error && indices.wants_rows;
    Response response = EventsResponse(std::move(indices), std::move(reply));
    if (decided) self->metrics_.RecordDecision(self->clock_.MonotonicNanoseconds() - start);
    answer(std::move(response));
  };
  engine_.Submit(std::move(ingest));
}

void HttpApi::HandleTrim(const Route& route, Answer answer) {
  Result<engine::TrimRequest> request = TrimOf(route);
  if (!request.ok()) return answer(Problem(request.error()));
  engine_.Trim({std::move(*request), [alive = std::weak_ptr(alive_),
                                      answer = std::move(answer)](Result<std::string> done) {
                  if (alive.lock()) answer(JsonResponse(std::move(done)));
                }});
}

void HttpApi::HandleSql(const Route& route, Request request, Answer answer) {
  if (Status known = route.Only({}); !known.ok()) return answer(Problem(known.error()));
  Result<std::string> sql = SqlOf(request.body);
  if (!sql.ok()) return answer(Problem(sql.error()));
  if (engine_.IsDefinition(*sql)) {
    return engine_.Deploy(*sql, "sql",
                          [alive = std::weak_ptr(alive_), answer = std::move(answer)](Status done) {
                            if (!alive.lock()) return;
                            if (!done.ok()) return answer(Problem(done.error()));
                            answer(JsonResponse(std::string("{\"columns\":[],\"rows\":[]}")));
                          });
  }
  AnswerFrom(
      runner_,
      [this, sql = std::move(*sql)] {
        Result<engine::QueryResult> result = engine_.Query(sql);
        return result.ok() ? JsonResponse(QueryJson(*result)) : Problem(result.error());
      },
      std::move(answer));
}

Result<RowStreamOptions> HttpApi::ParseRows(const Route& route, const Request& request) const {
  HR_TRY(route.Only({"from", "limit", "partition", "ids", "follow"}));
  RowStreamOptions options;
  options.stream = route.name;
  options.page_rows = limits_.page_rows;
  options.event_stream =
      FindHeader(request.headers, "Accept").find(kEventStream) != std::string_view::npos;
  HR_ASSIGN(options.follow, route.Flag("follow", options.event_stream));
  HR_ASSIGN(options.range.with_ids, route.Flag("ids", false));
  HR_ASSIGN(int64_t limit,
            route.Number("limit", options.follow ? kRowsMax : kRowsDefault, kRowsMax));
  options.range.limit = static_cast<size_t>(limit);
  if (route.Find("partition") != nullptr) {
    HR_ASSIGN(int64_t partition, route.Number("partition", 0, INT32_MAX));
    options.range.partition = static_cast<int32_t>(partition);
  }
  const std::string* from = route.Find("from");
  options.range.latest = from == nullptr ? options.follow : *from == "latest";
  if (from != nullptr && *from != "latest" && *from != "earliest") {
    auto number = ParseDigits(*from, INT64_MAX - kRowsMax);
    if (!number) {
      return Error(ErrorKind::kInvalidArgument, kBadParameter,
                   "parameter `from` is neither `earliest` nor `latest` nor an offset")
          .AtPlace("?from");
    }
    options.range.from = *number;
  }
  if (options.range.latest && !options.follow && options.range.limit > options.page_rows) {
    return Error(ErrorKind::kInvalidArgument, kBadParameter,
                 "`from=latest` gives the last " + std::to_string(options.page_rows) +
                     " rows at most")
        .AtPlace("?limit");
  }
  return options;
}

void HttpApi::HandleRows(const Route& route, const Request& request, Answer answer) {
  Result<RowStreamOptions> parsed = ParseRows(route, request);
  if (!parsed.ok()) return answer(Problem(parsed.error()));
  if (parsed->follow) {
    std::erase_if(followers_, [](const auto& weak) {
      auto follower = weak.lock();
      return !follower || follower->ended();
    });
    if (stopping_ || followers_.size() >= limits_.followers_max) {
      return answer(Problem(
          Error(ErrorKind::kUnavailable, kTooBusy, "too many answers follow a stream already")));
    }
  }
  const bool follow = parsed->follow;
  auto rows = std::make_shared<RowStream>(engine_, runner_, std::move(*parsed));
  if (follow) followers_.push_back(rows);
  rows->Start(std::move(answer));
}

void HttpApi::HandleView(const Route& route, Answer answer) {
  if (Status known = route.Only({"key"}); !known.ok()) return answer(Problem(known.error()));
  std::optional<std::string> key;
  if (const std::string* text = route.Find("key")) key = *text;
  AnswerFrom(
      runner_, [this, view = route.name, key] { return JsonResponse(engine_.ViewRows(view, key)); },
      std::move(answer));
}

void HttpApi::HandleDecision(const Route& route, Answer answer) {
  if (Status known = route.Only({}); !known.ok()) return answer(Problem(known.error()));
  if (!IsRowId(route.name)) {
    return answer(Problem(
        Error(ErrorKind::kInvalidArgument, kBadParameter, "not a row ID: `" + route.name + "`")
            .WithHint("an ID is STREAM:PARTITION:OFFSET, the `_id` of a row")));
  }
  AnswerFrom(
      runner_, [this, id = route.name] { return JsonResponse(engine_.Why(id)); },
      std::move(answer));
}

void HttpApi::HandleModel(const Route& route, Answer answer) {
  Result<std::optional<engine::LabelRequest>> labels = LabelsOf(route);
  if (!labels.ok()) return answer(Problem(labels.error()));
  AnswerFrom(
      runner_,
      [this, model = route.name, labels = *std::move(labels)] {
        return JsonResponse(engine_.ModelReport(model, labels));
      },
      std::move(answer));
}

void HttpApi::HandleFeatures(const Route& route, Answer answer) {
  if (Status known = route.Only({"name"}); !known.ok()) return answer(Problem(known.error()));
  const std::string* name = route.Find("name");
  AnswerFrom(
      runner_,
      [this, only = name == nullptr ? "" : *name] {
        return JsonResponse(engine_.FeatureReport(only));
      },
      std::move(answer));
}

// The value of one feature; the parameters name the entity.
void HttpApi::HandleFeature(const Route& route, Answer answer) {
  const size_t colon = route.name.rfind(':');
  if (colon == std::string::npos) {
    return answer(Problem(
        Error(ErrorKind::kInvalidArgument, kBadParameter, "not a feature: `" + route.name + "`")
            .WithHint("a feature is STREAM:COLUMN")));
  }
  engine::FeatureRequest request;
  request.columns.push_back({route.name.substr(0, colon), route.name.substr(colon + 1)});
  for (const auto& [name, value] : route.parameters)
    request.entities.push_back({name, {value}});
  AnswerFrom(
      runner_,
      [this, request = std::move(request)] {
        auto read = engine_.ReadFeatures(request, true);
        return read.ok() ? JsonResponse(engine::FeatureValuesJson(request, **read))
                         : Problem(read.error());
      },
      std::move(answer));
}

Response HttpApi::Index() const {
  Response response;
  response.body = "{\"name\":\"headrace\",\"paths\":[";
  bool first = true;
  for (RouteKind kind : kAllRoutes) {
    if (kind == RouteKind::kUnknown) continue;
    if (!std::exchange(first, false)) response.body += ',';
    response.body += TakesPost(kind) ? "\"POST " : "\"GET ";
    response.body += PathTemplate(kind);
    response.body += '"';
    if (kind != RouteKind::kEvents) continue;
    response.body += ",\"DELETE ";
    response.body += PathTemplate(kind);
    response.body += '"';
  }
  response.body += "]}";
  return response;
}

Response HttpApi::Streams() const {
  Response response;
  std::string& out = response.body;
  out = "{\"streams\":[";
  bool first = true;
  for (const engine::StreamInfo& info : engine_.streams()) {
    out += std::exchange(first, false) ? "{\"name\":" : ",{\"name\":";
    row::AppendJsonString(info.name, out);
    out += ",\"kind\":";
    row::AppendJsonString(info.kind, out);
    out += ",\"topic\":";
    row::AppendJsonString(info.topic, out);
    out += ",\"partitions\":" + std::to_string(info.partitions) + ",\"columns\":[";
    for (size_t i = 0; i < info.schema.columns.size(); ++i) {
      out += i == 0 ? "{\"name\":" : ",{\"name\":";
      row::AppendJsonString(info.schema.columns[i].name, out);
      out += ",\"type\":";
      row::AppendJsonString(row::ToString(info.schema.columns[i].type), out);
      out += '}';
    }
    out += "],\"definition\":";
    row::AppendJsonString(info.definition, out);
    out += '}';
  }
  out += "]}";
  return response;
}

Response HttpApi::Health(RouteKind kind) const {
  Response response;
  const bool ready = kind != RouteKind::kReady || (engine_.ready() && !stopping_);
  if (!ready) {
    return Problem(Error(ErrorKind::kUnavailable, kTooBusy,
                         stopping_ ? "the server is stopping" : "the journal takes no more"));
  }
  const std::vector<engine::HaltedStream> halted =
      kind == RouteKind::kReady ? engine_.halted() : std::vector<engine::HaltedStream>{};
  response.body = halted.empty() ? "{\"status\":\"ok\"" : "{\"status\":\"degraded\",\"halted\":[";
  for (const engine::HaltedStream& stream : halted) {
    response.body += &stream == &halted.front() ? "{\"stream\":" : ",{\"stream\":";
    row::AppendJsonString(stream.name, response.body);
    response.body += ",\"lsn\":" + std::to_string(stream.lsn) + ",\"why\":";
    row::AppendJsonString(stream.why, response.body);
    response.body += '}';
  }
  response.body += halted.empty() ? "}" : "]}";
  return response;
}

Response HttpApi::Starting() const {
  const engine::StartupProgress startup = engine_.startup();
  const bool loads = startup.phase == engine::StartupProgress::Phase::kLoading;
  const std::string what = stopping_ ? "the server is stopping"
                           : loads   ? "the state is being loaded"
                                     : "the events behind the snapshot are run again";
  Response response = Problem(
      Error(ErrorKind::kUnavailable, kStarting, what).WithHint("GET /startupz says how far it is"));
  std::string& out = response.body;
  out.pop_back();
  out += loads ? ",\"phase\":\"loading\"" : ",\"phase\":\"replaying\"";
  out += ",\"events\":" + std::to_string(startup.events);
  if (startup.events_total > 0) out += ",\"events_total\":" + std::to_string(startup.events_total);
  if (auto share = startup.share()) AppendTenths("percent", 100 * *share, out);
  AppendTenths("seconds", startup.seconds, out);
  if (auto left = startup.seconds_left()) AppendTenths("seconds_left", *left, out);
  out += '}';
  return response;
}

void HttpApi::NotifyFollowers() {
  for (size_t i = 0; i < followers_.size(); ++i) {
    if (auto follower = followers_[i].lock()) follower->Notify();
  }
}

void HttpApi::BeatFollowers() {
  for (size_t i = 0; i < followers_.size(); ++i) {
    if (auto follower = followers_[i].lock()) follower->Beat();
  }
}

void HttpApi::StopFollowers() {
  stopping_ = true;
  for (size_t i = 0; i < followers_.size(); ++i) {
    if (auto follower = followers_[i].lock()) follower->Cancel();
  }
}

}  // namespace headrace::serve
