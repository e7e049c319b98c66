// headrace model show|add|activate|shadow|canary|promote|retire|rollback: versions of a model, in a
// data directory or in a running server.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/label_flags.h"
#include "cli/model_document.h"
#include "cli/remote.h"
#include "cli/workspace.h"
#include "engine/promotion_gate.h"

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

  Result<std::string> Report(const std::string& model,
                             const std::optional<engine::LabelRequest>& labels) {
    if (!remote_) return workspace_->engine().ModelReport(model, labels);
    const std::string path = "/api/v1/models/" + PathSegment(model);
    return remote_->Get(labels ? path + "?" + LabelParameters(*labels) : path);
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

Result<double> Limit(const Arguments& arguments, std::string_view flag, const std::string& usual,
                     double most) {
  const std::string text = arguments.Get(flag, usual);
  char* end = nullptr;
  const double limit = std::strtod(text.c_str(), &end);
  if (*end == '\0' && !text.empty() && limit >= 0 && limit <= most) return limit;
  return BadUsage(std::string(flag) + " takes a number from 0 to " + std::to_string(int(most)) +
                  ", not `" + text + "`");
}

Result<engine::PromotionGate> ReadGate(const Arguments& arguments) {
  engine::PromotionGate gate;
  HR_ASSIGN(int64_t rows_min, arguments.Integer("--min-rows", 100, 1, INT64_MAX));
  gate.rows_min = static_cast<uint64_t>(rows_min);
  HR_ASSIGN(gate.flips_max, Limit(arguments, "--max-flips", "5", 100));
  HR_ASSIGN(gate.psi_max, Limit(arguments, "--max-psi", "0", 1000));
  return gate;
}

Status Promote(const Arguments& arguments) {
  HR_ASSIGN(int64_t version, Version(arguments));
  HR_ASSIGN(const engine::PromotionGate gate, ReadGate(arguments));
  HR_ASSIGN(auto labels, ReadLabels(arguments));
  HR_ASSIGN(Place place, Place::Open(arguments, false));
  const std::string& name = arguments.positionals()[0];
  HR_ASSIGN(std::string report, place.Report(name, labels));
  HR_ASSIGN(ModelDocument document, ModelDocument::Parse(report));
  const ModelComparison compared = document.Of(version);
  engine::PromotionEvidence seen;
  seen.compared = compared.compared;
  seen.flips = compared.flips;
  seen.psi = compared.psi;
  seen.labelled = compared.labelled;
  seen.before = compared.auc_before;
  seen.after = compared.auc_after;
  const std::string objection = ObjectionOf(gate, seen);
  const std::string reason = arguments.Get("--reason", "");
  if (!objection.empty() && reason.empty()) {
    return Error(ErrorKind::kAlreadyExists, "HR1215",
                 "version " + std::to_string(version) + " is not promoted: " + objection)
        .WithHint(
            "SHADOW or CANARY it and look at `headrace model show`; --reason TEXT promotes it all "
            "the same, and is kept");
  }
  std::string why = engine::ReasonOf(seen);
  if (!objection.empty()) why += "; against the gate (" + objection + ")";
  if (!reason.empty()) why += ": " + reason;
  return place.Execute("ALTER MODEL " + Quoted(name, '"') + " ACTIVATE VERSION " +
                       std::to_string(version) + " BECAUSE " + Quoted(why, '\''));
}

// A percentage as it is written: 0 to 100, no fractions.
Status Canary(const Arguments& arguments) {
  HR_ASSIGN(int64_t version, Version(arguments));
  const std::string& percent = arguments.positionals()[2];
  const bool fits = !percent.empty() && percent.size() <= 3 &&
                    percent.find_first_not_of("0123456789") == std::string::npos &&
                    std::stoi(percent) <= 100;
  if (!fits) return BadUsage("a percentage is a number from 0 to 100, not `" + percent + "`");
  std::string with;
  for (const auto& [flag, option] :
       {std::pair{"--key", "canary_key"}, std::pair{"--salt", "salt"}}) {
    const std::string* value = arguments.Find(flag);
    if (value == nullptr) continue;
    with += (with.empty() ? " WITH (" : ", ") + std::string(option) + " = " + Quoted(*value, '\'');
  }
  return Alter(arguments, "CANARY " + percent + " PERCENT VERSION " + std::to_string(version) +
                              with + (with.empty() ? "" : ")"));
}

Status Show(const Arguments& arguments, Console& console) {
  HR_ASSIGN(auto labels, ReadLabels(arguments));
  HR_ASSIGN(Place place, Place::Open(arguments, true));
  HR_ASSIGN(std::string report, place.Report(arguments.positionals()[0], labels));
  HR_ASSIGN(ModelDocument document, ModelDocument::Parse(report));
  console.Out(arguments.Has("--json") ? report + "\n" : document.Text());
  return Ok();
}

ExitCode RunShow(const Arguments& arguments, Console& console) {
  return Finish(Show(arguments, console), console, "model show");
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
ExitCode RunCanary(const Arguments& arguments, Console& console) {
  return Finish(Canary(arguments), console, "model canary");
}
ExitCode RunPromote(const Arguments& arguments, Console& console) {
  return Finish(Promote(arguments), console, "model promote");
}
ExitCode RunRollback(const Arguments& arguments, Console& console) {
  return Finish(Alter(arguments, "ROLLBACK"), console, "model rollback");
}

Command Of(std::string_view name, std::string_view summary, std::string_view positionals,
           ExitCode (*run)(const Arguments&, Console&)) {
  Command command{.name = name, .group = "Models", .summary = summary, .positionals = positionals};
  const auto words =
      static_cast<size_t>(std::count(positionals.begin(), positionals.end(), ' ')) + 1;
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
  AddLabelFlags(command.flags);
  command.flags.push_back(kSegmentFlag);
  command.more =
      "A shadow or canary is compared with the version that decides by running the events since "
      "it\n"
      "became one again, with it in the place of that.\n";
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
Command ModelCanaryCommand() {
  Command command = Of("model canary", "let a version decide for a share of the keys",
                       "MODEL VERSION PERCENT", RunCanary);
  command.flags.push_back({"--key", "COLUMN", "whose value says who is in (the partition key)"});
  command.flags.push_back({"--salt", "TEXT", "other salts choose other keys"});
  command.more =
      "A key that is in stays in when the share grows. 0 percent ends it, as do `model rollback`,\n"
      "`model promote` and every other role that the version gets.\n";
  return command;
}
Command ModelPromoteCommand() {
  Command command = Of("model promote", "let a shadow or canary decide, if it passes the gate",
                       "MODEL VERSION", RunPromote);
  command.flags.push_back({"--max-flips", "PERCENT", "of the decisions that would be others (5)"});
  command.flags.push_back({"--min-rows", "N", "that were compared (100)"});
  command.flags.push_back({"--max-psi", "X", "by which the scores may have moved (any)"});
  AddLabelFlags(command.flags);
  command.flags.push_back({"--reason", "TEXT", "promote it whatever the gate says; it is kept"});
  return command;
}
Command ModelRetireCommand() {
  return Of("model retire", "mark a version as not needed any more", "MODEL VERSION", RunRetire);
}
Command ModelRollbackCommand() {
  return Of("model rollback", "end a canary, or let the version decide that decided before",
            "MODEL", RunRollback);
}

}  // namespace headrace::cli
