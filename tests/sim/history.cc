#include "history.h"

#include <algorithm>

#include "log/record_batch.h"

namespace headrace::sim {
namespace {

Result<Seen> SeenOf(const log::Entry& entry) {
  Seen seen{entry.lsn, entry.kind, entry.topic, entry.partition, entry.base_offset, entry.note, {}};
  if (entry.kind == log::EntryKind::kControl) {
    seen.values.push_back(entry.bytes);
    return seen;
  }
  HR_ASSIGN(auto reader, log::RecordReader::Open(entry.bytes));
  log::Record record;
  while (true) {
    HR_ASSIGN(bool more, reader.Next(&record));
    if (!more) return seen;
    seen.values.emplace_back(record.value);
  }
}

std::string NameOf(const Seen& seen) {
  return "the entry of LSN " + std::to_string(seen.lsn) + " (" +
         (seen.topic.empty() ? "a control" : seen.topic) + ")";
}

}  // namespace

Error Broken(const std::string& what) {
  return Error(ErrorKind::kCorruption, "HR0000", what);
}

bool IsBroken(const Error& error) {
  return error.code() == "HR0000";
}

Status History::Follow(const log::Log& log) {
  const log::Lsn last = entries_.empty() ? 0 : entries_.back().lsn;
  if (log.durable_lsn() <= last) return Ok();
  HR_ASSIGN(auto cursor, log.Scan(last + 1));
  log::Entry entry;
  while (true) {
    HR_ASSIGN(bool more, cursor->Next(&entry));
    if (!more) return Ok();
    HR_ASSIGN(Seen seen, SeenOf(entry));
    if (!entries_.empty() && seen.lsn <= entries_.back().lsn) {
      return Broken(NameOf(seen) + " came again");
    }
    for (size_t i = 0; i < seen.values.size() && seen.kind == log::EntryKind::kBatch; ++i) {
      places_[{seen.topic, seen.partition, seen.base_offset + static_cast<int64_t>(i)}] = {
          entries_.size(), i};
    }
    entries_.push_back(std::move(seen));
  }
}

namespace {

bool MayMiss(const log::Log& log, const std::vector<std::string>& retained, const Seen& seen) {
  if (seen.kind != log::EntryKind::kBatch) return false;
  return std::find(retained.begin(), retained.end(), seen.topic) != retained.end() &&
         seen.base_offset < log.start_offset(seen.topic, seen.partition);
}

}  // namespace

Status History::Check(const log::Log& log, const std::vector<std::string>& retained) const {
  HR_ASSIGN(auto cursor, log.Scan(1));
  log::Entry entry;
  auto expected = entries_.begin();
  while (expected != entries_.end()) {
    HR_ASSIGN(bool more, cursor->Next(&entry));
    while (expected != entries_.end() && (!more || entry.lsn > expected->lsn)) {
      if (!MayMiss(log, retained, *expected))
        return Broken(NameOf(*expected) + " was durable and is lost");
      ++expected;
    }
    if (!more || expected == entries_.end()) break;
    HR_ASSIGN(Seen seen, SeenOf(entry));
    if (!(seen == *expected)) return Broken(NameOf(seen) + " is not what it was");
    ++expected;
  }
  return Ok();
}

Status History::CheckBeginning(const log::Log& log,
                               const std::vector<std::string>& retained) const {
  HR_ASSIGN(auto cursor, log.Scan(1));
  log::Entry entry;
  for (const Seen& expected : entries_) {
    if (MayMiss(log, retained, expected)) continue;
    HR_ASSIGN(bool more, cursor->Next(&entry));
    if (!more) return Ok();
    HR_ASSIGN(Seen seen, SeenOf(entry));
    if (!(seen == expected)) return Broken(NameOf(seen) + " of a copy is not that of the log");
  }
  HR_ASSIGN(bool more, cursor->Next(&entry));
  return more ? Status(Broken("a copy holds more than the log")) : Ok();
}

const std::string* History::Find(const std::string& topic, int32_t partition,
                                 int64_t offset) const {
  auto found = places_.find({topic, partition, offset});
  if (found == places_.end()) return nullptr;
  return &entries_[found->second.first].values[found->second.second];
}

}  // namespace headrace::sim
