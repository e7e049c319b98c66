#include <string>

#include "cli/commands.h"
#include "cli/http_address.h"
#include "cli/workspace.h"
#include "engine/scrubber.h"
#include "serve/http/http_server.h"

namespace headrace::cli {
namespace {

Status Serve(Workspace& workspace, const Arguments& arguments, serve::HttpOptions options,
             Console& console) {
  engine::Scrubber::Options scrub;
  scrub.notice = [&console](const std::string& line) { console.Note(line + "\n"); };
  for (const std::string& path : arguments.positionals()) {
    HR_ASSIGN(std::string text, ReadInput(workspace.files(), path));
    HR_TRY(workspace.engine().Execute(text, path));
  }
  const std::string address = options.address;
  HR_ASSIGN(std::unique_ptr<serve::HttpServer> server,
            serve::HttpServer::Start(workspace.engine(), workspace.metrics(), workspace.clock(),
                                     std::move(options)));
  console.Note("headrace " HEADRACE_VERSION "  http://" + address + ":" +
               std::to_string(server->port()) + "  data=" + workspace.directory() + "\n");
  {
    engine::Scrubber scrubber(workspace.files(), workspace.clock(), workspace.metrics(),
                              workspace.directory(), std::move(scrub));
    // What is thrown away is not worth reading again.
    if (!workspace.is_temporary()) scrubber.Start();
    server->Run();
  }
  return workspace.Close();
}

ExitCode RunServe(const Arguments& arguments, Console& console) {
  Result<serve::HttpOptions> options = ReadHttpAddress(arguments.Get("--http", "127.0.0.1:7070"));
  if (!options.ok()) return console.FailUsage(options.error().message(), "serve");
  options->dangerously_listen_beyond_loopback =
      arguments.Has("--dangerously-listen-beyond-loopback");
  Result<WorkspaceOptions> where = ReadWorkspace(arguments);
  if (!where.ok()) return console.FailUsage(where.error().message(), "serve");
  where->serves = true;
  where->notice = [&console](const std::string& line) { console.Note(line + "\n"); };
  Result<std::unique_ptr<Workspace>> workspace = Workspace::Open(*where);
  if (!workspace.ok()) return console.Fail(workspace.error());
  const std::string& said = (*workspace)->engine().recovery_note();
  if (!said.empty()) console.Note(said + "\n");
  Status served = Serve(**workspace, arguments, *std::move(options), console);
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
