// A flipped bit anywhere in a data directory: the engine refuses it, or it costs nothing, and what
// a salvage makes of the directory has every row that was not hit. In `make test` at some bytes of
// each file, with HEADRACE_SEEDS above 20 (make soak) at each.

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/bulk_run.h"
#include "engine/local_engine.h"
#include "engine/salvage.h"
#include "os/memory_file_system.h"
#include "workload.h"

namespace headrace::sim {
namespace {

constexpr const char* kData = "/data";
constexpr const char* kNew = "/new";
constexpr size_t kEvents = 90;

using Rows = std::map<std::string, std::vector<std::string>>;  // by stream, with their IDs

uint64_t Step() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 211;
#else
  const char* seeds = std::getenv("HEADRACE_SEEDS");
  return seeds != nullptr && std::strtoull(seeds, nullptr, 10) > 20 ? 1 : 37;
#endif
}

// One life of the engine over one directory.
struct Life {
  Life(os::FileSystem& disk, const Workload& workload) : files(disk), clock(workload.now) {}

  Status Open(const std::string& directory) {
    engine::EngineOptions options;
    options.directory = directory;
    options.log.journal_file_bytes = 1 << 20;
    options.snapshot_lsns = 12;
    auto opened = engine::LocalEngine::Open(files, clock, metrics, options, nullptr);
    if (!opened.ok()) return std::move(opened).error();
    engine = std::move(opened).value();
    return Ok();
  }

  void Send(const std::vector<Event>& events, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i += 3) {
      engine::IngestRequest request;
      request.topic = "events";
      for (size_t j = i; j < std::min(end, i + 3); ++j)
        request.payloads.push_back(events[j].json);
      request.done = [](const engine::IngestReply& reply) { ASSERT_FALSE(reply.error); };
      engine->Submit(std::move(request));
      engine->Pump();
      engine->log().WaitDurable(engine->log().last_lsn()).value();
      engine->Complete();
    }
  }

  // Errors that reading meets are the text of a row.
  Rows Read() const {
    Rows rows;
    for (const engine::StreamInfo& stream : engine->streams()) {
      engine::RowRange range;
      range.limit = SIZE_MAX;
      range.with_ids = true;
      Result<std::string> text = engine->ReadRows(stream.name, range);
      std::istringstream lines(text.ok() ? *text : "error " + text.error().ToString());
      for (std::string line; std::getline(lines, line);)
        rows[stream.name].push_back(line);
    }
    return rows;
  }

  os::FileSystem& files;
  os::ManualClock clock;
  base::MetricsRegistry metrics;
  std::unique_ptr<engine::LocalEngine> engine;
};

bool HasErrors(const Rows& rows) {
  for (const auto& [stream, lines] : rows) {
    if (!lines.empty() && lines.front().starts_with("error ")) return true;
  }
  return false;
}

bool IsBeginning(const Rows& whole, const Rows& part) {
  for (const auto& [stream, lines] : part) {
    auto found = whole.find(stream);
    if (found == whole.end() || lines.size() > found->second.size() ||
        !std::equal(lines.begin(), lines.end(), found->second.begin())) {
      return false;
    }
  }
  return true;
}

// The journal's files without the zeros they were made with.
void Trim(os::MemoryFileSystem& disk) {
  for (const std::string& path : disk.AllFiles()) {
    if (!path.ends_with(".journal")) continue;
    const std::string bytes = os::ReadFile(disk, path, 1 << 24).value();
    const size_t last = bytes.find_last_not_of('\0');
    auto file = disk.Open(path, {.writable = true}).value();
    file->Truncate(last == std::string::npos ? 0 : ((last + 8) & ~size_t{7}) + 64).value();
    file->Sync().value();
  }
}

struct DamageTest : testing::Test {
  // Files of every kind: a life that ends cleanly, one that does not.
  void SetUp() override {
    workload = MakeWorkload(17, Feed::kRequests, 1, kEvents);
    disk.CreateDirectories("/in").value();
    for (size_t version = 0; version < 2; ++version)
      os::ReplaceFile(disk, kModelPaths[version], ModelText(version)).value();
    {
      Life life(disk, workload);
      life.Open(kData).value();
      life.engine->Execute(workload.script, "app.sql").value();
      life.Send(workload.events, 0, kEvents / 2);
      life.engine->Execute(workload.later_script, "later.sql").value();
      life.engine->Close().value();
    }
    {
      Life life(disk, workload);
      life.Open(kData).value();
      life.Send(workload.events, kEvents / 2, kEvents);
      rows = life.Read();
      running = disk.Clone();  // as a process that was killed leaves it
      life.engine->Close().value();
    }
    stopped = disk.Clone();
    Trim(*running);
    Trim(*stopped);
  }

  // What a start makes of the damaged disk. True when it noticed.
  bool Start(os::MemoryFileSystem& damaged) {
    Life life(damaged, workload);
    Status opened = life.Open(kData);
    if (!opened.ok()) return true;
    const Rows got = life.Read();
    if (HasErrors(got)) return true;
    // Damage within the last flush looks like a write that was cut off, and is told like one.
    const bool cut = life.engine->log().recovery().torn_bytes_cut > 0;
    EXPECT_TRUE(got == rows || (cut && IsBeginning(rows, got))) << "a wrong row";
    EXPECT_EQ(0U, life.engine->Verify({}).value().differences);
    return cut;
  }

  // What a salvage makes of it: all rows but those that it says are lost, and a directory to work
  // with.
  void Rescue(os::MemoryFileSystem& damaged) {
    os::ManualClock clock(workload.now);
    auto salvaged = engine::Salvage(damaged, clock, kData, kNew);
    ASSERT_TRUE(salvaged.ok()) << salvaged.error().ToString();
    losses += salvaged->complete() ? 0 : 1;
    Result<log::VerifyReport> verified = log::Verify(damaged, kNew);
    ASSERT_TRUE(verified.ok());
    ASSERT_TRUE(verified->findings.empty()) << verified->findings.front().ToString();
    Rows got;
    {
      Life life(damaged, workload);
      Status opened = life.Open(kNew);
      ASSERT_TRUE(opened.ok()) << opened.error().ToString();
      got = life.Read();
      ExpectRest(got, *salvaged);
      EXPECT_EQ(0U, life.engine->Verify({}).value().differences);
      // Then go on as ever: with what it was told again, and after a start.
      life.engine->Execute(workload.script, "app.sql").value();
      if (damaged.Exists(kModelPaths[0])) {
        life.engine->Execute(workload.later_script, "later.sql").value();
      }
      Event event = workload.events.back();
      event.json.replace(event.json.find(event.id), event.id.size(), "another");
      life.Send({event}, 0, 1);
      got = life.Read();
      ASSERT_TRUE(life.engine->Close().ok());
    }
    Life life(damaged, workload);
    Status opened = life.Open(kNew);
    ASSERT_TRUE(opened.ok()) << opened.error().ToString();
    EXPECT_EQ(got, life.Read());
    EXPECT_EQ(0U, life.engine->Verify({}).value().differences);
  }

  // Streams whose statement is lost have no rows to read; the log has them.
  void ExpectRest(const Rows& got, const engine::SalvageResult& salvaged) {
    const bool cut = salvaged.log.torn_bytes > 0;
    for (const auto& [stream, lines] : got) {
      const std::vector<std::string>& whole = rows.at(stream);
      size_t at = 0;
      for (size_t i = 0; i < whole.size(); ++i) {
        if (at < lines.size() && lines[at] == whole[i]) {
          ++at;
        } else {
          EXPECT_TRUE(cut || IsTold(stream, whole[i], salvaged)) << "not told: " << whole[i];
        }
      }
      EXPECT_EQ(lines.size(), at) << "a wrong row of " << stream;
    }
    EXPECT_TRUE(got.size() == rows.size() || !salvaged.log.controls.empty() ||
                !salvaged.log.lsns.empty() || !salvaged.left_out.empty() || cut);
  }

  static bool IsTold(const std::string& stream, const std::string& row,
                     const engine::SalvageResult& salvaged) {
    if (!salvaged.log.lsns.empty()) return true;  // the journal does not tell of which topic
    const size_t end = row.find('"', 8);
    const int64_t offset = std::stoll(row.substr(row.rfind(':', end) + 1));
    for (const log::SalvageReport::Offsets& lost : salvaged.log.offsets) {
      if (lost.topic == stream && offset >= lost.from && offset < lost.to) return true;
    }
    return false;
  }

  void FlipAll(const os::MemoryFileSystem& sound) {
    int flips = 0;
    int noticed = 0;
    for (const std::string& path : sound.AllFiles()) {
      if (!path.starts_with(kData) || path.ends_with("lock")) continue;
      const uint64_t size = sound.Clone()->Open(path, {}).value()->Size().value();
      for (uint64_t at = 0; at < size; at += Step()) {
        SCOPED_TRACE(path + "@" + std::to_string(at));
        auto damaged = sound.Clone();
        damaged->FlipBits(path, at, static_cast<uint8_t>(1U << (at % 8)));
        ++flips;
        auto source = damaged->Clone();
        const bool seen = Start(*damaged);
        noticed += seen ? 1 : 0;
        if (seen && noticed % 5 == 0) Rescue(*source);
        if (testing::Test::HasFailure()) return;
      }
    }
    std::printf("damage: %d flips, %d noticed, %d of the salvages lost something\n", flips, noticed,
                losses);
    EXPECT_GT(noticed, 0);
    EXPECT_LT(noticed, flips);
  }

  Workload workload;
  os::MemoryFileSystem disk;
  std::unique_ptr<os::MemoryFileSystem> running;
  std::unique_ptr<os::MemoryFileSystem> stopped;
  Rows rows;
  int losses = 0;
};

TEST_F(DamageTest, AFlippedBitOfAStoppedDirectoryIsNoticedOrCostsNothing) {
  FlipAll(*stopped);
}

TEST_F(DamageTest, AFlippedBitOfAKilledProcessesDirectoryIsNoticedOrCostsNothing) {
  FlipAll(*running);
}

// Nothing but segments: what a salvage makes of a sound directory.
TEST_F(DamageTest, AFlippedBitOfASegmentCostsItsBatch) {
  os::ManualClock clock(workload.now);
  auto salvaged = engine::Salvage(*stopped, clock, kData, "/segments");
  ASSERT_TRUE(salvaged.ok() && salvaged->complete());
  os::MemoryFileSystem only;
  for (const std::string& path : stopped->AllFiles()) {
    std::string target = path;
    if (path.starts_with("/segments")) target = kData + path.substr(9);
    if (target == path && !path.starts_with("/in")) continue;
    only.CreateDirectories(target.substr(0, target.rfind('/'))).value();
    os::ReplaceFile(only, target, os::ReadFile(*stopped, path, 1 << 24).value()).value();
  }
  FlipAll(only);
  EXPECT_GT(losses, 0);
}

}  // namespace
}  // namespace headrace::sim
