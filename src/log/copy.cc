#include "log/copy.h"

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/metrics.h"
#include "log/frame.h"
#include "log/segment.h"

namespace headrace::log {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr uint64_t kManifestBytesMax = 256 << 20;
// Stands where the manifest will be until the first copy is whole.
constexpr std::string_view kUnfinished = "the copy has not finished\n";

Error Differs(const std::string& where) {
  return Error(ErrorKind::kConflict, "HR5214",
               "the copy is no beginning of this log: they differ at " + where)
      .WithHint("copy into an empty directory");
}

bool Same(const Entry& a, const Entry& b) {
  return a.lsn == b.lsn && a.base_offset == b.base_offset && a.record_count == b.record_count &&
         a.max_timestamp_ms == b.max_timestamp_ms && a.note == b.note;
}

Result<std::vector<std::string>> NamesIn(os::FileSystem& files, const std::string& directory) {
  if (!files.Exists(directory)) return std::vector<std::string>();
  return files.List(directory);
}

Status RemoveFiles(os::FileSystem& files, const std::string& directory) {
  HR_ASSIGN(auto names, NamesIn(files, directory));
  for (const std::string& name : names) {
    const std::string path = directory + "/" + name;
    HR_TRY(name.ends_with('/') ? RemoveFiles(files, path.substr(0, path.size() - 1))
                               : files.Remove(path));
  }
  return Ok();
}

uint64_t NumberOf(const std::string& name) {
  return std::strtoull(name.c_str(), nullptr, 10);
}

}  // namespace

Result<std::unique_ptr<LogCopy>> LogCopy::Open(os::FileSystem& files, os::Clock& clock,
                                               const Log& from, std::string directory) {
  std::unique_ptr<LogCopy> copy(new LogCopy(files, from, std::move(directory)));
  HR_TRY(copy->Prepare(clock));
  return copy;
}

Status LogCopy::Prepare(os::Clock& clock) {
  HR_TRY(files_.CreateDirectories(directory_));
  const std::string path = ManifestPath(directory_);
  bool unfinished = false;
  if (files_.Exists(path)) {
    HR_ASSIGN(std::string bytes, os::ReadFile(files_, path, kManifestBytesMax));
    unfinished = bytes == kUnfinished;
  }
  if (!unfinished) HR_TRY(EmptyJournal(clock));
  HR_ASSIGN(lock_, files_.Lock(directory_ + "/lock"));
  fresh_ = unfinished || !files_.Exists(path);
  if (fresh_) {
    HR_TRY(os::ReplaceFile(files_, path, kUnfinished));
    HR_TRY(Clear());
  } else {
    HR_ASSIGN(manifest_, Manifest::Load(files_, directory_));
    HR_TRY(OpenPartitions());
    HR_TRY(CheckBeginning());
  }
  report_.from_lsn = manifest_.moved_lsn;
  return SealJournal(clock);
}

Status LogCopy::EmptyJournal(os::Clock& clock) {
  const std::string journal = JournalDirectory(directory_);
  HR_ASSIGN(auto names, NamesIn(files_, journal));
  bool sealed = true;
  for (const std::string& name : names) {
    FileHeader header;
    HR_ASSIGN(auto file, files_.Open(journal + "/" + name, {}));
    std::string bytes(kFileHeaderSize, '\0');
    HR_ASSIGN(size_t read, file->ReadAt(0, bytes.data(), bytes.size()));
    bytes.resize(read);
    sealed = sealed && DecodeFileHeader(bytes, &header) && header.sealed();
  }
  if (sealed) return Ok();
  base::MetricsRegistry metrics;
  HR_ASSIGN(auto log, Log::Open(files_, clock, metrics, directory_, {}));
  return log->Close();
}

// The sealed file counts when there is no other: it is there before the others go.
Status LogCopy::SealJournal(os::Clock& clock) {
  const std::string journal = JournalDirectory(directory_);
  HR_TRY(files_.CreateDirectories(journal));
  HR_ASSIGN(auto names, NamesIn(files_, journal));
  std::sort(names.begin(), names.end(),
            [](const auto& a, const auto& b) { return NumberOf(a) < NumberOf(b); });
  FileHeader header;
  header.sequence = names.empty() ? 1 : NumberOf(names.back());
  if (!names.empty()) {
    Result<std::string> bytes = os::ReadFile(files_, journal + "/" + names.back(), UINT32_MAX);
    FileHeader last;
    const bool sealed = bytes.ok() && DecodeFileHeader(*bytes, &last) && last.sealed();
    if (!sealed) ++header.sequence;
  }
  std::string name = std::to_string(header.sequence);
  name = std::string(12 - std::min<size_t>(12, name.size()), '0') + name + ".journal";
  if (names.empty() || names.back() != name) {
    std::string bytes = EncodeFileHeader(header);
    base::ByteWriter(bytes).U64Le(static_cast<uint64_t>(clock.NowMicros()));
    header.epoch = base::Crc32c(bytes);
    HR_TRY(os::ReplaceFile(files_, journal + "/" + name, EncodeFileHeader(header)));
  }
  for (const std::string& other : names) {
    if (other != name) HR_TRY(files_.Remove(journal + "/" + other));
  }
  return names.empty() ? Ok() : files_.SyncDirectory(journal);
}

Status LogCopy::Clear() {
  for (const char* part : {"/topics", "/controls", "/journal", "/snapshots"})
    HR_TRY(RemoveFiles(files_, directory_ + part));
  return Ok();
}

std::string LogCopy::DirectoryOf(const PartitionKey& key) const {
  return key.first.empty() ? ControlsDirectory(directory_)
                           : PartitionDirectory(directory_, key.first, key.second);
}

Status LogCopy::OpenPartitions() {
  auto open = [this](const PartitionKey& key, const TopicConfig& config,
                     const Manifest::PartitionState& state) {
    auto& partition = partitions_[key];
    partition =
        std::make_unique<Partition>(files_, DirectoryOf(key), Partition::SegmentLimitsOf(config));
    return partition->Open(state.segments, state.start_offset, true);
  };
  HR_TRY(open({"", 0}, {}, manifest_.controls));
  for (const auto& [name, topic] : manifest_.topics) {
    for (size_t p = 0; p < topic.partitions.size(); ++p)
      HR_TRY(open({name, static_cast<int32_t>(p)}, topic.config, topic.partitions[p]));
  }
  return Ok();
}

// What it holds last of each partition is what `from` has there, and nothing lies between them.
Status LogCopy::CheckBeginning() const {
  if (held_lsn() > from_.durable_lsn()) {
    return Differs("LSN " + std::to_string(from_.durable_lsn() + 1));
  }
  for (const auto& [key, partition] : partitions_)
    HR_TRY(CheckPartition(key, *partition));
  return Ok();
}

Status LogCopy::CheckPartition(const PartitionKey& key, const Partition& partition) const {
  const int64_t end = partition.end_offset();
  const std::string where = key.first + ":" + std::to_string(key.second) + ":";
  const int64_t starts = key.first.empty() ? 0 : from_.start_offset(key.first, key.second);
  // What was dropped nobody misses.
  if (starts > end && from_.begins_at(key.first, key.second) == starts) return Ok();
  if (starts > end) {
    return Error(ErrorKind::kConflict, "HR5260",
                 "retention removed what lies between the copy and the log: " + where +
                     std::to_string(end) + " to " + where + std::to_string(starts))
        .WithHint("copy into an empty directory, and more often than events are kept");
  }
  if (end == partition.start_offset()) return Ok();
  HR_ASSIGN(auto mine, partition.Read(end - 1, 1));
  std::vector<Entry> theirs;
  if (key.first.empty()) {
    const Lsn lsn = mine.empty() ? 1 : mine.front().lsn;
    HR_ASSIGN(auto cursor, from_.Scan(lsn, std::set<std::string>{}));
    Entry entry;
    HR_ASSIGN(bool more, cursor->Next(&entry));
    if (more) theirs.push_back(std::move(entry));
  } else {
    if (from_.end_offset(key.first, key.second) < end) return Differs(where + std::to_string(end));
    if (starts >= end) return Ok();  // it is gone there
    HR_ASSIGN(theirs, from_.Read(key.first, key.second, std::max(starts, end - 1), 1));
  }
  // An offset may be lost on both sides.
  if (mine.empty()) return Ok();
  if (!theirs.empty() && Same(mine.front(), theirs.front())) return Ok();
  return Differs("LSN " + std::to_string(mine.front().lsn));
}

Result<CopyReport> LogCopy::Append() {
  const Lsn last = from_.durable_lsn();
  HR_TRY(AppendControls(last));
  for (const std::string& topic : from_.topics()) {
    const TopicConfig config = from_.topic_config(topic);
    manifest_.topics[topic].config = config;
    for (int32_t p = 0; p < config.partitions; ++p)
      HR_TRY(AppendBatches({topic, p}, last));
  }
  manifest_.moved_lsn = last;
  HR_TRY(WriteManifest());
  for (auto& [key, partition] : partitions_)
    partition->Publish();
  report_.last_lsn = last;
  return report_;
}

Status LogCopy::AppendControls(Lsn last) {
  auto& partition = partitions_[{"", 0}];
  if (!partition) {
    partition =
        std::make_unique<Partition>(files_, DirectoryOf({"", 0}), Partition::SegmentLimitsOf({}));
    HR_TRY(partition->Open({}, 0, true));
  }
  HR_ASSIGN(auto cursor, from_.Scan(report_.from_lsn + 1, std::set<std::string>{}));
  while (true) {
    Entry entry;
    HR_ASSIGN(bool more, cursor->Next(&entry));
    if (!more || entry.lsn > last) break;
    HR_TRY(Take(*partition, entry));
  }
  return partition->Sync();
}

Status LogCopy::AppendBatches(const PartitionKey& key, Lsn last) {
  const auto& [topic, index] = key;
  auto& partition = partitions_[key];
  int64_t next = partition ? partition->end_offset() : from_.start_offset(topic, index);
  if (!partition) {
    partition = std::make_unique<Partition>(files_, DirectoryOf(key),
                                            Partition::SegmentLimitsOf(from_.topic_config(topic)));
    HR_TRY(partition->Open({}, next, true));
  }
  int64_t held = next;
  next = std::max(next, from_.begins_at(topic, index));
  while (true) {
    const int64_t end = from_.end_offset(topic, index);
    HR_ASSIGN(auto entries, from_.Read(topic, index, next, kReadBytes));
    if (entries.empty()) {
      // The offsets at the end are lost, or what they had is: they are not given again.
      if (held < end) HR_TRY(partition->SkipTo(end));
      break;
    }
    if (entries.front().lsn > last) break;
    for (const Entry& entry : entries) {
      if (entry.lsn > last) break;
      HR_TRY(Take(*partition, entry));
      held = next = entry.base_offset + entry.record_count;
    }
  }
  return partition->Sync();
}

Status LogCopy::Take(Partition& partition, const Entry& entry) {
  ++report_.entries;
  report_.bytes += entry.bytes.size() + entry.note.size();
  return partition.Stage(entry, entry.kind == EntryKind::kBatch);
}

Status LogCopy::WriteManifest() {
  for (const auto& [key, partition] : partitions_) {
    const Manifest::PartitionState state{partition->start_offset(), partition->records()};
    if (key.first.empty()) {
      manifest_.controls = state;
      continue;
    }
    auto& states = manifest_.topics[key.first].partitions;
    states.resize(std::max(states.size(), static_cast<size_t>(key.second) + 1));
    states[static_cast<size_t>(key.second)] = state;
  }
  return os::ReplaceFile(files_, ManifestPath(directory_), manifest_.Encode());
}

Status LogCopy::DropOld() {
  bool dropped = false;
  for (auto& [key, partition] : partitions_) {
    if (key.first.empty()) continue;
    const int64_t starts = from_.start_offset(key.first, key.second);
    dropped = !partition->DropBelow(starts).empty() || dropped;
  }
  if (dropped) HR_TRY(WriteManifest());
  for (const auto& [key, partition] : partitions_)
    HR_TRY(Sweep(key, *partition));
  return Ok();
}

Status LogCopy::Sweep(const PartitionKey& key, const Partition& partition) {
  const std::string directory = DirectoryOf(key);
  std::set<std::string> listed;
  for (const SegmentRecord& record : partition.records()) {
    listed.insert(SegmentPath(directory, record.base_offset));
    listed.insert(IndexPath(SegmentPath(directory, record.base_offset)));
  }
  HR_ASSIGN(auto names, NamesIn(files_, directory));
  for (const std::string& name : names) {
    const std::string path = directory + "/" + name;
    if (!listed.contains(path)) HR_TRY(files_.Remove(path));
  }
  return Ok();
}

}  // namespace headrace::log
