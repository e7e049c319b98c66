#include "engine/scrubber.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "engine/snapshot_store.h"
#include "log/scrub.h"
#include "os/paced_file_system.h"
#include "os/thread_priority.h"

namespace headrace::engine {
namespace {

constexpr uint32_t kMagic = 0x31435248;  // "HRC1"
constexpr size_t kCrcBytes = 4;
constexpr uint64_t kReportBytesMax = 16 << 20;
constexpr uint64_t kModelBytesMax = uint64_t{1} << 30;

std::string ReportPath(const std::string& directory) {
  return directory + "/scrub";
}

bool WasStopped(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable;
}

// Of one that is no longer there nothing is wrong.
Status CheckSnapshot(const SnapshotStore& store, uint64_t lsn) {
  Result<SnapshotManifest> manifest = store.Read(lsn);
  Status sound = manifest.ok() ? store.CheckPages(*manifest) : Status(manifest.error());
  if (sound.ok() || WasStopped(sound.error())) return sound;
  const std::vector<uint64_t> now = store.List();
  return std::find(now.begin(), now.end(), lsn) == now.end() ? Ok() : std::move(sound);
}

}  // namespace

std::string ScrubReport::Encode() const {
  std::string out;
  base::ByteWriter writer(out);
  writer.U32Le(kMagic);
  writer.Zigzag(ended_micros);
  writer.Varint(bytes);
  writer.Varint(found);
  writer.Varint(findings.size());
  for (const Finding& finding : findings) {
    writer.String(finding.code);
    writer.String(finding.place);
    writer.String(finding.message);
  }
  writer.U32Le(base::Crc32c(out));
  return out;
}

Result<ScrubReport> ScrubReport::Decode(std::string_view bytes) {
  Error damaged(ErrorKind::kCorruption, "HR5262", "the report of the last scrub is damaged");
  if (bytes.size() < kCrcBytes) return damaged;
  std::string_view body = bytes.substr(0, bytes.size() - kCrcBytes);
  base::ByteReader tail(bytes.substr(body.size()));
  base::ByteReader reader(body);
  if (tail.U32Le() != base::Crc32c(body) || reader.U32Le() != kMagic) return damaged;
  ScrubReport report;
  report.ended_micros = reader.Zigzag();
  report.bytes = reader.Varint();
  report.found = reader.Varint();
  const uint64_t count = reader.Varint();
  if (count > kFindingsMax) return damaged;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    Finding& finding = report.findings.emplace_back();
    finding.code = std::string(reader.String());
    finding.place = std::string(reader.String());
    finding.message = std::string(reader.String());
  }
  if (!reader.ok() || reader.remaining() != 0) return damaged;
  return report;
}

Result<std::optional<ScrubReport>> ReadScrubReport(os::FileSystem& files,
                                                   const std::string& directory) {
  const std::string path = ReportPath(directory);
  if (!files.Exists(path)) return std::optional<ScrubReport>();
  HR_ASSIGN(std::string bytes, os::ReadFile(files, path, kReportBytesMax));
  Result<ScrubReport> report = ScrubReport::Decode(bytes);
  if (!report.ok()) return std::move(report).error().AtPlace(path);
  return std::optional<ScrubReport>(std::move(report).value());
}

Scrubber::Scrubber(os::FileSystem& files, const os::Clock& clock, base::MetricsRegistry& metrics,
                   std::string directory, Options options)
    : files_(files),
      clock_(clock),
      directory_(std::move(directory)),
      options_(std::move(options)),
      bytes_(metrics.GetCounter("headrace_scrub_bytes_total",
                                "Bytes that were read again in the background.")),
      passes_(metrics.GetCounter("headrace_scrub_passes_total",
                                 "Passes over all files that came to their end.")),
      damaged_(metrics.GetGauge("headrace_scrub_damaged",
                                "Damaged places that the last pass found, or this one so far.")) {}

Scrubber::~Scrubber() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Scrubber::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Scrubber::Run() {
  os::LowerThreadPriority();
  while (true) {
    Result<ScrubReport> passed = Pass();
    if (!passed.ok() && WasStopped(passed.error())) return;
    if (!passed.ok() && options_.notice) {
      options_.notice("scrub: " + passed.error().ToString());
    }
    if (!Pause(options_.pause_ms * 1'000'000)) return;
  }
}

bool Scrubber::Pause(int64_t nanos) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::nanoseconds(nanos), [this] { return stop_; });
}

// By how long it may have taken to read what was read: a disk that hangs is not made up for.
bool Scrubber::Allow(size_t bytes) {
  report_.bytes += bytes;
  bytes_.Add(bytes);
  if (options_.bytes_per_second == 0) return Pause(0);
  const auto due = static_cast<int64_t>(static_cast<double>(bytes) * 1e9 /
                                        static_cast<double>(options_.bytes_per_second));
  const int64_t now = clock_.MonotonicNanoseconds();
  const int64_t left = std::clamp<int64_t>(began_nanos_ + due - now, 0, due);
  const bool allowed = Pause(left);
  began_nanos_ = clock_.MonotonicNanoseconds();
  return allowed;
}

Result<ScrubReport> Scrubber::Pass() {
  report_ = {};
  began_nanos_ = clock_.MonotonicNanoseconds();
  os::PacedFileSystem paced(files_, [this](size_t bytes) { return Allow(bytes); });
  HR_TRY(CheckSegments(paced));
  HR_TRY(CheckSnapshots(paced));
  HR_TRY(CheckModels(paced));
  report_.ended_micros = clock_.NowMicros();
  damaged_.Set(static_cast<double>(report_.found));
  passes_.Add();
  HR_TRY(os::ReplaceFile(files_, ReportPath(directory_), report_.Encode()));
  return report_;
}

void Scrubber::Found(const Error& finding) {
  ++report_.found;
  damaged_.Set(static_cast<double>(report_.found));
  if (report_.findings.size() < ScrubReport::kFindingsMax) {
    report_.findings.push_back({finding.code(), finding.place(), finding.message()});
  }
  if (options_.notice) options_.notice("scrub: " + finding.ToString());
}

Status Scrubber::CheckSegments(os::FileSystem& paced) {
  HR_ASSIGN(log::VerifyReport report, log::VerifySegments(paced, directory_));
  for (const Error& finding : report.findings)
    Found(finding);
  return Ok();
}

// Those that are there: the program may remove one while it is read.
Status Scrubber::CheckSnapshots(os::FileSystem& paced) {
  const SnapshotStore store(paced, directory_);
  Result<uint64_t> beginning = store.Beginning();
  if (!beginning.ok()) {
    if (WasStopped(beginning.error())) return std::move(beginning).error();
    Found(beginning.error());
  }
  for (uint64_t lsn : store.List()) {
    Status sound = CheckSnapshot(store, lsn);
    // Its files go one by one: what is removed is gone when it is looked at again.
    if (!sound.ok() && !WasStopped(sound.error())) sound = CheckSnapshot(store, lsn);
    if (sound.ok()) continue;
    if (WasStopped(sound.error())) return sound;
    Found(sound.error());
  }
  return Ok();
}

Status Scrubber::CheckModels(os::FileSystem& paced) {
  const std::string models = directory_ + "/models";
  if (!paced.Exists(models)) return Ok();
  HR_ASSIGN(std::vector<std::string> names, paced.List(models));
  for (const std::string& name : names) {
    if (name.find('.') != std::string::npos) continue;  // one that is being written
    const std::string path = models + "/" + name;
    Result<std::string> bytes = os::ReadFile(paced, path, kModelBytesMax);
    if (!bytes.ok()) {
      if (WasStopped(bytes.error())) return std::move(bytes).error();
      Found(bytes.error());
    } else if (base::Sha256Hex(*bytes) != name) {
      Found(Error(ErrorKind::kCorruption, "HR5304", "a model's bytes do not match its name")
                .AtPlace(path));
    }
  }
  return Ok();
}

}  // namespace headrace::engine
