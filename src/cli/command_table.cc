#include "cli/commands.h"

namespace headrace::cli {

std::vector<Command> AllCommands() {
  return {SqlCommand(), ModelScoreCommand(), VersionCommand()};
}

}  // namespace headrace::cli
