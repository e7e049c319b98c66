// headrace model show|add|activate|shadow|retire|rollback: versions of a model, in a data directory
// or in a running server.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <simdjson.h>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/listing.h"
#include "cli/remote.h"
#include "cli/workspace.h"

namespace headrace::cli {
namespace {

std::string Quoted(std::string_view text, char mark) {
  std::string out(1, mark);
  for (char c : text) {
    if (c == mark) out += mark;
    out += c;
  }
  return out + mark;
}

// Where a command works: --data or --url, one of them.
class Place {
 public:
  static Result<Place> Open(const Arguments& arguments, bool read_only) {
    const std::string* url = arguments.Find("--url");
    const std::string* directory = arguments.Find("--data");
    if ((url == nullptr) == (directory == nullptr)) {
      return BadUsage("either --data DIR or --url URL is meant");
    }
    Place place;
    if (url != nullptr) {
      HR_ASSIGN(Remote remote, Remote::At(*url));
      place.remote_ = std::make_unique<Remote>(std::move(remote));
    } else {
      WorkspaceOptions options;
      options.directory = *directory;
      options.read_only = read_only;
      HR_ASSIGN(place.workspace_, Workspace::Open(options));
    }
    return place;
  }

  Result<std::string> Report(const std::string& model) {
    return remote_ ? remote_->Get("/api/v1/models/" + PathSegment(model))
                   : workspace_->engine().ModelReport(model);
  }
  Status Execute(const std::string& text) {
    if (!remote_) {
      HR_TRY(workspace_->engine().Execute(text, "command line"));
      return workspace_->Close();
    }
    Result<std::string> answer = remote_->Sql(text);
    return answer.ok() ? Ok() : Status(answer.error());
  }

 private:
  std::unique_ptr<Remote> remote_;
  std::unique_ptr<Workspace> workspace_;
};

ExitCode Finish(const Status& done, Console& console, std::string_view command) {
  if (done.ok()) return ExitCode::kOk;
  const Error& error = done.error();
  if (error.code() == "HR9001") return console.FailUsage(error.message(), command);
  return console.Fail(error);
}

// ALTER MODEL name <what>.
Status Alter(const Arguments& arguments, const std::string& what) {
  HR_ASSIGN(Place place, Place::Open(arguments, false));
  return place.Execute("ALTER MODEL " + Quoted(arguments.positionals()[0], '"') + " " + what);
}

Result<int64_t> Version(const Arguments& arguments) {
  const std::string& text = arguments.positionals()[1];
  const bool digits = !text.empty() && text.size() < 10 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) return BadUsage("a version is a number, not `" + text + "`");
  return std::stoll(text);
}

template <typename Words>
ExitCode AlterVersion(const Arguments& arguments, Console& console, Words words,
                      std::string_view command) {
  Result<int64_t> version = Version(arguments);
  if (!version.ok()) return console.FailUsage(version.error().message(), command);
  return Finish(Alter(arguments, words + std::to_string(*version)), console, command);
}

Status Add(const Arguments& arguments) {
  HR_ASSIGN(Place place, Place::Open(arguments, false));
  const std::string& name = arguments.positionals()[0];
  // The server reads the file itself, from wherever it runs.
  const std::string path = std::filesystem::absolute(arguments.positionals()[1]).string();
  const std::string with = " WITH (path = " + Quoted(path, '\'') + ")";
  Status added = place.Execute("ALTER MODEL " + Quoted(name, '"') + " ADD VERSION" + with);
  const bool unknown = !added.ok() && added.error().code() == "HR1107";
  return unknown ? place.Execute("CREATE MODEL " + Quoted(name, '"') + with) : added;
}

// The version that decided before the one that decides.
Result<int64_t> VersionBefore(const std::string& report, const std::string& name) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  simdjson::dom::array history;
  if (parser.parse(report).get(document) != simdjson::SUCCESS ||
      document["history"].get(history) != simdjson::SUCCESS) {
    return Error(ErrorKind::kInternal, "HR9021", "the report of a model does not parse");
  }
  if (history.size() >= 2) {
    return history.at(history.size() - 2)["version"].get_int64().value_unsafe();
  }
  return Error(ErrorKind::kNotFound, "HR1206", "no other version of `" + name + "` has decided");
}

// What a gate looks at: how the shadow would have decided.
struct Comparison {
  uint64_t compared = 0;
  uint64_t flips = 0;
};

Result<Comparison> ComparisonOf(const std::string& report, int64_t version) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(report).get(document) != simdjson::SUCCESS) {
    return Error(ErrorKind::kInternal, "HR9021", "the report of a model does not parse");
  }
  for (simdjson::dom::element shadow : document["comparisons"].get_array()) {
    if (shadow["shadow"].get_int64().value_unsafe() != version) continue;
    return Comparison{shadow["compared"].get_uint64().value_unsafe(),
                      shadow["flips"].get_uint64().value_unsafe()};
  }
  return Comparison{};
}

// Why the gate is shut; empty: it is open.
std::string Objection(const Comparison& seen, double flips_max, int64_t rows_min) {
  if (seen.compared < static_cast<uint64_t>(rows_min)) {
    return std::to_string(seen.compared) + " rows compared as a shadow, at least " +
           std::to_string(rows_min) + " are wanted";
  }
  const double percent = 100 * static_cast<double>(seen.flips) /
                         static_cast<double>(std::max<uint64_t>(seen.compared, 1));
  if (percent <= flips_max) return "";
  char text[160];
  std::snprintf(text, sizeof text,
                "%.2f %% of the decisions would have been others, at most %g %% "
                "may",
                percent, flips_max);
  return text;
}

Status Promote(const Arguments& arguments) {
  HR_ASSIGN(int64_t version, Version(arguments));
  HR_ASSIGN(int64_t rows_min, arguments.Integer("--min-rows", 100, 1, INT64_MAX));
  const std::string limit = arguments.Get("--max-flips", "5");
  char* end = nullptr;
  const double flips_max = std::strtod(limit.c_str(), &end);
  if (*end != '\0' || limit.empty() || !(flips_max >= 0 && flips_max <= 100)) {
    return BadUsage("--max-flips takes a percentage, not `" + limit + "`");
  }
  HR_ASSIGN(Place place, Place::Open(arguments, false));
  const std::string& name = arguments.positionals()[0];
  HR_ASSIGN(std::string report, place.Report(name));
  HR_ASSIGN(Comparison seen, ComparisonOf(report, version));
  const std::string objection = Objection(seen, flips_max, rows_min);
  const std::string reason = arguments.Get("--reason", "");
  if (!objection.empty() && reason.empty()) {
    return Error(ErrorKind::kAlreadyExists, "HR1215",
                 "version " + std::to_string(version) + " is not promoted: " + objection)
        .WithHint(
            "SHADOW it and look at `headrace model show`; --reason TEXT promotes it all the "
            "same, and is kept");
  }
  std::string why = std::to_string(seen.flips) + " of " + std::to_string(seen.compared) +
                    " decisions would have been others";
  if (!objection.empty()) why += "; against the gate (" + objection + ")";
  if (!reason.empty()) why += ": " + reason;
  return place.Execute("ALTER MODEL " + Quoted(name, '"') + " ACTIVATE VERSION " +
                       std::to_string(version) + " BECAUSE " + Quoted(why, '\''));
}

Status Rollback(const Arguments& arguments) {
  HR_ASSIGN(Place place, Place::Open(arguments, false));
  const std::string& name = arguments.positionals()[0];
  HR_ASSIGN(std::string report, place.Report(name));
  HR_ASSIGN(int64_t before, VersionBefore(report, name));
  return place.Execute("ALTER MODEL " + Quoted(name, '"') + " ACTIVATE VERSION " +
                       std::to_string(before));
}

std::string ReportText(const std::string& report) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(report).get(document) != simdjson::SUCCESS) return report + "\n";
  Listing versions({"version", "role", "format", "sha256", "decides_from"});
  for (simdjson::dom::element version : document["versions"].get_array()) {
    versions.Add({Cell::Number(version["number"].get_int64().value_unsafe()),
                  Cell::Text(version["role"].get_string().value_unsafe()),
                  Cell::Text(version["format"].get_string().value_unsafe()),
                  Cell::Text(version["sha256"].get_string().value_unsafe()),
                  Cell::Text(simdjson::minify(version["decides_from"]))});
  }
  std::string out = versions.Table();
  for (simdjson::dom::element shadow : document["comparisons"].get_array()) {
    out += "\nshadow " + std::to_string(shadow["shadow"].get_int64().value_unsafe()) +
           " since LSN " + std::to_string(shadow["since_lsn"].get_int64().value_unsafe()) + ": " +
           std::to_string(shadow["compared"].get_int64().value_unsafe()) + " rows of " +
           std::string(shadow["stream"].get_string().value_unsafe()) + " compared, " +
           std::to_string(shadow["flips"].get_int64().value_unsafe()) +
           " would have been decided otherwise\n";
    for (simdjson::dom::element flip : shadow["details"].get_array()) {
      out += "  " + simdjson::minify(flip["from"]) + " -> " + simdjson::minify(flip["to"]) + "  " +
             std::to_string(flip["count"].get_int64().value_unsafe()) + "\n";
    }
  }
  return out;
}

ExitCode RunShow(const Arguments& arguments, Console& console) {
  Result<Place> place = Place::Open(arguments, true);
  if (!place.ok()) return Finish(Status(place.error()), console, "model show");
  Result<std::string> report = place->Report(arguments.positionals()[0]);
  if (!report.ok()) return console.Fail(report.error());
  console.Out(arguments.Has("--json") ? *report + "\n" : ReportText(*report));
  return ExitCode::kOk;
}

ExitCode RunAdd(const Arguments& arguments, Console& console) {
  return Finish(Add(arguments), console, "model add");
}
ExitCode RunActivate(const Arguments& arguments, Console& console) {
  return AlterVersion(arguments, console, std::string("ACTIVATE VERSION "), "model activate");
}
ExitCode RunShadow(const Arguments& arguments, Console& console) {
  return AlterVersion(arguments, console, std::string("SHADOW VERSION "), "model shadow");
}
ExitCode RunRetire(const Arguments& arguments, Console& console) {
  return AlterVersion(arguments, console, std::string("RETIRE VERSION "), "model retire");
}
ExitCode RunPromote(const Arguments& arguments, Console& console) {
  return Finish(Promote(arguments), console, "model promote");
}
ExitCode RunRollback(const Arguments& arguments, Console& console) {
  return Finish(Rollback(arguments), console, "model rollback");
}

Command Of(std::string_view name, std::string_view summary, std::string_view positionals,
           ExitCode (*run)(const Arguments&, Console&)) {
  Command command{.name = name, .group = "Models", .summary = summary, .positionals = positionals};
  const size_t words = positionals == "MODEL" ? 1 : 2;
  command.positionals_min = words;
  command.positionals_max = words;
  command.flags = {kDataFlag, kUrlFlag};
  command.run = run;
  return command;
}

}  // namespace

Command ModelShowCommand() {
  Command command = Of("model show", "show a model's versions, and how its shadows would decide",
                       "MODEL", RunShow);
  command.flags.push_back({"--json", "", "one JSON document"});
  command.more =
      "A shadow is compared with the version that decides by running the events since it became\n"
      "one again, with the shadow in its place.\n";
  return command;
}
Command ModelAddCommand() {
  return Of("model add", "make a model of a file, or add it as the next version", "MODEL FILE",
            RunAdd);
}
Command ModelActivateCommand() {
  return Of("model activate", "let a version decide from now on", "MODEL VERSION", RunActivate);
}
Command ModelShadowCommand() {
  return Of("model shadow", "compare a version with the one that decides", "MODEL VERSION",
            RunShadow);
}
Command ModelPromoteCommand() {
  Command command = Of("model promote", "let a shadow decide, if it passes the gate",
                       "MODEL VERSION", RunPromote);
  command.flags.push_back({"--max-flips", "PERCENT", "of the decisions that would be others (5)"});
  command.flags.push_back({"--min-rows", "N", "that were compared (100)"});
  command.flags.push_back({"--reason", "TEXT", "promote it whatever the gate says; it is kept"});
  return command;
}
Command ModelRetireCommand() {
  return Of("model retire", "mark a version as not needed any more", "MODEL VERSION", RunRetire);
}
Command ModelRollbackCommand() {
  return Of("model rollback", "let the version decide that decided before", "MODEL", RunRollback);
}

}  // namespace headrace::cli
