#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/local_engine.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"

namespace headrace::engine {

// For tests: the engine on a disk in memory and a clock that stands still. Errors that a test does
// not expect end the program (Result::value). Confined.
class TestProgram {
 public:
  static constexpr int64_t kNow = 1'800'000'000'000'000;

  // Snapshots are taken behind so many entries of the journal, and at a clean end.
  explicit TestProgram(uint64_t snapshot_lsns = UINT64_MAX, size_t workers = 1)
      : snapshot_lsns_(snapshot_lsns), workers_(workers) {
    Start().value();
  }

  Status Start() {
    files_ = std::make_unique<os::FaultyFileSystem>(disk_);
    if (crash_at_ > 0) files_->CrashAtOperation(std::exchange(crash_at_, 0));
    metrics_ = std::make_unique<base::MetricsRegistry>();
    EngineOptions options;
    options.directory = directory_;
    options.log.journal_file_bytes = 1 << 20;
    options.snapshot_lsns = snapshot_lsns_;
    options.workers = workers_;
    options.memory = memory_;
    options.halts = halts_;
    options.caller = caller_;
    replayed_ = 0;
    Result<std::unique_ptr<LocalEngine>> opened =
        LocalEngine::Open(*files_, clock_, *metrics_, options,
                          [this](const StartupProgress& progress) { replayed_ = progress.events; });
    if (!opened.ok()) return std::move(opened).error();
    engine_ = std::move(opened).value();
    return Ok();
  }
  // Ends it cleanly; it must be started again.
  Status Stop() {
    Status closed = engine_->Close();
    engine_.reset();
    return closed;
  }
  Status StartIn(const std::string& directory) {
    directory_ = directory;
    return Start();
  }
  // From the next start on.
  void SetWorkers(size_t workers) { workers_ = workers; }
  void SetMemory(MemoryLimit memory) { memory_ = std::move(memory); }
  // A difference halts the pipeline from the next start on, which fails otherwise.
  void SetHalts(bool halts) { halts_ = halts; }
  // From the next start on; null: none. It must outlive the program.
  void SetCaller(os::HttpCaller* caller) { caller_ = caller; }
  void CrashNextStartAt(uint64_t operation) { crash_at_ = operation; }
  // Ends the program, cleanly or as a power failure does, and starts it again.
  Status Restart() {
    Status closed = Stop();
    if (!closed.ok()) return closed;
    return Start();
  }
  Status Crash(uint64_t seed) {
    files_->CrashNow();
    engine_.reset();
    disk_.Crash(seed);
    return Start();
  }

  void Run(const std::string& script) { engine_->Execute(script, "app.sql").value(); }

  // Takes the lines, `batch(i)` of them together where line i begins a batch.
  void Feed(const std::string& stream, const std::vector<std::string>& lines,
            const std::function<size_t(size_t)>& batch) {
    std::string text;
    std::vector<std::pair<size_t, size_t>> spans;
    for (const std::string& line : lines) {
      spans.emplace_back(text.size(), line.size());
      text += line + "\n";
    }
    text.append(64, ' ');
    std::vector<std::string_view> payloads;
    for (auto [begin, size] : spans)
      payloads.push_back(std::string_view(text).substr(begin, size));
    BulkChunk chunk;
    chunk.topic = stream;
    chunk.payloads = &payloads;
    for (size_t i = 0; i < payloads.size(); i = chunk.end) {
      chunk.begin = i;
      chunk.end = std::min(payloads.size(), i + std::max<size_t>(batch(i), 1));
      engine_->Ingest(chunk).value();
    }
    engine_->log().WaitDurable(engine_->log().last_lsn()).value();
  }
  void Feed(const std::string& stream, const std::vector<std::string>& lines) {
    Feed(stream, lines, [](size_t) { return 256; });
  }

  // Takes the lines as one chunk of a file, which is read up to `read` bytes and events then, and
  // waits for the flush.
  Status FeedAsFrom(const std::string& file, const std::string& stream,
                    std::vector<std::string> lines, uint64_t read) {
    std::vector<std::string_view> payloads;
    for (std::string& line : lines) {
      line.append(64, ' ');
      payloads.push_back(std::string_view(line).substr(0, line.size() - 64));
    }
    BulkChunk chunk;
    chunk.topic = stream;
    chunk.payloads = &payloads;
    chunk.end = payloads.size();
    chunk.source = file;
    chunk.source_bytes = chunk.source_events = read;
    HR_ASSIGN(log::Lsn lsn, engine_->Ingest(chunk));
    return engine_->log().WaitDurable(lsn);
  }

  std::string Rows(const std::string& stream, bool with_ids = false) const {
    RowRange range;
    range.limit = SIZE_MAX;
    range.with_ids = with_ids;
    return engine_->ReadRows(stream, range).value();
  }
  uint64_t Differences() const { return engine_->Verify({}).value().differences; }

  // -1: there is none of the name without labels.
  double Metric(const std::string& name) const {
    const std::string text = metrics_->Text();
    const size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }
  // Events that the last start ran through the flow again.
  uint64_t replayed() const { return replayed_; }
  LocalEngine& engine() { return *engine_; }
  os::MemoryFileSystem& disk() { return disk_; }
  os::FaultyFileSystem& files() { return *files_; }
  os::ManualClock& clock() { return clock_; }

 private:
  os::MemoryFileSystem disk_;
  os::ManualClock clock_{kNow};
  std::unique_ptr<os::FaultyFileSystem> files_;
  std::unique_ptr<base::MetricsRegistry> metrics_;
  std::unique_ptr<LocalEngine> engine_;
  std::string directory_ = "/data";
  uint64_t snapshot_lsns_;
  size_t workers_;
  MemoryLimit memory_{};
  bool halts_ = false;
  os::HttpCaller* caller_ = nullptr;
  uint64_t crash_at_ = 0;
  uint64_t replayed_ = 0;
};

}  // namespace headrace::engine
