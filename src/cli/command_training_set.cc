#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/data_card.h"
#include "cli/data_commands.h"
#include "cli/training_rows.h"

namespace headrace::cli {
namespace {

ExitCode RunTrainingSet(const Arguments& arguments, Console& console) {
  Result<engine::TrainingSetRequest> request =
      ReadTrainingSetRequest(arguments, arguments.positionals()[0]);
  if (!request.ok()) return console.FailUsage(request.error().message(), "training-set");
  if (!arguments.Has("--output")) return console.FailUsage("--output is missing", "training-set");
  ExitCode code = ExitCode::kOk;
  std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "training-set", &code);
  if (workspace == nullptr) return code;
  const std::string path = arguments.Get("--output", "");
  Result<engine::TrainingSetReport> report = WriteTrainingSet(*workspace, *request, path, nullptr);
  if (!report.ok()) return console.Fail(report.error());
  const std::string card = DataCard(workspace->engine(), *request, *report);
  Status written = os::ReplaceFile(workspace->files(), path + ".card.json", card);
  if (!written.ok()) return console.Fail(written.error());
  if (arguments.Has("--json")) console.Out(card);
  console.Note(std::to_string(report->rows) + " rows, " + std::to_string(report->unlabelled) +
               " left out for want of a label; " + path + ".card.json tells of them\n");
  for (const std::string& warning : report->warnings)
    console.Note("warning: " + warning + "\n");
  return ExitCode::kOk;
}

}  // namespace

Command TrainingSetCommand() {
  return {.name = "training-set",
          .group = "Models",
          .summary = "write rows as they were served, with the labels known at a time",
          .positionals = "STREAM",
          .positionals_min = 1,
          .positionals_max = 1,
          .flags = {kDataFlag,
                    {"--labels", "STREAM", "where the labels come in"},
                    {"--on", "COLUMN", "of both streams; or THEIRS=OURS; `_id` is a row's ID"},
                    {"--label", "COLUMN", "of the labels"},
                    {"--as-of", "T",
                     "what was known then; later labels and corrections do not "
                     "count"},
                    {"--from", "T", "leave out earlier rows"},
                    {"--to", "T", "leave out later rows"},
                    {"--output", "FILE", "the rows, by the extension of its name"},
                    {"--json", "", "the data card on standard output, too"}},
          .more =
              "  headrace training-set decisions --labels chargebacks --on tx_id --label "
              "is_fraud\n"
              "      --as-of 2026-02-28T00:00:00Z --output train.csv --data DIR\n\n"
              "The rows are those of the log: what was served, not what would be computed now;\n"
              "`headrace verify` shows that both are the same.\n",
          .run = RunTrainingSet};
}

}  // namespace headrace::cli
