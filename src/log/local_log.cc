#include "log/local_log.h"

#include <algorithm>

#include "log/log_cursor.h"
#include "log/record_batch.h"

namespace headrace::log {
namespace {

constexpr uint64_t kMoveBytes = 2 << 20;  // moved together, with one flush a partition
constexpr auto kRetentionEvery = std::chrono::minutes(1);
// Topics of the program itself: nothing is computed from them, so that the beginning need not move
// for the last that they hold.
constexpr std::string_view kOwnTopics = "__";
constexpr uint64_t kUnmovedBytesMax = 8 << 20;  // Append waits while more is only in the journal

uint64_t SizeOf(const Entry& entry) {
  return entry.bytes.size() + entry.note.size() + entry.topic.size() + 64;
}

}  // namespace

Result<std::unique_ptr<Log>> Log::Open(os::FileSystem& files, os::Clock& clock,
                                       base::MetricsRegistry& metrics, std::string directory,
                                       LogOptions options) {
  auto log = std::make_unique<LocalLog>(files, clock, metrics, std::move(directory), options);
  HR_TRY(log->Recover());
  return std::unique_ptr<Log>(std::move(log));
}

LocalLog::LocalLog(os::FileSystem& files, os::Clock& clock, base::MetricsRegistry& metrics,
                   std::string directory, LogOptions options)
    : files_(files),
      clock_(clock),
      directory_(std::move(directory)),
      options_(options),
      segment_bytes_(metrics.GetCounter("headrace_log_segment_bytes_total",
                                        "Bytes of batches moved to segments, before compression.")),
      unmoved_gauge_(metrics.GetGauge("headrace_log_unmoved_bytes",
                                      "Durable bytes that are only in the journal.")),
      journal_(files, clock, metrics, JournalDirectory(directory_),
               {options.journal_file_bytes, options.pending_bytes_max, options.compress}) {}

LocalLog::~LocalLog() {
  Status closed = Close();
  static_cast<void>(closed.ok());  // whoever cares calls Close
}

Status LocalLog::Recover() {
  if (!options_.read_only) {
    HR_TRY(files_.CreateDirectories(JournalDirectory(directory_)));
  } else if (!files_.Exists(JournalDirectory(directory_))) {
    return Error(ErrorKind::kNotFound, "HR5209", "this is no data directory")
        .AtPlace(directory_)
        .WithHint("give the directory of an earlier `headrace run --data` or `serve --data`");
  }
  if (!options_.beside_writer) HR_TRY(TakeLock());
  HR_ASSIGN(Manifest manifest, Manifest::Load(files_, directory_));
  HR_TRY(OpenTopics(manifest));
  HR_ASSIGN(JournalContents contents, journal_.Recover(manifest.moved_lsn));
  report_.torn_bytes_cut = contents.torn_bytes;
  report_.last_lsn = contents.last_lsn;
  if (contents.torn_bytes > 0) {
    report_.text = "journal: " + std::to_string(contents.torn_bytes) +
                   " bytes of a write that a crash cut off were left out; nothing of it had been "
                   "acknowledged";
  }
  moved_lsn_ = manifest.moved_lsn;
  HR_TRY(TakeRecovered(std::move(contents)));
  if (options_.read_only) return Ok();
  HR_TRY(journal_.Start([this](std::vector<Group>&& groups) { OnDurable(std::move(groups)); }));
  mover_ = std::thread([this] { MoveLoop(); });
  return Ok();
}

Status LocalLog::TakeLock() {
  Result<std::unique_ptr<os::File>> lock = files_.Lock(directory_ + "/lock");
  if (lock.ok()) {
    lock_ = std::move(lock).value();
  } else if (!options_.read_only || lock.error().kind() == ErrorKind::kConflict) {
    return std::move(lock).error();
  }
  return Ok();
}

Status LocalLog::OpenTopics(const Manifest& manifest) {
  controls_ = std::make_unique<Partition>(files_, ControlsDirectory(directory_),
                                          Partition::SegmentLimitsOf({}));
  HR_TRY(controls_->Open(manifest.controls.segments, manifest.controls.start_offset,
                         !options_.read_only));
  for (const auto& [name, state] : manifest.topics) {
    Topic& topic = AddTopic(name, state.config);
    for (size_t p = 0; p < topic.partitions.size(); ++p) {
      HR_TRY(topic.partitions[p]->Open(state.partitions[p].segments,
                                       state.partitions[p].start_offset, !options_.read_only));
    }
  }
  return Ok();
}

Status LocalLog::TakeRecovered(JournalContents contents) {
  for (const JournalContents::Topic& topic : contents.topics) {
    if (!topics_.contains(topic.name)) AddTopic(topic.name, topic.config);
  }
  for (EntryPtr& entry : contents.entries) {
    Partition* partition = entry->kind == EntryKind::kControl
                               ? controls_.get()
                               : FindPartition(entry->topic, entry->partition);
    if (partition == nullptr) {
      return Error(ErrorKind::kCorruption, "HR5210",
                   "the journal names an unknown topic partition " + entry->topic);
    }
    auto numbered = std::make_shared<Entry>(*entry);
    if (entry->kind == EntryKind::kBatch) {
      HR_ASSIGN(BatchHeader header, ReadHeader(entry->bytes));
      numbered->record_count = header.record_count;
      numbered->max_timestamp_ms = header.max_timestamp_ms;
    } else {
      numbered->record_count = 1;
    }
    numbered->base_offset = partition->next_offset();
    partition->Reserve(numbered->record_count);
    partition->AddDurable(numbered);
    unmoved_bytes_ += SizeOf(*numbered);
    unmoved_.push_back(std::move(numbered));
  }
  last_lsn_ = durable_lsn_ = contents.last_lsn;
  return Ok();
}

LocalLog::Topic& LocalLog::AddTopic(const std::string& name, const TopicConfig& config) {
  Topic& topic = topics_[name];
  topic.config = config;
  for (int32_t p = 0; p < config.partitions; ++p) {
    topic.partitions.push_back(std::make_unique<Partition>(
        files_, PartitionDirectory(directory_, name, p), Partition::SegmentLimitsOf(config)));
  }
  return topic;
}

Error LocalLog::NoSpace() const {
  return Error(ErrorKind::kNoSpace, "HR5103", "no disk space for the journal")
      .AtPlace(directory_)
      .WithHint("free disk space; writing goes on by itself");
}

Status LocalLog::CreateTopic(const std::string& name, TopicConfig config) {
  if (HasTopic(name)) {
    return Error(ErrorKind::kAlreadyExists, "HR5211", "topic " + name + " exists");
  }
  if (journal_.no_space()) return NoSpace();
  Group group;
  group.push_back({nullptr, EncodeTopic(name, config), last_lsn_ + 1});
  HR_TRY(journal_.Append(std::move(group), 64 + name.size(), false));
  ++last_lsn_;
  std::unique_lock lock(topics_mutex_);
  AddTopic(name, config);
  return Ok();
}

// A topic's frame says how it began; what became of it is in the manifest, which is looked at
// first.
Status LocalLog::ChangeTopic(const std::string& name, TopicConfig config) {
  std::lock_guard moving(moving_mutex_);
  {
    std::unique_lock lock(topics_mutex_);
    Topic& topic = topics_.at(name);
    config.partitions = std::max(config.partitions, topic.config.partitions);
    topic.config = config;
    for (auto p = static_cast<int32_t>(topic.partitions.size()); p < config.partitions; ++p) {
      topic.partitions.push_back(std::make_unique<Partition>(
          files_, PartitionDirectory(directory_, name, p), Partition::SegmentLimitsOf(config)));
    }
  }
  if (!staged_.empty()) HR_TRY(PublishStaged());
  return WriteManifest(moved_lsn_);
}

bool LocalLog::HasTopic(const std::string& name) const {
  std::shared_lock lock(topics_mutex_);
  return topics_.contains(name);
}

std::vector<std::string> LocalLog::topics() const {
  std::shared_lock lock(topics_mutex_);
  std::vector<std::string> names;
  for (const auto& [name, topic] : topics_)
    names.push_back(name);
  return names;
}

TopicConfig LocalLog::topic_config(const std::string& name) const {
  std::shared_lock lock(topics_mutex_);
  auto found = topics_.find(name);
  return found == topics_.end() ? TopicConfig{} : found->second.config;
}

Partition* LocalLog::FindPartition(const std::string& topic, int32_t partition) const {
  std::shared_lock lock(topics_mutex_);
  auto found = topics_.find(topic);
  if (found == topics_.end() || partition < 0 ||
      static_cast<size_t>(partition) >= found->second.partitions.size()) {
    return nullptr;
  }
  return found->second.partitions[static_cast<size_t>(partition)].get();
}

Status LocalLog::Append(std::vector<Entry>& group, FlushedBy by) {
  if (journal_.no_space()) return NoSpace();
  {
    std::unique_lock lock(state_mutex_);
    durable_.wait(lock, [&] {
      return unmoved_bytes_ < kUnmovedBytesMax || stop_ || journal_.failure() != nullptr ||
             journal_.no_space() || move_failure_;
    });
    // Waiting for what cannot be moved would be for good: whoever appends is told, and may try
    // again; moving is tried again by itself.
    if (unmoved_bytes_ >= kUnmovedBytesMax && move_failure_) {
      return move_failure_->kind() == ErrorKind::kNoSpace ? NoSpace() : Status(*move_failure_);
    }
  }
  Group outgoing;
  uint64_t bytes = 0;
  Lsn lsn = last_lsn_;
  for (Entry& entry : group) {
    Partition* partition = entry.kind == EntryKind::kControl
                               ? controls_.get()
                               : FindPartition(entry.topic, entry.partition);
    HR_CHECK(partition != nullptr);
    entry.lsn = ++lsn;
    if (entry.kind == EntryKind::kControl) entry.record_count = 1;
    HR_CHECK(entry.record_count > 0);
    entry.base_offset = partition->next_offset();
    if (entry.kind == EntryKind::kBatch) {
      HR_CHECK(entry.bytes.size() >= kBatchHeaderSize);
      SetBaseOffset(entry.bytes, entry.base_offset);
      entry.max_timestamp_ms = MaxTimestamp(entry.bytes);
    }
    partition->Reserve(entry.record_count);
    bytes += SizeOf(entry);
    outgoing.push_back({std::make_shared<const Entry>(std::move(entry)), "", lsn});
  }
  // From here on the group counts as taken: a journal that has no space keeps it and writes it
  // later.
  last_lsn_ = lsn;
  return journal_.Append(std::move(outgoing), bytes, by == FlushedBy::kCaller);
}

bool LocalLog::has_room() const {
  if (journal_.failure() != nullptr || journal_.no_space()) return true;  // Append says so at once
  if (!journal_.has_room()) return false;
  std::lock_guard lock(state_mutex_);
  return unmoved_bytes_ < kUnmovedBytesMax || stop_ || move_failure_.has_value();
}

void LocalLog::OnDurable(std::vector<Group>&& groups) {
  Lsn durable = durable_lsn_;
  std::vector<EntryPtr> entries;
  uint64_t bytes = 0;
  for (Group& group : groups) {
    for (Outgoing& outgoing : group) {
      durable = outgoing.lsn;
      if (!outgoing.entry) continue;
      const Entry& entry = *outgoing.entry;
      Partition* partition = entry.kind == EntryKind::kControl
                                 ? controls_.get()
                                 : FindPartition(entry.topic, entry.partition);
      bytes += SizeOf(entry);
      partition->AddDurable(outgoing.entry);
      entries.push_back(std::move(outgoing.entry));
    }
  }
  std::function<void()> callback;
  {
    std::lock_guard lock(state_mutex_);
    unmoved_.insert(unmoved_.end(), entries.begin(), entries.end());
    unmoved_bytes_ += bytes;
    durable_lsn_ = durable;
    callback = callback_;
  }
  durable_.notify_all();
  unmoved_changed_.notify_one();
  if (callback) callback();
}

Status LocalLog::WaitDurable(Lsn lsn) {
  std::unique_lock lock(state_mutex_);
  durable_.wait(lock, [&] { return durable_lsn_ >= lsn || journal_.failure() != nullptr; });
  if (durable_lsn_ >= lsn) return Ok();
  return Error(ErrorKind::kUnavailable, "HR5101",
               "the journal has failed: " + journal_.failure()->ToString());
}

void LocalLog::SetDurableCallback(std::function<void()> callback) {
  std::lock_guard lock(state_mutex_);
  callback_ = std::move(callback);
}

void LocalLog::MoveLoop() {
  while (true) {
    bool due = false;
    bool stopping = false;
    {
      std::unique_lock lock(state_mutex_);
      unmoved_changed_.wait_for(lock, kRetentionEvery,
                                [&] { return stop_ || unmoved_bytes_ >= kMoveBytes; });
      due = stop_ || unmoved_bytes_ >= kMoveBytes;
      stopping = stop_;
    }
    Status moved = due ? MoveDurable() : Ok();
    if (!moved.ok()) {
      // Nothing is lost: it stands in the journal. Moving is tried again with the next batch.
      if (stopping) return;
      std::unique_lock lock(state_mutex_);
      move_failure_ = moved.error();
      durable_.notify_all();
      unmoved_changed_.wait_for(lock, std::chrono::seconds(1), [&] { return stop_; });
      continue;
    }
    durable_.notify_all();
    if (stopping) return;
    RetainNowAndThen();
  }
}

Status LocalLog::MoveDurable() {
  std::lock_guard moving(moving_mutex_);
  std::vector<EntryPtr> entries;
  {
    std::lock_guard lock(state_mutex_);
    entries.assign(unmoved_.begin(), unmoved_.end());
  }
  if (entries.empty()) return Ok();
  HR_TRY(Move(entries));
  TakeMoved(entries);
  return Ok();
}

void LocalLog::TakeMoved(const std::vector<EntryPtr>& entries) {
  std::function<void()> callback;
  {
    std::lock_guard lock(state_mutex_);
    const bool full = unmoved_bytes_ >= kUnmovedBytesMax;
    move_failure_.reset();
    for (const EntryPtr& entry : entries) {
      unmoved_bytes_ -= SizeOf(*entry);
      unmoved_.pop_front();
    }
    unmoved_gauge_.Set(static_cast<double>(unmoved_bytes_));
    if (full && unmoved_bytes_ < kUnmovedBytesMax && !stop_) callback = callback_;
  }
  if (callback) callback();
}

void LocalLog::RetainNowAndThen() {
  int64_t now = clock_.MonotonicNanoseconds();
  if (now - retained_ns_ < std::chrono::nanoseconds(kRetentionEvery).count()) return;
  retained_ns_ = now;
  Status retained = ApplyRetention();
  static_cast<void>(retained.ok());  // what could not go now goes the next time
}

void LocalLog::SetRetentionFloor(Lsn floor) {
  Lsn before = retention_floor_.load();
  while (before < floor && !retention_floor_.compare_exchange_weak(before, floor)) {
  }
}

Status LocalLog::Move(const std::vector<EntryPtr>& entries) {
  if (!staged_.empty()) HR_TRY(PublishStaged());  // flushed before, but no manifest could say so
  Lsn before = moved_lsn_;
  Status staged = Stage(entries);
  if (staged.ok()) return PublishStaged();
  // What a failed write or flush left on the disk is unknown: all of it is written again.
  for (Partition* partition : staged_)
    partition->Unstage();
  staged_.clear();
  moved_lsn_ = before;
  return staged;
}

Status LocalLog::Stage(const std::vector<EntryPtr>& entries) {
  for (const EntryPtr& entry : entries) {
    if (entry->lsn <= moved_lsn_) continue;
    bool control = entry->kind == EntryKind::kControl;
    Partition* partition =
        control ? controls_.get() : FindPartition(entry->topic, entry->partition);
    staged_.insert(partition);
    HR_TRY(partition->Stage(*entry, options_.compress && !control));
    segment_bytes_.Add(entry->bytes.size());
    moved_lsn_ = entry->lsn;
  }
  for (Partition* partition : staged_)
    HR_TRY(partition->Sync());
  return Ok();
}

Status LocalLog::PublishStaged() {
  HR_TRY(WriteManifest(moved_lsn_));
  for (Partition* partition : staged_)
    partition->Publish();
  staged_.clear();
  journal_.Free(moved_lsn_);
  return Ok();
}

Status LocalLog::WriteManifest(Lsn moved) {
  Manifest manifest;
  manifest.moved_lsn = moved;
  manifest.controls = {controls_->start_offset(), controls_->records()};
  {
    std::shared_lock lock(topics_mutex_);
    for (const auto& [name, topic] : topics_) {
      Manifest::TopicState& state = manifest.topics[name];
      state.config = topic.config;
      for (const auto& partition : topic.partitions) {
        state.partitions.push_back({partition->moved_start(), partition->records()});
      }
    }
  }
  return os::ReplaceFile(files_, ManifestPath(directory_), manifest.Encode());
}

Partition::RetentionLimits LocalLog::RetentionOf(const TopicConfig& config) const {
  Partition::RetentionLimits limits;
  if (config.retention_ms >= 0) {
    limits.oldest_timestamp_ms = clock_.NowMicros() / 1000 - config.retention_ms;
  }
  limits.bytes = config.retention_bytes;
  return limits;
}

bool LocalLog::HasRetention() const {
  std::shared_lock lock(topics_mutex_);
  return std::any_of(topics_.begin(), topics_.end(), [](const auto& topic) {
    const TopicConfig& config = topic.second.config;
    return config.retention_ms >= 0 || config.retention_bytes >= 0;
  });
}

Log::Expiry LocalLog::Expired() const {
  Expiry expiry;
  std::shared_lock lock(topics_mutex_);
  for (const auto& [name, topic] : topics_) {
    if (topic.config.retention_ms < 0 && topic.config.retention_bytes < 0) continue;
    const Partition::RetentionLimits limits = RetentionOf(topic.config);
    for (const auto& partition : topic.partitions) {
      const Partition::Expiry one = partition->ExpiryOf(limits);
      expiry.through = std::max(expiry.through, one.through);
      expiry.stays_from = std::min(expiry.stays_from, one.stays_from);
      if (one.stays_from == UINT64_MAX && !name.starts_with(kOwnTopics)) {
        expiry.idle_through = std::max(expiry.idle_through, one.through);
      }
    }
  }
  return expiry;
}

Status LocalLog::ApplyRetention() {
  std::lock_guard moving(moving_mutex_);
  std::vector<std::string> expired;
  {
    std::shared_lock lock(topics_mutex_);
    for (const auto& [name, topic] : topics_) {
      const Partition::RetentionLimits limits = RetentionOf(topic.config);
      for (const auto& partition : topic.partitions) {
        for (std::string& path : partition->Expire(limits, retention_floor_))
          expired.push_back(std::move(path));
      }
    }
  }
  if (expired.empty()) return Ok();
  HR_TRY(WriteManifest(moved_lsn_));
  for (const std::string& path : expired) {
    HR_TRY(files_.Remove(path));
    if (files_.Exists(IndexPath(path))) HR_TRY(files_.Remove(IndexPath(path)));
  }
  return Ok();
}

int64_t LocalLog::start_offset(const std::string& topic, int32_t partition) const {
  Partition* found = FindPartition(topic, partition);
  return found == nullptr ? 0 : found->start_offset();
}

int64_t LocalLog::end_offset(const std::string& topic, int32_t partition) const {
  Partition* found = FindPartition(topic, partition);
  return found == nullptr ? 0 : found->end_offset();
}

int64_t LocalLog::next_offset(const std::string& topic, int32_t partition) const {
  Partition* found = FindPartition(topic, partition);
  return found == nullptr ? 0 : found->next_offset();
}

void LocalLog::BeginAt(const std::string& topic, int32_t partition, int64_t offset) {
  Partition* found = FindPartition(topic, partition);
  if (found != nullptr) found->BeginAt(offset);
}

int64_t LocalLog::begins_at(const std::string& topic, int32_t partition) const {
  Partition* found = FindPartition(topic, partition);
  return found == nullptr ? 0 : found->begins_at();
}

Result<std::vector<Entry>> LocalLog::Read(const std::string& topic, int32_t partition,
                                          int64_t offset, size_t bytes_max) const {
  Partition* found = FindPartition(topic, partition);
  if (found == nullptr) {
    return Error(ErrorKind::kNotFound, "HR5212",
                 "no partition " + std::to_string(partition) + " of topic " + topic);
  }
  HR_ASSIGN(auto entries, found->Read(offset, bytes_max));
  for (Entry& entry : entries) {
    entry.topic = topic;
    entry.partition = partition;
  }
  return entries;
}

Result<int64_t> LocalLog::OffsetAt(const std::string& topic, int32_t partition,
                                   int64_t timestamp_ms) const {
  Partition* found = FindPartition(topic, partition);
  if (found == nullptr) return Error(ErrorKind::kNotFound, "HR5212", "no topic " + topic);
  return found->OffsetAt(timestamp_ms);
}

Status LocalLog::Close() {
  {
    std::lock_guard lock(state_mutex_);
    if (closed_) return Ok();
    closed_ = true;
  }
  journal_.Stop();
  {
    std::lock_guard lock(state_mutex_);
    stop_ = true;
  }
  unmoved_changed_.notify_all();
  durable_.notify_all();
  if (mover_.joinable()) mover_.join();
  std::lock_guard lock(state_mutex_);
  if (journal_.failure() != nullptr) return *journal_.failure();
  return Ok();
}

}  // namespace headrace::log
