// `headrace log verify`: every byte that is kept, checked without changing anything.

#include <algorithm>

#include "base/metrics.h"
#include "log/journal.h"
#include "log/log.h"
#include "log/manifest.h"
#include "log/record_batch.h"
#include "log/segment.h"
#include "os/clock.h"

namespace headrace::log {
namespace {

constexpr size_t kReadBytes = 4 << 20;

// Every record of a batch.
Status CheckRecords(std::string_view batch, VerifyReport& report) {
  HR_ASSIGN(uint64_t records, CountRecords(batch));
  report.records += records;
  return Ok();
}

// Walks one segment, batch by batch.
class SegmentCheck {
 public:
  SegmentCheck(const os::File& file, std::string path, const SegmentRecord& record)
      : file_(file), path_(std::move(path)), record_(record) {}

  Status Run(VerifyReport& report) {
    uint64_t at = 0;
    int64_t offset = record_.base_offset;
    HR_ASSIGN(uint64_t size, file_.Size());
    if (size < record_.size) {
      return Error(ErrorKind::kCorruption, "HR5206",
                   "segment: " + std::to_string(record_.size - size) + " durable bytes are missing")
          .AtPlace(path_ + "@" + std::to_string(size))
          .WithHint("restore a copy, or `headrace log salvage`");
    }
    while (at < record_.size) {
      HR_ASSIGN(std::string_view bytes, Load(at, kStoredHeaderSize));
      StoredHeader header;
      if (!ReadStoredHeader(bytes, &header) || at + header.total() > record_.size) {
        return Damaged(at, "a stored batch's header is damaged");
      }
      HR_ASSIGN(std::string_view whole, Load(at, header.total()));
      Result<Entry> entry = ReadStored(whole, header);
      if (!entry.ok()) return Damaged(at, "the checksum of a stored batch does not match");
      if (entry->base_offset != offset) return Damaged(at, "offsets have a gap");
      Status records = record_controls_ ? Ok() : CheckRecords(entry->bytes, report);
      if (!records.ok()) return Damaged(at, records.error().message());
      offset += entry->record_count;
      at += header.total();
      ++report.batches;
    }
    if (offset != record_.end_offset) return Damaged(at, "it ends at another offset");
    return Ok();
  }

  void set_controls() { record_controls_ = true; }

 private:
  Error Damaged(uint64_t at, const std::string& what) const {
    return Error(ErrorKind::kCorruption, "HR5205", "segment: " + what)
        .AtPlace(path_ + "@" + std::to_string(at));
  }

  // `size` bytes at `at`; fewer only at the end of the file.
  Result<std::string_view> Load(uint64_t at, size_t size) {
    bool inside = at >= begin_ && at + size <= begin_ + buffer_.size();
    if (!inside) {
      buffer_.resize(std::max(size, kReadBytes));
      HR_ASSIGN(size_t read, file_.ReadAt(at, buffer_.data(), buffer_.size()));
      buffer_.resize(read);
      begin_ = at;
    }
    return std::string_view(buffer_).substr(at - begin_, size);
  }

  const os::File& file_;
  std::string path_;
  SegmentRecord record_;
  std::string buffer_;
  uint64_t begin_ = 0;
  bool record_controls_ = false;
};

void CheckPartition(os::FileSystem& files, const std::string& directory,
                    const Manifest::PartitionState& state, bool controls, VerifyReport& report) {
  for (const SegmentRecord& record : state.segments) {
    std::string path = SegmentPath(directory, record.base_offset);
    Result<std::unique_ptr<os::File>> file = files.Open(path, {});
    if (!file.ok()) {
      report.findings.push_back(file.error());
      continue;
    }
    SegmentCheck check(**file, path, record);
    if (controls) check.set_controls();
    Status checked = check.Run(report);
    if (!checked.ok()) report.findings.push_back(checked.error());
    ++report.files;
    report.bytes += record.size;
    if (!files.Exists(IndexPath(path))) continue;
    Segment segment;
    segment.path = path;
    segment.base_offset = record.base_offset;
    segment.size = record.size;
    Result<Segment> index = ReadIndexOf(files, segment);
    const bool damaged = !index.ok() && index.error().kind() != ErrorKind::kNotFound;
    if (damaged) report.findings.push_back(index.error());
    ++report.files;
  }
}

}  // namespace

Result<VerifyReport> Verify(os::FileSystem& files, const std::string& directory) {
  VerifyReport report;
  if (!files.Exists(JournalDirectory(directory))) {
    return Error(ErrorKind::kNotFound, "HR5209", "this is no data directory").AtPlace(directory);
  }
  Result<Manifest> manifest = Manifest::Load(files, directory);
  if (!manifest.ok()) {
    report.findings.push_back(manifest.error());
    return report;
  }
  CheckPartition(files, ControlsDirectory(directory), manifest->controls, true, report);
  for (const auto& [name, topic] : manifest->topics) {
    for (size_t p = 0; p < topic.partitions.size(); ++p) {
      CheckPartition(files, PartitionDirectory(directory, name, static_cast<int32_t>(p)),
                     topic.partitions[p], false, report);
    }
  }
  base::MetricsRegistry metrics;
  os::SystemClock clock;
  Journal journal(files, clock, metrics, JournalDirectory(directory), {});
  Result<JournalContents> contents = journal.Recover(manifest->moved_lsn);
  if (!contents.ok()) {
    report.findings.push_back(contents.error());
    return report;
  }
  for (const EntryPtr& entry : contents->entries) {
    ++report.frames;
    report.bytes += entry->bytes.size();
    if (entry->kind != EntryKind::kBatch) continue;
    ++report.batches;
    Status records = CheckRecords(entry->bytes, report);
    if (records.ok()) continue;
    report.findings.push_back(
        Error(records.error())
            .AtPlace(JournalDirectory(directory) + ", LSN " + std::to_string(entry->lsn)));
  }
  HR_ASSIGN(auto names, files.List(JournalDirectory(directory)));
  report.files += names.size() + 1;
  return report;
}

}  // namespace headrace::log
