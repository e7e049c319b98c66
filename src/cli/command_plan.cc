#include <string>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/listing.h"

namespace headrace::cli {
namespace {

ExitCode RunPlan(const Arguments& arguments, Console& console) {
  ExitCode code = ExitCode::kOk;
  std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "plan", &code);
  if (workspace == nullptr) return code;
  const std::string& path = arguments.positionals()[0];
  Result<std::string> script = ReadInput(workspace->files(), path);
  if (!script.ok()) return console.Fail(script.error());
  auto changes = workspace->engine().Plan(*script, path);
  if (!changes.ok()) return console.Fail(changes.error());
  Listing listing({"name", "change", "feature", "feature_change", "events"});
  for (const engine::PlannedChange& change : *changes) {
    Cell events = change.change == "none" ? Cell::Null() : Cell::Number(change.events);
    listing.Add({Cell::Text(change.name), Cell::Text(change.change), Cell::Null(), Cell::Null(),
                 std::move(events)});
    for (const engine::PlannedChange::Feature& feature : change.features) {
      listing.Add({Cell::Text(change.name), Cell::Text(change.change), Cell::Text(feature.name),
                   Cell::Text(feature.change), Cell::Null()});
    }
  }
  listing.Print(arguments, console);
  return ExitCode::kOk;
}

}  // namespace

Command PlanCommand() {
  return {
      .name = "plan",
      .group = "Check",
      .summary = "say what a script would change in a data directory, without changing it",
      .positionals = "FILE.sql",
      .positionals_min = 1,
      .positionals_max = 1,
      .flags = ListingFlags({kDataFlag}),
      .more =
          "A statement is new, replaced or left as it is (none); of a statement that is replaced, "
          "each\nwindow aggregate is kept, computed over the events that the log holds, or "
          "dropped.\n",
      .run = RunPlan};
}

}  // namespace headrace::cli
