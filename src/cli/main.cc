#include <csignal>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/console.h"

int main(int argc, char** argv) {
  // A closed pipe is an error of write, not a death.
  std::signal(SIGPIPE, SIG_IGN);
  headrace::cli::Console console;
  const std::vector<std::string> words(argv + 1, argv + argc);
  const headrace::cli::ExitCode code = headrace::cli::RunCommandLine(words, console);
  if (!console.Flush() && code == headrace::cli::ExitCode::kOk) {
    return static_cast<int>(headrace::cli::ExitCode::kIo);
  }
  return static_cast<int>(code);
}
