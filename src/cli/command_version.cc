#include <string>

#include "cli/commands.h"
#include "row/text.h"

namespace headrace::cli {
namespace {

ExitCode RunVersion(const Arguments& arguments, Console& console) {
  if (!arguments.Has("--json")) {
    console.Out("headrace " HEADRACE_VERSION "\n");
    return ExitCode::kOk;
  }
  std::string out = R"({"name":"headrace","version":")" HEADRACE_VERSION R"(","compiler":)";
  row::AppendJsonString(__VERSION__, out);
  console.Out(out + "}\n");
  return ExitCode::kOk;
}

}  // namespace

Command VersionCommand() {
  return {.name = "version",
          .group = "Operate",
          .summary = "print the version",
          .flags = {{"--json", "", "one JSON document"}},
          .run = RunVersion};
}

}  // namespace headrace::cli
