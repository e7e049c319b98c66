#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "flow/column_watch.h"
#include "flow/plan.h"
#include "flow/watch_plan.h"
#include "row/batch.h"
#include "state/key_block.h"

namespace headrace::flow {

// What is watched of one version of a model.
struct VersionWatch {
  uint64_t rows = 0;     // scored within the window
  uint64_t sampled = 0;  // of them
  std::vector<ColumnWatch> columns;
  std::vector<uint8_t> alarms;  // by column, then of all: those of the window before
  // Of a version that brings no baseline, its first rows: of columns that are compared with them.
  uint64_t first_rows = 0;
  std::vector<ColumnWatch> first;
};

// Watches the rows that a statement scores with one model, and tells at the end of each window of
// event time how inputs and scores lay in it and how far that is from the baseline of the version:
// what its file says of the rows it was trained on, or else the first rows that it scored.
//
// A window closes at the first row that comes when the watermark has passed its end, if it has
// WatchOptions::rows rows by then; it holds the rows that came before, whatever their own time. Of
// the rows a sample is looked at: every 2^level-th, where the level follows from how many rows the
// window before had, and rises with each doubling of kSample within the window. So what it costs
// is bounded, and which rows are looked at is a function of their order alone.
//
// State: a key block without keys, saved as a whole in pages of kPageBytes. Memory: about 8 KiB a
// column and version; kVersionsMax versions, the one unused longest goes. Confined.
class WatchBlock final : public state::KeyBlock {
 public:
  static constexpr uint64_t kSample = 1024;
  static constexpr size_t kVersionsMax = 8;
  static constexpr size_t kPageBytes = 64 << 10;
  static constexpr size_t kPagesMax = 16'384;

  explicit WatchBlock(WatchPlan plan);

  // The rows that were scored, in order, by their score and version slots; rows of health, of
  // HealthSchema(), are added to `health`. `versions` are those of the model.
  void Watch(row::Batch& batch, const ModelVersions& versions, row::Batch& health);
  const WatchPlan& plan() const { return plan_; }

  void Update(row::Batch&, Failures&, os::WorkerTeam&) override {}
  size_t keys() const override { return 1; }
  size_t bytes() const override;
  void Save(std::string& out) const override;
  Status Load(std::string_view bytes) override;
  state::BlockHead BeginSnapshot(bool whole) override;
  bool TakePages(size_t bytes_max, std::vector<state::StatePage>& out) override;
  Status BeginLoad(const state::BlockHead& head) override;
  Status LoadPage(uint32_t number, std::string_view bytes) override;
  void EndLoad() override { pages_.clear(); }

 private:
  struct References {
    bool known = false;
    bool training = false;
    std::vector<ColumnReference> columns;
  };

  size_t columns() const { return plan_.slots.size() + 1; }
  VersionWatch& VersionOf(int32_t version);
  void ForgetOldest();
  void Refer(int32_t version, const VersionWatch& watch, const ModelVersions& versions);
  void Begin(int64_t time);
  bool IsSampled();
  void Look(const row::Row& row, const model::Model& model, int32_t version, VersionWatch& watch);
  void Close(const row::Row& at, const ModelVersions& versions, row::Batch& health);
  void TellVersion(int32_t version, VersionWatch& watch, row::Row first, row::Batch& health);
  uint8_t TellColumn(size_t column, const VersionWatch& watch, const References& references,
                     const learn::WeightedValues& values, row::Row& row) const;
  void SaveState(base::ByteWriter& writer) const;
  bool LoadState(base::ByteReader& reader);
  static bool LoadColumns(base::ByteReader& reader, size_t count, std::vector<ColumnWatch>& to);

  WatchPlan plan_;
  uint64_t fingerprint_ = 0;

  // The state.
  bool open_ = false;  // a window is
  int64_t time_ = INT64_MIN;
  int64_t start_ = 0;
  int64_t end_ = 0;
  uint64_t rows_ = 0;         // of the window, of all versions
  uint64_t rows_before_ = 0;  // of the last one
  std::map<int32_t, VersionWatch> versions_;

  std::map<int32_t, References> references_;  // made from the state and the versions
  std::vector<double> values_;                // of one row
  bool changed_ = false;                      // since the last snapshot
  std::vector<std::string> pages_;            // to be taken, or loaded so far
  size_t next_page_ = 0;
  size_t loaded_ = 0;
};

}  // namespace headrace::flow
