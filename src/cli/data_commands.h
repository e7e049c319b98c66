#pragma once

#include <memory>

#include "cli/arguments.h"
#include "cli/console.h"
#include "cli/workspace.h"

namespace headrace::cli {

// What commands that look at a stopped data directory have in common: --data is needed, the
// directory is opened for reading only. Null after the failure was reported in `code`.
std::unique_ptr<Workspace> OpenData(const Arguments& arguments, Console& console,
                                    std::string_view command, ExitCode* code);

inline constexpr Flag kDataFlag = {"--data", "DIR", "the data directory"};

}  // namespace headrace::cli
