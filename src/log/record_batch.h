#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/result.h"

namespace headrace::log {

// Kafka RecordBatch v2 (docs/internals/record_batch.md). One record:
struct Record {
  int64_t timestamp_ms = 0;
  int64_t offset = 0;  // set by readers
  bool has_key = false;
  std::string_view key{};
  std::string_view value{};
  std::vector<std::pair<std::string_view, std::string_view>> headers{};
};

// Builds one uncompressed batch, record by record, into its own buffer. Unsynchronized. The result
// has base offset 0; the log sets it.
class RecordBatchBuilder {
 public:
  // Starts a new batch; producer fields are -1 without idempotence.
  void Begin(int64_t base_timestamp_ms, int64_t producer_id = -1, int16_t producer_epoch = -1,
             int32_t base_sequence = -1);
  void Add(const Record& record);
  int32_t count() const { return count_; }
  size_t size() const { return bytes_.size(); }
  // Fills header and CRC, returns the batch and leaves the builder empty.
  std::string Finish();

 private:
  std::string bytes_;
  size_t expected_bytes_ = 0;  // as many as the batch before had, and some more
  int64_t base_timestamp_ms_ = 0;
  int64_t max_timestamp_ms_ = 0;
  int64_t producer_id_ = -1;
  int16_t producer_epoch_ = -1;
  int32_t base_sequence_ = -1;
  int32_t count_ = 0;
};

struct BatchHeader {
  int64_t base_offset = 0;
  int32_t length = 0;
  int32_t leader_epoch = 0;
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp_ms = 0;
  int64_t max_timestamp_ms = 0;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  int32_t record_count = 0;
};
inline constexpr size_t kBatchHeaderSize = 61;

// Checks magic, length, CRC and counts. kCorruption otherwise.
Result<BatchHeader> ReadHeader(std::string_view batch);

// The base offset lies outside the checksum: setting it changes nothing else.
void SetBaseOffset(std::string& batch, int64_t base_offset);
// The header's largest timestamp. The batch must have a whole header; nothing is checked.
int64_t MaxTimestamp(std::string_view batch);
// The same records in lz4, or "" when that would save less than an eighth or they are compressed.
std::string Compressed(const std::string& batch);

// Walks the records of a batch, uncompressed (none, gzip, lz4, zstd). The views point into the
// batch or into the reader's own buffer and live as long as the reader and the batch.
class RecordReader {
 public:
  static Result<RecordReader> Open(std::string_view batch,
                                   size_t uncompressed_bytes_max = 256 << 20);
  const BatchHeader& header() const { return header_; }
  // False behind the last record. kCorruption when the records do not parse.
  Result<bool> Next(Record* record);

 private:
  BatchHeader header_;
  std::unique_ptr<std::string> buffer_;  // only when compressed; `rest_` may point into it
  std::string_view rest_;
  int32_t read_ = 0;
};

// Reads every record of a batch; how many there are.
Result<uint64_t> CountRecords(std::string_view batch);

}  // namespace headrace::log
