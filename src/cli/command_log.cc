#include <string>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/listing.h"
#include "engine/engine.h"
#include "log/log.h"

namespace headrace::cli {
namespace {

ExitCode RunLogVerify(const Arguments& arguments, Console& console) {
  const std::string* directory = arguments.Find("--data");
  if (directory == nullptr) return console.FailUsage("--data DIR is missing", "log verify");
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  if (Status there = CheckDataDirectory(*files, *directory); !there.ok()) {
    return console.Fail(there.error());
  }
  Result<log::VerifyReport> report = log::Verify(*files, *directory);
  if (!report.ok()) return console.Fail(report.error());
  for (Error& finding : engine::VerifySnapshots(*files, *directory)) {
    report->findings.push_back(
        std::move(finding).WithHint("remove the snapshots directory: a start computes it again"));
  }
  Listing findings({"code", "place", "message", "hint"});
  for (const Error& finding : report->findings) {
    findings.Add({Cell::Text(finding.code()), Cell::Text(finding.place()),
                  Cell::Text(finding.message()), Cell::Text(finding.hint())});
  }
  if (findings.size() > 0 || arguments.Has("--json") || arguments.Has("--jsonl")) {
    findings.Print(arguments, console);
  }
  console.Note(std::to_string(report->files) + " files, " + std::to_string(report->bytes) +
               " bytes, " + std::to_string(report->frames) + " frames, " +
               std::to_string(report->batches) + " batches, " + std::to_string(report->records) +
               " records: " + (findings.size() == 0 ? "sound\n" : "damaged\n"));
  return findings.size() == 0 ? ExitCode::kOk : ExitCode::kFailed;
}

Listing DumpLine(const log::Entry& entry) {
  const bool batch = entry.kind == log::EntryKind::kBatch;
  Listing line({"lsn", "kind", "topic", "partition", "offset", "events", "bytes"});
  line.Add({Cell::Number(entry.lsn), Cell::Text(batch ? "batch" : "control"),
            batch ? Cell::Text(entry.topic) : Cell::Null(),
            batch ? Cell::Number(int64_t{entry.partition}) : Cell::Null(),
            batch ? Cell::Number(entry.base_offset) : Cell::Null(),
            batch ? Cell::Number(int64_t{entry.record_count}) : Cell::Null(),
            Cell::Number(static_cast<uint64_t>(entry.bytes.size()))});
  return line;
}

ExitCode RunLogDump(const Arguments& arguments, Console& console) {
  Result<int64_t> from = arguments.Integer("--from", 1, 1, INT64_MAX);
  if (!from.ok()) return console.FailUsage(from.error().message(), "log dump");
  ExitCode code = ExitCode::kOk;
  std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "log dump", &code);
  if (workspace == nullptr) return code;
  Result<std::unique_ptr<log::Log::Cursor>> cursor =
      workspace->engine().log().Scan(static_cast<log::Lsn>(*from));
  if (!cursor.ok()) return console.Fail(cursor.error());
  while (true) {
    log::Entry entry;
    Result<bool> more = (*cursor)->Next(&entry);
    if (!more.ok()) return console.Fail(more.error());
    if (!*more) return ExitCode::kOk;
    console.Out(DumpLine(entry).JsonLines());
  }
}

}  // namespace

Command LogVerifyCommand() {
  return {.name = "log verify",
          .group = "Operate",
          .summary = "check every byte of a data directory; exit 1 when something is damaged",
          .flags = ListingFlags({kDataFlag}),
          .run = RunLogVerify};
}

Command LogDumpCommand() {
  return {.name = "log dump",
          .group = "Operate",
          .summary = "list the journal's entries in their order, a JSON object a line",
          .flags = {kDataFlag, {"--from", "LSN", "the first entry"}},
          .run = RunLogDump};
}

}  // namespace headrace::cli
