#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "os/spill_file.h"
#include "os/worker_team.h"
#include "row/batch.h"
#include "row/value.h"
#include "state/aggregate.h"
#include "state/paged_state.h"

namespace headrace::state {

// A frame of an OVER window. RANGE: [t - start, t - end] microseconds of event time, both ends in.
// ROWS: from `start` rows before to `end` rows before, in (event time, arrival) order. Order is
// always (event time, arrival), and only events that had arrived when the row did take part.
struct FrameSpec {
  bool rows = false;
  bool unbounded = false;  // start is UNBOUNDED PRECEDING
  int64_t start = 0;
  int64_t end = 0;  // 0: CURRENT ROW
  // Slot that receives the number of events in the frame (bigint), or -1. Used by `why`.
  int count_slot = -1;

  bool operator==(const FrameSpec&) const = default;
};

struct AggregateSpec {
  AggregateKind kind = AggregateKind::kCountRows;
  int argument_slot = -1;  // row slot of the argument; -1 for count(*)
  row::Type argument_type{};
  int filter_slot = -1;  // row slot of FILTER's boolean; only true counts
  int frame = 0;         // index into KeyBlockSpec::frames; unused by kLag
  int64_t lag = 1;       // kLag: rows back
  int result_slot = -1;
  row::Type result_type{};
};

// All windows over one stream with the same PARTITION BY.
struct KeyBlockSpec {
  std::vector<int> key_slots;
  std::vector<row::Type> key_types;
  std::vector<FrameSpec> frames;
  std::vector<AggregateSpec> aggregates;
  // Rows this far behind the watermark are still computed exactly (microseconds).
  int64_t lateness = 3'600'000'000;
  // Rows come by event time, all of one time in one batch, and those of a key and a time are peers:
  // a RANGE frame that ends at CURRENT ROW holds all of them. Otherwise a row sees only those peers
  // that arrived before it.
  bool peers = false;
};

// The fused state of one PARTITION BY: one slot per key in one open-addressing table, each event's
// values kept once, all windows of the key beside them.
//
// Update takes rows in log order; results are a function of the sequence of rows alone, never of
// where batches end and of how many do it. Event times below watermark - lateness never come in.
// NULL keys are one key.
// Every window is exact: integers and decimals in 128 bits and more, doubles summed in a fixed
// order. Memory of a key shrinks as the watermark passes what no frame can reach any more.
// Confined to the thread that runs the flow. No allocation per event in steady state.
class KeyBlock : public PagedState {
 public:
  // By row: `failed` is set to 1 when an aggregate of the row overflowed; its error is then in
  // `errors`, as a text for code HR21xx.
  struct Failures {
    std::vector<uint8_t> failed;
    std::vector<std::string> errors;  // at least as many
  };

  // `definition` errors: none; the planner has checked types with ResultType.
  // With a spill file, which must outlive the block, slots and windows are kept there.
  static std::unique_ptr<KeyBlock> Make(const KeyBlockSpec& spec, os::SpillFile* spill = nullptr);

  // For each row in order: adds it to its key, with `peers` all of its event time, then writes
  // every aggregate's value over the frame that ends at the row into row.values[result_slot]. Text
  // results live in `batch`'s arena. Rows already failed are skipped. The team does it together.
  virtual void Update(row::Batch& batch, Failures& failures, os::WorkerTeam& team) = 0;

  virtual size_t keys() const = 0;
  virtual size_t bytes() const = 0;

  // Deterministic dump of the whole state and its restoration: a block that was saved and loaded
  // answers with the same bytes as one that was not. Load: kCorruption.
  virtual void Save(std::string& out) const = 0;
  virtual Status Load(std::string_view bytes) = 0;
};

}  // namespace headrace::state
