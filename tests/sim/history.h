#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "headrace/result.h"
#include "log/log.h"

namespace headrace::sim {

// One entry of the journal as a reader saw it.
struct Seen {
  log::Lsn lsn = 0;
  log::EntryKind kind = log::EntryKind::kBatch;
  std::string topic;
  int32_t partition = 0;
  int64_t base_offset = 0;
  std::string note;
  std::vector<std::string> values;  // of its records; of a control its bytes

  bool operator==(const Seen&) const = default;
};

// A promise that did not hold: never an excuse, whatever was done to the disk.
Error Broken(const std::string& what);
bool IsBroken(const Error& error);

// Everything that a reader of the log ever saw: it was durable, so it must be there for good. The
// only freedom that a disturbed run has is the order in which its inputs came, and that is here.
// Confined.
class History {
 public:
  // Takes what has become durable since.
  Status Follow(const log::Log& log);
  // What was seen is there, unchanged, in a log that may hold more; entries of `retained` topics
  // may be missing at its beginning.
  Status Check(const log::Log& log, const std::vector<std::string>& retained) const;
  // The log holds a beginning of this, and nothing else.
  Status CheckBeginning(const log::Log& log, const std::vector<std::string>& retained) const;

  const std::vector<Seen>& entries() const { return entries_; }
  // Null when no reader saw it.
  const std::string* Find(const std::string& topic, int32_t partition, int64_t offset) const;

 private:
  std::vector<Seen> entries_;
  std::map<std::tuple<std::string, int32_t, int64_t>, std::pair<size_t, size_t>> places_;
};

}  // namespace headrace::sim
