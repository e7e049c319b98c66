#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "log/log.h"
#include "os/file_system.h"

namespace headrace::log {

// A stored batch: this header, the note, the RecordBatch. docs/internals/segments.md.
inline constexpr size_t kStoredHeaderSize = 48;

struct StoredHeader {
  uint32_t crc = 0;  // CRC-32C of everything behind this field, note and batch included
  Lsn lsn = 0;
  int64_t base_offset = 0;
  uint32_t record_count = 0;
  uint32_t note_size = 0;
  uint32_t batch_size = 0;
  int64_t max_timestamp_ms = 0;

  size_t total() const { return kStoredHeaderSize + note_size + batch_size; }
};

void AppendStored(const Entry& entry, std::string_view batch, std::string& out);
// False when no stored batch can begin with these bytes (at least kStoredHeaderSize of them).
bool ReadStoredHeader(std::string_view bytes, StoredHeader* header);
// `bytes` is the whole stored batch. kCorruption when its checksum does not match.
Result<Entry> ReadStored(std::string_view bytes, const StoredHeader& header);

// Where a batch begins: one for about every 64 KiB of a segment.
struct IndexPoint {
  int64_t base_offset = 0;
  uint64_t position = 0;
  Lsn lsn = 0;
  int64_t max_timestamp_ms = 0;  // largest so far in the segment
};

// An immutable part of one partition's history, but for the newest segment, which grows. The index
// is sparse; a closed segment keeps it in a checksummed file beside it, and one that is missing or
// damaged is built again. Guarded by its partition's lock.
struct Segment {
  int64_t base_offset = 0;
  int64_t end_offset = 0;
  uint64_t size = 0;  // durable bytes
  Lsn first_lsn = 0;
  Lsn last_lsn = 0;
  int64_t first_timestamp_ms = -1;  // of the first batch; -1 when read from an index file
  int64_t max_timestamp_ms = -1;
  std::string path;
  std::shared_ptr<os::File> file;
  std::vector<IndexPoint> index;

  // Takes the batch that was written at the segment's end.
  void Note(const StoredHeader& header);
  Status WriteIndex(os::FileSystem& files) const;
  // Reads the index file, or scans the segment when it is missing or damaged.
  Status LoadIndex(os::FileSystem& files);
  Status ScanIndex();
};

// Reads the index file beside the segment (path, base_offset and size set). kCorruption when it is
// damaged, kNotFound when it is one of another size that a crash left there.
Result<Segment> ReadIndexOf(os::FileSystem& files, const Segment& segment);

std::string SegmentPath(const std::string& directory, int64_t base_offset);
std::string IndexPath(const std::string& segment_path);

}  // namespace headrace::log
