#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/http_address.h"
#include "cli/workspace.h"
#include "engine/local_engine.h"
#include "engine/scrubber.h"
#include "serve/http/http_server.h"
#include "sql/parser.h"

namespace headrace::cli {
namespace {

constexpr std::string_view kStopping = "HR5001";

struct Script {
  std::string path;
  std::string text;
};

Result<std::vector<Script>> ReadScripts(Workspace& workspace, const Arguments& arguments) {
  std::vector<Script> scripts;
  for (const std::string& path : arguments.positionals()) {
    HR_ASSIGN(std::string text, ReadInput(workspace.files(), path));
    scripts.push_back({path, std::move(text)});
  }
  return scripts;
}

// What the scripts define.
std::set<std::string> DefinedBy(const std::vector<Script>& scripts) {
  std::set<std::string> names;
  for (const Script& script : scripts) {
    const sql::ParseResult parsed = sql::Parse(script.text, 0);
    for (const sql::Statement& statement : parsed.statements) {
      if (const auto* relation = std::get_if<sql::CreateRelation>(&statement.body)) {
        names.insert(relation->name.name);
      } else if (const auto* model = std::get_if<sql::CreateModel>(&statement.body)) {
        names.insert(model->name.name);
      }
    }
  }
  return names;
}

// A server that recovers on a thread of its own, and takes part in the world when that is done.
// Confined to the thread that calls Run.
class Serving {
 public:
  Serving(Workspace& workspace, Console& console, std::vector<Script> scripts)
      : workspace_(workspace), console_(console), scripts_(std::move(scripts)) {}

  Status Run(serve::HttpOptions options) {
    address_ = options.address;
    HR_ASSIGN(server_, serve::HttpServer::Start(workspace_.engine(), workspace_.metrics(),
                                                workspace_.clock(), std::move(options)));
    std::thread recovery([this] {
      outcome_ = Recover();
      outcome_.ok() ? server_->Recovered([this] { DeployRest(); }) : server_->RequestStop();
    });
    RunServer();
    recovery.join();
    // Asked to end while it recovered, it has done what was asked for.
    const bool stopped = workspace_.engine().startup().stopped;
    if (!outcome_.ok() && !(stopped && outcome_.error().code() == kStopping)) return outcome_;
    return workspace_.Close();
  }

 private:
  void RunServer() {
    engine::Scrubber::Options scrub;
    scrub.notice = [this](const std::string& line) { console_.Note(line + "\n"); };
    engine::Scrubber scrubber(workspace_.files(), workspace_.clock(), workspace_.metrics(),
                              workspace_.directory(), std::move(scrub));
    // What is thrown away is not worth reading again.
    if (!workspace_.is_temporary()) scrubber.Start();
    server_->Run();
  }

  // With the scripts, as far as no event has to be run again for them.
  Status Recover() {
    HR_TRY(workspace_.Recover(console_));
    for (; deployed_ < scripts_.size(); ++deployed_) {
      const Script& script = scripts_[deployed_];
      HR_ASSIGN(auto changes, workspace_.engine().Plan(script.text, script.path));
      const auto is_known = [](const auto& change) { return change.change == "none"; };
      const auto looks_back = [](const auto& change) { return change.events > 0; };
      // Execute would wait for what a program before this one had not computed to its end.
      if (std::all_of(changes.begin(), changes.end(), is_known)) continue;
      if (std::any_of(changes.begin(), changes.end(), looks_back)) break;
      HR_TRY(workspace_.engine().Execute(script.text, script.path));
    }
    return Ok();
  }

  // On the server's thread: the others are deployed while events are taken, one after the other.
  void DeployRest() {
    console_.Note("headrace " HEADRACE_VERSION "  http://" + address_ + ":" +
                  std::to_string(server_->port()) + "  data=" + workspace_.directory() + "\n");
    DeployNext();
  }

  // A script adds to what the directory has; it takes nothing away that it does not name.
  void TellOthers() {
    const std::set<std::string> defined = DefinedBy(scripts_);
    std::string others;
    const auto add = [&](const std::string& name) {
      if (!defined.contains(name)) others += (others.empty() ? "" : ", ") + name;
    };
    // Engine::Open makes no other.
    const auto& engine = static_cast<const engine::LocalEngine&>(workspace_.engine());
    for (const catalog::Object& object : engine.deployment()->catalog.objects())
      add(object.name);
    if (scripts_.empty() || others.empty()) return;
    console_.Note("in the directory and in no script, they go on: " + others +
                  " (DROP ends what is not wanted)\n");
  }

  void DeployNext() {
    if (deployed_ == scripts_.size()) return TellOthers();
    const Script& script = scripts_[deployed_++];
    workspace_.engine().Deploy(script.text, script.path, [this](Status done) {
      if (done.ok()) return DeployNext();
      // Whoever stops the program knows that it stops.
      if (done.error().code() == kStopping) return;
      outcome_ = std::move(done);
      server_->RequestStop();
    });
  }

  Workspace& workspace_;
  Console& console_;
  const std::vector<Script> scripts_;
  size_t deployed_ = 0;  // of scripts_
  std::string address_;
  std::unique_ptr<serve::HttpServer> server_;
  Status outcome_ = Ok();
};

ExitCode RunServe(const Arguments& arguments, Console& console) {
  Result<serve::HttpOptions> options = ReadHttpAddress(arguments.Get("--http", "127.0.0.1:7070"));
  if (!options.ok()) return console.FailUsage(options.error().message(), "serve");
  options->dangerously_listen_beyond_loopback =
      arguments.Has("--dangerously-listen-beyond-loopback");
  options->models_directory = arguments.Get("--models", "");
  Result<WorkspaceOptions> where = ReadWorkspace(arguments);
  if (!where.ok()) return console.FailUsage(where.error().message(), "serve");
  where->serves = true;
  where->notice = [&console](const std::string& line) { console.Note(line + "\n"); };
  where->recovers_later = true;
  Result<std::unique_ptr<Workspace>> workspace = Workspace::Open(*where);
  if (!workspace.ok()) return console.Fail(workspace.error());
  Result<std::vector<Script>> scripts = ReadScripts(**workspace, arguments);
  if (!scripts.ok()) return console.Fail(scripts.error());
  Serving serving(**workspace, console, *std::move(scripts));
  Status served = serving.Run(*std::move(options));
  return served.ok() ? ExitCode::kOk : console.Fail(served.error());
}

}  // namespace

Command ServeCommand() {
  return {.name = "serve",
          .group = "Run",
          .summary = "take events and answer with decisions over HTTP",
          .positionals = "[FILE.sql...]",
          .positionals_max = 1000,
          .flags = {{"--data", "DIR", "keep log and state here; without it, in a temporary place"},
                    {"--http", "ADDRESS:PORT", "where to listen (127.0.0.1:7070); port 0: any"},
                    kWorkersFlag,
                    kMemoryFlag,
                    {"--models", "DIR",
                     "registry clients may name model files below DIR, and no others"},
                    {"--dangerously-listen-beyond-loopback", "",
                     "there is no TLS and no authentication"}},
          .more =
              "  headrace serve app.sql --data DIR\n"
              "  curl -d '{\"tx_id\":\"t1\", ...}' "
              "'localhost:7070/api/v1/topics/payments/events?return=decisions'\n\n"
              "SIGINT and SIGTERM finish what was taken and end with exit 0.\n",
          .run = RunServe};
}

}  // namespace headrace::cli
