#pragma once

#include <string_view>
#include <vector>

#include "cli/arguments.h"
#include "cli/console.h"
#include "cli/exit_code.h"

namespace headrace::cli {

// One command of the program: how it is written, what it says of itself, what it does. A command
// stands in the table only when it works. Immutable.
struct Command {
  std::string_view name;           // "run", "log verify"
  std::string_view group;          // heading in the overview
  std::string_view summary;        // one line
  std::string_view positionals{};  // "FILE.sql..."; empty: takes none
  size_t positionals_min = 0;
  size_t positionals_max = 0;
  std::vector<Flag> flags{};
  std::string_view more{};  // examples and further words for --help; may be empty
  ExitCode (*run)(const Arguments& arguments, Console& console) = nullptr;
};

// Every command, in the order of the overview.
std::vector<Command> AllCommands();

// The text of `headrace --help` and of `headrace COMMAND --help`.
std::string OverviewText(const std::vector<Command>& commands);
std::string HelpText(const Command& command);
// The commands whose name begins with the word `group`, for `headrace log --help`.
std::string GroupHelpText(const std::vector<Command>& commands, std::string_view group);

// Finds the command that the words ask for, and runs it.
ExitCode RunCommandLine(const std::vector<std::string>& words, Console& console);

}  // namespace headrace::cli
