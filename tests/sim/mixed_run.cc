#include "mixed_run.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>

#include <unistd.h>

#include "clients.h"
#include "engine/backup.h"
#include "engine/local_engine.h"
#include "memory_pressure.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"
#include "os/random.h"
#include "remove_tree.h"

namespace headrace::sim {
namespace {

constexpr const char* kInput = "/in/events.jsonl";
constexpr const char* kBackup = "/backup";
constexpr const char* kRestored = "/restored";
constexpr int64_t kYear = int64_t{365} * 86400 * kSecond;
constexpr size_t kTicks = 60;
constexpr uint64_t kOperationsMax = 400;  // of a life that crashes
constexpr int64_t kRetention = 120 * kSecond;

// A wall clock that jumps; what is measured with the monotonic one does not.
class JumpingClock final : public os::Clock {
 public:
  explicit JumpingClock(int64_t micros) : start_(micros) {}
  int64_t NowMicros() const override { return start_ + passed_ + jumped_; }
  int64_t MonotonicNanoseconds() const override { return passed_ * 1000; }
  void Advance(int64_t micros) { passed_ += micros; }
  void Jump(int64_t micros) { jumped_ += micros; }
  int64_t passed() const { return passed_; }

 private:
  const int64_t start_;
  std::atomic<int64_t> passed_ = 0;
  std::atomic<int64_t> jumped_ = 0;
};

// The data directory's name is that of a real one, too, when state is to be spilled: what it is
// spilled to is mapped memory, and no simulated disk has that.
class Directory {
 public:
  explicit Directory(bool real) : real_(real) {
    static std::atomic<int> number = 0;
    if (!real_) return;
    path_ = (std::filesystem::temp_directory_path() /
             ("headrace-sim-" + std::to_string(getpid()) + "-" + std::to_string(number++)))
                .string();
    std::filesystem::create_directories(path_);
  }
  ~Directory() {
    std::error_code ignored;
    if (real_) std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  const std::string& path() const { return path_; }

 private:
  const bool real_;
  std::string path_ = "/data";
};

class MixedRun {
 public:
  explicit MixedRun(const Scenario& scenario)
      : scenario_(scenario),
        random_(scenario.seed * 31 + 7),
        directory_(scenario.Has(Trait::kMemory)),
        workload_(MakeWorkload(
            scenario.seed, Feed::kFile,
            scenario.Has(Trait::kPartitions) ? static_cast<int32_t>(2 + scenario.seed % 3) : 1,
            scenario.events, scenario.Has(Trait::kRetention) ? kRetention : 0)),
        clock_(workload_.now),
        data_(directory_.path()),
        clients_(random_, clock_, outcome_.history) {}

  Result<MixedOutcome> Run() {
    HR_TRY(Begin());
    for (size_t life = 0; !done_; ++life) {
      last_ = life >= scenario_.lives;
      os::FaultyFileSystem files(disk_);
      excused_ = false;
      if (!last_) Disturb(files);
      Status lived = Live(files);
      disk_.SetCapacity(UINT64_MAX);
      const bool crashed = files.crashed();
      End(files);
      ++outcome_.lives;
      if (lived.ok() && !crashed) continue;
      if (!lived.ok() && IsBroken(lived.error())) return std::move(lived).error();
      if (!crashed && (last_ || !excused_)) return std::move(lived).error();
      ++outcome_.crashes;
      if (random_.Below(4) > 0) disk_.Crash(random_.Next());
    }
    outcome_.simulated_micros = clock_.passed();
    HR_TRY(Inspect());
    outcome_.workload = std::move(workload_);
    return std::move(outcome_);
  }

 private:
  bool Has(Trait trait) const { return scenario_.Has(trait); }
  bool OneIn(uint64_t n) { return random_.Below(n) == 0; }

  // Who sends what, and what lies on the disk before the first life.
  Status Begin() {
    HR_TRY(disk_.CreateDirectories("/in"));
    for (size_t version = 0; version < 2; ++version)
      HR_TRY(os::ReplaceFile(disk_, kModelPaths[version], ModelText(version)));
    std::string lines;
    for (const Event& event : workload_.events) {
      if (Has(Trait::kFile) && OneIn(3)) {
        file_spans_.emplace_back(lines.size(), event.json.size());
        file_lines_.push_back(event.json);
        lines += event.json + "\n";
      } else {
        clients_.Add(random_.Below(Clients::kProducers), event);
      }
    }
    HR_TRY(os::ReplaceFile(disk_, kInput, lines));
    file_text_ = lines + std::string(64, ' ');
    for (auto [begin, size] : file_spans_)
      file_payloads_.push_back(std::string_view(file_text_).substr(begin, size));
    clients_.AddTicks(kTicks, workload_.now - 3600 * kSecond);
    clients_.Begin();
    steps_a_life_ = 20 + 2 * scenario_.events / (scenario_.lives + 1);
    return Ok();
  }

  void Disturb(os::FaultyFileSystem& files) {
    if (Has(Trait::kCrashes) && OneIn(5) == false) {
      files.CrashAtOperation(1 + random_.Below(OneIn(3) ? 12 : kOperationsMax));
    }
    if (!Has(Trait::kFaults) || OneIn(3)) return;
    constexpr os::FaultPoint kPoints[] = {os::FaultPoint::kOpen, os::FaultPoint::kRead,
                                          os::FaultPoint::kWrite, os::FaultPoint::kSync};
    os::FaultyFileSystem::Fault fault;
    fault.point = kPoints[random_.Below(4)];
    fault.nth = 1 + random_.Below(kOperationsMax);
    fault.kind = OneIn(2) ? ErrorKind::kIo : ErrorKind::kNoSpace;
    fault.repeat = 1 + random_.Below(3);
    fault.short_bytes = random_.Below(2) * random_.Below(5000);
    files.Add(fault);
    excused_ = true;
  }

  Status Open(os::FileSystem& files, const std::string& directory, bool read_only) {
    engine::EngineOptions options;
    options.directory = directory;
    options.read_only = read_only;
    options.log.journal_file_bytes = 1 << 20;
    options.batch_events_max = OneIn(2) ? 256 : 1 + random_.Below(64);
    if (Has(Trait::kWorkers)) options.workers = 1 + random_.Below(4);
    if (Has(Trait::kMemory) && !read_only) options.memory = NothingStays();
    options.snapshots = Has(Trait::kSnapshots) || Has(Trait::kRetention);
    options.snapshot_lsns = 1 + random_.Below(30);
    metrics_.push_back(std::make_unique<base::MetricsRegistry>());
    HR_ASSIGN(engine_,
              engine::LocalEngine::Open(files, clock_, *metrics_.back(), options, nullptr));
    return Ok();
  }

  Status Live(os::FaultyFileSystem& files) {
    HR_TRY(Open(files, data_, false));
    HR_TRY(outcome_.history.Check(engine_->log(), MayBeGone()));
    if (!AllJoined()) ++outcome_.unfinished;
    // Execute would wait for what the life before had not computed to its end.
    if (AllJoined() || !Has(Trait::kBeside) || OneIn(4)) HR_TRY(DeployFirst());
    const size_t steps = last_ ? SIZE_MAX : steps_a_life_ / 2 + random_.Below(steps_a_life_);
    for (size_t step = 0; step < steps && !IsDone() && !cut_; ++step)
      HR_TRY(Step(files));
    if (cut_) return Ok();
    HR_TRY(Relieve(files));
    if (IsDone()) return Finish();
    if (OneIn(2)) return Ok();  // killed
    return CloseAndMove();
  }

  Status DeployFirst() {
    HR_TRY(engine_->Execute(workload_.script, "app.sql"));
    HR_TRY(engine_->Execute(TicksScript(), "ticks.sql"));
    if (Revision() > 0 || !Has(Trait::kReplace)) return Ok();
    return engine_->Execute(ReplacedScript(1), "replaced.sql");
  }

  bool AllJoined() const { return engine::AllJoined(*engine_->deployment()); }

  // Ends a life however it stands.
  void End(os::FaultyFileSystem& files) {
    if (engine_ && !done_) files.CrashNow();
    engine_.reset();
    metrics_.clear();
    deploying_ = false;
    cut_ = false;
    deploy_error_.reset();
    full_ = 0;
    scarce_ = 0;
    clients_.Bear(false);
    clients_.Reconnect();
  }

  bool IsDone() const {
    return clients_.done() && !clients_.waiting() && FileRead() == file_lines_.size() &&
           deployed_later_ && !deploying_ && AllJoined() && jumped_ == 0 &&
           (!Has(Trait::kReplace) || Revision() == kRevisions) && ModelsDone() && PassingDone();
  }

  size_t FileRead() const { return engine_->PositionOf("events", kInput).events; }
  int Revision() const {
    const catalog::Object* object = engine_->deployment()->catalog.Find("replaced");
    return object == nullptr ? 0 : static_cast<int>(object->revisions.size());
  }
  bool PassingDone() const {
    const catalog::Catalog& catalog = engine_->deployment()->catalog;
    return !Has(Trait::kDrop) ||
           (catalog.drops().size() == 2 * kDrops && catalog.Find("passing") != nullptr);
  }
  bool ModelsDone() const {
    if (!Has(Trait::kModels)) return true;
    const catalog::Object* model = engine_->deployment()->catalog.Find("m");
    return model != nullptr && model->versions.size() == 2 &&
           model->activations.back().number == 2 && model->versions[0].shadow_lsn > 0;
  }
  std::vector<std::string> Retained() const {
    if (!Has(Trait::kRetention) && !Has(Trait::kClock)) return {};
    return {"events", "events.dead", "__answers"};
  }

  // What may be gone from the beginning of its topic.
  std::vector<std::string> MayBeGone() const {
    std::vector<std::string> topics = Retained();
    topics.insert(topics.end(), PassingStreams().begin(), PassingStreams().end());
    return topics;
  }

  // One thing that happens, and a turn of the engine.
  Status Step(os::FaultyFileSystem& files) {
    // What the last step made durable is seen before the clock moves: retention goes by it.
    HR_TRY(Excused(outcome_.history.Follow(engine_->log())));
    // What is still to be deployed takes as long as a thread takes, which is no simulated time.
    if (!clients_.done()) clock_.Advance(static_cast<int64_t>(random_.Below(9 * kSecond)));
    const uint64_t what = random_.Below(100);
    Status done = Ok();
    if (what < 55) {
      clients_.Send(*engine_);
    } else if (what < 70) {
      done = TakeFile();
    } else if (what < 78) {
      done = Deploy();
    } else if (what < 82) {
      done = ChangeModels();
    } else if (what < 90) {
      done = Look();
    } else if (what < 94) {
      if (Has(Trait::kRepeats) && !clients_.waiting()) clients_.Repeat(*engine_);
    } else {
      done = Happen(files);
    }
    HR_TRY(Excused(done));
    return Excused(Turn());
  }

  // A full disk and scarce descriptors are told, and borne.
  Status Excused(Status status) const {
    if (status.ok() || IsBroken(status.error())) return status;
    if (full_ > 0 && status.error().kind() == ErrorKind::kNoSpace) return Ok();
    return status;
  }

  Status Turn() {
    for (uint64_t turns = 1 + random_.Below(3); turns > 0; --turns)
      engine_->Pump();
    if (full_ == 0 && OneIn(3)) HR_TRY(engine_->log().WaitDurable(engine_->log().last_lsn()));
    engine_->Complete();
    if (deploy_error_) return *std::exchange(deploy_error_, std::nullopt);
    return clients_.Judge(*engine_);
  }

  Status TakeFile() {
    const size_t begin = FileRead();
    if (begin == file_payloads_.size()) return Ok();
    engine::BulkChunk chunk;
    chunk.topic = "events";
    chunk.payloads = &file_payloads_;
    chunk.begin = begin;
    chunk.end = std::min(file_payloads_.size(), begin + 1 + random_.Below(40));
    chunk.source = kInput;
    chunk.source_bytes = file_spans_[chunk.end - 1].first + file_spans_[chunk.end - 1].second + 1;
    chunk.source_events = chunk.end;
    Result<log::Lsn> taken = engine_->Ingest(chunk);
    return taken.ok() ? Ok() : Status(std::move(taken).error());
  }

  // The workload's second script, and the revisions of the statement that is replaced.
  Status Deploy() {
    if (deploying_) return Ok();
    std::string script;
    if (!PassingDone() && OneIn(2)) return MakeOrDrop();
    if (!deployed_later_ || engine_->deployment()->Find("later") == nullptr) {
      script = workload_.later_script;
    } else if (Has(Trait::kReplace) && Revision() < kRevisions) {
      script = ReplacedScript(Revision() + 1);
    } else if (!AllJoined()) {
      // Changes nothing; what a fault stopped is begun anew for it.
      script = workload_.later_script;
    }
    if (script.empty()) return Ok();
    return Define(script, /*later=*/true);
  }

  Status MakeOrDrop() {
    const bool there = engine_->deployment()->Find("passing") != nullptr;
    return Define(there ? "DROP STREAM passing CASCADE;" : PassingScript(), false);
  }

  // At rest, or while events go on. At rest a full disk is waited for.
  Status Define(const std::string& script, bool later) {
    if (full_ > 0 && (last_ || !Has(Trait::kBeside))) return Ok();
    // What a deployment cannot append may leave state that is not the journal's: a start mends it.
    if (full_ > 0) excused_ = true;
    if (!Has(Trait::kBeside)) {
      HR_TRY(engine_->Execute(script, "later.sql"));
      deployed_later_ = deployed_later_ || later;
      return Ok();
    }
    deploying_ = true;
    engine_->Deploy(script, "later.sql", [this, later](const Status& done) {
      deploying_ = false;
      deployed_later_ = deployed_later_ || (later && done.ok());
      if (!done.ok()) deploy_error_ = done.error();
    });
    if (last_ || full_ > 0 || !Has(Trait::kCrashes) || !deploying_ || !OneIn(4)) return Ok();
    // Killed while it is computed.
    cut_ = true;
    return OneIn(4) ? Ok() : engine_->log().WaitDurable(engine_->log().last_lsn());
  }

  // ALTER is no statement of what should be: it is given once, and after a crash one looks.
  Status ChangeModels() {
    const catalog::Object* model = engine_->deployment()->catalog.Find("m");
    if (!Has(Trait::kModels) || model == nullptr || deploying_) return Ok();
    if (model->versions.size() == 1) {
      return Define(
          std::string("ALTER MODEL m ADD VERSION WITH (path = '") + kModelPaths[1] + "');", false);
    }
    if (model->activations.back().number != 2) {
      return Define("ALTER MODEL m ACTIVATE VERSION 2;", false);
    }
    if (model->versions[0].shadow_lsn > 0) return Ok();
    return Define("ALTER MODEL m SHADOW VERSION 1;", false);
  }

  Status Look() {
    if (!Has(Trait::kQueries)) return Ok();
    switch (random_.Below(4)) {
      case 0: {
        HR_ASSIGN(engine::QueryResult result,
                  engine_->Query("SELECT k, count(*) AS n FROM enriched GROUP BY k"));
        return result.columns.columns.size() == 2 ? Ok() : Status(Broken("a query lost a column"));
      }
      case 1: {
        HR_ASSIGN(engine::VerifyResult verified, engine_->Verify({}));
        if (verified.differences == 0) return Ok();
        return Broken("verify: " + verified.sample.front().id + " was " +
                      verified.sample.front().logged + ", computed again " +
                      verified.sample.front().recomputed);
      }
      case 2:
        return Why();
      default:
        return ReadSome();
    }
  }

  Status Why() {
    const std::string* id = clients_.AnyId();
    if (id == nullptr) return Ok();
    Result<std::string> why = engine_->Why(*id);
    if (!why.ok()) {
      const bool gone = !Retained().empty() && why.error().code() == "HR4103";
      return gone ? Ok() : Status(std::move(why).error());
    }
    if (why->find("\"recomputed\":true") != std::string::npos) return Ok();
    return Broken("why " + *id + " does not compute the row that is there: " + *why);
  }

  // Rows that somebody saw never change.
  Status ReadSome() {
    engine::RowRange range;
    range.limit = 1 + random_.Below(40);
    range.from = static_cast<int64_t>(random_.Below(scenario_.events));
    range.with_ids = true;
    const std::string& stream = workload_.streams[random_.Below(workload_.streams.size())];
    HR_ASSIGN(std::string rows, engine_->ReadRows(stream, range));
    for (size_t at = 0; at < rows.size();) {
      const size_t end = rows.find('\n', at);
      if (!stream.ends_with(".dead")) HR_TRY(clients_.See(rows.substr(at, end - at)));
      at = end + 1;
    }
    return Ok();
  }

  // What comes from outside.
  Status Happen(os::FaultyFileSystem& files) {
    switch (random_.Below(6)) {
      case 0:
        return Has(Trait::kBackup) ? TakeBackup(files) : Ok();
      case 1:
        if (Has(Trait::kClock)) JumpClock();
        return Ok();
      case 2:
        return Fill();
      case 3:
        if (Has(Trait::kDescriptors) && !last_) TakeDescriptors(files);
        return Ok();
      case 4:
        return Has(Trait::kReadOnly) && !last_ && full_ == 0 && OneIn(3) ? RemountReadOnly(files)
                                                                         : Ok();
      default:
        return Relieve(files);
    }
  }

  // Producers have their answers: keys are kept for a day, and it would be over.
  void JumpClock() {
    if (clients_.in_doubt()) return;
    const int64_t by = jumped_ != 0 ? -jumped_ : (OneIn(2) ? kYear : -kYear);
    clock_.Jump(by);
    jumped_ += by;
    clients_.ExpectNothing();
  }

  Status Fill() {
    if (!Has(Trait::kFull) || full_ > 0 || (last_ && (deploying_ || !AllJoined()))) return Ok();
    if (deploying_ || !AllJoined()) excused_ = true;
    uint64_t used = 0;
    for (const std::string& path : disk_.AllFiles()) {
      HR_ASSIGN(auto file, disk_.Open(path, {}));
      HR_ASSIGN(uint64_t size, file->Size());
      used += size;
    }
    disk_.SetCapacity(used + random_.Below(20'000));
    full_ = 1;
    clients_.Bear(true);
    return Ok();
  }

  // There is room again, and descriptors: everything goes on without a restart.
  Status Relieve(os::FaultyFileSystem& files) {
    if (full_ == 0 && scarce_ == 0) return Ok();
    disk_.SetCapacity(UINT64_MAX);
    files.LimitOpenFiles(UINT64_MAX);
    full_ = scarce_ = 0;
    const Error* failure = engine_->log().failure();
    if (failure != nullptr) return *failure;
    // A deployment that is about to take over lets nothing in.
    if ((deploying_ || !AllJoined()) && clients_.waiting()) HR_TRY(engine_->FinishDeployments());
    for (int turns = 0; turns < 100 && clients_.waiting(); ++turns) {
      engine_->Pump();
      HR_TRY(engine_->log().WaitDurable(engine_->log().last_lsn()));
      engine_->Complete();
      HR_TRY(clients_.Judge(*engine_));
    }
    clients_.Bear(false);
    if (!clients_.waiting()) return Ok();
    return Broken("there is room again, and producers wait still");
  }

  void TakeDescriptors(os::FaultyFileSystem& files) {
    files.LimitOpenFiles(files.open_files() + random_.Below(2));
    scarce_ = 1;
    excused_ = true;  // a journal that cannot go on is final: a start mends it
  }

  // Nothing can be written any more: that is told, what was durable can be read, and a start on a
  // sound file system goes on.
  Status RemountReadOnly(os::FaultyFileSystem& files) {
    HR_TRY(engine_->log().WaitDurable(engine_->log().last_lsn()));
    files.SetReadOnly(true);
    excused_ = true;
    clients_.Send(*engine_);
    engine_->Pump();
    Status waited = engine_->log().WaitDurable(engine_->log().last_lsn());
    static_cast<void>(waited.ok());  // it says what happened
    engine_->Complete();
    if (engine_->log().failure() != nullptr && engine_->ready()) {
      return Broken("the journal has failed and the engine is ready");
    }
    engine::RowRange range;
    HR_TRY(engine_->ReadRows("enriched", range));
    return Error(ErrorKind::kIo, "HR7004", "the file system is read-only");
  }

  Status TakeBackup(os::FaultyFileSystem& files) {
    Result<log::CopyReport> copied = engine::Backup(files, clock_, data_, kBackup);
    if (!copied.ok()) {
      // Retention was faster than the backups: a new one has to be begun.
      const bool gone = !Retained().empty() && copied.error().code() == "HR5260";
      if (gone) RemoveTree(disk_, kBackup);
      return gone ? Ok() : Status(std::move(copied).error());
    }
    HR_TRY(outcome_.history.Follow(engine_->log()));
    RemoveTree(disk_, kRestored);
    HR_TRY(engine::Restore(disk_, clock_, kBackup, kRestored));
    base::MetricsRegistry metrics;
    engine::EngineOptions options;
    options.directory = kRestored;
    options.read_only = true;
    HR_ASSIGN(auto restored, engine::LocalEngine::Open(disk_, clock_, metrics, options, nullptr));
    if (Retained().empty()) HR_TRY(outcome_.history.CheckBeginning(restored->log(), MayBeGone()));
    HR_ASSIGN(engine::VerifyResult verified, restored->Verify({}));
    if (verified.differences == 0) return Ok();
    return Broken("verify of a restored backup: " + verified.sample.front().id);
  }

  // A clean end; sometimes the next life is in what was restored from a backup of it.
  Status CloseAndMove() {
    Status closed = engine_->Close();
    HR_TRY(closed);
    if (!Has(Trait::kBackup) || !Retained().empty() || OneIn(2)) return Ok();
    engine_.reset();
    HR_TRY(engine::Backup(disk_, clock_, data_, kBackup));
    RemoveTree(disk_, data_);
    HR_TRY(engine::Restore(disk_, clock_, kBackup, data_));
    return Ok();
  }

  Status Finish() {
    HR_TRY(engine_->FinishInput("events"));
    HR_TRY(engine_->FinishInput(Clients::kTicks));
    HR_TRY(outcome_.history.Follow(engine_->log()));
    HR_TRY(engine_->Close());
    done_ = true;
    return Ok();
  }

  // Everything that can be looked at when all is done.
  Status Inspect() {
    HR_ASSIGN(log::VerifyReport report, log::Verify(disk_, data_));
    if (!report.findings.empty()) return Broken(report.findings.front().ToString());
    HR_TRY(Open(disk_, data_, true));
    HR_TRY(outcome_.history.Check(engine_->log(), MayBeGone()));
    HR_ASSIGN(engine::VerifyResult verified, engine_->Verify({}));
    if (verified.differences > 0) return Broken("verify: " + verified.sample.front().id);
    for (const engine::StreamInfo& stream : engine_->streams()) {
      engine::RowRange range;
      range.limit = SIZE_MAX;
      HR_ASSIGN(outcome_.streams[stream.name], engine_->ReadRows(stream.name, range));
      range.with_ids = true;
      HR_ASSIGN(outcome_.rows[stream.name], engine_->ReadRows(stream.name, range));
    }
    HR_TRY(clients_.CheckStored(workload_.deduplicated, file_lines_));
    engine_.reset();
    return clients_.CheckRows(outcome_.rows);
  }

  const Scenario scenario_;
  os::SeededRandom random_;
  Directory directory_;
  Workload workload_;
  JumpingClock clock_;
  os::MemoryFileSystem disk_;
  std::vector<std::unique_ptr<base::MetricsRegistry>> metrics_;
  std::unique_ptr<engine::LocalEngine> engine_;
  std::string data_;
  MixedOutcome outcome_;
  Clients clients_;
  std::vector<std::string> file_lines_;
  std::string file_text_;
  std::vector<std::pair<size_t, size_t>> file_spans_;
  std::vector<std::string_view> file_payloads_;
  size_t steps_a_life_ = 0;
  bool excused_ = false;  // something was done to this life that may end it
  bool last_ = false;     // nothing is done to this life that may end it
  bool done_ = false;
  bool deployed_later_ = false;
  bool deploying_ = false;
  bool cut_ = false;  // the life ends now
  std::optional<Error> deploy_error_;
  int full_ = 0;
  int scarce_ = 0;
  int64_t jumped_ = 0;
};

}  // namespace

Result<MixedOutcome> RunMixed(const Scenario& scenario) {
  return MixedRun(scenario).Run();
}

}  // namespace headrace::sim
