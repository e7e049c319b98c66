#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "log/local_log.h"

namespace headrace::log {

// Merges all partitions and the controls by LSN. What it gives at any call is a prefix of what was
// durable at one moment: it first notes how far that is, then loads lanes, and gives nothing
// beyond.
class LogCursor final : public Log::Cursor {
 public:
  // Of these topics, or of all.
  using Topics = std::optional<std::set<std::string>>;
  static Result<std::unique_ptr<LogCursor>> Open(const LocalLog& log, Lsn from, Topics topics);
  Result<bool> Next(Entry* entry) override;

 private:
  struct Lane {
    std::string topic;  // empty: controls
    int32_t index = 0;
    const Partition* partition = nullptr;
    int64_t next_offset = 0;
    std::deque<Entry> entries;
  };

  explicit LogCursor(const LocalLog& log) : log_(log) {}
  Status AddLane(const std::string& topic, int32_t index, const Partition* partition, Lsn from);
  Status FindLanes(Lsn from);
  Status Refill();

  const LocalLog& log_;
  Topics topics_;
  std::vector<Lane> lanes_;
  Lsn bound_ = 0;
  Lsn from_ = 0;
};

}  // namespace headrace::log
