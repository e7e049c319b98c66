// More comes than the disk takes: what is too much is refused at once, and memory stays bounded.

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include <gtest/gtest.h>

#include "engine/local_engine.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"

namespace headrace::engine {
namespace {

constexpr int64_t kNow = 1'800'000'000'000'000;
constexpr uint64_t kJournal = 256 << 10;
constexpr uint64_t kBatch = 128 << 10;
constexpr const char* kScript =
    "CREATE STREAM s (id BIGINT NOT NULL, filler TEXT);\n"
    "CREATE STREAM o AS SELECT id FROM s;";

// An engine whose worker serves others too, on a disk that may hang.
class Overload : public testing::Test {
 protected:
  void Open(uint64_t pending_bytes_max, size_t pending_events_max) {
    EngineOptions options;
    options.directory = "/data";
    options.log.journal_file_bytes = 1 << 20;
    options.log.pending_bytes_max = kJournal;
    options.batch_bytes_max = kBatch;
    options.pending_bytes_max = pending_bytes_max;
    options.pending_events_max = pending_events_max;
    options.waits_for_log = false;
    engine_ = LocalEngine::Open(files_, clock_, metrics_, options, nullptr).value();
    engine_->Execute(kScript, "app.sql").value();
  }
  ~Overload() override { files_.Resume(); }

  // A request of `events` events of `bytes` each.
  void Submit(size_t events, size_t bytes) {
    IngestRequest request;
    request.topic = "s";
    request.return_stream = "o";
    for (size_t i = 0; i < events; ++i) {
      request.payloads.push_back("{\"id\":" + std::to_string(sent_++) + ",\"filler\":\"" +
                                 std::string(bytes, 'x') + "\"}");
    }
    request.done = [this](const IngestReply& reply) {
      if (!reply.error) {
        accepted_ += reply.accepted;
      } else {
        ++refused_[reply.error->code()];
      }
    };
    engine_->Submit(std::move(request));
  }
  // As the server's loop does: never more than a turn each.
  void Turn() {
    engine_->Pump();
    engine_->Complete();
  }
  void Settle() {
    while (engine_->in_flight() > 0) {
      Turn();
      engine_->log().WaitDurable(engine_->log().last_lsn()).value();
    }
  }
  size_t Stored() const {
    RowRange range;
    range.limit = SIZE_MAX;
    const std::string rows = engine_->ReadRows("o", range).value();
    return static_cast<size_t>(std::count(rows.begin(), rows.end(), '\n'));
  }
  double Metric(const std::string& name) const {
    const std::string text = metrics_.Text();
    const size_t at = text.find("\n" + name + "{");
    return at == std::string::npos ? -1 : std::stod(text.substr(text.find("} ", at) + 2));
  }

  os::MemoryFileSystem disk_;
  os::FaultyFileSystem files_{disk_};
  os::ManualClock clock_{kNow};
  base::MetricsRegistry metrics_;
  std::unique_ptr<LocalEngine> engine_;
  size_t sent_ = 0;
  size_t accepted_ = 0;
  std::map<std::string, size_t> refused_;  // requests, by code
};

// What waits is bounded by its bytes; nothing that was refused is stored, all that was taken is.
TEST_F(Overload, OnADiskThatHangsIsRefusedAtOnceAndNothingOfItIsStored) {
  constexpr size_t kBytes = 10'000;
  constexpr uint64_t kPending = 1 << 20;
  Open(kPending, 100'000);
  // The journal's own thread must be the one that hangs.
  for (int i = 0; i < 300; ++i)
    Submit(1, 100);
  files_.StallFlushes();
  Turn();
  // Ten times what the engine may hold, and its journal.
  const size_t requests = 10 * ((kPending + kJournal) / kBytes);
  size_t most_in_flight = 0;
  double ratio = -1;
  for (size_t i = 0; i < requests; ++i) {
    Submit(1, kBytes);
    if (ratio < 0 && !refused_.empty()) ratio = Metric("headrace_backpressure_ratio");
    Turn();
    most_in_flight = std::max(most_in_flight, engine_->in_flight());
  }
  EXPECT_EQ(0U, accepted_);
  ASSERT_EQ(1U, refused_.size());
  EXPECT_GT(refused_["HR5003"], requests * 8 / 10);
  // The queue, the groups that wait for the journal, those that it is writing.
  EXPECT_LT(most_in_flight, 300 + (kPending + 2 * (kJournal + kBatch)) / kBytes);
  EXPECT_EQ(refused_["HR5003"], Metric("headrace_errors_total"));
  EXPECT_GT(ratio, 0.9);
  EXPECT_LE(ratio, 1);
  files_.Resume();
  Settle();
  EXPECT_EQ(sent_ - refused_["HR5003"], accepted_);
  EXPECT_EQ(accepted_, Stored());
  EXPECT_EQ(0, Metric("headrace_backpressure_ratio"));
  // And all is as before.
  Submit(1, kBytes);
  Settle();
  EXPECT_EQ(accepted_, Stored());
}

// Nor does a deployment make the worker wait: it goes on when there is room.
TEST_F(Overload, ADeploymentWaitsForRoomWithoutTheWorker) {
  Open(1 << 20, 100'000);
  for (int i = 0; i < 300; ++i)
    Submit(1, 100);
  files_.StallFlushes();
  Turn();
  for (uint64_t bytes = 0; bytes < 2 * kJournal; bytes += 10'000) {
    Submit(1, 10'000);
    Turn();
  }
  ASSERT_FALSE(engine_->log().has_room());
  bool deployed = false;
  engine_->Deploy("CREATE STREAM p AS SELECT id FROM s;", "p.sql",
                  [&](const Status& done) { deployed = done.ok(); });
  for (int i = 0; i < 10; ++i)
    Turn();
  EXPECT_EQ(nullptr, engine_->deployment()->Find("p"));
  files_.Resume();
  Settle();
  ASSERT_TRUE(engine_->FinishDeployments().ok());
  EXPECT_TRUE(deployed);
  RowRange range;
  range.limit = SIZE_MAX;
  EXPECT_EQ(engine_->ReadRows("o", range).value(), engine_->ReadRows("p", range).value());
  EXPECT_EQ(0U, engine_->Verify({}).value().differences);
}

TEST_F(Overload, IsByEventsToo) {
  Open(64 << 20, 1000);
  Submit(900, 1);
  Submit(101, 1);
  Submit(100, 1);
  EXPECT_EQ(1U, refused_["HR5003"]);
  Settle();
  EXPECT_EQ(1000U, accepted_);
}

TEST_F(Overload, IsKnownBeforeABodyIsTakenApart) {
  Open(1 << 20, 100'000);
  EXPECT_FALSE(engine_->RefuseNow(2 << 20)) << "alone it is taken";
  Submit(1, 700'000);
  EXPECT_FALSE(engine_->RefuseNow(100'000));
  std::optional<Error> refused = engine_->RefuseNow(500'000);
  ASSERT_TRUE(refused);
  EXPECT_EQ(ErrorKind::kLimitExceeded, refused->kind());
  EXPECT_EQ(1, Metric("headrace_errors_total"));
  Settle();
  EXPECT_FALSE(engine_->RefuseNow(500'000));
}

// The worker's own flush was slow: for a while the journal's thread flushes, and the worker serves.
TEST_F(Overload, AfterASlowFlushTheWorkerHandsFlushingOver) {
  class SlowOnce final : public os::Clock {
   public:
    int64_t NowMicros() const override { return kNow; }
    int64_t MonotonicNanoseconds() const override { return nanos += step; }
    mutable std::atomic<int64_t> nanos{0};
    std::atomic<int64_t> step{0};
  };
  SlowOnce clock;
  EngineOptions options;
  options.directory = "/slow";
  options.snapshots = false;
  auto engine = LocalEngine::Open(files_, clock, metrics_, options, nullptr).value();
  engine->Execute(kScript, "app.sql").value();
  auto ask = [&] {
    IngestRequest request;
    request.topic = "s";
    request.payloads = {"{\"id\":1}"};
    bool answered = false;
    request.done = [&](const IngestReply&) { answered = true; };
    engine->Submit(std::move(request));
    engine->Pump();
    const bool here = answered;
    engine->log().WaitDurable(engine->log().last_lsn()).value();
    engine->Complete();
    EXPECT_TRUE(answered);
    return here;
  };
  // The journal's thread may be at work with the one before a moment longer.
  auto flushes_here = [&] {
    for (int i = 0; i < 100'000; ++i) {
      if (ask()) return true;
    }
    return false;
  };
  EXPECT_TRUE(flushes_here());
  clock.step = 60'000'000;
  EXPECT_TRUE(flushes_here());
  clock.step = 0;
  files_.StallFlushes();
  IngestRequest request;
  request.topic = "s";
  request.payloads = {"{\"id\":2}"};
  bool answered = false;
  request.done = [&](const IngestReply&) { answered = true; };
  engine->Submit(std::move(request));
  engine->Pump();  // comes back, though the disk hangs
  EXPECT_FALSE(answered);
  files_.Resume();
  engine->log().WaitDurable(engine->log().last_lsn()).value();
  engine->Complete();
  EXPECT_TRUE(answered);
  clock.nanos += 2'000'000'000;
  EXPECT_TRUE(flushes_here()) << "the worker flushes again";
}

// Its caller waits for the disk, and nobody else.
TEST_F(Overload, OnADiskThatHangsAModelIsActivatedWithoutStoppingTheWorker) {
  Open(1 << 20, 100'000);
  files_.CreateDirectories("/in").value();
  const std::string model =
      "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n"
      "objective=regression\nfeature_names=id\nfeature_infos=[0:20]\n\nTree=0\nnum_leaves=2\n"
      "num_cat=0\nsplit_feature=0\nthreshold=5\ndecision_type=10\nleft_child=-1\nright_child=-2\n"
      "leaf_value=1 2\nleaf_count=5 5\ninternal_count=10\nis_linear=0\nshrinkage=1\n\n\n"
      "end of trees\n";
  os::ReplaceFile(files_, "/in/1", model).value();
  std::string second = model;
  second.replace(second.find("leaf_value=1"), 12, "leaf_value=3");
  os::ReplaceFile(files_, "/in/2", second).value();
  engine_->Execute("CREATE MODEL m WITH (path = '/in/1');", "m").value();
  engine_->Execute("ALTER MODEL m ADD VERSION WITH (path = '/in/2');", "m").value();
  files_.StallFlushes();
  std::optional<Status> activated;
  engine_->Deploy("ALTER MODEL m ACTIVATE VERSION 2;", "m",
                  [&](const Status& done) { activated = done; });
  for (int turn = 0; turn < 5; ++turn)
    Turn();
  EXPECT_FALSE(activated);
  files_.Resume();
  engine_->log().WaitDurable(engine_->log().last_lsn()).value();
  Turn();
  ASSERT_TRUE(activated && activated->ok());
  EXPECT_EQ(2, engine_->deployment()->catalog.Find("m")->activations.back().number);
}

}  // namespace
}  // namespace headrace::engine
