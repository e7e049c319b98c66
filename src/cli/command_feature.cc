// headrace feature ls|show|get: the columns that are computed from the past of a key, in a data
// directory or in a running server.

#include <memory>
#include <string>

#include <simdjson.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/remote.h"
#include "cli/workspace.h"
#include "engine/feature_report.h"

namespace headrace::cli {
namespace {

using simdjson::dom::element;

// Where a command looks: --data or --url, one of them.
class Place {
 public:
  static Result<Place> Open(const Arguments& arguments) {
    const std::string* url = arguments.Find("--url");
    const std::string* directory = arguments.Find("--data");
    if ((url == nullptr) == (directory == nullptr)) {
      return BadUsage("either --data DIR or --url URL is meant");
    }
    Place place;
    if (url != nullptr) {
      HR_ASSIGN(Remote remote, Remote::At(*url));
      place.remote_ = std::make_unique<Remote>(std::move(remote));
      return place;
    }
    WorkspaceOptions options;
    options.directory = *directory;
    options.read_only = true;
    HR_ASSIGN(place.workspace_, Workspace::Open(options));
    return place;
  }

  Result<std::string> Report(const std::string& only) {
    if (workspace_) return workspace_->engine().FeatureReport(only);
    return remote_->Get("/api/v1/features" + (only.empty() ? "" : "?name=" + PathSegment(only)));
  }

  Result<std::string> Value(const engine::FeatureRequest& request) {
    const engine::FeatureRequest::Column& column = request.columns.front();
    if (workspace_) {
      HR_ASSIGN(auto answer, workspace_->engine().ReadFeatures(request, true));
      return engine::FeatureValuesJson(request, *answer);
    }
    std::string path = "/api/v1/features/" + PathSegment(column.stream + ":" + column.name);
    char mark = '?';
    for (const engine::FeatureRequest::Entity& entity : request.entities) {
      path += mark + PathSegment(entity.name) + "=" + PathSegment(entity.texts.front());
      mark = '&';
    }
    return remote_->Get(path);
  }

 private:
  std::unique_ptr<Remote> remote_;
  std::unique_ptr<Workspace> workspace_;
};

ExitCode Fail(const Error& error, Console& console, std::string_view command) {
  if (error.code() == "HR9001") return console.FailUsage(error.message(), command);
  return console.Fail(error);
}

// Text, number or null as a person reads it; a list with commas between.
std::string Plain(element value) {
  if (value.is_null()) return "-";
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return std::string(text);
  simdjson::dom::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS) return simdjson::minify(value);
  std::string out;
  for (element each : list)
    out += (out.empty() ? "" : ", ") + Plain(each);
  return out;
}

std::string Member(element object, const char* name) {
  element value;
  return object[name].get(value) == simdjson::SUCCESS ? Plain(value) : "-";
}

// Calls `take` with each object of the array under `name`.
template <typename Take>
Status ForEach(const std::string& json, const char* name, const Take& take) {
  simdjson::dom::parser parser;
  element document;
  simdjson::dom::array list;
  if (parser.parse(json).get(document) != simdjson::SUCCESS ||
      document[name].get_array().get(list) != simdjson::SUCCESS) {
    return Error(ErrorKind::kIo, "HR9021", "the answer is not what was asked for");
  }
  for (element each : list)
    take(each);
  return Ok();
}

ExitCode RunList(const Arguments& arguments, Console& console) {
  Result<Place> place = Place::Open(arguments);
  if (!place.ok()) return Fail(place.error(), console, "feature ls");
  Result<std::string> report = place->Report("");
  if (!report.ok()) return Fail(report.error(), console, "feature ls");
  Listing listing(
      {"feature", "type", "entity", "definition", "newest_event_time", "null_rate", "models"});
  Status read = ForEach(*report, "features", [&](element feature) {
    std::vector<Cell> row;
    for (const char* name :
         {"feature", "type", "entity", "definition", "newest_event_time", "null_rate", "models"}) {
      row.push_back(Cell::Text(Member(feature, name)));
    }
    listing.Add(std::move(row));
  });
  if (!read.ok()) return Fail(read.error(), console, "feature ls");
  listing.Print(arguments, console);
  return ExitCode::kOk;
}

std::string Described(element feature) {
  std::string out = Member(feature, "feature") + "  " + Member(feature, "type") + "\n";
  out += "  of         " + Member(feature, "entity") + "\n";
  out += "  is         " + Member(feature, "definition") + "\n";
  simdjson::dom::array windows;
  if (feature["windows"].get_array().get(windows) == simdjson::SUCCESS) {
    for (element window : windows)
      out += "  window     " + Member(window, "call") + " over " + Member(window, "window") + "\n";
  }
  out += "  comes from " + Member(feature, "inputs") + "\n";
  out += "  read by    " + Member(feature, "read_by") + "\n";
  out += "  models     " + Member(feature, "models") + "\n";
  out += "  newest     " + Member(feature, "newest_event_time") + ", " +
         Member(feature, "age_seconds") + " s old\n";
  out += "  null       " + Member(feature, "null_rows") + " of the last " +
         Member(feature, "sampled_rows") + " rows\n";
  return out + "\n" + Member(feature, "statement") + "\n";
}

ExitCode RunShow(const Arguments& arguments, Console& console) {
  Result<Place> place = Place::Open(arguments);
  if (!place.ok()) return Fail(place.error(), console, "feature show");
  Result<std::string> report = place->Report(arguments.positionals()[0]);
  if (!report.ok()) return Fail(report.error(), console, "feature show");
  if (arguments.Has("--json")) {
    console.Out(*report);
    return ExitCode::kOk;
  }
  Status read =
      ForEach(*report, "features", [&](element feature) { console.Out(Described(feature)); });
  return read.ok() ? ExitCode::kOk : Fail(read.error(), console, "feature show");
}

Result<engine::FeatureRequest> RequestOf(const Arguments& arguments) {
  engine::FeatureRequest request;
  const std::string& name = arguments.positionals()[0];
  const size_t colon = name.rfind(':');
  if (colon == std::string::npos) return BadUsage("a feature is STREAM:COLUMN, not `" + name + "`");
  request.columns.push_back({name.substr(0, colon), name.substr(colon + 1)});
  for (size_t i = 1; i < arguments.positionals().size(); ++i) {
    const std::string& entity = arguments.positionals()[i];
    const size_t equals = entity.find('=');
    if (equals == std::string::npos || equals == 0) {
      return BadUsage("an entity is COLUMN=VALUE, not `" + entity + "`");
    }
    request.entities.push_back({entity.substr(0, equals), {entity.substr(equals + 1)}});
  }
  return request;
}

ExitCode RunGet(const Arguments& arguments, Console& console) {
  Result<engine::FeatureRequest> request = RequestOf(arguments);
  if (!request.ok()) return Fail(request.error(), console, "feature get");
  Result<Place> place = Place::Open(arguments);
  if (!place.ok()) return Fail(place.error(), console, "feature get");
  Result<std::string> values = place->Value(*request);
  if (!values.ok()) return Fail(values.error(), console, "feature get");
  if (arguments.Has("--json")) {
    console.Out(*values);
    return ExitCode::kOk;
  }
  Status read = ForEach(*values, "values", [&](element value) {
    console.Out(Member(value, "value") + "\n");
    console.Note(Member(value, "status") + ", event time " + Member(value, "event_time") + "\n");
  });
  return read.ok() ? ExitCode::kOk : Fail(read.error(), console, "feature get");
}

const std::vector<Flag> kPlaceFlags = {{"--data", "DIR", "the data directory"}, kUrlFlag};
constexpr Flag kJsonFlag = {"--json", "", "as one JSON document"};

}  // namespace

Command FeatureListCommand() {
  return {.name = "feature ls",
          .group = "Models",
          .summary = "list the columns that are computed from the past of a key",
          .flags = ListingFlags(kPlaceFlags),
          .more =
              "  headrace feature ls --data DIR\n\n"
              "null_rate is of the last 1000 rows of the stream.\n",
          .run = RunList};
}

Command FeatureShowCommand() {
  std::vector<Flag> flags = kPlaceFlags;
  flags.push_back(kJsonFlag);
  return {.name = "feature show",
          .group = "Models",
          .summary = "what a feature is, how fresh, where it comes from and who uses it",
          .positionals = "STREAM:FEATURE",
          .positionals_min = 1,
          .positionals_max = 1,
          .flags = std::move(flags),
          .more = "  headrace feature show scored:n_10m --data DIR\n",
          .run = RunShow};
}

Command FeatureGetCommand() {
  std::vector<Flag> flags = kPlaceFlags;
  flags.push_back(kJsonFlag);
  return {
      .name = "feature get",
      .group = "Models",
      .summary = "the latest value of a feature for one entity",
      .positionals = "STREAM:FEATURE COLUMN=VALUE...",
      .positionals_min = 1,
      .positionals_max = 64,
      .flags = std::move(flags),
      .more =
          "  headrace feature get scored:n_10m card=c1 --url http://127.0.0.1:7070\n\n"
          "The entity is what the feature is kept by: its PARTITION BY, or the keys of a view.\n",
      .run = RunGet};
}

}  // namespace headrace::cli
