#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/demo/decision_meter.h"
#include "cli/listing.h"
#include "cli/temporary_directory.h"
#include "cli/torture/torture.h"
#include "cli/workspace.h"
#include "engine/scrubber.h"
#include "log/disk_use.h"
#include "row/datetime_text.h"

namespace headrace::cli {
namespace {

constexpr int kFlushes = 100;
constexpr uint64_t kFreeBytesWanted = uint64_t{1} << 30;
constexpr rlim_t kFilesWanted = 4096;
constexpr int64_t kYear2020 = 1'577'836'800'000'000;
constexpr uint64_t kSlowFlush = 20'000'000;  // nanoseconds
constexpr double kDaySeconds = 86'400;
constexpr double kSoonSeconds = 7 * kDaySeconds;  // before which somebody should know

// The figures of a line about the disk, for programs.
struct Figures {
  std::optional<uint64_t> bytes;  // on the disk now
  std::optional<double> bytes_per_day;
  std::optional<double> bytes_most;       // by a limit
  std::optional<double> full_in_seconds;  // the disk
};

// What was looked at, and whether it is well. Figures are told to programs alone.
class Examination {
 public:
  explicit Examination(bool with_figures)
      : listing_(with_figures
                     ? std::vector<std::string>{"check", "status", "found", "bytes",
                                                "bytes_per_day", "bytes_most", "full_in_seconds"}
                     : std::vector<std::string>{"check", "status", "found"}),
        with_figures_(with_figures) {}
  void Good(std::string_view what, const std::string& found, const Figures& figures = {}) {
    Add(what, "ok", found, figures);
  }
  void Warn(std::string_view what, const std::string& found, const Figures& figures = {}) {
    Add(what, "warning", found, figures);
  }
  void Bad(std::string_view what, const std::string& found) {
    Add(what, "failed", found, {});
    failed_ = true;
  }
  bool failed() const { return failed_; }
  const Listing& listing() const { return listing_; }

 private:
  static Cell Rounded(const std::optional<double>& number) {
    return number ? Cell::Number(static_cast<int64_t>(std::llround(*number))) : Cell::Null();
  }
  void Add(std::string_view what, std::string_view status, const std::string& found,
           const Figures& figures) {
    std::vector<Cell> row = {Cell::Text(what), Cell::Text(status), Cell::Text(found)};
    if (with_figures_) {
      row.push_back(figures.bytes ? Cell::Number(*figures.bytes) : Cell::Null());
      row.push_back(Rounded(figures.bytes_per_day));
      row.push_back(Rounded(figures.bytes_most));
      row.push_back(Rounded(figures.full_in_seconds));
    }
    listing_.Add(std::move(row));
  }

  Listing listing_;
  const bool with_figures_;
  bool failed_ = false;
};

std::string BytesText(double bytes) {
  constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(kUnits); ++unit)
    bytes /= 1024;
  char text[64];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return text;
}

std::string SpanText(double seconds) {
  constexpr double kHour = 3600;
  constexpr double kDay = 24 * kHour;
  char text[64];
  if (seconds >= 3 * kDay) {
    std::snprintf(text, sizeof text, "%.0f days", seconds / kDay);
  } else {
    std::snprintf(text, sizeof text, "%.1f hours", seconds / kHour);
  }
  return text;
}

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

void ExamineTopics(const std::vector<log::TopicUse>& uses, Examination& report) {
  for (const log::TopicUse& use : uses) {
    Figures figures{use.bytes, {}, use.bytes_most, {}};
    std::string found = "durable: flushed before every acknowledgement; " +
                        BytesText(static_cast<double>(use.bytes));
    if (use.bytes_per_second > 0) {
      figures.bytes_per_day = use.bytes_per_second * kDaySeconds;
      found += ", " + BytesText(*figures.bytes_per_day) + " a day";
    }
    if (use.bytes_most)
      found += ", at most " + BytesText(*use.bytes_most) + " by " + use.limited_by;
    report.Good("topic " + use.topic, found, figures);
  }
}

// How the directory grows, and when the disk is full of it.
void ExamineBudget(os::FileSystem& files, const std::string& directory, const log::Log& log,
                   Examination& report) {
  Result<std::vector<log::TopicUse>> uses = log::MeasureTopics(files, directory, log);
  if (!uses.ok()) return report.Bad("disk budget", uses.error().ToString());
  ExamineTopics(*uses, report);
  Result<uint64_t> free = files.FreeBytes(directory);
  if (!free.ok()) return;  // told above
  const log::DiskForecast forecast = log::Forecast(*uses, *free);
  Figures figures{uint64_t{0}, {}, {}, forecast.full_in_seconds};
  for (const log::TopicUse& use : *uses)
    figures.bytes = *figures.bytes + use.bytes;
  if (forecast.bytes_per_second <= 0) {
    return report.Good("disk budget",
                       "no topic grows, or what they hold spans less than ten minutes", figures);
  }
  figures.bytes_per_day = forecast.bytes_per_second * kDaySeconds;
  std::string found = "grows by " + BytesText(*figures.bytes_per_day) + " a day; ";
  found += forecast.full_in_seconds
               ? "the disk is full in " + SpanText(*forecast.full_in_seconds)
               : std::string("the limits of all topics come before the disk is full");
  if (!forecast.first_stopped.empty()) {
    found += "; first " + forecast.first_limit + " stops topic " + forecast.first_stopped + " in " +
             SpanText(forecast.first_stopped_in_seconds);
  }
  const bool soon = forecast.full_in_seconds.value_or(kSoonSeconds) < kSoonSeconds;
  soon ? report.Warn("disk budget", found, figures) : report.Good("disk budget", found, figures);
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
  ExamineBudget((*opened)->files(), directory, engine.log(), report);
}

// What the program that last served from here found as it read everything again.
void ExamineScrub(os::FileSystem& files, const std::string& directory, Examination& report) {
  Result<std::optional<engine::ScrubReport>> scrub = engine::ReadScrubReport(files, directory);
  if (!scrub.ok()) return report.Warn("scrub", scrub.error().ToString());
  if (!scrub->has_value()) return;
  const engine::ScrubReport& last = **scrub;
  std::string when;
  row::AppendTimestampTz(last.ended_micros, when);
  const std::string read = BytesText(static_cast<double>(last.bytes)) + " read until " + when;
  if (last.found == 0) return report.Good("scrub", read + ", nothing damaged");
  const engine::ScrubReport::Finding& first = last.findings.front();
  report.Bad("scrub", read + ", " + std::to_string(last.found) + " damaged, first " + first.code +
                          " at " + first.place + ": " + first.message);
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
  Examination report(arguments.Has("--json") || arguments.Has("--jsonl"));
  ExamineSystem(clock, report);
  if (const std::string* directory = arguments.Find("--data"); directory != nullptr) {
    Status there = CheckDataDirectory(*files, *directory);
    if (!there.ok()) return console.Fail(there.error());
    ExamineDisk(*files, clock, *directory, report);
    ExamineScrub(*files, *directory, report);
    ExamineData(*directory, report);
  } else {
    Result<TemporaryDirectory> temporary = TemporaryDirectory::Make();
    if (!temporary.ok()) return console.Fail(temporary.error());
    ExamineDisk(*files, clock, temporary->path(), report);
  }
  report.listing().Print(arguments, console);
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
