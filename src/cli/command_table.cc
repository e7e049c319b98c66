#include "cli/commands.h"

namespace headrace::cli {

std::vector<Command> AllCommands() {
  return {DemoCommand(),      RunCommand(),       ServeCommand(),          SqlCommand(),
          WhyCommand(),       VerifyCommand(),    ModelListCommand(),      ModelScoreCommand(),
          LintCommand(),      PlanCommand(),      FormatCommand(),         TopicListCommand(),
          TopicShowCommand(), TopicTailCommand(), DeadLetterListCommand(), DeadLetterShowCommand(),
          LogVerifyCommand(), LogDumpCommand(),   DoctorCommand(),         BenchCommand(),
          VersionCommand()};
}

}  // namespace headrace::cli
