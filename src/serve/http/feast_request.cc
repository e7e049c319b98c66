#include "serve/http/feast_request.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "base/arena.h"
#include "row/text.h"
#include "serve/http/json_text.h"
#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

constexpr size_t kFrameNameBytesMax = size_t{64} << 20;  // names of columns, once for each row

using engine::StreamInfo;
using Members = std::vector<JsonMember>;

const JsonMember* FindMember(const Members& members, std::string_view key) {
  for (const JsonMember& member : members) {
    if (member.key == key && member.value != "null") return &member;
  }
  return nullptr;
}

bool Refuse(FeastRefusal* refusal, FeastRefusal why) {
  *refusal = std::move(why);
  return false;
}

bool SplitBody(std::string_view body, Members* members, FeastRefusal* refusal) {
  Result<Members> split = SplitJsonObject(body);
  if (split.ok()) {
    *members = std::move(*split);
    return true;
  }
  std::string text =
      R"({"detail":[{"type":"json_invalid","loc":["body",1],"msg":"JSON decode error","input":{},)"
      R"("ctx":{"error":)";
  AppendQuoted(split.error().message(), text);
  return Refuse(refusal, {422, text + "}}]}"});
}

const StreamInfo* FindStream(const std::vector<StreamInfo>& streams, std::string_view name) {
  for (const StreamInfo& stream : streams) {
    if (stream.name == name && stream.kind != "dead letters") return &stream;
  }
  return nullptr;
}

// "view:feature" of each, or every column of the stream that a service is.
bool ParseFeatures(const Members& members, const std::vector<StreamInfo>& streams,
                   OnlineRequest* request, FeastRefusal* refusal) {
  auto& columns = request->features.columns;
  const JsonMember* features = FindMember(members, "features");
  const JsonMember* service = FindMember(members, "feature_service");
  if (service != nullptr) {
    const std::string name = DecodeJsonString(service->value).value_or("");
    const StreamInfo* stream = FindStream(streams, name);
    if (stream == nullptr) {
      return Refuse(refusal, NamedRefusal(404, "FeatureServiceNotFoundException",
                                          "Feature service " + name + " does not exist"));
    }
    for (const row::Column& column : stream->schema.columns) {
      const bool asked =
          std::any_of(request->features.entities.begin(), request->features.entities.end(),
                      [&](const auto& entity) { return entity.name == column.name; });
      if (!asked) columns.push_back({name, column.name});
    }
    return true;
  }
  if (features == nullptr) {
    return Refuse(refusal, PlainRefusal(500, "No features specified for retrieval"));
  }
  auto split = SplitJsonArray(features->value, engine::kFeatureColumnsMax);
  if (!split.ok()) {
    return Refuse(refusal, FieldRefusal("list_type", "features", "Input should be a valid list"));
  }
  for (std::string_view raw : *split) {
    const std::string text = DecodeJsonString(raw).value_or("");
    const size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
      return Refuse(refusal, PlainRefusal(500, "Invalid feature reference `" + text +
                                                   "`: write view:feature"));
    }
    columns.push_back({text.substr(0, colon), text.substr(colon + 1)});
  }
  return true;
}

bool ParseEntities(const Members& members, engine::FeatureRequest& request, FeastRefusal* refusal) {
  const JsonMember* entities = FindMember(members, "entities");
  if (entities == nullptr) {
    return Refuse(refusal, FieldRefusal("missing", "entities", "Field required"));
  }
  Result<Members> named = SplitJsonObject(entities->value);
  if (!named.ok()) {
    return Refuse(refusal,
                  FieldRefusal("dict_type", "entities", "Input should be a valid dictionary"));
  }
  for (const JsonMember& member : *named) {
    auto values = SplitJsonArray(member.value, engine::kFeatureCellsMax);
    if (!values.ok()) {
      return Refuse(refusal, FieldRefusal("list_type", "entities", "Input should be a valid list"));
    }
    engine::FeatureRequest::Entity& entity = request.entities.emplace_back();
    entity.name = member.key;
    for (std::string_view value : *values) {
      if (value == "null" || value.starts_with('{') || value.starts_with('[')) {
        return Refuse(refusal, PlainRefusal(500, "entity `" + member.key +
                                                     "` has a value that is null or no scalar"));
      }
      auto text = DecodeJsonString(value);
      entity.texts.push_back(text ? std::move(*text) : std::string(value));
    }
    if (entity.texts.size() != request.entities.front().texts.size()) {
      return Refuse(refusal, PlainRefusal(500, "All entity rows must have the same columns."));
    }
  }
  if (request.entities.empty() || request.entities.front().texts.empty()) {
    return Refuse(refusal, PlainRefusal(500, "Missing join key values: no entity rows are given"));
  }
  return true;
}

bool NameResults(const Members& members, OnlineRequest* request, FeastRefusal* refusal) {
  const JsonMember* full = FindMember(members, "full_feature_names");
  const bool full_names = full != nullptr && full->value == "true";
  std::map<std::string, int> counts;
  for (const auto& column : request->features.columns) {
    request->names.push_back(full_names ? column.stream + "__" + column.name : column.name);
    if (++counts[request->names.back()] == 1) continue;
    return Refuse(
        refusal,
        NamedRefusal(500, "FeatureNameCollisionError",
                     "Duplicate features named " + request->names.back() +
                         " found.\nTo resolve this collision, either use the full feature name by "
                         "setting 'full_feature_names=True', or ensure that the features in "
                         "question have different names."));
  }
  return true;
}

// A value of a TIMESTAMPTZ column as RFC 3339; what cannot be read stays, and is refused as such.
std::string TimeJson(std::string_view raw) {
  int64_t micros = 0;
  if (auto text = DecodeJsonString(raw)) {
    if (row::ParseRfc3339(*text, &micros)) return std::string(raw);
    base::Arena arena;
    auto value = row::ParseText(*text, {row::TypeKind::kTimestampTz, 0, 0}, arena);
    if (!value.ok()) return std::string(raw);
    micros = value->integer;
  } else {
    constexpr double kMicrosPerSecond = 1e6;
    constexpr double kSecondsMax = 2.5e11;  // some year 9800
    double seconds = 0;
    auto [end, code] = std::from_chars(raw.data(), raw.data() + raw.size(), seconds);
    const bool good = code == std::errc{} && end == raw.data() + raw.size();
    if (!good || !(seconds > -kSecondsMax && seconds < kSecondsMax)) return std::string(raw);
    micros = static_cast<int64_t>(seconds * kMicrosPerSecond);
  }
  std::string out = "\"";
  row::AppendRfc3339(micros, out);
  return out + "\"";
}

}  // namespace

Response FeastRefusal::ToResponse() const {
  Response response;
  response.status = status;
  response.body = body;
  if (status == 429 || status == 503) response.retry_after_seconds = 1;
  return response;
}

FeastRefusal PlainRefusal(int status, std::string_view message) {
  FeastRefusal refusal{status, ""};
  AppendQuoted(message, refusal.body);
  return refusal;
}

FeastRefusal NamedRefusal(int status, std::string_view name, std::string_view message) {
  std::string text =
      R"({"module": "feast.errors", "class": ")" + std::string(name) + R"(", "message": )";
  AppendQuoted(message, text);
  return PlainRefusal(status, text + "}");
}

FeastRefusal FieldRefusal(std::string_view type, std::string_view field, std::string_view message) {
  FeastRefusal refusal{422, R"({"detail":[{"type":)"};
  AppendQuoted(type, refusal.body);
  refusal.body += R"(,"loc":["body",)";
  AppendQuoted(field, refusal.body);
  refusal.body += R"(],"msg":)";
  AppendQuoted(message, refusal.body);
  refusal.body += "}]}";
  return refusal;
}

bool ParseOnlineRequest(std::string_view body, const std::vector<StreamInfo>& streams,
                        OnlineRequest* request, FeastRefusal* refusal) {
  Members members;
  if (!SplitBody(body, &members, refusal) || !ParseEntities(members, request->features, refusal) ||
      !ParseFeatures(members, streams, request, refusal) ||
      !NameResults(members, request, refusal)) {
    return false;
  }
  const size_t rows = request->features.entities.front().texts.size();
  if (request->names.size() <= engine::kFeatureCellsMax / rows) return true;
  return Refuse(refusal, PlainRefusal(413, "more than 1048576 values in one request"));
}

bool ParsePushRequest(std::string_view body, std::string_view name_field,
                      const std::vector<StreamInfo>& streams, size_t events_max,
                      PushRequest* request, FeastRefusal* refusal) {
  Members members;
  if (!SplitBody(body, &members, refusal)) return false;
  for (std::string_view needed : {name_field, std::string_view("df")}) {
    if (FindMember(members, needed) == nullptr) {
      return Refuse(refusal, FieldRefusal("missing", needed, "Field required"));
    }
  }
  const std::string name = DecodeJsonString(FindMember(members, name_field)->value).value_or("");
  request->stream = FindStream(streams, name);
  if (request->stream == nullptr) {
    const bool push = name_field == "push_source_name";
    return Refuse(refusal, push ? NamedRefusal(422, "PushSourceNotFoundException",
                                               "Unable to find push source '" + name + "'.")
                                : NamedRefusal(404, "FeatureViewNotFoundException",
                                               "Feature view " + name + " does not exist"));
  }
  Result<Members> frame = SplitJsonObject(FindMember(members, "df")->value);
  if (!frame.ok()) {
    return Refuse(refusal, FieldRefusal("dict_type", "df", "Input should be a valid dictionary"));
  }
  const row::Schema& schema = request->stream->schema;
  size_t name_bytes = 0;
  for (const JsonMember& column : *frame) {
    auto values = SplitJsonArray(column.value, events_max);
    const bool first = &column == &frame->front();
    if (values.ok() && first) request->events.assign(values->size(), "{");
    if (!values.ok() || values->size() != request->events.size()) {
      return Refuse(refusal, FieldRefusal("list_type", "df",
                                          "the columns are lists of one length, of at most " +
                                              std::to_string(events_max) + " values"));
    }
    // A character may take six bytes when it is escaped.
    name_bytes += 6 * column.key.size() * values->size();
    if (name_bytes > kFrameNameBytesMax) {
      return Refuse(refusal, PlainRefusal(413, "the names of the columns are too long"));
    }
    const int at = schema.Find(column.key);
    const bool time =
        at >= 0 && schema.columns[static_cast<size_t>(at)].type.kind == row::TypeKind::kTimestampTz;
    for (size_t i = 0; i < values->size(); ++i) {
      std::string& event = request->events[i];
      if (!first) event += ',';
      row::AppendJsonString(column.key, event);
      event += ':';
      event += time ? TimeJson((*values)[i]) : std::string((*values)[i]);
    }
  }
  for (std::string& event : request->events)
    event += '}';
  return true;
}

}  // namespace headrace::serve
