// headrace topic trim: the first events of a topic go, in a data directory or a running server.

#include <optional>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/label_flags.h"
#include "cli/remote.h"
#include "cli/workspace.h"
#include "engine/local_engine.h"
#include "engine/trim.h"
#include "row/text.h"

namespace headrace::cli {
namespace {

Result<engine::TrimRequest> ReadTrim(const Arguments& arguments) {
  const bool by_offset = arguments.Has("--before-offset");
  if (by_offset == arguments.Has("--before-time")) {
    return BadUsage("either --before-offset N or --before-time T is meant");
  }
  engine::TrimRequest request;
  request.topic = arguments.positionals()[0];
  HR_ASSIGN(int64_t partition, arguments.Integer("--partition", -1, 0, INT32_MAX));
  request.partition = static_cast<int32_t>(partition);
  if (by_offset) {
    HR_ASSIGN(request.before_offset, arguments.Integer("--before-offset", 0, 0, INT64_MAX));
    return request;
  }
  HR_ASSIGN(std::optional<int64_t> time, ReadTime(arguments, "--before-time"));
  request.SetTime(*time);
  return request;
}

std::string PathOf(const engine::TrimRequest& request) {
  std::string path = "/api/v1/topics/" + PathSegment(request.topic) + "/events?";
  if (request.before_offset) {
    path += "before_offset=" + std::to_string(*request.before_offset);
  } else {
    std::string time;
    row::AppendRfc3339(request.before_ms * 1000, time);
    path += "before_time=" + PathSegment(time);
  }
  if (request.partition >= 0) path += "&partition=" + std::to_string(request.partition);
  return path;
}

Result<std::string> TrimDirectory(const std::string& directory, engine::TrimRequest request,
                                  Console& console) {
  WorkspaceOptions options;
  options.directory = directory;
  {
    // A directory that is not there is not to be made.
    auto files = os::MakePosixFileSystem();
    HR_TRY(CheckDataDirectory(*files, directory));
  }
  HR_ASSIGN(auto workspace, Workspace::Open(options, console));
  // Engine::Open makes no other.
  auto& engine = static_cast<engine::LocalEngine&>(workspace->engine());
  std::optional<Result<std::string>> told;
  engine.Trim({std::move(request), [&](Result<std::string> done) { told = std::move(done); }});
  HR_TRY(engine.FinishTrims());
  HR_TRY(workspace->Close());
  HR_CHECK(told.has_value());
  return std::move(*told);
}

Result<std::string> Trim(const Arguments& arguments, Console& console) {
  HR_ASSIGN(engine::TrimRequest request, ReadTrim(arguments));
  const std::string* url = arguments.Find("--url");
  const std::string* directory = arguments.Find("--data");
  if ((url == nullptr) == (directory == nullptr)) {
    return BadUsage("either --data DIR or --url URL is meant");
  }
  if (url == nullptr) return TrimDirectory(*directory, std::move(request), console);
  HR_ASSIGN(Remote remote, Remote::At(*url));
  return remote.Delete(PathOf(request));
}

ExitCode RunTrim(const Arguments& arguments, Console& console) {
  Result<std::string> told = Trim(arguments, console);
  if (told.ok()) {
    console.Out(*told + "\n");
    return ExitCode::kOk;
  }
  if (told.error().code() == "HR9001") {
    return console.FailUsage(told.error().message(), "topic trim");
  }
  return console.Fail(told.error());
}

}  // namespace

Command TopicTrimCommand() {
  return {.name = "topic trim",
          .group = "Operate",
          .summary = "remove the first events of a topic, for good",
          .positionals = "TOPIC",
          .positionals_min = 1,
          .positionals_max = 1,
          .flags = {kDataFlag,
                    kUrlFlag,
                    {"--before-offset", "N",
                     "those before it; of a topic of several partitions "
                     "with --partition"},
                    {"--before-time", "T", "those before the first that came at or after it"},
                    {"--partition", "P", "of this one alone"}},
          .more =
              "What was computed from them stands, and goes on as if they were there: a snapshot "
              "stands for\nthem, which is written first. `why` and `verify` go back to it. The "
              "answer is one JSON document.\n",
          .run = RunTrim};
}

}  // namespace headrace::cli
