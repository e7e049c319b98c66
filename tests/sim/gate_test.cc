// The determinism gate: one log, and one hash of all that comes out of it and of the state behind
// it, whatever the batches, the workers, the compiler, the sanitizers.

#include <cstdio>
#include <memory>
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
constexpr const char* kGoldenState = "ff6bd9a48b2a2768";

constexpr size_t kEvents = 2000;
constexpr uint64_t kSeed = 97;

std::string Hex(uint64_t hash) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

// Of the head of a graph's snapshot (src/flow/graph_snapshot.cc) what no LSN is in: those depend on
// how many events came together. That is all but rows that wait, and when statements were made.
std::string WithoutLsns(std::string_view head) {
  std::string all;
  base::ByteReader reader(head);
  base::ByteWriter writer(all);
  reader.U8();
  for (uint64_t sources = reader.Varint(); sources > 0; --sources) {
    writer.String(reader.String());
    writer.String(reader.String());
  }
  for (uint64_t statements = reader.Varint(); statements > 0 && reader.ok(); --statements) {
    writer.String(reader.String());
    reader.Varint();
    const uint8_t kind = reader.U8();
    if (kind == 2) {
      writer.String(reader.String());
      continue;
    }
    if (kind == 3) reader.String();
    for (uint64_t blocks = reader.Varint(); blocks > 0 && reader.ok(); --blocks) {
      writer.U64Le(reader.U64Le());
      writer.Varint(reader.Varint());
      writer.U64Le(reader.U64Le());
    }
  }
  EXPECT_TRUE(reader.ok() && reader.remaining() == 0);
  return all;
}

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
  std::string state = WithoutLsns(past.graph->BeginSnapshot(true));
  std::vector<flow::BlockPage> pages;
  while (past.graph->TakePages(1 << 20, pages)) {
  }
  for (const flow::BlockPage& page : pages)
    state +=
        std::to_string(page.block) + ":" + std::to_string(page.page.number) + ":" + page.page.bytes;
  return state;
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
