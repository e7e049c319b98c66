// Any bytes as the last file of a journal: refused, or entries in the order of their LSNs that stay
// the same when the log is opened again and written behind. The first byte says whether the rest is
// the file, what stands behind its header, or a recipe for frames with sound checksums.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/metrics.h"
#include "headrace/check.h"
#include "log/frame.h"
#include "log/log.h"
#include "log/record_batch.h"
#include "os/clock.h"
#include "os/memory_file_system.h"

namespace {

using namespace headrace;

constexpr const char* kFile = "/data/journal/000000000001.journal";

// Frames one behind the other, each of a few bytes of the recipe: mostly as they should be.
class Recipe {
 public:
  explicit Recipe(std::string_view bytes) : in_(bytes) {}

  std::string Cook() {
    out_ = log::EncodeFileHeader({1, 1, 0, 1});
    Frame(log::FrameKind::kTopic, log::EncodeTopic("t", {.partitions = 2}));
    End();
    while (in_.remaining() > 0 && out_.size() < (64 << 10))
      Step();
    return std::move(out_);
  }

 private:
  void Step() {
    const uint8_t what = in_.U8();
    const std::string_view bytes = in_.Bytes(what >> 4);
    switch (what & 15) {
      case 0:
        return Frame(log::FrameKind::kControl, bytes);
      case 1:
      case 2:
        return Batch(what & 1, bytes);
      case 3:
        return Frame(log::FrameKind::kBatch, bytes);
      case 4:
        return Frame(log::FrameKind::kTopic, bytes);
      case 5:
      case 6:
        return End();
      case 7:
        Raw(log::FrameKind::kFlushEnd, "", lsn_);
        ++flush_;
        return;
      case 8:
        out_ += bytes;
        return;
      case 9:
        Raw(static_cast<log::FrameKind>(1 + bytes.size() % 5), bytes, lsn_);
        return;
      case 10:
        lsn_ += bytes.size();
        return;
      case 11:
        flush_ += bytes.size();
        return;
      case 12:
        crc_ ^= static_cast<uint32_t>(bytes.size());
        return;
      default:
        return Frame(log::FrameKind::kTopic,
                     log::EncodeTopic(std::string(bytes), {.partitions = 1}));
    }
  }

  void Batch(int32_t partition, std::string_view value) {
    log::RecordBatchBuilder builder;
    builder.Begin(0);
    for (size_t i = 0; i <= value.size() % 3; ++i)
      builder.Add({.value = value});
    log::Entry entry;
    entry.topic = "t";
    entry.partition = partition;
    entry.bytes = builder.Finish();
    std::string payload;
    log::EncodeEntry(entry, payload);
    Frame(log::FrameKind::kBatch, payload);
  }

  void Frame(log::FrameKind kind, std::string_view payload) {
    Raw(kind, payload, ++lsn_);
    ++frames_;
  }

  void End() {
    std::string count(8, '\0');
    std::memcpy(count.data(), &frames_, sizeof frames_);
    Raw(log::FrameKind::kGroupEnd, count, lsn_);
    frames_ = 0;
  }

  void Raw(log::FrameKind kind, std::string_view payload, log::Lsn lsn) {
    log::FrameHeader header{0, kind, 1, 0, lsn, flush_};
    crc_ = log::AppendFrame(header, payload, crc_, out_);
  }

  base::ByteReader in_;
  std::string out_;
  uint32_t crc_ = 0;
  log::Lsn lsn_ = 0;
  uint64_t flush_ = 1;
  uint64_t frames_ = 0;
};

struct Opened {
  base::MetricsRegistry metrics;
  os::ManualClock clock;
  std::unique_ptr<log::Log> log;

  bool Open(os::FileSystem& files, bool read_only) {
    log::LogOptions options;
    options.journal_file_bytes = 64 << 10;
    options.read_only = read_only;
    auto result = log::Log::Open(files, clock, metrics, "/data", options);
    if (!result.ok()) return false;
    log = std::move(result).value();
    return true;
  }
};

// Segments may hold the records compressed: what counts is what they say.
std::string Payload(const log::Entry& entry) {
  if (entry.kind == log::EntryKind::kControl) return entry.bytes;
  Result<log::RecordReader> reader = log::RecordReader::Open(entry.bytes, 1 << 20);
  if (!reader.ok()) return "refused";
  std::string out;
  log::Record record;
  while (true) {
    Result<bool> more = reader->Next(&record);
    if (!more.ok()) return out + " refused";
    if (!*more) return out;
    out += "[" + std::to_string(record.offset) + " " + std::string(record.value) + "]";
  }
}

std::string Contents(const log::Log& log) {
  auto cursor = log.Scan(1).value();
  std::string out;
  log::Entry entry;
  log::Lsn before = 0;
  while (true) {
    Result<bool> more = cursor->Next(&entry);
    HR_CHECK(more.ok());
    if (!*more) return out;
    HR_CHECK(entry.lsn > before && entry.lsn <= log.durable_lsn());
    before = entry.lsn;
    out += std::to_string(entry.lsn) + " " + entry.topic + std::to_string(entry.partition) + " " +
           std::to_string(entry.base_offset) + " " + Payload(entry) + "\n";
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string file = log::EncodeFileHeader({1, 1, 0, 1});
  if ((data[0] & 3) == 0) file = bytes;
  if ((data[0] & 3) == 1) file += bytes;
  if ((data[0] & 2) != 0) file = Recipe(bytes).Cook();
  os::MemoryFileSystem files;
  files.CreateDirectories("/data/journal").value();
  os::ReplaceFile(files, kFile, file).value();

  HR_CHECK(log::Verify(files, "/data").ok());
  std::string contents;
  {
    Opened reader;
    if (!reader.Open(files, true)) return 0;
    contents = Contents(*reader.log);
  }
  log::Entry control;
  control.kind = log::EntryKind::kControl;
  control.bytes = "behind";
  {
    Opened writer;
    HR_CHECK(writer.Open(files, false));
    HR_CHECK(Contents(*writer.log) == contents);
    std::vector<log::Entry> group = {control};
    HR_CHECK(writer.log->Append(group).ok());
    HR_CHECK(writer.log->WaitDurable(writer.log->last_lsn()).ok());
    contents += std::to_string(writer.log->last_lsn()) + " 0 ";
    HR_CHECK(Contents(*writer.log).starts_with(contents));
    contents = Contents(*writer.log);
    HR_CHECK(writer.log->Close().ok());
  }
  Opened again;
  HR_CHECK(again.Open(files, true));
  HR_CHECK(Contents(*again.log) == contents);
  return 0;
}
