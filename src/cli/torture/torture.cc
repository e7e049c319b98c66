#include "cli/torture/torture.h"

#include <atomic>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "cli/signal_watch.h"
#include "cli/temporary_directory.h"
#include "cli/torture/report.h"
#include "cli/torture/round.h"
#include "cli/torture/script.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/random.h"

namespace headrace::cli::torture {
namespace {

constexpr double kMinutesMax = 100'000;
constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kProgressEvery = 10 * kSecond;

struct Options {
  std::string directory;
  double minutes = 1;
  uint64_t lives = UINT64_MAX;
  uint64_t seed = 0;
  std::string between;
};

Result<Options> ReadOptions(const Arguments& arguments) {
  Options options;
  options.directory = arguments.Get("--torture", "");
  if (options.directory.empty()) return BadUsage("--torture needs a directory");
  if (arguments.Has("--data")) return BadUsage("--torture makes its own data: no --data");
  HR_ASSIGN(int64_t lives, arguments.Integer("--lives", 0, 1, 1'000'000'000));
  if (lives > 0) {
    options.lives = static_cast<uint64_t>(lives);
    options.minutes = kMinutesMax;
  }
  if (const std::string* text = arguments.Find("--minutes"); text != nullptr) {
    auto [end, problem] =
        std::from_chars(text->data(), text->data() + text->size(), options.minutes);
    if (problem != std::errc() || end != text->data() + text->size() || options.minutes <= 0 ||
        options.minutes > kMinutesMax || std::isnan(options.minutes)) {
      return BadUsage("--minutes takes a number above 0, such as 0.5, not `" + *text + "`");
    }
  }
  // Small, so that it is easy to give again.
  const auto drawn = static_cast<int64_t>(os::SystemRandom().Below(1'000'000));
  HR_ASSIGN(int64_t seed, arguments.Integer("--seed", drawn, 0, INT64_MAX));
  options.seed = static_cast<uint64_t>(seed);
  options.between = arguments.Get("--between", "");
  return options;
}

class Torture {
 public:
  Torture(Options options, Console& console, const std::atomic<bool>& stop)
      : options_(std::move(options)),
        console_(console),
        stop_(stop),
        files_(os::MakePosixFileSystem()) {}

  Result<Report> Run() {
    HR_TRY(TakeDirectory());
    report_.seed = options_.seed;
    console_.Note("torture  seed " + std::to_string(options_.seed) + "  directory " +
                  options_.directory + "\n");
    start_ = next_progress_ = clock_.MonotonicNanoseconds();
    next_progress_ += kProgressEvery;
    deadline_ = start_ + static_cast<int64_t>(options_.minutes * 60 * kSecond);
    os::SeededRandom seeds(options_.seed);
    while (!Over()) {
      Status ran = RunRound(seeds.Next());
      if (ran.ok()) continue;
      console_.Note("torture  not carried on; its files are left in " + options_.directory + "\n");
      return std::move(ran).error();
    }
    report_.seconds = Seconds();
    HR_TRY(Leave());
    return report_;
  }

 private:
  // DIR must be empty and take files.
  Status TakeDirectory() {
    made_ = !files_->Exists(options_.directory);
    HR_TRY(files_->CreateDirectories(options_.directory));
    HR_ASSIGN(std::vector<std::string> names, files_->List(options_.directory));
    if (!names.empty()) {
      return Error(ErrorKind::kInvalidArgument, "HR9020",
                   "the directory to torture is not empty: it has " + names.front())
          .AtPlace(options_.directory)
          .WithHint("give a directory that is empty, or is not there yet");
    }
    return os::ReplaceFile(*files_, ScriptPath(), Script());
  }

  bool Over() const {
    return report_.finding_count() > 0 || report_.totals.lives >= options_.lives || stop_ ||
           (report_.rounds > 0 && clock_.MonotonicNanoseconds() >= deadline_);
  }

  Status RunRound(uint64_t seed) {
    RoundOptions round_options;
    round_options.directory = options_.directory + "/data-" + std::to_string(report_.rounds + 1);
    round_options.script = ScriptPath();
    round_options.between = options_.between;
    round_options.seed = seed;
    round_options.lives_max = options_.lives - report_.totals.lives;
    round_options.deadline = deadline_;
    round_options.stop = &stop_;
    Round* running = nullptr;
    round_options.progress = [&] { Progress(*running); };
    const std::string data = round_options.directory;
    Round round(std::move(round_options), *files_, clock_);
    running = &round;
    HR_TRY(round.Run());
    report_.Take(round);
    if (round.checker().finding_count() == 0) RemoveDirectory(data);
    return Ok();
  }

  void Progress(const Round& round) {
    if (clock_.MonotonicNanoseconds() < next_progress_) return;
    next_progress_ += kProgressEvery;
    console_.Note(ProgressLine(report_, round, Seconds()));
  }

  // Takes away what was made, or keeps it with what was found.
  Status Leave() {
    if (report_.finding_count() > 0) {
      report_.kept = options_.directory;
      return os::ReplaceFile(*files_, options_.directory + "/findings.json", JsonOf(report_));
    }
    HR_TRY(files_->Remove(ScriptPath()));
    std::error_code ignored;
    if (made_) std::filesystem::remove(options_.directory, ignored);
    return Ok();
  }

  std::string ScriptPath() const { return options_.directory + "/torture.sql"; }
  double Seconds() const {
    return static_cast<double>(clock_.MonotonicNanoseconds() - start_) / double{kSecond};
  }

  Options options_;
  Console& console_;
  const std::atomic<bool>& stop_;
  std::unique_ptr<os::FileSystem> files_;
  os::SystemClock clock_;
  Report report_;
  bool made_ = false;
  int64_t start_ = 0;
  int64_t deadline_ = 0;
  int64_t next_progress_ = 0;
};

}  // namespace

ExitCode Run(const Arguments& arguments, Console& console) {
  Result<Options> options = ReadOptions(arguments);
  if (!options.ok()) return console.FailUsage(options.error().message(), "doctor");
  SignalWatch signals;
  Result<Report> report = Torture(*std::move(options), console, signals.stop()).Run();
  if (!report.ok()) return console.Fail(report.error());
  const bool json = arguments.Has("--json") || arguments.Has("--jsonl");
  console.Out(json ? JsonOf(*report) : TextOf(*report));
  if (report->finding_count() > 0) return ExitCode::kFailed;
  return signals.stop() ? ExitCode::kInterrupted : ExitCode::kOk;
}

std::vector<Flag> Flags() {
  return {{"--torture", "DIR", "run a server there, kill it again and again, check what it said"},
          {"--minutes", "N", "how long (1); with decimals"},
          {"--lives", "N", "how many starts of the server instead"},
          {"--seed", "N", "repeats the random choices"},
          {"--between", "COMMAND", "for the shell, while the server is down; $1 is its data"}};
}

}  // namespace headrace::cli::torture
