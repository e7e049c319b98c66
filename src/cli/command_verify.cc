#include "cli/commands.h"
#include "cli/data_commands.h"
#include "row/text.h"

namespace headrace::cli {
namespace {

std::string VerifyJson(const engine::VerifyResult& found) {
  std::string out =
      "{\"from_lsn\":" + std::to_string(found.from_lsn) +
      ",\"events\":" + std::to_string(found.events) + ",\"rows\":" + std::to_string(found.rows) +
      ",\"differences\":" + std::to_string(found.differences) +
      ",\"behind_loss\":" + std::to_string(found.behind_loss) +
      ",\"behind_loss_differ\":" + std::to_string(found.behind_loss_differ) + ",\"sample\":[";
  for (size_t i = 0; i < found.sample.size(); ++i) {
    out += i > 0 ? ",{\"id\":" : "{\"id\":";
    row::AppendJsonString(found.sample[i].id, out);
    out += ",\"logged\":";
    row::AppendJsonString(found.sample[i].logged, out);
    out += ",\"recomputed\":";
    row::AppendJsonString(found.sample[i].recomputed, out);
    out += '}';
  }
  return out + "]}\n";
}

std::string VerifyText(const engine::VerifyResult& found) {
  std::string out = std::to_string(found.rows) + " rows recomputed from " +
                    std::to_string(found.events) + " events, " + std::to_string(found.differences) +
                    " differ\n";
  if (found.from_lsn > 1) {
    out += "what was before LSN " + std::to_string(found.from_lsn) + " was removed\n";
  }
  if (found.behind_loss > 0) {
    out += std::to_string(found.behind_loss) +
           " more rows stand behind a loss: they are as they were logged, and of " +
           std::to_string(found.behind_loss_differ) + " the events that are left give another\n";
  }
  for (const engine::Difference& difference : found.sample) {
    out += difference.id + "\n  logged      " + difference.logged + "\n  recomputed  " +
           difference.recomputed + "\n";
  }
  return out;
}

ExitCode RunVerify(const Arguments& arguments, Console& console) {
  ExitCode code = ExitCode::kOk;
  std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "verify", &code);
  if (workspace == nullptr) return code;
  Result<engine::VerifyResult> found = workspace->engine().Verify(arguments.positionals());
  if (!found.ok()) return console.Fail(found.error());
  console.Out(arguments.Has("--json") ? VerifyJson(*found) : VerifyText(*found));
  return found->differences == 0 ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace

Command VerifyCommand() {
  return {.name = "verify",
          .group = "Explain and prove",
          .summary = "recompute every logged output from the log; exit 1 on any difference",
          .positionals = "[STREAM...]",
          .positionals_max = 1000,
          .flags = {kDataFlag, {"--json", "", "one JSON document"}},
          .run = RunVerify};
}

}  // namespace headrace::cli
