#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/deployment.h"
#include "log/log.h"
#include "log/record_batch.h"

namespace headrace::engine {

// One stored row: where it stands, what caused it, its bytes.
struct StoredRow {
  int32_t partition = 0;
  int64_t offset = 0;
  row::Place cause;            // for a source: its own place
  uint64_t lsn = 0;            // of the batch it is stored in
  int64_t arrival_micros = 0;  // of a source's event
  std::string_view value;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
};

// Reads the durable rows of one topic in the order of their causes over all partitions (or of one).
// A view is valid until the next call. Ends at what was durable when it got there. Confined.
class RowCursor {
 public:
  // `partition` -1 reads all. `from` is an offset and needs one partition.
  static Result<std::unique_ptr<RowCursor>> Open(const log::Log& log, const Deployed& item,
                                                 int32_t partition, int64_t from);
  // All partitions, each from its offset in `from`; from its start where there is none.
  static Result<std::unique_ptr<RowCursor>> Open(
      const log::Log& log, const Deployed& item,
      const std::map<std::pair<std::string, int32_t>, int64_t>& from);
  // False at the end.
  Result<bool> Next(StoredRow* row);

 private:
  struct Lane {
    int32_t partition = 0;
    int64_t next_offset = 0;
    std::deque<log::Entry> entries;
    std::unique_ptr<log::RecordReader> reader;
    std::vector<row::Place> causes;
    size_t index = 0;
    bool ended = false;
    bool loaded = false;
    log::Record record;
    row::Place cause;
    uint64_t lsn = 0;
    int64_t arrival_micros = 0;
  };

  RowCursor(const log::Log& log, std::string topic, bool source)
      : log_(log), topic_(std::move(topic)), source_(source) {}
  Status Load(Lane& lane);
  Result<bool> OpenEntry(Lane& lane);

  const log::Log& log_;
  std::string topic_;
  bool source_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  Lane* given_ = nullptr;
};

}  // namespace headrace::engine
