#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "headrace/result.h"
#include "os/spill_file.h"
#include "row/value.h"
#include "state/aggregate.h"
#include "state/paged_state.h"

namespace headrace::state {

// One aggregate of a GROUP BY: what it adds up, without frames.
struct GroupAggregate {
  AggregateKind kind = AggregateKind::kCountRows;
  int argument_slot = -1;
  row::Type argument_type{};
  int filter_slot = -1;
  row::Type result_type{};
};

struct GroupTableSpec {
  std::vector<int> key_slots;  // window_start and window_end first when windowed
  std::vector<row::Type> key_types;
  std::vector<GroupAggregate> aggregates;
};

// Groups and their aggregates: a windowed GROUP BY keeps its open windows here, and queries use it
// for plain GROUP BY. Only adds, never evicts a row. Iteration order is defined: by key, in the
// order of row::Compare over the key columns, NULLs last. A snapshot takes it page by page.
// Confined.
class GroupTable : public PagedState {
 public:
  // With a spill file, which must outlive the table, groups are kept there.
  static std::unique_ptr<GroupTable> Make(GroupTableSpec spec, os::SpillFile* spill = nullptr);

  // Adds one row. Error: overflow of an aggregate (HR21xx).
  virtual Status Add(const row::Value* row) = 0;

  // Calls `emit(keys, aggregates)` for every group whose first key column (an integer-like value,
  // e.g. window_end) is <= `bound`, in order, then removes them. Values live in `arena`, which
  // `emit` may reset.
  using Emit = std::function<void(const row::Value* keys, const row::Value* aggregates)>;
  virtual Status EmitUpTo(int64_t bound, base::Arena& arena, const Emit& emit) = 0;
  // The same for all groups, without removing.
  virtual Status ForEach(base::Arena& arena, const Emit& emit) const = 0;

  virtual size_t groups() const = 0;
  virtual size_t bytes() const = 0;
  // The whole of it, by key. Load: kCorruption; all pages have then changed.
  virtual void Save(std::string& out) const = 0;
  virtual Status Load(std::string_view bytes) = 0;
};

// Remembers keys for DEDUPLICATE BY ... WITHIN horizon, in event time. The first arrival wins.
// Confined. Forgets what no event within the allowed lateness can repeat. With a spill file, which
// must outlive it, what it remembers is kept there. A snapshot takes it page by page.
class Deduplicator final : public PagedState {
 public:
  Deduplicator(int64_t horizon, int64_t lateness, os::SpillFile* spill = nullptr);
  ~Deduplicator() override;

  // Whether it is worth to say what is to come.
  bool spills() const;
  // Before IsRepeat of these keys: what has to be read back of the spill file is read together.
  void Expect(std::span<const std::string> keys);
  // True when the key was seen with an event time at most `horizon` away; otherwise remembers it.
  bool IsRepeat(std::string_view key, int64_t event_time, int64_t watermark);

  size_t bytes() const;
  // The whole of it, by key and time. Load: kCorruption; all pages have then changed.
  void Save(std::string& out) const;
  Status Load(std::string_view bytes);

  BlockHead BeginSnapshot(bool whole) override;
  bool TakePages(size_t bytes_max, std::vector<StatePage>& out) override;
  Status BeginLoad(const BlockHead& head) override;
  Status LoadPage(uint32_t number, std::string_view bytes) override;
  void EndLoad() override;

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};

}  // namespace headrace::state
