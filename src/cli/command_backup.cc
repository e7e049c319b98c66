#include <string>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/listing.h"
#include "engine/backup.h"

namespace headrace::cli {
namespace {

// Backup and Restore of the engine.
using Copying = decltype(&engine::Backup);

ExitCode Copy(Copying copying, const std::string& from, const std::string& to,
              const Arguments& arguments, Console& console) {
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  if (Status there = CheckDataDirectory(*files, from); !there.ok()) {
    return console.Fail(there.error());
  }
  os::SystemClock clock;
  Result<log::CopyReport> copied = copying(*files, clock, from, to);
  if (!copied.ok()) return console.Fail(copied.error());
  if (arguments.Has("--json") || arguments.Has("--jsonl")) {
    Listing line({"lsn", "from_lsn", "bytes"});
    line.Add({Cell::Number(copied->last_lsn), Cell::Number(copied->from_lsn),
              Cell::Number(copied->bytes)});
    line.Print(arguments, console);
  }
  console.Note("holds everything up to LSN " + std::to_string(copied->last_lsn) + ": " +
               std::to_string(copied->last_lsn - copied->from_lsn) + " entries copied, " +
               std::to_string(copied->bytes) + " bytes\n");
  return ExitCode::kOk;
}

ExitCode RunBackup(const Arguments& arguments, Console& console) {
  const std::string* data = arguments.Find("--data");
  if (data == nullptr) return console.FailUsage("--data DIR is missing", "backup");
  return Copy(engine::Backup, *data, arguments.positionals()[0], arguments, console);
}

ExitCode RunRestore(const Arguments& arguments, Console& console) {
  const std::string* data = arguments.Find("--data");
  if (data == nullptr) return console.FailUsage("--data DIR is missing", "restore");
  return Copy(engine::Restore, arguments.positionals()[0], *data, arguments, console);
}

}  // namespace

Command BackupCommand() {
  return {
      .name = "backup",
      .group = "Operate",
      .summary = "copy a data directory, also of a program that is running",
      .positionals = "DIR",
      .positionals_min = 1,
      .positionals_max = 1,
      .flags = ListingFlags({{"--data", "DIR", "the data directory to copy"}}),
      .more = "DIR then holds everything up to one LSN. Given again, only what is new is copied.\n",
      .run = RunBackup};
}

Command RestoreCommand() {
  return {.name = "restore",
          .group = "Operate",
          .summary = "make a data directory of a backup, after checking every byte of it",
          .positionals = "DIR",
          .positionals_min = 1,
          .positionals_max = 1,
          .flags = ListingFlags({{"--data", "DIR", "the data directory to make; not there yet"}}),
          .run = RunRestore};
}

}  // namespace headrace::cli
