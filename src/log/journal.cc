#include "log/journal.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/bytes.h"
#include "base/hash.h"
#include "log/record_batch.h"

namespace headrace::log {
namespace {

constexpr uint64_t kSmallestFile = 1 << 20;
constexpr uint64_t kZeroBlock = 1 << 20;
constexpr uint64_t kWriteBytes = 1 << 20;  // framed before they are written
constexpr size_t kPackBytes = 16 << 10;    // smaller batches are not packed by the journal's thread
constexpr auto kSpaceRetry = std::chrono::milliseconds(100);

// Differs from file to file, and nobody can guess it who sends events: bytes of an event's value
// that look like frames must not count as frames behind a torn tail.
uint32_t NewEpoch(const FileHeader& header, int64_t now_micros) {
  std::string bytes = EncodeFileHeader(header);
  base::ByteWriter(bytes).U64Le(static_cast<uint64_t>(now_micros));
  return base::Crc32c(bytes);
}

}  // namespace

Journal::Journal(os::FileSystem& files, os::Clock& clock, base::MetricsRegistry& metrics,
                 std::string directory, Options options)
    : files_(files),
      clock_(clock),
      directory_(std::move(directory)),
      options_(options),
      flush_seconds_(metrics.GetHistogram("headrace_log_fsync_duration_seconds",
                                          "Time of one journal flush.")),
      flushed_bytes_(
          metrics.GetCounter("headrace_log_journal_bytes_total", "Bytes written to the journal.")),
      no_space_gauge_(
          metrics.GetGauge("headrace_log_no_space", "1 while the journal waits for disk space.")) {}

Journal::~Journal() {
  Stop();
}

Status Journal::Start(Durable durable) {
  // A program that was killed between its write and its flush left groups that only the operating
  // system's memory holds: they count from now on, so they must be durable.
  if (!files_by_sequence_.empty()) {
    const std::string& path = files_by_sequence_.rbegin()->second.path;
    HR_ASSIGN(auto last, files_.Open(path, {.writable = true}));
    HR_TRY(last->Sync());
    HR_TRY(files_.SyncDirectory(directory_));
  }
  durable_ = std::move(durable);
  thread_ = std::thread([this] { Run(); });
  return Ok();
}

void Journal::Stop() {
  {
    std::lock_guard lock(mutex_);
    if (stop_) return;
    stop_ = true;
  }
  work_.notify_all();
  room_.notify_all();
  if (thread_.joinable()) thread_.join();
}

const Error* Journal::failure() const {
  return failed_.load(std::memory_order_acquire) ? failure_.get() : nullptr;
}

bool Journal::has_room() const {
  std::lock_guard lock(mutex_);
  return waiting_bytes_ < options_.pending_bytes_max || failed_ || no_space_ || stop_;
}

Status Journal::Append(Group group, uint64_t bytes, bool here) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] {
    return waiting_bytes_ < options_.pending_bytes_max || failed_ || no_space_ || stop_;
  });
  if (failed_) {
    return Error(ErrorKind::kUnavailable, "HR5101",
                 "the journal has failed: " + failure_->ToString())
        .WithHint("restart after checking the disk; reads go on");
  }
  if (stop_) return Error(ErrorKind::kUnavailable, "HR5102", "the journal is closed");
  // A full disk does not refuse it: its LSNs are given, so it waits with the others.
  if (here && !writing_ && waiting_.empty() && bytes < kPackBytes) {
    writing_ = true;
    lock.unlock();
    std::vector<Group> groups;
    groups.push_back(std::move(group));
    if (WriteHere(groups, bytes)) return Ok();
    lock.lock();
    writing_ = false;
    group = std::move(groups.front());
  }
  waiting_.push_back(std::move(group));
  waiting_bytes_ += bytes;
  lock.unlock();
  work_.notify_one();
  return Ok();
}

bool Journal::WriteHere(std::vector<Group>& groups, uint64_t bytes) {
  constexpr uint64_t kFraming = 4096;  // more than the frames of a small group take
  if (!file_ || position_ + bytes + kFraming > size_) return false;
  Status written = Write(groups);
  // The thread goes on with it: what is framed stays framed.
  if (!written.ok() && written.error().kind() == ErrorKind::kNoSpace) return false;
  if (written.ok()) {
    durable_(std::move(groups));
  } else {
    Fail(written.error());
  }
  {
    std::lock_guard lock(mutex_);
    writing_ = false;
  }
  work_.notify_one();
  return true;
}

void Journal::Fail(const Error& error) {
  {
    std::lock_guard lock(mutex_);
    failure_ = std::make_unique<Error>(error);
    failed_.store(true, std::memory_order_release);
  }
  room_.notify_all();
  durable_({});
}

void Journal::Run() {
  std::vector<Group> groups;
  while (true) {
    uint64_t spare_size = 0;
    {
      std::unique_lock lock(mutex_);
      auto ready = [&] { return !writing_ && !waiting_.empty(); };
      work_.wait(lock, [&] { return failed_ || stop_ || ready() || spare_size_ > 0; });
      if (failed_ || (stop_ && waiting_.empty())) return;
      if (ready()) {
        writing_ = true;
        groups.swap(waiting_);
        waiting_bytes_ = 0;
      } else {
        spare_size = spare_size_;
      }
    }
    if (groups.empty()) {
      PrepareSpare(spare_size);
      continue;
    }
    room_.notify_all();
    if (options_.compress) Pack(groups);
    Status written = Write(groups);
    while (!written.ok() && written.error().kind() == ErrorKind::kNoSpace) {
      no_space_gauge_.Set(1);
      std::unique_lock lock(mutex_);
      no_space_ = true;
      room_.notify_all();  // whoever waits for room is told, rather than held until there is space
      work_.wait_for(lock, kSpaceRetry, [&] { return stop_; });
      if (stop_) break;
      lock.unlock();
      written = Write(groups);
    }
    no_space_ = false;
    no_space_gauge_.Set(0);
    if (!written.ok()) return Fail(written.error());
    durable_(std::move(groups));
    groups.clear();
    std::lock_guard lock(mutex_);
    writing_ = false;
  }
}

void Journal::PrepareSpare(uint64_t size) {
  const std::string path = directory_ + "/spare.journal";
  Status written = Ok();
  if (!spare_) {
    auto opened = files_.Open(path, {.create = true, .exclusive = false, .writable = true});
    if (opened.ok()) spare_ = std::move(opened).value();
    written = opened.ok() ? spare_->Truncate(0) : Status(opened.error());
    spare_position_ = 0;
  }
  const std::string zeros(std::min(size - std::min(size, spare_position_), kZeroBlock), '\0');
  if (written.ok()) written = spare_->WriteAt(spare_position_, zeros);
  if (written.ok()) written = spare_->Sync();
  spare_position_ += zeros.size();
  if (written.ok() && spare_position_ < size) return;
  spare_.reset();
  if (!written.ok()) {  // Roll makes the file, or says what is wrong
    Status removed = files_.Remove(path);
    static_cast<void>(removed.ok());
  }
  std::lock_guard lock(mutex_);
  if (written.ok()) recycled_.push_back(path);
  spare_size_ = 0;
}

// Packed here, a batch is written packed to the journal and to its segment, and waits packed in
// memory for the way there. Small batches are left alone: somebody waits for the flush of those.
void Journal::Pack(std::vector<Group>& groups) const {
  for (Group& group : groups) {
    for (Outgoing& outgoing : group) {
      if (!outgoing.entry || outgoing.entry->kind != EntryKind::kBatch) continue;
      if (outgoing.entry->bytes.size() < kPackBytes) continue;
      std::string packed = Compressed(outgoing.entry->bytes);
      if (packed.empty()) continue;
      auto entry = std::make_shared<Entry>();
      entry->topic = outgoing.entry->topic;
      entry->partition = outgoing.entry->partition;
      entry->record_count = outgoing.entry->record_count;
      entry->max_timestamp_ms = outgoing.entry->max_timestamp_ms;
      entry->note = outgoing.entry->note;
      entry->bytes = std::move(packed);
      entry->lsn = outgoing.entry->lsn;
      entry->base_offset = outgoing.entry->base_offset;
      outgoing.entry = std::move(entry);
    }
  }
}

// Called again after a full disk, it goes on where it stopped.
Status Journal::Write(std::vector<Group>& groups) {
  for (; framed_ < groups.size(); ++framed_)
    HR_TRY(WriteGroup(groups[framed_]));
  HR_TRY(Flush());
  framed_ = 0;
  return Ok();
}

// Frames the group into the buffer; begins the next file first when it would not fit.
Status Journal::WriteGroup(const Group& group) {
  uint64_t bytes = FrameSize(8) + FrameSize(0);
  for (const Outgoing& outgoing : group) {
    uint64_t payload = outgoing.topic_payload.size();
    if (outgoing.entry) {
      payload = outgoing.entry->bytes.size() + outgoing.entry->note.size() +
                outgoing.entry->topic.size() + 32;
    }
    bytes += FrameSize(payload);
  }
  if (!file_ || position_ + buffer_.size() + bytes > size_) {
    HR_TRY(Flush());
    HR_TRY(Roll(bytes));
  } else if (buffer_.size() >= std::min(kWriteBytes, options_.file_bytes / 16)) {
    HR_TRY(WriteBuffer());
  }
  FrameHeader header;
  header.epoch = current_.epoch;
  header.flush = flush_ + 1;
  for (const Outgoing& outgoing : group) {
    payload_.clear();
    header.lsn = outgoing.lsn;
    if (outgoing.entry) {
      header.kind =
          outgoing.entry->kind == EntryKind::kBatch ? FrameKind::kBatch : FrameKind::kControl;
      EncodeEntry(*outgoing.entry, payload_);
    } else {
      header.kind = FrameKind::kTopic;
      payload_ = outgoing.topic_payload;
    }
    crc_ = AppendFrame(header, payload_, crc_, buffer_);
  }
  header.kind = FrameKind::kGroupEnd;
  std::string count(8, '\0');
  uint64_t frames = group.size();
  std::memcpy(count.data(), &frames, sizeof frames);
  crc_ = AppendFrame(header, count, crc_, buffer_);
  buffered_lsn_ = header.lsn;
  return Ok();
}

Status Journal::WriteBuffer() {
  if (buffer_.empty()) return Ok();
  HR_TRY(file_->WriteAt(position_, buffer_));
  position_ += buffer_.size();
  unflushed_ += buffer_.size();
  buffer_.clear();
  return Ok();
}

Status Journal::Flush() {
  if (buffer_.empty() && unflushed_ == 0) return Ok();
  if (!sealed_) {
    FrameHeader end{0, FrameKind::kFlushEnd, current_.epoch, 0, buffered_lsn_, flush_ + 1};
    crc_ = AppendFrame(end, "", crc_, buffer_);
    sealed_ = true;
  }
  HR_TRY(WriteBuffer());
  int64_t begin = clock_.MonotonicNanoseconds();
  HR_TRY(file_->Sync());
  flush_seconds_.Record(static_cast<uint64_t>(clock_.MonotonicNanoseconds() - begin));
  flushed_bytes_.Add(unflushed_);
  unflushed_ = 0;
  sealed_ = false;
  ++flush_;
  std::lock_guard lock(mutex_);
  files_by_sequence_[current_.sequence].last_lsn = buffered_lsn_;
  if (recycled_.empty() && position_ > size_ / 2) spare_size_ = NextSize();
  return Ok();
}

uint64_t Journal::NextSize() const {
  // The first files are small, so that starting is quick; then each is larger, up to the full size.
  uint64_t size = std::min(kSmallestFile, options_.file_bytes);
  return std::clamp(size_ * 4, size, options_.file_bytes);
}

Status Journal::Roll(uint64_t at_least) {
  uint64_t size = std::max(NextSize(), at_least + kFileHeaderSize);
  FileHeader next;
  next.sequence = current_.sequence + 1;
  next.seed = crc_;
  next.first_lsn = buffered_lsn_ + 1;
  next.epoch = NewEpoch(next, clock_.NowMicros());
  std::string name = std::to_string(next.sequence);
  std::string path = directory_ + "/" + std::string(12 - std::min<size_t>(12, name.size()), '0') +
                     name + ".journal";
  std::string reused;
  {
    std::lock_guard lock(mutex_);
    if (!recycled_.empty()) {
      reused = recycled_.front();  // the oldest: what stays in the directory is without gaps
      recycled_.pop_front();
    }
  }
  if (!reused.empty()) {
    HR_ASSIGN(auto old, files_.Open(reused, {}));
    HR_ASSIGN(uint64_t old_size, old->Size());
    if (old_size < size) {
      old.reset();
      HR_TRY(files_.Remove(reused));
      reused.clear();
    } else {
      size = old_size;
      HR_TRY(files_.Rename(reused, path));
    }
  }
  if (reused.empty()) HR_TRY(MakeFile(path, size));
  HR_ASSIGN(auto file, files_.Open(path, {.create = false, .exclusive = false, .writable = true}));
  HR_TRY(file->WriteAt(0, EncodeFileHeader(next)));
  HR_TRY(file->Sync());
  HR_TRY(files_.SyncDirectory(directory_));
  file_ = std::move(file);
  current_ = next;
  size_ = size;
  position_ = kFileHeaderSize;
  std::lock_guard lock(mutex_);
  files_by_sequence_[next.sequence] = {next, path, size, buffered_lsn_};
  return Ok();
}

// Written with zeros once: a flush of a merely allocated file also flushes metadata.
Status Journal::MakeFile(const std::string& path, uint64_t size) {
  HR_ASSIGN(auto file, files_.Open(path, {.create = true, .exclusive = false, .writable = true}));
  std::string zeros(std::min(size, kZeroBlock), '\0');
  Status written = Ok();
  for (uint64_t at = 0; at < size && written.ok(); at += zeros.size()) {
    written = file->WriteAt(
        at, std::string_view(zeros).substr(0, std::min<uint64_t>(zeros.size(), size - at)));
  }
  if (written.ok()) written = file->Sync();
  if (written.ok()) return Ok();
  file.reset();
  Status removed = files_.Remove(path);
  static_cast<void>(removed.ok());  // the first error is the one to tell
  return written;
}

void Journal::Free(Lsn lsn) {
  std::lock_guard lock(mutex_);
  for (auto it = files_by_sequence_.begin(); it != files_by_sequence_.end();) {
    bool last = std::next(it) == files_by_sequence_.end();
    if (last || it->second.last_lsn > lsn) break;
    recycled_.push_back(it->second.path);
    it = files_by_sequence_.erase(it);
  }
}

}  // namespace headrace::log
