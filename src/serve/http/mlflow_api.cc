#include "serve/http/mlflow_api.h"

#include <algorithm>
#include <array>
#include <utility>

#include "serve/http/json_text.h"
#include "serve/http/mlflow_json.h"
#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

using catalog::ModelNote;
using engine::ServedModel;
using engine::ServedVersion;

constexpr int64_t kModelsDefault = 100;

Error BadRequest(std::string message) {
  return Error(ErrorKind::kInvalidArgument, kBadRegistryRequest, std::move(message));
}

// What MLflow calls an error, and the status it has there.
struct ErrorName {
  std::string_view name;
  int status;
};

ErrorName NameOf(const Error& error) {
  if (error.code() == kNoSuchPath) return {"ENDPOINT_NOT_FOUND", 404};
  if (error.code() == kMethodNotAllowed) return {"ENDPOINT_NOT_FOUND", 405};
  switch (error.kind()) {
    case ErrorKind::kInvalidArgument:
      return {"INVALID_PARAMETER_VALUE", 400};
    case ErrorKind::kNotFound:
      return {"RESOURCE_DOES_NOT_EXIST", 404};
    case ErrorKind::kAlreadyExists:
      return {"RESOURCE_ALREADY_EXISTS", 400};
    case ErrorKind::kConflict:
      return {"RESOURCE_CONFLICT", 409};
    case ErrorKind::kUnavailable:
    case ErrorKind::kNoSpace:
      return {"TEMPORARILY_UNAVAILABLE", 503};
    case ErrorKind::kLimitExceeded:
      return {"REQUEST_LIMIT_EXCEEDED", 429};
    default:
      return {"INTERNAL_ERROR", 500};
  }
}

Response Refusal(const Error& error) {
  const ErrorName name = NameOf(error);
  Response response;
  response.status = name.status;
  if (name.status == 429 || name.status == 503) response.retry_after_seconds = 1;
  std::string& out = response.body;
  out = "{\"error_code\":\"" + std::string(name.name) + "\",\"message\":";
  AppendQuoted(error.hint().empty() ? error.message() : error.message() + " (" + error.hint() + ")",
               out);
  out += ",\"code\":";
  AppendQuoted(error.code(), out);
  out += '}';
  return response;
}

Response Given(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

// The fields of one call, from its body or its query.
class Fields {
 public:
  static Result<Fields> Of(const Route& route, const Request& request) {
    Fields fields;
    if (request.method == Method::kGet) {
      for (const auto& [name, value] : route.parameters)
        fields.values_.emplace_back(name, value);
      return fields;
    }
    if (request.body.empty()) return fields;
    fields.body_ = request.body;
    HR_ASSIGN(std::vector<JsonMember> members, SplitJsonObject(fields.body_));
    for (JsonMember& member : members) {
      if (member.value == "null") continue;
      auto text = DecodeJsonString(member.value);
      fields.values_.emplace_back(std::move(member.key),
                                  text ? std::move(*text) : std::string(member.value));
    }
    return fields;
  }

  const std::string* Find(std::string_view name) const {
    for (const auto& [key, value] : values_) {
      if (key == name) return &value;
    }
    return nullptr;
  }
  std::string Text(std::string_view name) const {
    const std::string* text = Find(name);
    return text == nullptr ? "" : *text;
  }
  Result<std::string> Needed(std::string_view name) const {
    const std::string* text = Find(name);
    if (text != nullptr && !text->empty()) return *text;
    return BadRequest("Missing value for required parameter '" + std::string(name) + "'.");
  }
  Result<int32_t> Version() const {
    HR_ASSIGN(std::string text, Needed("version"));
    auto number = ParseDigits(text, INT32_MAX);
    if (!number || *number == 0) return BadRequest("Invalid value for 'version': not a number");
    return static_cast<int32_t>(*number);
  }
  Result<int64_t> Number(std::string_view name, int64_t otherwise, int64_t max) const {
    const std::string* text = Find(name);
    if (text == nullptr || text->empty()) return otherwise;
    auto number = ParseDigits(*text, max);
    if (!number || *number == 0) {
      return BadRequest("Invalid value for '" + std::string(name) + "': not from 1 to " +
                        std::to_string(max));
    }
    return *number;
  }
  // [{"key":…,"value":…}] as notes.
  Status TakeTags(std::vector<ModelNote>& notes) const {
    const std::string* text = Find("tags");
    if (text == nullptr) return Ok();
    HR_ASSIGN(auto tags, SplitJsonArray(*text, catalog::kNotesMax));
    for (std::string_view tag : tags) {
      HR_ASSIGN(std::vector<JsonMember> members, SplitJsonObject(tag));
      ModelNote note{ModelNote::Kind::kSetTag, "", ""};
      for (const JsonMember& member : members) {
        auto value = DecodeJsonString(member.value);
        if (!value) return BadRequest("Invalid value for 'tags': not texts");
        if (member.key == "key") note.key = std::move(*value);
        if (member.key == "value") note.value = std::move(*value);
      }
      notes.push_back(std::move(note));
    }
    return Ok();
  }

 private:
  std::string body_;
  std::vector<std::pair<std::string, std::string>> values_;
};

Result<ServedModel> ModelOf(const engine::Engine& engine, const std::string& name) {
  if (auto model = engine.FindModel(name)) return std::move(*model);
  return Error(ErrorKind::kNotFound, "HR1107", "Registered Model with name=" + name + " not found");
}

Result<const ServedVersion*> VersionOf(const ServedModel& model, int32_t number) {
  for (const ServedVersion* version : ShownVersions(model)) {
    if (version->number == number) return version;
  }
  return Error(
      ErrorKind::kNotFound, "HR1206",
      "Model Version (name=" + model.name + ", version=" + std::to_string(number) + ") not found");
}

// What an edit is answered with when it is durable.
enum class Then : uint8_t { kNothing, kModel, kVersion };

struct PlannedCall {
  engine::ModelEdit edit;
  Then then = Then::kNothing;
};

// One call. What reads gives the body of a good answer; what changes something gives the edit, and
// its answer with Finish. Reads may run on another thread.
class Call {
 public:
  Call(engine::Engine& engine, const SourcePolicy& sources, int64_t now_ms, Fields fields)
      : engine_(engine), sources_(sources), now_ms_(now_ms), fields_(std::move(fields)) {}

  Result<PlannedCall> CreateModel() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    std::vector<ModelNote> notes = {{ModelNote::Kind::kRegister, "", ""}};
    AddText("description", ModelNote::Kind::kDescription, notes);
    HR_TRY(fields_.TakeTags(notes));
    return Edit(name, 0, std::move(notes), Then::kModel);
  }

  Result<std::string> GetModel() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    return ModelAnswer(name);
  }

  Result<PlannedCall> UpdateModel() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    return Edit(name, 0, {{ModelNote::Kind::kDescription, "", fields_.Text("description")}},
                Then::kModel);
  }

  Result<PlannedCall> DeleteModel() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    return Edit(name, 0, {{ModelNote::Kind::kUnregister, "", ""}}, Then::kNothing);
  }

  Result<std::string> RenameModel() {
    return BadRequest("a model is not renamed: statements and decisions name it");
  }

  Result<PlannedCall> SetModelTag() { return Tag(ModelNote::Kind::kSetTag, false); }
  Result<PlannedCall> DropModelTag() { return Tag(ModelNote::Kind::kDropTag, false); }
  Result<PlannedCall> SetVersionTag() { return Tag(ModelNote::Kind::kSetTag, true); }
  Result<PlannedCall> DropVersionTag() { return Tag(ModelNote::Kind::kDropTag, true); }

  Result<PlannedCall> SetAlias() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    HR_ASSIGN(std::string alias, fields_.Needed("alias"));
    HR_ASSIGN(int32_t version, fields_.Version());
    return Edit(name, version, {{ModelNote::Kind::kSetAlias, alias, ""}}, Then::kNothing);
  }

  Result<PlannedCall> DropAlias() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    HR_ASSIGN(std::string alias, fields_.Needed("alias"));
    return Edit(name, 0, {{ModelNote::Kind::kDropAlias, alias, ""}}, Then::kNothing);
  }

  Result<std::string> GetByAlias() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    HR_ASSIGN(std::string alias, fields_.Needed("alias"));
    HR_ASSIGN(ServedModel model, ModelOf(engine_, name));
    auto known = model.notes.aliases.find(alias);
    if (known == model.notes.aliases.end()) {
      return BadRequest("Registered model alias " + alias + " not found.");
    }
    return VersionAnswer(name, known->second);
  }

  Result<PlannedCall> CreateVersion() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    HR_ASSIGN(std::string source, fields_.Needed("source"));
    HR_ASSIGN(std::string file, ResolveSource(source, sources_));
    std::vector<ModelNote> notes = {{ModelNote::Kind::kSource, "", source}};
    AddText("description", ModelNote::Kind::kDescription, notes);
    AddText("run_id", ModelNote::Kind::kRunId, notes);
    AddText("run_link", ModelNote::Kind::kRunLink, notes);
    HR_TRY(fields_.TakeTags(notes));
    Result<ServedModel> model = ModelOf(engine_, name);
    if (!model.ok()) return std::move(model).error();
    PlannedCall planned = Edit(name, 0, std::move(notes), Then::kVersion);
    planned.edit.file = std::move(file);
    return planned;
  }

  Result<std::string> GetVersion() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    HR_ASSIGN(int32_t version, fields_.Version());
    return VersionAnswer(name, version);
  }

  Result<PlannedCall> UpdateVersion() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    HR_ASSIGN(int32_t version, fields_.Version());
    return Edit(name, version, {{ModelNote::Kind::kDescription, "", fields_.Text("description")}},
                Then::kVersion);
  }

  Result<PlannedCall> DeleteVersion() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    HR_ASSIGN(int32_t version, fields_.Version());
    return Edit(name, version, {{ModelNote::Kind::kHide, "", ""}}, Then::kNothing);
  }

  Result<std::string> GetDownloadUri() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    HR_ASSIGN(int32_t number, fields_.Version());
    HR_ASSIGN(ServedModel model, ModelOf(engine_, name));
    HR_ASSIGN(const ServedVersion* version, VersionOf(model, number));
    std::string out = "{\"artifact_uri\":";
    AppendQuoted(SourceOf(model, *version), out);
    return out + "}";
  }

  Result<std::string> GetLatestVersions() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    HR_ASSIGN(ServedModel model, ModelOf(engine_, name));
    const std::string stages = fields_.Text("stages");
    std::string out = "{\"model_versions\":[";
    for (const ServedVersion* version : LatestVersions(model)) {
      const bool wanted =
          stages.empty() || stages == "[]" || stages.find(StageOf(*version)) != std::string::npos;
      if (!wanted) continue;
      if (out.back() != '[') out += ',';
      AppendModelVersion(model, *version, out);
    }
    return out + "]}";
  }

  Result<std::string> SearchModels() {
    HR_ASSIGN(Page page, ReadPage(false, kModelsDefault));
    std::vector<ServedModel> models = engine_.models();
    std::vector<std::pair<SearchedItem, std::string>> found;
    for (const ServedModel& model : models) {
      SearchedItem item = ItemOf(model);
      if (!page.Takes(item)) continue;
      std::string json;
      AppendRegisteredModel(model, json);
      found.emplace_back(std::move(item), std::move(json));
    }
    return page.Cut("registered_models", std::move(found));
  }

  Result<std::string> SearchVersions() {
    HR_ASSIGN(Page page, ReadPage(true, kSearchMax));
    std::vector<ServedModel> models = engine_.models();
    std::vector<std::pair<SearchedItem, std::string>> found;
    for (const ServedModel& model : models) {
      for (const ServedVersion* version : ShownVersions(model)) {
        SearchedItem item = ItemOf(model, *version);
        if (!page.Takes(item)) continue;
        std::string json;
        AppendModelVersion(model, *version, json);
        found.emplace_back(std::move(item), std::move(json));
      }
    }
    return page.Cut("model_versions", std::move(found));
  }

  // The answer to an edit that was made: `version` is what it gave.
  Result<std::string> Finish(Then then, const Result<int32_t>& version) {
    const std::string name = fields_.Text("name");
    if (!version.ok()) {
      const Error& error = version.error();
      const bool taken = then == Then::kModel && error.kind() == ErrorKind::kAlreadyExists;
      if (!taken) return error;
      return Error(ErrorKind::kAlreadyExists, error.code(),
                   "Registered Model (name=" + name + ") already exists.");
    }
    if (then == Then::kModel) return ModelAnswer(name);
    return then == Then::kVersion ? VersionAnswer(name, *version) : std::string("{}");
  }

  // The statements that move a version to a stage; empty when it is there.
  Result<std::string> StageStatements() {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    HR_ASSIGN(int32_t number, fields_.Version());
    HR_ASSIGN(std::string stage, fields_.Needed("stage"));
    HR_ASSIGN(ServedModel model, ModelOf(engine_, name));
    HR_ASSIGN(const ServedVersion* version, VersionOf(model, number));
    if (EqualsIgnoringCase(stage, StageOf(*version))) return std::string();
    std::string quoted = "\"";
    for (char c : name)
      quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    const std::string alter = "ALTER MODEL " + quoted + "\" ";
    const std::string of = " VERSION " + std::to_string(number);
    if (EqualsIgnoringCase(stage, "Staging")) return alter + "SHADOW" + of + ";";
    if (EqualsIgnoringCase(stage, "Archived")) return alter + "RETIRE" + of + ";";
    if (!EqualsIgnoringCase(stage, "Production")) {
      return BadRequest("a version moves to Production, Staging or Archived");
    }
    std::string script = alter + "ACTIVATE" + of + " BECAUSE 'stage Production, over MLflow';";
    if (fields_.Text("archive_existing_versions") == "true" && model.deciding != 0) {
      script += alter + "RETIRE VERSION " + std::to_string(model.deciding) + ";";
    }
    return script;
  }

 private:
  struct Page {
    std::vector<FilterClause> filter;
    std::vector<SearchOrder> order;
    size_t from = 0;
    size_t size = 0;

    bool Takes(const SearchedItem& item) const {
      return std::all_of(filter.begin(), filter.end(),
                         [&](const FilterClause& clause) { return clause.Holds(item); });
    }

    // The page of what was found, and the token of the next.
    std::string Cut(std::string_view name,
                    std::vector<std::pair<SearchedItem, std::string>> found) const {
      std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
        return ComesBefore(order, a.first, b.first);
      });
      const size_t begin = std::min(from, found.size());
      const size_t end = std::min(begin + size, found.size());
      std::string out = "{\"" + std::string(name) + "\":[";
      for (size_t i = begin; i < end; ++i)
        out += (i > begin ? "," : "") + found[i].second;
      out += ']';
      if (end < found.size()) out += ",\"next_page_token\":\"" + std::to_string(end) + "\"";
      return out + "}";
    }
  };

  Result<Page> ReadPage(bool versions, int64_t otherwise) const {
    Page page;
    HR_ASSIGN(page.filter, ParseFilter(fields_.Text("filter"), versions));
    HR_ASSIGN(page.order, ParseSearchOrder(fields_.Text("order_by")));
    if (versions) page.order.push_back({SearchOrder::Column::kUpdated, true});
    page.order.push_back({SearchOrder::Column::kName, false});
    page.order.push_back({SearchOrder::Column::kVersion, true});
    HR_ASSIGN(int64_t size, fields_.Number("max_results", otherwise, kSearchMax));
    HR_ASSIGN(int64_t from, fields_.Number("page_token", 0, INT32_MAX));
    page.size = static_cast<size_t>(size);
    page.from = static_cast<size_t>(from);
    return page;
  }

  void AddText(std::string_view field, ModelNote::Kind kind, std::vector<ModelNote>& notes) const {
    std::string text = fields_.Text(field);
    if (!text.empty()) notes.push_back({kind, "", std::move(text)});
  }

  PlannedCall Edit(const std::string& model, int32_t version, std::vector<ModelNote> notes,
                   Then then) const {
    PlannedCall planned;
    planned.edit.model = model;
    planned.edit.version = version;
    planned.edit.notes = {now_ms_, std::move(notes)};
    planned.then = then;
    return planned;
  }

  Result<PlannedCall> Tag(ModelNote::Kind kind, bool of_version) {
    HR_ASSIGN(std::string name, fields_.Needed("name"));
    HR_ASSIGN(std::string key, fields_.Needed("key"));
    int32_t version = 0;
    if (of_version) {
      HR_ASSIGN(version, fields_.Version());
    }
    return Edit(name, version, {{kind, key, fields_.Text("value")}}, Then::kNothing);
  }

  Result<std::string> ModelAnswer(const std::string& name) {
    HR_ASSIGN(ServedModel model, ModelOf(engine_, name));
    std::string out = "{\"registered_model\":";
    AppendRegisteredModel(model, out);
    return out + "}";
  }

  Result<std::string> VersionAnswer(const std::string& name, int32_t number) {
    HR_ASSIGN(ServedModel model, ModelOf(engine_, name));
    HR_ASSIGN(const ServedVersion* version, VersionOf(model, number));
    std::string out = "{\"model_version\":";
    AppendModelVersion(model, *version, out);
    return out + "}";
  }

  engine::Engine& engine_;
  const SourcePolicy& sources_;
  int64_t now_ms_;
  Fields fields_;
};

struct Endpoint {
  Method method;
  std::string_view path;
  Result<std::string> (Call::*read)() = nullptr;
  Result<PlannedCall> (Call::*edit)() = nullptr;
};

constexpr std::array kEndpoints = {
    Endpoint{Method::kPost, "registered-models/create", nullptr, &Call::CreateModel},
    Endpoint{Method::kGet, "registered-models/get", &Call::GetModel},
    Endpoint{Method::kGet, "registered-models/search", &Call::SearchModels},
    Endpoint{Method::kPost, "registered-models/search", &Call::SearchModels},
    Endpoint{Method::kPatch, "registered-models/update", nullptr, &Call::UpdateModel},
    Endpoint{Method::kPost, "registered-models/rename", &Call::RenameModel},
    Endpoint{Method::kDelete, "registered-models/delete", nullptr, &Call::DeleteModel},
    Endpoint{Method::kPost, "registered-models/set-tag", nullptr, &Call::SetModelTag},
    Endpoint{Method::kDelete, "registered-models/delete-tag", nullptr, &Call::DropModelTag},
    Endpoint{Method::kPost, "registered-models/alias", nullptr, &Call::SetAlias},
    Endpoint{Method::kGet, "registered-models/alias", &Call::GetByAlias},
    Endpoint{Method::kDelete, "registered-models/alias", nullptr, &Call::DropAlias},
    Endpoint{Method::kPost, "registered-models/get-latest-versions", &Call::GetLatestVersions},
    Endpoint{Method::kGet, "registered-models/get-latest-versions", &Call::GetLatestVersions},
    Endpoint{Method::kPost, "model-versions/create", nullptr, &Call::CreateVersion},
    Endpoint{Method::kGet, "model-versions/get", &Call::GetVersion},
    Endpoint{Method::kGet, "model-versions/search", &Call::SearchVersions},
    Endpoint{Method::kPatch, "model-versions/update", nullptr, &Call::UpdateVersion},
    Endpoint{Method::kDelete, "model-versions/delete", nullptr, &Call::DeleteVersion},
    Endpoint{Method::kGet, "model-versions/get-download-uri", &Call::GetDownloadUri},
    Endpoint{Method::kPost, "model-versions/set-tag", nullptr, &Call::SetVersionTag},
    Endpoint{Method::kDelete, "model-versions/delete-tag", nullptr, &Call::DropVersionTag},
    // Its answer comes when the statements are deployed.
    Endpoint{Method::kPost, "model-versions/transition-stage", &Call::StageStatements},
};

Response ResponseOf(Result<std::string> given) {
  return given.ok() ? Given(std::move(*given)) : Refusal(given.error());
}

Result<const Endpoint*> EndpointOf(const Route& route, Method method) {
  bool known = false;
  for (const Endpoint& endpoint : kEndpoints) {
    if (endpoint.path != route.detail) continue;
    if (endpoint.method == method) return &endpoint;
    known = true;
  }
  if (known) {
    return Error(ErrorKind::kInvalidArgument, kMethodNotAllowed,
                 "another method is needed for /api/2.0/mlflow/" + route.detail);
  }
  return Error(ErrorKind::kNotFound, kNoSuchPath,
               "nothing is served at /api/2.0/mlflow/" + route.detail)
      .WithHint("of MLflow's API there are registered models and model versions");
}

}  // namespace

void MlflowApi::Handle(const Route& route, const Request& request, Answer answer) {
  Result<const Endpoint*> endpoint = EndpointOf(route, request.method);
  if (!endpoint.ok()) return answer(Refusal(endpoint.error()));
  Result<Fields> fields = Fields::Of(route, request);
  if (!fields.ok()) return answer(Refusal(fields.error()));
  constexpr int64_t kMicrosPerMilli = 1000;
  auto call = std::make_shared<Call>(engine_, sources_, clock_.NowMicros() / kMicrosPerMilli,
                                     std::move(*fields));
  if ((*endpoint)->edit != nullptr) {
    Result<PlannedCall> planned = ((*call).*((*endpoint)->edit))();
    if (!planned.ok()) return answer(Refusal(planned.error()));
    planned->edit.done = [alive = std::weak_ptr(alive_), call, then = planned->then,
                          answer = std::move(answer)](const Result<int32_t>& done) {
      if (alive.lock()) answer(ResponseOf(call->Finish(then, done)));
    };
    return engine_.EditModel(std::move(planned->edit));
  }
  if ((*endpoint)->read == &Call::StageStatements) {
    Result<std::string> script = call->StageStatements();
    if (!script.ok()) return answer(Refusal(script.error()));
    auto finish = [alive = std::weak_ptr(alive_), call,
                   answer = std::move(answer)](const Status& done) {
      if (!alive.lock()) return;
      answer(done.ok() ? ResponseOf(call->GetVersion()) : Refusal(done.error()));
    };
    return script->empty() ? finish(Ok()) : engine_.Deploy(*script, "mlflow", std::move(finish));
  }
  // A pattern over many long texts takes its time.
  AnswerFrom(
      runner_, [call, read = (*endpoint)->read] { return ResponseOf(((*call).*read)()); },
      std::move(answer));
}

}  // namespace headrace::serve
