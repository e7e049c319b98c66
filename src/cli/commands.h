#pragma once

#include "cli/command.h"

namespace headrace::cli {

// One function a command, in the file command_<name>.cc.
Command RunCommand();
Command ServeCommand();
Command DemoCommand();
Command SqlCommand();
Command WhyCommand();
Command VerifyCommand();
Command ReplayCommand();
Command TrainingSetCommand();
Command LogVerifyCommand();
Command LogDumpCommand();
Command LogSalvageCommand();
Command TopicListCommand();
Command TopicShowCommand();
Command TopicTailCommand();
Command TopicTrimCommand();
Command DeadLetterListCommand();
Command DeadLetterShowCommand();
Command ModelListCommand();
Command ModelScoreCommand();
Command ModelShowCommand();
Command ModelAddCommand();
Command ModelActivateCommand();
Command ModelImportanceCommand();
Command ModelReportCommand();
Command ModelShadowCommand();
Command ModelCanaryCommand();
Command ModelPromoteCommand();
Command ModelRetireCommand();
Command ModelRollbackCommand();
Command ModelEvaluateCommand();
Command ModelTrainCommand();
Command ModelTuneCommand();
Command ModelCalibrateCommand();
Command PolicyEvaluateCommand();
Command FeatureListCommand();
Command FeatureShowCommand();
Command FeatureGetCommand();
Command LintCommand();
Command PlanCommand();
Command TestCommand();
Command FormatCommand();
Command ExplainCommand();
Command BackupCommand();
Command RestoreCommand();
Command DoctorCommand();
Command BenchCommand();
Command VersionCommand();

}  // namespace headrace::cli
