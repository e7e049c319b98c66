#include "log/damaged_log.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "log/damaged_segment.h"
#include "log/record_batch.h"

namespace headrace::log {
namespace {

constexpr int32_t kPartitionsMax = 1 << 16;

// The number that is the whole text; -1 when it is none.
int64_t NumberOf(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0 ? number : -1;
}

// Names in a directory; none when it is not there.
Result<std::vector<std::string>> NamesIn(os::FileSystem& files, const std::string& directory) {
  if (!files.Exists(directory)) return std::vector<std::string>();
  return files.List(directory);
}

// Hands on what follows what was handed on before.
class InOrder {
 public:
  InOrder(int64_t start, const DamagedLog::Take& take) : next_(start), take_(take) {}

  // False when the batch is not what its checksum says it was.
  Result<bool> Put(Entry entry) {
    // The first batch may have begun before a start that is within it.
    const int64_t from = lsn_ > 0 ? entry.base_offset : entry.base_offset + entry.record_count - 1;
    if (from < next_ || entry.lsn <= lsn_) return true;
    Result<uint64_t> records = CountRecords(entry.bytes);
    if (!records.ok() || *records == 0 || *records != static_cast<uint64_t>(entry.record_count)) {
      return false;
    }
    next_ = entry.base_offset + entry.record_count;
    lsn_ = entry.lsn;
    HR_TRY(take_(std::move(entry)));
    return true;
  }

 private:
  int64_t next_;
  Lsn lsn_ = 0;
  const DamagedLog::Take& take_;
};

}  // namespace

Result<std::unique_ptr<DamagedLog>> DamagedLog::Open(os::FileSystem& files, std::string directory) {
  std::unique_ptr<DamagedLog> log(new DamagedLog(files, std::move(directory)));
  const std::string& at = log->directory_;
  if (!files.Exists(JournalDirectory(at)) && !files.Exists(ManifestPath(at)) &&
      !files.Exists(at + "/topics")) {
    return Error(ErrorKind::kNotFound, "HR5209", "this is no data directory").AtPlace(at);
  }
  HR_TRY(log->TakeLock());
  HR_TRY(log->LoadManifest());
  HR_TRY(log->LoadJournal());
  HR_TRY(log->FindTopics());
  HR_TRY(log->FindControls());
  return log;
}

// Only when the file is there: nothing is written into the directory.
Status DamagedLog::TakeLock() {
  if (!files_.Exists(directory_ + "/lock")) return Ok();
  Result<std::unique_ptr<os::File>> lock = files_.Lock(directory_ + "/lock");
  if (lock.ok()) {
    lock_ = std::move(lock).value();
  } else if (lock.error().kind() == ErrorKind::kConflict) {
    return std::move(lock).error();
  }
  return Ok();
}

Status DamagedLog::LoadManifest() {
  const std::string path = ManifestPath(directory_);
  const bool there = files_.Exists(path);
  Result<Manifest> manifest = Manifest::Load(files_, directory_);
  if (manifest.ok()) {
    manifest_ = std::move(manifest).value();
    // A directory that is so young that nothing was moved yet has none.
    HR_ASSIGN(bool segments, HasSegments());
    manifest_known_ = there || !segments;
    return Ok();
  }
  manifest_known_ = false;
  Result<std::unique_ptr<os::File>> file = files_.Open(path, {});
  Result<uint64_t> size = file.ok() ? (*file)->Size() : Result<uint64_t>(uint64_t{0});
  damage_.push_back({path, 0, size.ok() ? *size : 0, manifest.error().message()});
  return Ok();
}

Result<bool> DamagedLog::HasSegments() const {
  HR_ASSIGN(auto controls, NamesIn(files_, ControlsDirectory(directory_)));
  HR_ASSIGN(auto topics, NamesIn(files_, directory_ + "/topics"));
  return !controls.empty() || !topics.empty();
}

Status DamagedLog::LoadJournal() {
  const std::string path = JournalDirectory(directory_);
  if (!files_.Exists(path)) {
    damage_.push_back({path, 0, 0, "the journal is missing"});
    return Ok();
  }
  HR_ASSIGN(journal_, ReadDamagedJournal(files_, path));
  damage_.insert(damage_.end(), journal_.damage.begin(), journal_.damage.end());
  const Lsn moved = manifest_.moved_lsn;
  if (journal_.sealed && journal_.first_lsn == 0) return Ok();
  if (journal_.last_lsn < moved) {
    damage_.push_back({path, 0, 0, "the journal ends before what was moved to segments"});
  } else if (manifest_known_ && journal_.first_lsn > moved + 1) {
    damage_.push_back({path, 0, 0, "the first files of the journal are missing", moved + 1,
                       journal_.first_lsn - 1});
  }
  return Ok();
}

void DamagedLog::AddTopic(const std::string& name, int32_t partitions) {
  auto [found, added] = topics_.emplace(name, TopicConfig{});
  if (added) guessed_.insert(name);
  if (!guessed_.contains(name)) return;
  found->second.partitions = std::max(found->second.partitions, partitions);
}

Status DamagedLog::FindTopics() {
  for (const auto& [name, topic] : manifest_.topics)
    topics_.emplace(name, topic.config);
  for (const auto& [lsn, topic] : journal_.topics)
    topics_.emplace(topic.name, topic.config);
  for (const auto& [lsn, entry] : journal_.entries) {
    const bool placed = entry->partition >= 0 && entry->partition < kPartitionsMax;
    if (entry->kind != EntryKind::kBatch || !placed) continue;
    AddTopic(entry->topic, entry->partition + 1);
    journalled_[{entry->topic, entry->partition}].push_back(entry);
  }
  if (manifest_known_) return Ok();
  const std::string path = directory_ + "/topics";
  HR_ASSIGN(auto folders, NamesIn(files_, path));
  for (const std::string& folder : folders) {
    if (!folder.ends_with('/')) continue;
    const std::string name = TopicOfFolder(std::string_view(folder).substr(0, folder.size() - 1));
    if (name.empty()) continue;
    HR_ASSIGN(auto partitions, files_.List(path + "/" + folder.substr(0, folder.size() - 1)));
    for (const std::string& partition : partitions) {
      const int64_t number = NumberOf(std::string_view(partition).substr(0, partition.size() - 1));
      if (number < 0 || number >= kPartitionsMax) continue;
      AddTopic(name, static_cast<int32_t>(number) + 1);
    }
  }
  return Ok();
}

Status DamagedLog::FindControls() {
  HR_ASSIGN(Segments segments, SegmentsIn(ControlsDirectory(directory_), manifest_.controls));
  for (const auto& [base_offset, segment] : segments) {
    HR_TRY(ReadSegment(base_offset, segment, [this](Entry entry) {
      entry.kind = EntryKind::kControl;
      controls_.emplace(entry.lsn, std::move(entry));
      return Ok();
    }));
  }
  for (const auto& [lsn, entry] : journal_.entries) {
    if (entry->kind != EntryKind::kControl) continue;
    Entry control = *entry;
    control.base_offset = -1;
    controls_.emplace(lsn, std::move(control));
  }
  return Ok();
}

Manifest::PartitionState DamagedLog::StateOf(const std::string& topic, int32_t partition) const {
  auto found = manifest_.topics.find(topic);
  const auto index = static_cast<size_t>(partition);
  if (found == manifest_.topics.end() || index >= found->second.partitions.size()) return {};
  return found->second.partitions[index];
}

// Those that the manifest lists, and those that are there.
Result<DamagedLog::Segments> DamagedLog::SegmentsIn(const std::string& directory,
                                                    const Manifest::PartitionState& state) const {
  constexpr std::string_view kSuffix = ".segment";
  Segments segments;
  for (const SegmentRecord& record : state.segments) {
    segments[record.base_offset] = {SegmentPath(directory, record.base_offset), record.size,
                                    record.end_offset};
  }
  HR_ASSIGN(auto names, NamesIn(files_, directory));
  for (const std::string& name : names) {
    if (!name.ends_with(kSuffix)) continue;
    const int64_t base = NumberOf(std::string_view(name).substr(0, name.size() - kSuffix.size()));
    if (base < 0) continue;
    std::string path = directory;
    path.append("/").append(name);
    segments.emplace(base, SegmentFile{std::move(path)});
  }
  return segments;
}

// Where batches begin, by what has a checksum of its own.
std::vector<uint64_t> DamagedLog::KnownPlaces(int64_t base_offset, const SegmentFile& segment,
                                              uint64_t size) const {
  std::vector<uint64_t> known = {segment.listed};
  if (!files_.Exists(IndexPath(segment.path))) return known;
  Segment indexed;
  indexed.path = segment.path;
  indexed.base_offset = base_offset;
  indexed.size = segment.listed > 0 ? segment.listed : size;
  Result<Segment> index = ReadIndexOf(files_, indexed);
  if (!index.ok()) return known;
  for (const IndexPoint& point : index->index)
    known.push_back(point.position);
  return known;
}

Status DamagedLog::ReadSegment(int64_t base_offset, const SegmentFile& segment, const Take& take) {
  Result<std::string> bytes = ReadReadable(files_, segment.path, damage_);
  if (!bytes.ok()) {
    damage_.push_back({segment.path, 0, segment.listed,
                       bytes.error().kind() == ErrorKind::kNotFound
                           ? "the file is missing"
                           : "cannot be opened: " + bytes.error().message()});
    return Ok();
  }
  const SegmentFinds finds = FindBatches(*bytes, KnownPlaces(base_offset, segment, bytes->size()));
  for (const SegmentHole& hole : finds.holes) {
    // What stands behind the durable end never counted.
    if (segment.listed > 0 && hole.from >= segment.listed) continue;
    damage_.push_back({segment.path, hole.from, hole.to, "stored batches are damaged"});
  }
  if (bytes->size() < segment.listed) {
    damage_.push_back({segment.path, bytes->size(), segment.listed, "durable bytes are missing"});
  }
  for (const StoredPiece& piece : finds.pieces) {
    HR_ASSIGN(
        Entry entry,
        ReadStored(std::string_view(*bytes).substr(piece.at, piece.header.total()), piece.header));
    HR_TRY(take(std::move(entry)));
  }
  return Ok();
}

Status DamagedLog::ReadPartition(const std::string& topic, int32_t partition, const Take& take) {
  const Manifest::PartitionState state = StateOf(topic, partition);
  HR_ASSIGN(Segments segments, SegmentsIn(PartitionDirectory(directory_, topic, partition), state));
  const std::vector<EntryPtr>& journalled = journalled_[{topic, partition}];
  auto next = journalled.begin();
  InOrder out(state.start_offset, take);
  auto put = [&](Entry entry, const std::string& path) -> Status {
    const Lsn lsn = entry.lsn;
    HR_ASSIGN(bool sound, out.Put(std::move(entry)));
    if (!sound) damage_.push_back({path, 0, 0, "the records of a batch do not parse", lsn, lsn});
    return Ok();
  };
  auto put_journalled = [&](Lsn until) -> Status {
    for (; next != journalled.end() && (*next)->lsn < until; ++next)
      HR_TRY(put(**next, JournalDirectory(directory_)));
    return Ok();
  };
  for (const auto& [base_offset, segment] : segments) {
    const std::string& path = segment.path;
    const Take put_stored = [&](Entry entry) -> Status {
      entry.topic = topic;
      entry.partition = partition;
      HR_TRY(put_journalled(entry.lsn));
      return put(std::move(entry), path);
    };
    HR_TRY(ReadSegment(base_offset, segment, put_stored));
  }
  return put_journalled(UINT64_MAX);
}

}  // namespace headrace::log
