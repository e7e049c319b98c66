#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/emission.h"
#include "engine/frame_note.h"
#include "engine/health_metrics.h"
#include "log/log.h"

namespace headrace::engine {

// A row as those who wait for it see it: the offset it will have and its bytes.
struct TappedRow {
  int32_t partition = 0;
  int64_t offset = 0;
  row::Place cause;
  std::string_view value;
  const std::vector<std::pair<std::string_view, std::string_view>>* headers = nullptr;
};
using Tap = std::function<void(const TappedRow&)>;

// Collects derived rows into the entries of one journal group: one RecordBatch per topic partition.
// Offsets are those the log will give, because only this worker appends. Confined.
class GroupBuilder final : public Emission {
 public:
  // `health`, which must outlive it, sees the rows of health streams; null: nobody does.
  GroupBuilder(std::shared_ptr<const Deployment> deployment, const log::Log& log,
               HealthMetrics* health);

  // Sees every row of the stream as it is emitted; null removes it. One per stream.
  void SetTap(const std::string& stream, Tap tap);

  // Moves what was collected into `group`, in the order of the deployment.
  void TakeEntries(std::vector<log::Entry>& group);
  size_t bytes() const { return bytes_; }
  // A row from elsewhere (recovery hands on what had not been logged).
  int64_t Add(size_t stream, const EmittedRow& row) { return OnRow(stream, row); }

 protected:
  int64_t OnRow(size_t stream, const EmittedRow& row) override;

 private:
  struct PartitionOutput {
    log::RecordBatchBuilder builder;
    CauseEncoder causes;
    int64_t next_offset = -1;  // -1: ask the log
  };
  struct StreamOutput {
    std::vector<PartitionOutput> partitions;
    Tap tap;
    bool touched = false;
    std::string health_of;  // the statement whose health it tells
  };

  const log::Log& log_;
  HealthMetrics* health_;
  std::vector<StreamOutput> outputs_;  // by item
  size_t bytes_ = 0;
};

}  // namespace headrace::engine
