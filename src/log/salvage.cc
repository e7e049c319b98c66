#include "log/salvage.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "log/damaged_log.h"
#include "log/frame.h"
#include "log/partition.h"

namespace headrace::log {
namespace {

// Stands where the manifest will be, so that nobody takes the directory for a whole one.
constexpr std::string_view kUnfinished = "salvage has not finished\n";

}  // namespace

// Writes one partition of the new directory and notes what is lost before and between its batches.
class Salvage::Lane {
 public:
  Lane(Salvage& salvage, std::string topic, int32_t partition, const TopicConfig& config)
      : salvage_(salvage),
        topic_(std::move(topic)),
        index_(partition),
        written_(salvage.files_, PartitionDirectory(salvage.to_, topic_, partition),
                 Partition::SegmentLimitsOf(config)) {
    const DamagedLog& from = *salvage.from_;
    known_ = from.manifest_known();
    const Manifest::PartitionState state = from.StateOf(topic_, partition);
    start_ = next_ = state.start_offset;
    if (!state.segments.empty()) end_ = state.segments.back().end_offset;
    auto begins = salvage.begins_.find({topic_, partition});
    if (begins != salvage.begins_.end()) begins_ = begins->second;
    end_ = std::max(end_, begins_);
  }

  Status Run() {
    HR_TRY(written_.Open({}, start_, true));
    HR_TRY(salvage_.from_->ReadPartition(topic_, index_,
                                         [this](const Entry& entry) { return Take(entry); }));
    if (std::max(next_, begins_) < end_) {
      salvage_.report_.offsets.push_back(
          {topic_, index_, std::max(next_, begins_), end_, last_lsn_, 0});
    }
    if (next_ < end_) HR_TRY(written_.SkipTo(end_));
    HR_TRY(written_.Sync());
    written_.Publish();
    return Ok();
  }

  Manifest::PartitionState state() const { return {start_, written_.records()}; }

 private:
  Status Take(const Entry& entry) {
    SalvageReport& report = salvage_.report_;
    const int64_t expected = std::max(next_, begins_);
    if (entry.base_offset > expected) {
      const SalvageReport::Offsets lost{topic_,    index_,   expected, entry.base_offset,
                                        last_lsn_, entry.lsn};
      // Without a manifest nobody knows whether retention had removed the first ones.
      const bool front = !known_ && last_lsn_ == 0;
      (front ? salvage_.fronts_ : report.offsets).push_back(lost);
      if (front) start_ = entry.base_offset;
    }
    next_ = entry.base_offset + entry.record_count;
    last_lsn_ = entry.lsn;
    ++report.batches;
    report.records += static_cast<uint64_t>(entry.record_count);
    report.bytes += entry.bytes.size();
    salvage_.Found(entry);
    return written_.Stage(entry, false);
  }

  Salvage& salvage_;
  const std::string topic_;
  const int32_t index_;
  Partition written_;
  bool known_ = true;
  int64_t start_ = 0;
  int64_t next_ = 0;
  int64_t end_ = 0;     // by the manifest
  int64_t begins_ = 0;  // what lies below was dropped
  Lsn last_lsn_ = 0;
};

Salvage::Salvage(os::FileSystem& files, std::unique_ptr<DamagedLog> from)
    : files_(files),
      from_(std::move(from)),
      topics_(from_->topics()),
      guessed_(from_->guessed()),
      controls_(from_->controls()),
      manifest_(std::make_unique<Manifest>()) {}

Salvage::~Salvage() = default;

Result<std::unique_ptr<Salvage>> Salvage::Open(os::FileSystem& files,
                                               const std::string& directory) {
  HR_ASSIGN(auto from, DamagedLog::Open(files, directory));
  std::unique_ptr<Salvage> salvage(new Salvage(files, std::move(from)));
  const JournalFinds& journal = salvage->from_->journal();
  salvage->report_.torn_path = journal.torn_path;
  salvage->report_.torn_from = journal.torn_from;
  salvage->report_.torn_bytes = journal.torn_bytes;
  salvage->CountControls();
  salvage->NoteJournalLosses();
  return salvage;
}

void Salvage::Suggest(const std::string& topic, const TopicConfig& config) {
  if (topics_.contains(topic) && guessed_.erase(topic) == 0) return;
  TopicConfig& known = topics_[topic];
  const int32_t partitions = std::max(known.partitions, config.partitions);
  known = config;
  known.partitions = partitions;
}

// The offsets of controls in segments say how many there were.
void Salvage::CountControls() {
  const Manifest& manifest = from_->manifest();
  int64_t next = 0;
  Lsn last = 0;
  auto lost_before = [&](int64_t offset, Lsn lsn) {
    if (offset <= next) return;
    report_.controls.push_back({static_cast<uint64_t>(offset - next), last, lsn});
    next = offset;
  };
  const int64_t moved =
      manifest.controls.segments.empty() ? 0 : manifest.controls.segments.back().end_offset;
  for (const auto& [lsn, entry] : from_->controls()) {
    if (lsn > manifest.moved_lsn) lost_before(moved, lsn);
    if (entry.base_offset >= 0) lost_before(entry.base_offset, lsn);
    ++next;
    last = lsn;
  }
  lost_before(moved, 0);
}

// What is lost of the journal counts only where segments cannot have it, by the manifest.
void Salvage::NoteJournalLosses() {
  const Lsn moved = from_->manifest_known() ? from_->manifest().moved_lsn : 0;
  for (const Damage& damage : from_->damage()) {
    if (damage.last_lsn > moved) {
      suspects_.push_back({std::max(damage.first_lsn, moved + 1), damage.last_lsn});
    }
  }
  std::sort(suspects_.begin(), suspects_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [lsn, control] : from_->controls())
    Found(control);
}

void Salvage::Found(const Entry& entry) {
  report_.last_lsn = std::max(report_.last_lsn, entry.lsn);
  for (const SalvageReport::Lsns& range : suspects_) {
    if (entry.lsn >= range.first && entry.lsn <= range.last) found_.insert(entry.lsn);
  }
}

Status Salvage::CheckTarget(const std::string& directory) const {
  const bool inside =
      directory == from_->directory() || directory.starts_with(from_->directory() + "/");
  bool empty = !files_.Exists(directory);
  if (!empty && !inside) {
    HR_ASSIGN(auto names, files_.List(directory));
    empty = names.empty();
  }
  if (empty && !inside) return Ok();
  return Error(ErrorKind::kConflict, "HR5216",
               inside ? "the directory to salvage into lies in the damaged one"
                      : "the directory to salvage into is not empty")
      .AtPlace(directory)
      .WithHint("give a new directory");
}

Status Salvage::WriteTopics(const std::string& directory) {
  HR_TRY(CheckTarget(directory));
  to_ = directory;
  HR_TRY(files_.CreateDirectories(to_));
  HR_TRY(os::ReplaceFile(files_, ManifestPath(to_), kUnfinished));
  HR_TRY(files_.CreateDirectories(JournalDirectory(to_)));
  for (const auto& [name, config] : topics_) {
    manifest_->topics[name].config = config;
    for (int32_t p = 0; p < config.partitions; ++p)
      HR_TRY(WriteLane(name, p, config));
  }
  CountLosses();
  return Ok();
}

Status Salvage::WriteLane(const std::string& topic, int32_t partition, const TopicConfig& config) {
  Lane lane(*this, topic, partition, config);
  HR_TRY(lane.Run());
  manifest_->topics[topic].partitions.push_back(lane.state());
  return Ok();
}

void Salvage::CountLosses() {
  report_.damage = from_->damage();
  report_.guessed.assign(guessed_.begin(), guessed_.end());
  const JournalFinds& journal = from_->journal();
  for (Lsn known : {journal.last_lsn, from_->manifest().moved_lsn})
    report_.last_lsn = std::max(report_.last_lsn, known);
  for (const SalvageReport::Lsns& range : suspects_) {
    Lsn first = range.first;
    for (auto it = found_.lower_bound(first); it != found_.end() && *it <= range.last; ++it) {
      if (*it > first) report_.lsns.push_back({first, *it - 1});
      first = *it + 1;
    }
    if (first <= range.last) report_.lsns.push_back({first, range.last});
  }
  if (from_->manifest_known()) return;
  // Each LSN is a batch, a control or the creation of a topic.
  const uint64_t created =
      topics_.size() > journal.topics.size() ? topics_.size() - journal.topics.size() : 0;
  const uint64_t accounted =
      report_.batches + from_->controls().size() + journal.topics.size() + created;
  if (accounted >= report_.last_lsn) return;
  const uint64_t nowhere = report_.last_lsn - accounted;
  // Each gap lacks at least one entry: as many gaps as entries are all there is to it.
  uint64_t told = report_.offsets.size();
  for (const SalvageReport::Controls& lost : report_.controls)
    told += lost.count;
  uint64_t named = 0;
  for (const SalvageReport::Lsns& lost : report_.lsns)
    named += lost.last - lost.first + 1;
  if (nowhere == told || nowhere == named) return;
  report_.unaccounted = nowhere;
  report_.offsets.insert(report_.offsets.end(), fronts_.begin(), fronts_.end());
}

int64_t Salvage::end_offset(const std::string& topic, int32_t partition) const {
  auto found = manifest_->topics.find(topic);
  const auto index = static_cast<size_t>(partition);
  if (found == manifest_->topics.end() || index >= found->second.partitions.size()) return 0;
  const Manifest::PartitionState& state = found->second.partitions[index];
  return state.segments.empty() ? state.start_offset : state.segments.back().end_offset;
}

Status Salvage::Finish(const os::Clock& clock, const std::vector<std::string>& more) {
  Lsn lsn = report_.last_lsn;
  for (const std::string& bytes : more) {
    Entry& entry = controls_[++lsn];
    entry.lsn = lsn;
    entry.bytes = bytes;
  }
  Partition written(files_, ControlsDirectory(to_), Partition::SegmentLimitsOf({}));
  HR_TRY(written.Open({}, 0, true));
  int64_t offset = 0;
  for (auto& [at, entry] : controls_) {
    entry.kind = EntryKind::kControl;
    entry.base_offset = offset++;
    entry.record_count = 1;
    HR_TRY(written.Stage(entry, false));
  }
  HR_TRY(written.Sync());
  written.Publish();
  HR_TRY(WriteJournal(clock, lsn + 1));
  manifest_->controls = {0, written.records()};
  manifest_->moved_lsn = report_.last_lsn = lsn;
  return os::ReplaceFile(files_, ManifestPath(to_), manifest_->Encode());
}

// A file that holds nothing: the next one goes on behind it.
Status Salvage::WriteJournal(const os::Clock& clock, Lsn first_lsn) const {
  FileHeader header;
  header.sequence = 1;
  header.first_lsn = first_lsn;
  std::string bytes = EncodeFileHeader(header);
  base::ByteWriter(bytes).U64Le(static_cast<uint64_t>(clock.NowMicros()));
  header.epoch = base::Crc32c(bytes);
  return os::ReplaceFile(files_, JournalDirectory(to_) + "/000000000001.journal",
                         EncodeFileHeader(header));
}

}  // namespace headrace::log
