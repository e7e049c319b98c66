#include "log/partition.h"

#include <algorithm>

#include "log/record_batch.h"

namespace headrace::log {
namespace {

constexpr size_t kWriteBytes = 1 << 20;
constexpr int64_t kSegmentsKept = 8;  // that retention keeps, about, so that it is off by an eighth
constexpr int64_t kSegmentBytesMin = 1 << 20;
constexpr int64_t kSegmentSpanMin = 60'000;

}  // namespace

Partition::SegmentLimits Partition::SegmentLimitsOf(const TopicConfig& config) {
  SegmentLimits limits{config.segment_bytes, -1};
  if (config.retention_bytes >= 0) {
    int64_t wanted = std::max(kSegmentBytesMin, config.retention_bytes / kSegmentsKept);
    limits.bytes = std::min(limits.bytes, wanted);
  }
  if (config.retention_ms >= 0) {
    limits.span_ms = std::max(kSegmentSpanMin, config.retention_ms / kSegmentsKept);
  }
  return limits;
}

Partition::Partition(os::FileSystem& files, std::string directory, SegmentLimits limits)
    : files_(files), directory_(std::move(directory)), limits_(limits) {}

Status Partition::Open(const std::vector<SegmentRecord>& segments, int64_t start_offset,
                       bool writable) {
  start_offset_ = end_offset_ = start_offset;
  for (const SegmentRecord& record : segments) {
    auto segment = std::make_shared<Segment>();
    segment->base_offset = record.base_offset;
    segment->size = record.size;
    segment->path = SegmentPath(directory_, record.base_offset);
    HR_ASSIGN(auto file, files_.Open(segment->path,
                                     {.create = false, .exclusive = false, .writable = writable}));
    segment->file = std::move(file);
    HR_ASSIGN(uint64_t size, segment->file->Size());
    if (size < record.size) {
      return Error(ErrorKind::kCorruption, "HR5206",
                   "segment: " + std::to_string(record.size - size) + " durable bytes are missing")
          .AtPlace(segment->path + "@" + std::to_string(size))
          .WithHint("restore a copy, or `headrace log salvage`");
    }
    if (writable && size > record.size) HR_TRY(segment->file->Truncate(record.size));
    HR_TRY(segment->LoadIndex(files_));
    if (segment->end_offset != record.end_offset) {
      return Error(ErrorKind::kCorruption, "HR5206",
                   "segment: it ends at another offset than it should")
          .AtPlace(segment->path + "@" + std::to_string(record.size));
    }
    end_offset_ = segment->end_offset;
    segments_.push_back(std::move(segment));
  }
  staged_ = segments_;
  next_offset_ = moved_end_ = end_offset_;
  return Ok();
}

void Partition::AddDurable(EntryPtr entry) {
  std::lock_guard lock(mutex_);
  end_offset_ = entry->base_offset + entry->record_count;
  tail_.push_back(std::move(entry));
}

int64_t Partition::start_offset() const {
  std::lock_guard lock(mutex_);
  return start_offset_;
}

int64_t Partition::end_offset() const {
  std::lock_guard lock(mutex_);
  return end_offset_;
}

void Partition::BeginAt(int64_t offset) {
  HR_CHECK(offset <= next_offset());
  std::lock_guard lock(mutex_);
  begins_at_ = std::max(begins_at_, offset);
  start_offset_ = std::max(start_offset_, begins_at_);
}

int64_t Partition::begins_at() const {
  std::lock_guard lock(mutex_);
  return begins_at_;
}

int64_t Partition::moved_start() const {
  std::lock_guard lock(mutex_);
  return std::min(start_offset_, staged_.empty() ? moved_end_ : staged_.back()->end_offset);
}

// The stretch of the segment that holds `offset`, from the index point before it, or of the next
// one when that offset is lost; a null file when it is not in a segment. The caller holds mutex_.
Partition::Range Partition::Locate(int64_t offset) const {
  auto found = std::upper_bound(
      segments_.begin(), segments_.end(), offset,
      [](int64_t o, const std::shared_ptr<Segment>& segment) { return o < segment->end_offset; });
  if (found == segments_.end() || (*found)->size == 0) return {};
  const Segment& segment = **found;
  auto point = std::upper_bound(segment.index.begin(), segment.index.end(), offset,
                                [](int64_t o, const IndexPoint& p) { return o < p.base_offset; });
  const uint64_t begin = point == segment.index.begin() ? 0 : std::prev(point)->position;
  return {segment.file, begin, segment.size, segment.path};
}

Result<std::vector<Entry>> Partition::Read(int64_t offset, size_t bytes_max) const {
  Range range;
  std::vector<EntryPtr> from_tail;
  {
    std::lock_guard lock(mutex_);
    if (offset < start_offset_) {
      return Error(ErrorKind::kNotFound, "HR5207",
                   "offset " + std::to_string(offset) + " is below the start offset " +
                       std::to_string(start_offset_));
    }
    range = Locate(offset);
    size_t bytes = 0;
    auto first =
        std::lower_bound(tail_.begin(), tail_.end(), offset, [](const EntryPtr& entry, int64_t o) {
          return entry->base_offset + entry->record_count <= o;
        });
    for (auto it = first; !range.file && it != tail_.end(); ++it) {
      if (!from_tail.empty() && bytes >= bytes_max) break;
      bytes += (*it)->bytes.size();
      from_tail.push_back(*it);
    }
  }
  std::vector<Entry> entries;
  if (range.file) HR_TRY(ReadRange(range, offset, bytes_max, entries));
  for (const EntryPtr& entry : from_tail)
    entries.push_back(*entry);
  return entries;
}

Status Partition::ReadRange(const Range& range, int64_t offset, size_t bytes_max,
                            std::vector<Entry>& entries) const {
  uint64_t at = range.begin;
  size_t want = std::clamp<size_t>(bytes_max, 64 << 10, 8 << 20);
  size_t taken = 0;
  std::string bytes;
  while (at < range.end && (entries.empty() || taken < bytes_max)) {
    bytes.resize(std::min<uint64_t>(want, range.end - at));
    HR_ASSIGN(size_t read, range.file->ReadAt(at, bytes.data(), bytes.size()));
    std::string_view rest(bytes.data(), read);
    size_t before = rest.size();
    while (rest.size() >= kStoredHeaderSize && (entries.empty() || taken < bytes_max)) {
      StoredHeader header;
      bool good = ReadStoredHeader(rest, &header) && at + header.total() <= range.end;
      if (good && header.total() > rest.size()) {
        want = std::max(want, header.total());
        break;
      }
      Result<Entry> entry = good ? ReadStored(rest.substr(0, header.total()), header)
                                 : Error(ErrorKind::kCorruption, "HR5205", "segment: damaged");
      if (!entry.ok()) {
        return std::move(entry)
            .error()
            .AtPlace(range.path + "@" + std::to_string(at))
            .WithHint("run `headrace log verify`; restore a copy, or `headrace log salvage`");
      }
      rest.remove_prefix(header.total());
      at += header.total();
      if (entry->base_offset + entry->record_count <= offset) continue;
      taken += entry->bytes.size();
      entries.push_back(std::move(entry).value());
    }
    bool stuck = rest.size() == before && want <= before;
    if (stuck) {
      return Error(ErrorKind::kCorruption, "HR5205", "segment: it ends inside a batch")
          .AtPlace(range.path + "@" + std::to_string(at));
    }
  }
  return Ok();
}

Result<int64_t> Partition::OffsetOfLsn(Lsn lsn) const {
  int64_t from = 0;
  {
    std::lock_guard lock(mutex_);
    from = start_offset_;
    for (const auto& segment : segments_) {
      if (segment->first_lsn == 0 || segment->first_lsn > lsn) break;
      from = segment->last_lsn < lsn ? segment->end_offset : segment->base_offset;
      for (const IndexPoint& point : segment->index) {
        if (segment->last_lsn >= lsn && point.lsn <= lsn) from = point.base_offset;
      }
    }
    from = std::max(from, start_offset_);
  }
  while (true) {
    HR_ASSIGN(auto entries, Read(from, 1 << 20));
    if (entries.empty()) return from;
    for (const Entry& entry : entries) {
      // The start may be within the first.
      if (entry.lsn >= lsn) return std::max(from, entry.base_offset);
      from = entry.base_offset + entry.record_count;
    }
  }
}

Result<int64_t> Partition::OffsetAt(int64_t timestamp_ms) const {
  int64_t from = 0;
  int64_t first = 0;
  {
    std::lock_guard lock(mutex_);
    from = first = start_offset_;
    for (const auto& segment : segments_) {
      if (segment->max_timestamp_ms >= timestamp_ms) break;
      from = std::max(start_offset_, segment->end_offset);
    }
  }
  while (true) {
    HR_ASSIGN(auto entries, Read(from, 1 << 20));
    if (entries.empty()) return -1;
    for (const Entry& entry : entries) {
      from = entry.base_offset + entry.record_count;
      if (entry.max_timestamp_ms < timestamp_ms) continue;
      HR_ASSIGN(auto reader, RecordReader::Open(entry.bytes));
      Record record;
      while (true) {
        HR_ASSIGN(bool more, reader.Next(&record));
        if (!more) break;
        if (record.timestamp_ms >= timestamp_ms && record.offset >= first) return record.offset;
      }
    }
  }
}

Status Partition::BeginSegment(int64_t base_offset) {
  HR_TRY(FlushStaged());
  if (!staged_.empty()) {
    HR_TRY(staged_.back()->file->Sync());
    HR_TRY(staged_.back()->WriteIndex(files_));
  }
  HR_TRY(files_.CreateDirectories(directory_));
  auto segment = std::make_shared<Segment>();
  segment->base_offset = segment->end_offset = base_offset;
  segment->path = SegmentPath(directory_, base_offset);
  HR_ASSIGN(auto file,
            files_.Open(segment->path, {.create = true, .exclusive = false, .writable = true}));
  HR_TRY(file->Truncate(0));
  segment->file = std::move(file);
  HR_TRY(files_.SyncDirectory(directory_));
  staged_.push_back(std::move(segment));
  return Ok();
}

bool Partition::IsFull(const Segment& segment, const Entry& next) const {
  if (segment.size >= static_cast<uint64_t>(limits_.bytes)) return true;
  int64_t first = segment.first_timestamp_ms;
  if (limits_.span_ms < 0 || first < 0) return false;
  return next.max_timestamp_ms > first && next.max_timestamp_ms - first >= limits_.span_ms;
}

Status Partition::Stage(const Entry& entry, bool compress) {
  // Within a segment offsets have no gaps.
  const bool follows = !staged_.empty() && staged_.back()->end_offset == entry.base_offset;
  if (!follows || IsFull(*staged_.back(), entry)) {
    HR_TRY(BeginSegment(entry.base_offset));
  } else if (!dirty_) {
    // Readers hold on to the published segment: it is copied before it grows.
    staged_.back() = std::make_shared<Segment>(*staged_.back());
  }
  dirty_ = true;
  std::string packed = compress ? Compressed(entry.bytes) : "";
  size_t begin = buffer_.size();
  AppendStored(entry, packed.empty() ? entry.bytes : packed, buffer_);
  StoredHeader header;
  bool sound = ReadStoredHeader(std::string_view(buffer_).substr(begin), &header);
  HR_CHECK(sound);
  staged_.back()->Note(header);
  return buffer_.size() >= kWriteBytes ? FlushStaged() : Ok();
}

Status Partition::SkipTo(int64_t offset) {
  HR_TRY(BeginSegment(offset));
  dirty_ = true;
  return Ok();
}

Status Partition::FlushStaged() {
  if (buffer_.empty()) return Ok();
  Segment& segment = *staged_.back();
  HR_TRY(segment.file->WriteAt(segment.size - buffer_.size(), buffer_));
  buffer_.clear();
  return Ok();
}

Status Partition::Sync() {
  if (!dirty_) return Ok();
  HR_TRY(FlushStaged());
  return staged_.back()->file->Sync();
}

void Partition::Publish() {
  if (!dirty_) return;
  dirty_ = false;
  std::lock_guard lock(mutex_);
  segments_ = staged_;
  const int64_t moved = moved_end_ = segments_.back()->end_offset;
  while (!tail_.empty() && tail_.front()->base_offset < moved)
    tail_.pop_front();
}

void Partition::Unstage() {
  buffer_.clear();
  dirty_ = false;
  std::lock_guard lock(mutex_);
  staged_ = segments_;
}

std::vector<SegmentRecord> Partition::records() const {
  std::vector<SegmentRecord> records;
  for (const auto& segment : staged_) {
    records.push_back({segment->base_offset, segment->end_offset, segment->size});
  }
  return records;
}

size_t Partition::Expired(const RetentionLimits& limits) const {
  uint64_t total = 0;
  for (const auto& segment : segments_)
    total += segment->size;
  size_t expired = 0;
  while (expired < segments_.size()) {
    const Segment& oldest = *segments_[expired];
    const bool newest = expired + 1 == segments_.size();
    const bool old = oldest.max_timestamp_ms < limits.oldest_timestamp_ms &&
                     (!newest || (oldest.size > 0 && tail_.empty()));
    const bool over = !newest && limits.bytes >= 0 && total > static_cast<uint64_t>(limits.bytes);
    if (!old && !over) break;
    total -= oldest.size;
    ++expired;
  }
  return expired;
}

Partition::Expiry Partition::ExpiryOf(const RetentionLimits& limits) const {
  Expiry expiry;
  std::lock_guard lock(mutex_);
  const size_t expired = Expired(limits);
  if (expired > 0) expiry.through = segments_[expired - 1]->last_lsn;
  if (expired < segments_.size() && segments_[expired]->size > 0) {
    expiry.stays_from = segments_[expired]->first_lsn;
  } else if (!tail_.empty()) {
    expiry.stays_from = tail_.front()->lsn;
  }
  return expiry;
}

std::vector<std::string> Partition::Expire(const RetentionLimits& limits, Lsn floor) {
  std::vector<std::string> paths;
  std::lock_guard lock(mutex_);
  if (dirty_) return paths;
  const size_t expired = Expired(limits);
  const auto goes = [&](const Segment& oldest) {
    return oldest.end_offset <= begins_at_ || (paths.size() < expired && oldest.last_lsn < floor);
  };
  while (!segments_.empty() && goes(*segments_.front())) {
    paths.push_back(segments_.front()->path);
    start_offset_ = std::max(begins_at_, segments_.front()->end_offset);
    segments_.erase(segments_.begin());
  }
  if (!paths.empty() && !segments_.empty()) {
    start_offset_ = std::max(begins_at_, segments_.front()->base_offset);
  }
  staged_ = segments_;
  return paths;
}

std::vector<std::string> Partition::DropBelow(int64_t offset) {
  std::vector<std::string> paths;
  std::lock_guard lock(mutex_);
  if (dirty_) return paths;
  while (!segments_.empty() && segments_.front()->end_offset <= offset) {
    start_offset_ = std::max(start_offset_, segments_.front()->end_offset);
    paths.push_back(segments_.front()->path);
    segments_.erase(segments_.begin());
  }
  staged_ = segments_;
  return paths;
}

}  // namespace headrace::log
