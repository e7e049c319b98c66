#include "cli/data_commands.h"

namespace headrace::cli {

std::unique_ptr<Workspace> OpenData(const Arguments& arguments, Console& console,
                                    std::string_view command, ExitCode* code) {
  const std::string* directory = arguments.Find("--data");
  if (directory == nullptr) {
    *code = console.FailUsage("--data DIR is missing", command);
    return nullptr;
  }
  Result<std::unique_ptr<Workspace>> opened = Workspace::Open({*directory, true, false});
  if (!opened.ok()) {
    *code = console.Fail(opened.error());
    return nullptr;
  }
  *code = ExitCode::kOk;
  return std::move(opened).value();
}

}  // namespace headrace::cli
