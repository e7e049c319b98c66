// The determinism gate: one log, and one hash of all that comes out of it and of the state behind
// it, whatever the batches, the workers, the compiler, the sanitizers.

#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "engine/past.h"
#include "engine/replay.h"
#include "engine/test_program.h"
#include "workload.h"

namespace headrace::sim {
namespace {

using engine::TestProgram;

// A change of what is computed changes them, and says so in its commit; nothing else may.
constexpr const char* kGoldenRows = "f164e7a2908bf93d";
constexpr const char* kGoldenState = "8f1e77120f7f9b2a";

constexpr size_t kEvents = 2000;
constexpr uint64_t kSeed = 97;

std::string Hex(uint64_t hash) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

// Of a graph's snapshot (src/flow/graph_snapshot.cc) what no LSN is in: those depend on how many
// events came together. That is all but rows that wait, and when statements were made.
class WithoutLsns {
 public:
  explicit WithoutLsns(std::string_view head) : reader_(head), writer_(all_) {
    reader_.U8();
    for (uint64_t sources = reader_.Varint(); sources > 0; --sources) {
      writer_.String(reader_.String());
      writer_.String(reader_.String());
      TakeBlocks();
    }
    for (uint64_t statements = reader_.Varint(); statements > 0 && reader_.ok(); --statements) {
      writer_.String(reader_.String());
      reader_.Varint();
      const uint8_t kind = reader_.U8();
      if (kind >= 2) writer_.String(reader_.String());
      if (kind == 3) waiting_.insert(blocks_);
      TakeBlocks();
    }
    for (uint64_t policies = reader_.Varint(); policies > 0 && reader_.ok(); --policies) {
      for (int part = 0; part < 3; ++part)  // name, definition, state
        writer_.String(reader_.String());
    }
    EXPECT_TRUE(reader_.ok() && reader_.remaining() == 0);
  }
  void Add(const flow::BlockPage& page) {
    if (waiting_.contains(page.block)) return;
    all_ +=
        std::to_string(page.block) + ":" + std::to_string(page.page.number) + ":" + page.page.bytes;
  }
  const std::string& all() const { return all_; }

 private:
  void TakeBlocks() {
    for (uint64_t blocks = reader_.Varint(); blocks > 0 && reader_.ok(); --blocks, ++blocks_) {
      writer_.U64Le(reader_.U64Le());
      writer_.Varint(reader_.Varint());
      writer_.U64Le(reader_.U64Le());
    }
  }

  std::string all_;
  base::ByteReader reader_;
  base::ByteWriter writer_;
  uint32_t blocks_ = 0;
  std::set<uint32_t> waiting_;  // the blocks of rows that wait
};

// The state that a stopped program left in its snapshot.
std::string StateOf(TestProgram& program) {
  base::MetricsRegistry metrics;
  engine::EngineOptions options;
  options.directory = "/data";
  options.read_only = true;
  auto reader =
      engine::LocalEngine::Open(program.disk(), program.clock(), metrics, options, nullptr).value();
  const auto deployment = reader->deployment();
  const engine::SnapshotStore store(program.disk(), "/data");
  const engine::PastSource source{store, reader->log(), deployment->catalog};
  engine::Past past = engine::LoadPast(source, reader->log().last_lsn(), [&] {
                        return engine::BuildGraph(*deployment, engine::ModelsOf(deployment));
                      }).value();
  EXPECT_TRUE(past.snapshot.has_value());
  WithoutLsns state(past.graph->BeginSnapshot(true));
  std::vector<flow::BlockPage> pages;
  while (past.graph->TakePages(1 << 20, pages)) {
  }
  for (const flow::BlockPage& page : pages)
    state.Add(page);
  return state.all();
}

struct Hashes {
  std::string rows;
  std::string state;
};

Hashes HashesOf(const Workload& workload, size_t batch, size_t workers) {
  TestProgram program(UINT64_MAX, workers);
  program.clock().Set(workload.now);
  program.disk().CreateDirectories("/in").value();
  for (size_t version = 0; version < 2; ++version)
    os::ReplaceFile(program.disk(), kModelPaths[version], ModelText(version)).value();
  auto feed = [&](size_t begin, size_t end) {
    std::vector<std::string> lines;
    for (size_t i = begin; i < end; ++i)
      lines.push_back(workload.events[i].json);
    program.Feed("events", lines, [batch](size_t) { return batch; });
  };
  program.Run(workload.script);
  feed(0, workload.first);
  program.Run(workload.later_script);
  feed(workload.first, workload.second);
  program.Run(std::string("ALTER MODEL m ADD VERSION WITH (path = '") + kModelPaths[1] + "');");
  program.Run("ALTER MODEL m ACTIVATE VERSION 2;");
  feed(workload.second, workload.events.size());
  program.Stop().value();
  Hashes hashes;
  hashes.state = Hex(base::Hash64(StateOf(program)));
  program.Start().value();
  program.engine().FinishInput("events").value();
  std::string rows;
  for (const auto* streams : {&workload.streams, &workload.later_streams}) {
    for (const std::string& stream : *streams)
      rows += stream + "\n" + program.Rows(stream, true);
  }
  hashes.rows = Hex(base::Hash64(rows));
  return hashes;
}

TEST(DeterminismGate, OneHashOfAllRowsAndOfTheStateInEveryBuild) {
  const Workload workload = MakeWorkload(kSeed, Feed::kFile, 1, kEvents);
  for (size_t batch : {1U, 7U, 256U}) {
    for (size_t workers : {1U, 2U, 4U}) {
      const Hashes hashes = HashesOf(workload, batch, workers);
      EXPECT_EQ(kGoldenRows, hashes.rows) << "batches of " << batch << ", workers " << workers;
      EXPECT_EQ(kGoldenState, hashes.state) << "batches of " << batch << ", workers " << workers;
    }
  }
}

}  // namespace
}  // namespace headrace::sim
