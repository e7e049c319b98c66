// Any bytes as a segment and as the index beside it: refused, or batches in the order of their
// offsets. The first byte says what is made sound: the stored batches, the index's checksum.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/hash.h"
#include "headrace/check.h"
#include "log/partition.h"
#include "log/record_batch.h"
#include "log/segment.h"
#include "os/memory_file_system.h"

namespace {

using namespace headrace;

constexpr const char* kDirectory = "/p";
constexpr size_t kReadsMax = 100'000;

// Stored batches with sound checksums from a few bytes each.
std::string Stored(std::string_view recipe) {
  base::ByteReader in(recipe);
  std::string out;
  log::Entry entry;
  while (in.remaining() > 0 && out.size() < (256 << 10)) {
    const uint8_t what = in.U8();
    const std::string_view bytes = in.Bytes(what & 7);
    log::RecordBatchBuilder builder;
    builder.Begin(static_cast<int64_t>(bytes.size()) - 3);
    const std::string value((what & 8) != 0 ? 20'000 : 2, 'v');
    for (int i = 0; i <= what >> 6; ++i)
      builder.Add({.timestamp_ms = i, .value = value});
    entry.record_count = builder.count();
    entry.bytes = builder.Finish();
    entry.note = bytes;
    ++entry.lsn;
    entry.max_timestamp_ms = 3;
    if ((what & 16) != 0) entry.record_count = static_cast<int32_t>(what) << 24;
    if ((what & 32) != 0 && bytes.size() == 7) entry.lsn = static_cast<uint8_t>(bytes[0]);
    log::AppendStored(entry, entry.bytes, out);
    entry.base_offset += entry.record_count;
  }
  return out;
}

// The body of an index with its magic, the segment's size and its checksum.
std::string Index(std::string_view body, uint64_t segment_size) {
  std::string out;
  base::ByteWriter w(out);
  w.U32Le(0x31495248);
  w.U64Le(segment_size);
  w.Bytes(body);
  w.U32Le(base::Crc32c(out));
  return out;
}

void ReadEverything(const log::Partition& partition) {
  int64_t offset = partition.start_offset();
  for (size_t reads = 0; reads < kReadsMax && offset < partition.end_offset(); ++reads) {
    auto entries = partition.Read(offset, 1 << 16);
    if (!entries.ok() || entries->empty()) break;
    for (const log::Entry& entry : *entries) {
      const int64_t end = entry.base_offset + entry.record_count;
      HR_CHECK(end > offset);
      offset = end;
    }
  }
  for (int64_t at : {int64_t{-1}, int64_t{0}, int64_t{1}, int64_t{5}, offset - 1, offset}) {
    static_cast<void>(partition.Read(at, 1).ok());
    static_cast<void>(partition.OffsetAt(at).ok());
    static_cast<void>(partition.OffsetOfLsn(static_cast<log::Lsn>(at)).ok());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string_view beside = bytes.substr(0, data[1]);
  bytes.remove_prefix(beside.size());
  const std::string segment = (data[0] & 1) != 0 ? Stored(bytes) : std::string(bytes);
  const std::string index =
      (data[0] & 2) != 0 ? Index(beside, segment.size()) : std::string(beside);

  os::MemoryFileSystem files;
  files.CreateDirectories(kDirectory).value();
  log::Segment whole;
  whole.path = log::SegmentPath(kDirectory, 0);
  whole.size = segment.size();
  os::ReplaceFile(files, whole.path, segment).value();
  if (data[1] > 0) os::ReplaceFile(files, log::IndexPath(whole.path), index).value();
  whole.file = files.Open(whole.path, {}).value();
  if (!whole.LoadIndex(files).ok()) return 0;

  log::Partition partition(files, kDirectory, {});
  const log::SegmentRecord record{0, whole.end_offset, segment.size()};
  if (partition.Open({record}, 0, true).ok()) ReadEverything(partition);
  return 0;
}
