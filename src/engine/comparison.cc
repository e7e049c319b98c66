#include "engine/comparison.h"

#include <algorithm>

#include "base/hash.h"
#include "engine/frame_note.h"

namespace headrace::engine {
namespace {

constexpr size_t kSampleMax = 10;

}  // namespace

Comparison::Comparison(std::shared_ptr<const Deployment> deployment, const log::Log& log, Keep keep,
                       Beyond beyond)
    : Emission(std::move(deployment)), keep_(keep), beyond_(std::move(beyond)) {
  for (const Deployed& item : this->deployment().items) {
    auto& lanes = lanes_.emplace_back();
    skipped_.push_back(false);
    differs_.push_back(false);
    unfinished_.push_back(false);
    lanes.resize(static_cast<size_t>(item.partitions));
    if (item.is_model() || item.source) continue;
    for (int32_t p = 0; p < item.partitions; ++p) {
      Lane& lane = lanes[static_cast<size_t>(p)];
      lane.logged_end = log.end_offset(item.topic(), p);
      for (const catalog::Loss& loss : this->deployment().catalog.losses()) {
        auto found = loss.next_offsets.find({item.topic(), p});
        if (found != loss.next_offsets.end()) lane.seams.push_back({&loss, found->second});
      }
    }
  }
}

void Comparison::Restrict(const std::vector<std::string>& streams) {
  if (streams.empty()) return;
  for (size_t i = 0; i < skipped_.size(); ++i) {
    const std::string& name = deployment().items[i].name;
    skipped_[i] = std::find(streams.begin(), streams.end(), name) == streams.end();
  }
}

void Comparison::PassOverUnjoined() {
  for (size_t i = 0; i < skipped_.size(); ++i)
    skipped_[i] = skipped_[i] || !deployment().items[i].joined();
}

void Comparison::EndAt(log::Lsn lsn) {
  for (size_t i = 0; i < unfinished_.size(); ++i) {
    const StatementPtr& statement = deployment().items[i].statement;
    unfinished_[i] = statement && deployment().items[i].revisions().front()->joined_lsn > lsn;
  }
}

void Comparison::Resume(const EngineState& then, log::Lsn lsn) {
  StartBehind(lsn);
  for (const auto& [of, offset] : then.next_offsets) {
    const Deployed* item = deployment().FindByTopic(of.first);
    if (item == nullptr || of.second < 0 || of.second >= item->partitions) continue;
    auto stream = static_cast<size_t>(item - deployment().items.data());
    Lane& lane = lanes_[stream][static_cast<size_t>(of.second)];
    lane.next_offset = lane.first_waiting = offset;
    // Of the snapshots only the beginning may be older than a salvage.
    while (!lane.seams.empty() && lane.seams.front().loss->lsn <= lsn)
      lane.seams.pop_front();
  }
}

// Behind a salvage offsets go on where it says; what waits for rows before it is lost.
void Comparison::Pass(Lane& lane, uint64_t cause) {
  while (!lane.seams.empty() && lane.seams.front().loss->lsn <= cause) {
    lane.next_offset = lane.first_waiting = lane.seams.front().next_offset;
    lane.waiting.clear();
    lane.rows.clear();
    lane.hidden.clear();
    lane.seams.pop_front();
  }
}

void Comparison::PassHalts(size_t stream, int32_t partition, uint64_t cause) {
  std::optional<int64_t> next = Cross(stream, partition, cause);
  if (!next) return;
  Lane& lane = lanes_[stream][static_cast<size_t>(partition)];
  lane.next_offset = lane.first_waiting = *next;
  lane.waiting.clear();
  lane.rows.clear();
  while (!lane.seams.empty() && lane.seams.front().next_offset <= *next &&
         lane.seams.front().loss->lsn <= cause)
    lane.seams.pop_front();
}

bool Comparison::IsHidden(const Lane& lane, uint64_t cause, int64_t offset) {
  if (lane.seams.empty()) return false;
  return offset >= lane.seams.front().next_offset ||
         std::any_of(lane.seams.begin(), lane.seams.end(),
                     [cause](const Seam& seam) { return seam.loss->Hides(cause); });
}

int64_t Comparison::OnRow(size_t stream, const EmittedRow& row) {
  Lane& lane = lanes_[stream][static_cast<size_t>(row.partition)];
  PassHalts(stream, row.partition, row.cause.lsn);
  if (IsMuted(stream, row.partition)) return lane.next_offset++;
  Pass(lane, row.cause.lsn);
  if (IsHidden(lane, row.cause.lsn, lane.next_offset)) {
    lane.hidden.emplace_back(row.cause, base::Hash64(row.value));
    return lane.next_offset + static_cast<int64_t>(lane.hidden.size()) - 1;
  }
  int64_t offset = lane.next_offset++;
  if (skipped_[stream]) return offset;
  if (offset < lane.logged_end) {
    lane.waiting.push_back(base::Hash64(row.value));
    if (keep_ == Keep::kRows) lane.rows.emplace_back(row.value);
  } else if (beyond_) {
    beyond_(stream, row);
  } else if (!unfinished_[stream]) {
    Differ(stream, row.cause,
           {IdOf(stream, row.partition, offset), {}, "", std::string(row.value)});
  }
  return offset;
}

void Comparison::PopWaiting(Lane& lane) const {
  lane.waiting.pop_front();
  ++lane.first_waiting;
  if (keep_ == Keep::kRows) lane.rows.pop_front();
}

void Comparison::MatchHidden(Lane& lane, row::Place cause, uint64_t hash) {
  ++hidden_;
  while (!lane.hidden.empty() && lane.hidden.front().first < cause)
    lane.hidden.pop_front();
  const bool found = !lane.hidden.empty() && lane.hidden.front().first == cause;
  if (!found || lane.hidden.front().second != hash) ++hidden_differences_;
  if (found) lane.hidden.pop_front();
}

bool Comparison::PassOver(size_t stream, const log::Entry& entry, row::Place cause,
                          const LoggedRows& rows, size_t i) {
  Lane& lane = lanes_[stream][static_cast<size_t>(entry.partition)];
  const int64_t offset = entry.base_offset + static_cast<int64_t>(i);
  Pass(lane, cause.lsn);
  if (lane.seams.empty()) return false;
  if (IsHidden(lane, cause.lsn, offset)) {
    MatchHidden(lane, cause, rows.hashes[i]);
    return true;
  }
  // The logged ones in front of it are lost.
  while (!lane.waiting.empty() && lane.first_waiting < offset)
    PopWaiting(lane);
  return false;
}

void Comparison::Logged(const log::Entry& entry, const LoggedRows& rows) {
  const Deployed* item = deployment().FindByTopic(entry.topic);
  if (item == nullptr || item->source) return;
  auto stream = static_cast<size_t>(item - deployment().items.data());
  if (skipped_[stream]) return;
  const Lane& lane = lanes_[stream][static_cast<size_t>(entry.partition)];
  if (lane.seams.empty() && !BeforeHalt(stream, entry.partition)) {
    for (size_t i = 0; i < rows.hashes.size(); ++i)
      CompareLogged(stream, entry, rows, i);
    return;
  }
  Result<std::vector<row::Place>> causes = DecodeCauses(entry.note, rows.hashes.size());
  for (size_t i = 0; i < rows.hashes.size(); ++i) {
    if (causes.ok()) PassHalts(stream, entry.partition, (*causes)[i].lsn);
    if (IsMuted(stream, entry.partition)) continue;
    if (causes.ok() && PassOver(stream, entry, (*causes)[i], rows, i)) continue;
    CompareLogged(stream, entry, rows, i);
  }
}

void Comparison::CompareLogged(size_t stream, const log::Entry& entry, const LoggedRows& rows,
                               size_t i) {
  Lane& lane = lanes_[stream][static_cast<size_t>(entry.partition)];
  const int64_t offset = entry.base_offset + static_cast<int64_t>(i);
  if (offset < lane.first_waiting) return;
  ++compared_;
  const bool none = lane.waiting.empty();
  const bool same = !none && (keep_ == Keep::kRows ? lane.rows.front() == rows.values[i]
                                                   : lane.waiting.front() == rows.hashes[i]);
  if (!same) {
    Result<std::vector<row::Place>> causes = DecodeCauses(entry.note, rows.hashes.size());
    std::string recomputed = none ? "" : keep_ == Keep::kRows ? lane.rows.front() : "(another row)";
    Differ(stream, causes.ok() ? (*causes)[i] : row::Place{},
           {IdOf(stream, entry.partition, offset),
            {},
            std::string(rows.values[i]),
            std::move(recomputed)});
  }
  if (!none) return PopWaiting(lane);
  ++lane.next_offset;
  ++lane.first_waiting;
}

void Comparison::Finish() {
  for (size_t stream = 0; stream < lanes_.size(); ++stream) {
    for (size_t p = 0; p < lanes_[stream].size(); ++p) {
      Lane& lane = lanes_[stream][p];
      if (!lane.seams.empty()) continue;  // what waits is lost
      int64_t offset = lane.first_waiting;
      for (size_t i = 0; i < lane.waiting.size() && !unfinished_[stream]; ++i) {
        Differ(stream, {},
               {IdOf(stream, static_cast<int32_t>(p), offset++),
                {},
                "",
                keep_ == Keep::kRows ? lane.rows[i] : "(a row)"});
      }
      // Logged rows that were never recomputed at all are found by Logged; their count is not.
      lane.waiting.clear();
      lane.rows.clear();
    }
  }
}

void Comparison::Differ(size_t stream, row::Place cause, Difference difference) {
  ++differences_;
  differs_[stream] = true;
  if (sample_.size() >= kSampleMax) return;
  difference.cause = cause;
  sample_.push_back(std::move(difference));
}

std::string Comparison::IdOf(size_t stream, int32_t partition, int64_t offset) const {
  return deployment().items[stream].name + ":" + std::to_string(partition) + ":" +
         std::to_string(offset);
}

}  // namespace headrace::engine
