#include "log/segment.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/hash.h"

namespace headrace::log {
namespace {

constexpr uint32_t kStoredMagic = 0x31535248;  // "HRS1"
constexpr uint32_t kIndexMagic = 0x31495248;   // "HRI1"
constexpr uint64_t kIndexBytes = 64 << 10;
constexpr uint64_t kIndexFileMax = 64 << 20;

Error Damaged(const std::string& path, uint64_t position, const std::string& what) {
  return Error(ErrorKind::kCorruption, "HR5205", "segment: " + what)
      .AtPlace(path + "@" + std::to_string(position))
      .WithHint("run `headrace log verify`; restore a copy, or `headrace log salvage`");
}

}  // namespace

void AppendStored(const Entry& entry, std::string_view batch, std::string& out) {
  size_t begin = out.size();
  base::ByteWriter w(out);
  w.U32Le(kStoredMagic);
  w.U32Le(0);
  w.U64Le(entry.lsn);
  w.U64Le(static_cast<uint64_t>(entry.base_offset));
  w.U32Le(static_cast<uint32_t>(entry.record_count));
  w.U32Le(static_cast<uint32_t>(entry.note.size()));
  w.U32Le(static_cast<uint32_t>(batch.size()));
  w.U32Le(0);
  w.U64Le(static_cast<uint64_t>(entry.max_timestamp_ms));
  w.Bytes(entry.note);
  w.Bytes(batch);
  uint32_t crc = base::Crc32c(std::string_view(out).substr(begin + 8));
  std::memcpy(out.data() + begin + 4, &crc, sizeof crc);
}

bool ReadStoredHeader(std::string_view bytes, StoredHeader* header) {
  base::ByteReader r(bytes);
  uint32_t magic = r.U32Le();
  header->crc = r.U32Le();
  header->lsn = r.U64Le();
  header->base_offset = static_cast<int64_t>(r.U64Le());
  header->record_count = r.U32Le();
  header->note_size = r.U32Le();
  header->batch_size = r.U32Le();
  uint32_t zero = r.U32Le();
  header->max_timestamp_ms = static_cast<int64_t>(r.U64Le());
  bool placed = header->base_offset >= 0 && header->base_offset <= INT64_MAX - INT32_MAX &&
                header->record_count <= INT32_MAX;
  return r.ok() && magic == kStoredMagic && zero == 0 && placed && header->note_size < (1U << 30) &&
         header->batch_size < (1U << 30);
}

Result<Entry> ReadStored(std::string_view bytes, const StoredHeader& header) {
  if (bytes.size() != header.total() || base::Crc32c(bytes.substr(8)) != header.crc) {
    return Error(ErrorKind::kCorruption, "HR5205", "segment: the checksum does not match");
  }
  Entry entry;
  entry.lsn = header.lsn;
  entry.base_offset = header.base_offset;
  entry.record_count = static_cast<int32_t>(header.record_count);
  entry.max_timestamp_ms = header.max_timestamp_ms;
  entry.note = std::string(bytes.substr(kStoredHeaderSize, header.note_size));
  entry.bytes = std::string(bytes.substr(kStoredHeaderSize + header.note_size));
  return entry;
}

std::string SegmentPath(const std::string& directory, int64_t base_offset) {
  std::string digits = std::to_string(base_offset);
  return directory + "/" + std::string(20 - digits.size(), '0') + digits + ".segment";
}

std::string IndexPath(const std::string& segment_path) {
  return segment_path.substr(0, segment_path.rfind('.')) + ".index";
}

void Segment::Note(const StoredHeader& header) {
  if (first_lsn == 0) {
    first_lsn = header.lsn;
    first_timestamp_ms = header.max_timestamp_ms;
  }
  last_lsn = header.lsn;
  max_timestamp_ms = std::max(max_timestamp_ms, header.max_timestamp_ms);
  if (index.empty() || size >= index.back().position + kIndexBytes) {
    index.push_back({header.base_offset, size, header.lsn, max_timestamp_ms});
  }
  index.back().max_timestamp_ms = max_timestamp_ms;
  size += header.total();
  end_offset = header.base_offset + header.record_count;
}

Status Segment::WriteIndex(os::FileSystem& files) const {
  std::string out;
  base::ByteWriter w(out);
  w.U32Le(kIndexMagic);
  w.U64Le(size);
  w.U64Le(static_cast<uint64_t>(end_offset));
  w.U64Le(first_lsn);
  w.U64Le(last_lsn);
  w.U64Le(index.size());
  for (const IndexPoint& point : index) {
    w.U64Le(static_cast<uint64_t>(point.base_offset));
    w.U64Le(point.position);
    w.U64Le(point.lsn);
    w.U64Le(static_cast<uint64_t>(point.max_timestamp_ms));
  }
  w.U32Le(base::Crc32c(out));
  return os::ReplaceFile(files, IndexPath(path), out);
}

namespace {

// The first point is the segment's beginning, and they ascend within it.
bool PointsAreSound(const Segment& segment) {
  int64_t offset = segment.base_offset - 1;
  uint64_t position = 0;
  for (const IndexPoint& point : segment.index) {
    bool first = &point == &segment.index.front();
    if (point.base_offset <= offset || (first ? point.position != 0 : point.position <= position)) {
      return false;
    }
    offset = point.base_offset;
    position = point.position;
  }
  return !segment.index.empty() && segment.index.front().base_offset == segment.base_offset &&
         offset < segment.end_offset && position < segment.size;
}

// A segment's index is written when it is full, which counts with the manifest's next: a crash in
// between leaves that of a moment that never came.
enum class IndexFit { kFits, kOfAnotherSize, kDamaged };

IndexFit ReadIndex(std::string_view bytes, Segment* segment) {
  if (bytes.size() < 4) return IndexFit::kDamaged;
  base::ByteReader tail(bytes.substr(bytes.size() - 4));
  std::string_view body = bytes.substr(0, bytes.size() - 4);
  if (tail.U32Le() != base::Crc32c(body)) return IndexFit::kDamaged;
  base::ByteReader r(body);
  uint32_t magic = r.U32Le();
  uint64_t size = r.U64Le();
  segment->end_offset = static_cast<int64_t>(r.U64Le());
  segment->first_lsn = r.U64Le();
  segment->last_lsn = r.U64Le();
  uint64_t count = r.U64Le();
  if (magic != kIndexMagic || count != r.remaining() / 32) return IndexFit::kDamaged;
  if (size != segment->size) return IndexFit::kOfAnotherSize;
  for (uint64_t i = 0; i < count; ++i) {
    IndexPoint point;
    point.base_offset = static_cast<int64_t>(r.U64Le());
    point.position = r.U64Le();
    point.lsn = r.U64Le();
    point.max_timestamp_ms = static_cast<int64_t>(r.U64Le());
    segment->index.push_back(point);
    segment->max_timestamp_ms = point.max_timestamp_ms;
  }
  const bool sound = r.ok() && r.remaining() == 0 && PointsAreSound(*segment);
  return sound ? IndexFit::kFits : IndexFit::kDamaged;
}

}  // namespace

Status Segment::LoadIndex(os::FileSystem& files) {
  Result<std::string> bytes = os::ReadFile(files, IndexPath(path), kIndexFileMax);
  if (bytes.ok() && ReadIndex(*bytes, this) == IndexFit::kFits) return Ok();
  index.clear();
  return ScanIndex();
}

Result<Segment> ReadIndexOf(os::FileSystem& files, const Segment& segment) {
  HR_ASSIGN(std::string bytes, os::ReadFile(files, IndexPath(segment.path), kIndexFileMax));
  Segment read;
  read.size = segment.size;
  read.base_offset = segment.base_offset;
  const IndexFit fit = ReadIndex(bytes, &read);
  if (fit == IndexFit::kFits) return read;
  if (fit == IndexFit::kOfAnotherSize) {
    return Error(ErrorKind::kNotFound, "HR5213", "the index is of another moment")
        .AtPlace(IndexPath(segment.path))
        .WithHint("it is written again when the segment is full");
  }
  return Error(ErrorKind::kCorruption, "HR5213", "the index is damaged")
      .AtPlace(IndexPath(segment.path))
      .WithHint("it is built again when the directory is opened");
}

Status Segment::ScanIndex() {
  uint64_t durable = size;
  size = 0;
  end_offset = base_offset;
  std::string bytes(kStoredHeaderSize, '\0');
  while (size < durable) {
    HR_ASSIGN(size_t read, file->ReadAt(size, bytes.data(), bytes.size()));
    StoredHeader header;
    if (read < kStoredHeaderSize || !ReadStoredHeader(bytes, &header) ||
        size + header.total() > durable || header.base_offset != end_offset) {
      return Damaged(path, size, "a stored batch's header is damaged");
    }
    Note(header);
  }
  return Ok();
}

}  // namespace headrace::log
