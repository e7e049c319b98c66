#include "cli/commands.h"

namespace headrace::cli {

std::vector<Command> AllCommands() {
  return {DemoCommand(),
          RunCommand(),
          ServeCommand(),
          SqlCommand(),
          WhyCommand(),
          VerifyCommand(),
          ReplayCommand(),
          TrainingSetCommand(),
          ModelListCommand(),
          ModelShowCommand(),
          ModelAddCommand(),
          ModelActivateCommand(),
          ModelShadowCommand(),
          ModelCanaryCommand(),
          ModelImportanceCommand(),
          ModelPromoteCommand(),
          ModelRollbackCommand(),
          ModelRetireCommand(),
          ModelScoreCommand(),
          ModelTrainCommand(),
          ModelEvaluateCommand(),
          FeatureListCommand(),
          FeatureShowCommand(),
          FeatureGetCommand(),
          LintCommand(),
          PlanCommand(),
          TestCommand(),
          FormatCommand(),
          TopicListCommand(),
          TopicShowCommand(),
          TopicTailCommand(),
          DeadLetterListCommand(),
          DeadLetterShowCommand(),
          LogVerifyCommand(),
          LogDumpCommand(),
          LogSalvageCommand(),
          BackupCommand(),
          RestoreCommand(),
          DoctorCommand(),
          BenchCommand(),
          VersionCommand()};
}

}  // namespace headrace::cli
