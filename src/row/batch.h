#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "row/value.h"

namespace headrace::row {

// The place of an input event in the one total order: LSN of its journal frame, index inside the
// frame's batch. A derived row carries the place of the event that caused it.
struct Place {
  uint64_t lsn = 0;
  uint32_t index = 0;

  auto operator<=>(const Place&) const = default;
};

// A row in flight: `values` has one slot per column of the plan that is being run (the stream's
// columns first, then slots the plan computes). Offsets are fixed at plan time.
struct Row {
  Value* values = nullptr;
  Place cause;
  Place waited{};                 // its own event's, where that is not what caused it; else LSN 0
  int64_t event_time = 0;         // microseconds UTC; of the stream's watermark column
  int64_t watermark = INT64_MIN;  // of the stream just before this row
  int32_t partition = 0;
  int64_t offset = 0;          // in its own topic partition
  std::string_view payload{};  // the bytes as received, for dead letters; empty for derived rows
  bool failed = false;         // refused by an operator: the rows behind it do not see it
  bool dead_lettered = false;  // stands in the dead letters already: once is enough

  // The event it stems from.
  Place event() const { return waited.lsn > 0 ? waited : cause; }
};

// Rows that are taken together, in order. Nothing visible may depend on where a batch begins or
// ends. Confined to the worker that fills it, but for the values of its rows, which several fill
// together: each with an arena of its own. Arena memory lives until Clear.
class Batch {
 public:
  static constexpr size_t kArenas = 16;  // one for each worker
  // A new row of `slots` NULLs.
  Row& Add(size_t slots);
  std::vector<Row>& rows() { return rows_; }
  const std::vector<Row>& rows() const { return rows_; }
  base::Arena& arena(size_t worker = 0) { return arenas_[worker]; }
  void Clear() {
    rows_.clear();
    for (base::Arena& arena : arenas_)
      arena.Reset();
  }

 private:
  std::vector<Row> rows_;
  std::array<base::Arena, kArenas> arenas_;
};

}  // namespace headrace::row
