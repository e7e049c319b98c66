#include "simulation.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>

#include "engine/bulk_run.h"
#include "engine/local_engine.h"
#include "memory_pressure.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"
#include "os/random.h"

namespace headrace::sim {
namespace {

constexpr const char* kInput = "/in/events.jsonl";
constexpr const char* kData = "/data";
constexpr uint64_t kFileBytesMax = 64 << 20;

Error Broken(const std::string& what) {
  return Error(ErrorKind::kCorruption, "HR0000", what);
}

std::string OutputPath(const std::string& stream) {
  return "/out/" + stream + (stream == Workload::kCsv ? ".csv" : ".jsonl");
}

// Puts the file there as if it had always been.
Status WriteInput(os::FileSystem& disk, const std::string& path, const std::string& text) {
  HR_TRY(disk.CreateDirectories("/in"));
  HR_ASSIGN(auto file, disk.Open(path, {.create = true, .exclusive = false, .writable = true}));
  HR_TRY(file->WriteAt(0, text));
  HR_TRY(file->Sync());
  return disk.SyncDirectory("/in");
}

// One program after the other over one disk, until the work is done.
class Simulation {
 public:
  Simulation(const Workload& workload, const Disturbance& disturbance)
      : workload_(workload),
        disturbance_(disturbance),
        random_(disturbance.seed),
        clock_(workload.now) {}

  Result<Outcome> Run() {
    HR_TRY(disk_.CreateDirectories("/out"));
    HR_TRY(WriteInput(disk_, kInput, Lines(EndOf(kFirst))));
    for (size_t version = 0; version < 2; ++version)
      HR_TRY(WriteInput(disk_, kModelPaths[version], ModelText(version)));
    std::vector<uint64_t> crashes = disturbance_.crashes;
    std::reverse(crashes.begin(), crashes.end());
    while (phase_ < kDone) {
      os::FaultyFileSystem files(disk_);
      bool last = crashes.empty();
      if (!last) {
        if (crashes.back() > 0) files.CrashAtOperation(crashes.back());
        if (disturbance_.faults) AddFault(files, crashes.back());
        crashes.pop_back();
      }
      Status lived = Live(files);
      outcome_.operations = files.operations();
      if (!files.crashed() && lived.ok()) continue;
      if (!files.crashed() && (last || !disturbance_.faults)) return std::move(lived).error();
      ++outcome_.crashes;
      if (random_.Below(4) > 0) disk_.Crash(random_.Next());
    }
    outcome_.simulated_micros = clock_.NowMicros() - workload_.now;
    HR_TRY(Inspect());
    return std::move(outcome_);
  }

 private:
  enum Phase { kFirst, kSecond, kThird, kDone };

  // The events that the phase takes end here.
  size_t EndOf(int phase) const {
    if (phase == kFirst) return workload_.first;
    return phase == kSecond ? workload_.second : workload_.events.size();
  }

  std::string Lines(size_t events) const {
    std::string text;
    for (size_t i = 0; i < events; ++i)
      text += workload_.events[i].json + "\n";
    return text;
  }

  void AddFault(os::FaultyFileSystem& files, uint64_t operations) {
    constexpr os::FaultPoint kPoints[] = {os::FaultPoint::kOpen, os::FaultPoint::kRead,
                                          os::FaultPoint::kWrite, os::FaultPoint::kSync};
    os::FaultyFileSystem::Fault fault;
    fault.point = kPoints[random_.Below(4)];
    fault.nth = 1 + random_.Below(operations);
    fault.kind = random_.Below(2) == 0 ? ErrorKind::kIo : ErrorKind::kNoSpace;
    fault.repeat = 1 + random_.Below(3);
    fault.short_bytes = random_.Below(2) * random_.Below(5000);
    files.Add(fault);
  }

  size_t BatchSize() {
    return disturbance_.random_batches ? 1 + random_.Below(disturbance_.batch_max)
                                       : disturbance_.batch_max;
  }

  Result<std::unique_ptr<engine::LocalEngine>> Open(os::FileSystem& files, bool read_only) {
    engine::EngineOptions options;
    options.directory = kData;
    options.read_only = read_only;
    options.log.journal_file_bytes = 1 << 20;
    options.batch_events_max = disturbance_.batch_max;
    options.workers = 1 + random_.Below(3);
    options.snapshots = random_.Below(4) > 0;
    options.snapshot_lsns = 1 + random_.Below(30);
    if (random_.Below(3) == 0) options.memory = NothingStays();
    metrics_ = std::make_unique<base::MetricsRegistry>();
    return engine::LocalEngine::Open(files, clock_, *metrics_, options, nullptr);
  }

  // One life of the program, up to the end of a phase or a crash.
  Status Live(os::FileSystem& files) {
    HR_ASSIGN(auto engine, Open(files, false));
    HR_TRY(engine->Execute(workload_.script, "app.sql"));
    const bool beside = disturbance_.beside && phase_ == kSecond;
    if (beside) {
      HR_TRY(DeployBeside(*engine));
    } else if (phase_ >= kSecond) {
      HR_TRY(engine->Execute(workload_.later_script, "later.sql"));
    }
    if (phase_ >= kThird) HR_TRY(ActivateSecond(*engine));
    // What the clock says may show in nothing but which partitions are idle.
    if (workload_.partitions == 1) clock_.Advance(static_cast<int64_t>(random_.Below(9 * kSecond)));
    HR_TRY(disturbance_.feed == Feed::kFile ? Read(*engine, files) : Request(*engine));
    if (beside) HR_TRY(FinishBeside(*engine));
    ++phase_;
    HR_TRY(WriteInput(disk_, kInput, Lines(EndOf(phase_))));
    return engine->Close();
  }

  // A statement of later.sql is only there whole: a crash in its midst leaves the rest to the
  // start.
  Status DeployBeside(engine::LocalEngine& engine) {
    deployed_.reset();
    engine.Deploy(workload_.later_script, "later.sql", [this](Status done) { deployed_ = done; });
    return deployed_ ? *deployed_ : Ok();
  }

  Status FinishBeside(engine::LocalEngine& engine) {
    HR_TRY(engine.FinishDeployments());
    engine.Complete();
    if (!deployed_) return Broken("a deployment was not answered");
    return *deployed_;
  }

  // ALTER is no statement of what should be: it is given once, and after a crash one looks.
  static Status ActivateSecond(engine::LocalEngine& engine) {
    auto models = engine.deployment()->Find("m")->models;
    if (models->versions.size() == 1) {
      HR_TRY(engine.Execute(
          std::string("ALTER MODEL m ADD VERSION WITH (path = '") + kModelPaths[1] + "');", "a"));
    }
    if (models->activations.back().version == 2) return Ok();
    return engine.Execute("ALTER MODEL m ACTIVATE VERSION 2;", "a");
  }

  std::vector<std::string> Streams() const {
    std::vector<std::string> streams = workload_.streams;
    if (phase_ == kFirst) return streams;
    streams.insert(streams.end(), workload_.later_streams.begin(), workload_.later_streams.end());
    return streams;
  }

  // As `headrace run` does.
  Status Read(engine::LocalEngine& engine, os::FileSystem& files) {
    engine::RunOptions options;
    options.inputs = {{"events", kInput}};
    for (const std::string& stream : Streams())
      options.outputs.emplace_back(stream, OutputPath(stream));
    options.chunk_events = BatchSize();
    std::atomic<bool> stop = false;
    options.follow = phase_ < kThird;
    options.stop = &stop;
    options.idle = [&] { stop = engine.PositionOf("events", kInput).events == EndOf(phase_); };
    Result<engine::RunTotals> totals = engine::RunInputs(engine, files, options, kData);
    if (!totals.ok()) return std::move(totals).error();
    return Ok();
  }

  // As a client does: sends in order, and after a crash again what had not been acknowledged.
  Status Request(engine::LocalEngine& engine) {
    size_t end = EndOf(phase_);
    size_t sent = acknowledged_;
    std::optional<Error> refused;
    while (acknowledged_ < end && !refused) {
      while (sent < end && engine.in_flight() < 4) {
        engine::IngestRequest request;
        request.topic = "events";
        size_t count = std::min(end - sent, BatchSize());
        for (size_t i = 0; i < count; ++i)
          request.payloads.push_back(workload_.events[sent + i].json);
        sent += count;
        request.done = [this, count, &refused](engine::IngestReply reply) {
          if (reply.error) refused = std::move(reply.error);
          if (!refused) acknowledged_ += count;
        };
        engine.Submit(std::move(request));
        if (random_.Below(2) == 0) break;
      }
      if (disturbance_.beside && random_.Below(50) == 0) {
        HR_ASSIGN(engine::VerifyResult verified, engine.Verify({}));
        if (verified.differences > 0) return Broken("verify: " + verified.sample.front().id);
      }
      engine.Pump();
      if (random_.Below(3) == 0) {
        Status durable = engine.log().WaitDurable(engine.log().last_lsn());
        static_cast<void>(durable.ok());  // Complete tells the callers
      }
      engine.Complete();
    }
    if (refused) return *refused;
    return phase_ == kThird ? engine.FinishInput("events") : Ok();
  }

  // Everything that can be looked at when all is done.
  Status Inspect() {
    HR_ASSIGN(log::VerifyReport report, log::Verify(disk_, kData));
    if (!report.findings.empty()) return report.findings.front();
    HR_ASSIGN(auto engine, Open(disk_, true));
    HR_ASSIGN(engine::VerifyResult verified, engine->Verify({}));
    if (verified.differences > 0) return Broken("verify: " + verified.sample.front().id);
    for (const std::string& stream : Streams()) {
      engine::RowRange range;
      range.limit = SIZE_MAX;
      range.with_ids = true;
      HR_ASSIGN(outcome_.streams[stream], engine->ReadRows(stream, range));
      if (disturbance_.feed != Feed::kFile) continue;
      HR_ASSIGN(outcome_.files[stream], os::ReadFile(disk_, OutputPath(stream), kFileBytesMax));
    }
    return Ok();
  }

  const Workload& workload_;
  const Disturbance& disturbance_;
  os::SeededRandom random_;
  os::ManualClock clock_;
  os::MemoryFileSystem disk_;
  std::unique_ptr<base::MetricsRegistry> metrics_;
  int phase_ = kFirst;
  size_t acknowledged_ = 0;
  std::optional<Status> deployed_;
  Outcome outcome_;
};

}  // namespace

Result<Outcome> Simulate(const Workload& workload, const Disturbance& disturbance) {
  return Simulation(workload, disturbance).Run();
}

}  // namespace headrace::sim
