#include <algorithm>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/demo/decision_meter.h"
#include "cli/listing.h"
#include "cli/temporary_directory.h"
#include "cli/torture/torture.h"
#include "cli/workspace.h"

namespace headrace::cli {
namespace {

constexpr int kFlushes = 100;
constexpr uint64_t kFreeBytesWanted = uint64_t{1} << 30;
constexpr rlim_t kFilesWanted = 4096;
constexpr int64_t kYear2020 = 1'577'836'800'000'000;
constexpr uint64_t kSlowFlush = 20'000'000;  // nanoseconds

// What was looked at, and whether it is well.
class Examination {
 public:
  explicit Examination(Listing& listing) : listing_(listing) {}
  void Good(std::string_view what, const std::string& found) { Add(what, "ok", found); }
  void Warn(std::string_view what, const std::string& found) { Add(what, "warning", found); }
  void Bad(std::string_view what, const std::string& found) {
    Add(what, "failed", found);
    failed_ = true;
  }
  bool failed() const { return failed_; }

 private:
  void Add(std::string_view what, std::string_view status, const std::string& found) {
    listing_.Add({Cell::Text(what), Cell::Text(status), Cell::Text(found)});
  }

  Listing& listing_;
  bool failed_ = false;
};

// Writes and flushes 4 KiB at a time, as the journal does.
Result<std::vector<uint64_t>> MeasureFlushes(os::FileSystem& files, const os::Clock& clock,
                                             const std::string& directory) {
  const std::string path = directory + "/.doctor-" + std::to_string(::getpid());
  std::vector<uint64_t> spent;
  {
    HR_ASSIGN(std::unique_ptr<os::File> file, files.Open(path, {true, false, true}));
    const std::string block(4096, 'x');
    HR_TRY(file->WriteAt(0, std::string(block.size() * kFlushes, '\0')));
    HR_TRY(file->Sync());
    for (uint64_t i = 0; i < kFlushes; ++i) {
      const int64_t start = clock.MonotonicNanoseconds();
      HR_TRY(file->WriteAt(i * block.size(), block));
      HR_TRY(file->Sync());
      spent.push_back(static_cast<uint64_t>(clock.MonotonicNanoseconds() - start));
    }
  }
  HR_TRY(files.Remove(path));
  std::sort(spent.begin(), spent.end());
  return spent;
}

void ExamineDisk(os::FileSystem& files, const os::Clock& clock, const std::string& directory,
                 Examination& report) {
  Result<uint64_t> free = files.FreeBytes(directory);
  if (!free.ok()) {
    report.Bad("free space", free.error().ToString());
  } else {
    const std::string text = CountText(*free >> 20) + " MiB";
    *free < kFreeBytesWanted ? report.Warn("free space", text + ", less than 1 GiB")
                             : report.Good("free space", text);
  }
  Result<std::vector<uint64_t>> flushes = MeasureFlushes(files, clock, directory);
  if (!flushes.ok()) {
    report.Bad("durable write", flushes.error().ToString());
    return;
  }
  const uint64_t median = (*flushes)[flushes->size() / 2];
  const std::string text = "p50 " + DurationText(median) + ", p99 " +
                           DurationText((*flushes)[flushes->size() * 99 / 100]) +
                           " for 4 KiB and fdatasync: every decision waits that long";
  median > kSlowFlush ? report.Warn("durable write", text) : report.Good("durable write", text);
}

void ExamineSystem(const os::Clock& clock, Examination& report) {
  if (clock.NowMicros() < kYear2020) {
    report.Bad("clock", "it says a year before 2020; events of today would be in the future");
  } else {
    report.Good("clock", "plausible");
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const std::string text = std::to_string(limit.rlim_cur) + " of " + std::to_string(limit.rlim_max);
  limit.rlim_max < kFilesWanted ? report.Warn("open files", text + ", fewer than 4096")
                                : report.Good("open files", text);
}

void ExamineData(const std::string& directory, Examination& report) {
  Result<std::unique_ptr<Workspace>> opened = Workspace::Open({directory, true, false});
  if (!opened.ok()) {
    report.Bad("recovery", opened.error().ToString());
    return;
  }
  engine::Engine& engine = (*opened)->engine();
  const log::RecoveryReport& recovery = engine.log().recovery();
  report.Good("recovery", recovery.text.empty() ? "last LSN " + std::to_string(recovery.last_lsn)
                                                : recovery.text);
  for (const engine::HaltedStream& stream : engine.halted()) {
    report.Bad("stream " + stream.name,
               "halted at LSN " + std::to_string(stream.lsn) + ": " + stream.why);
  }
  for (const std::string& topic : engine.log().topics()) {
    report.Good("topic " + topic, "durable: flushed before every acknowledgement");
  }
}

std::vector<Flag> DoctorFlags() {
  std::vector<Flag> flags = {{"--data", "DIR", "the data directory; without it, $TMPDIR"}};
  for (const Flag& flag : torture::Flags())
    flags.push_back(flag);
  return ListingFlags(std::move(flags));
}

ExitCode RunDoctor(const Arguments& arguments, Console& console) {
  if (arguments.Has("--torture")) return torture::Run(arguments, console);
  for (const Flag& flag : torture::Flags()) {
    if (!arguments.Has(flag.name)) continue;
    return console.FailUsage(std::string(flag.name) + " goes with --torture DIR", "doctor");
  }
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  os::SystemClock clock;
  Listing listing({"check", "status", "found"});
  Examination report(listing);
  ExamineSystem(clock, report);
  if (const std::string* directory = arguments.Find("--data"); directory != nullptr) {
    Status there = CheckDataDirectory(*files, *directory);
    if (!there.ok()) return console.Fail(there.error());
    ExamineDisk(*files, clock, *directory, report);
    ExamineData(*directory, report);
  } else {
    Result<TemporaryDirectory> temporary = TemporaryDirectory::Make();
    if (!temporary.ok()) return console.Fail(temporary.error());
    ExamineDisk(*files, clock, temporary->path(), report);
  }
  listing.Print(arguments, console);
  return report.failed() ? ExitCode::kFailed : ExitCode::kOk;
}

}  // namespace

Command DoctorCommand() {
  return {
      .name = "doctor",
      .group = "Operate",
      .summary = "look at clock, disk, limits and a data directory; exit 1 when one is bad",
      .flags = DoctorFlags(),
      .more =
          "  headrace doctor --torture DIR --minutes 10\n\n"
          "sends events to a server of its own in DIR, kills it at random moments, starts it\n"
          "again, and says what was lost, duplicated, reordered, invented, seen before it was\n"
          "durable, or computed wrongly. DIR must be empty. It is kept when something was found\n"
          "(exit 1), and left as it was otherwise.\n",
      .run = RunDoctor};
}

}  // namespace headrace::cli
