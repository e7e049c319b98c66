#include "log/copy.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace headrace::log {
namespace {

constexpr size_t kGroupBytes = 1 << 20;
constexpr auto kSpacePoll = std::chrono::milliseconds(1);

Error Differs(Lsn lsn) {
  return Error(ErrorKind::kConflict, "HR5214",
               "the copy is no beginning of this log: they differ at LSN " + std::to_string(lsn))
      .WithHint("copy into an empty directory");
}

bool Same(const Entry& a, const Entry& b) {
  return a.lsn == b.lsn && a.kind == b.kind && a.topic == b.topic && a.partition == b.partition &&
         a.base_offset == b.base_offset && a.record_count == b.record_count && a.note == b.note;
}

// The topics that `to` lacks, in an order in which each is there before its first batch. The
// creation of a topic takes an LSN, but no reader tells which: the earliest free one goes to the
// topic that is needed first.
Result<std::vector<std::string>> MissingTopics(const Log& from, const Log& to) {
  std::vector<std::pair<Lsn, std::string>> missing;
  for (const std::string& topic : from.topics()) {
    if (to.HasTopic(topic)) continue;
    Lsn first = UINT64_MAX;
    for (int32_t p = 0; p < from.topic_config(topic).partitions; ++p) {
      HR_ASSIGN(std::vector<Entry> batches, from.Read(topic, p, from.start_offset(topic, p), 1));
      if (!batches.empty()) first = std::min(first, batches.front().lsn);
    }
    missing.emplace_back(first, topic);
  }
  std::sort(missing.begin(), missing.end());
  std::vector<std::string> names;
  names.reserve(missing.size());
  for (auto& [lsn, name] : missing)
    names.push_back(std::move(name));
  return names;
}

// Takes entries in LSN order into a log, as groups.
class Copy {
 public:
  Copy(const Log& from, Log& to, std::vector<std::string> topics)
      : from_(from), to_(to), topics_(std::move(topics)), next_(to.last_lsn() + 1) {}

  Status Take(Entry entry) {
    HR_TRY(CreateTopicsUpTo(entry.lsn));
    next_ = entry.lsn + 1;
    const size_t size = entry.bytes.size() + entry.note.size();
    bytes_ += size;
    group_bytes_ += size;
    group_.push_back(std::move(entry));
    return group_bytes_ < kGroupBytes ? Ok() : AppendGroup();
  }
  Status Finish(Lsn last) {
    HR_TRY(CreateTopicsUpTo(last + 1));
    HR_TRY(AppendGroup());
    // A full disk is told: it would be waited for until there is room.
    while (to_.durable_lsn() < to_.last_lsn() && to_.failure() == nullptr) {
      if (to_.no_space()) {
        return Error(ErrorKind::kNoSpace, "HR7003", "no space left for the copy")
            .WithHint("free disk space and copy again: it goes on where it stopped");
      }
      std::this_thread::sleep_for(kSpacePoll);
    }
    return to_.WaitDurable(to_.last_lsn());
  }
  uint64_t bytes() const { return bytes_; }

 private:
  // LSNs without an entry are those of topics.
  Status CreateTopicsUpTo(Lsn lsn) {
    if (next_ == lsn) return Ok();
    HR_TRY(AppendGroup());
    for (; next_ < lsn; ++next_) {
      if (created_ == topics_.size()) {
        return Error(ErrorKind::kConflict, "HR5215",
                     "the log no longer holds LSN " + std::to_string(next_))
            .WithHint(
                "retention or a loss took it: the directory can only be copied when it is stopped");
      }
      const std::string& topic = topics_[created_++];
      HR_TRY(to_.CreateTopic(topic, from_.topic_config(topic)));
    }
    return Ok();
  }

  Status AppendGroup() {
    if (group_.empty()) return Ok();
    if (to_.last_lsn() + 1 != group_.front().lsn) return Differs(group_.front().lsn);
    HR_TRY(to_.Append(group_));
    group_.clear();
    group_bytes_ = 0;
    return Ok();
  }

  const Log& from_;
  Log& to_;
  const std::vector<std::string> topics_;
  size_t created_ = 0;
  Lsn next_;
  std::vector<Entry> group_;
  size_t group_bytes_ = 0;
  uint64_t bytes_ = 0;
};

// That what `to` holds last is what `from` holds there.
Status CheckBeginning(const Log& from, const Log& to) {
  const Lsn last = to.last_lsn();
  if (last == 0) return Ok();
  if (last > from.last_lsn()) return Differs(from.last_lsn() + 1);
  // Creations of topics have no entry: compare the last entry before them.
  for (Lsn lsn = last; lsn > 0; --lsn) {
    HR_ASSIGN(auto mine, to.Scan(lsn));
    Entry a;
    HR_ASSIGN(bool found, mine->Next(&a));
    if (!found) continue;
    HR_ASSIGN(auto other, from.Scan(lsn));
    Entry b;
    HR_ASSIGN(bool there, other->Next(&b));
    return there && Same(a, b) ? Ok() : Status(Differs(lsn));
  }
  return Ok();
}

}  // namespace

Result<CopyReport> CopyLog(const Log& from, Log& to) {
  HR_TRY(CheckBeginning(from, to));
  CopyReport report;
  report.from_lsn = to.last_lsn();
  const Lsn last = from.durable_lsn();
  HR_ASSIGN(std::vector<std::string> topics, MissingTopics(from, to));
  Copy copy(from, to, std::move(topics));
  HR_ASSIGN(auto cursor, from.Scan(report.from_lsn + 1));
  while (true) {
    Entry entry;
    HR_ASSIGN(bool more, cursor->Next(&entry));
    if (!more || entry.lsn > last) break;
    HR_TRY(copy.Take(std::move(entry)));
  }
  HR_TRY(copy.Finish(last));
  report.last_lsn = to.last_lsn();
  report.bytes = copy.bytes();
  return report;
}

}  // namespace headrace::log
