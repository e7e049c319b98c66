#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/deployment.h"
#include "engine/feature_request.h"
#include "headrace/result.h"
#include "log/log.h"
#include "row/schema.h"

namespace headrace::engine {

class LatestRows;

// Reads the latest row of an entity from streams and views: what is durable, no more and no less.
// The first question about a stream reads its topic once; from then on the latest rows are kept in
// memory and follow the log.
//
// Thread-safe: one caller at a time, the others wait (or do not, see Read). The log outlives it.
// Limits: kTablesMax tables, the one that was not asked for longest makes room; kTableBytesMax.
class FeatureReader {
 public:
  static constexpr size_t kTablesMax = 64;
  static constexpr size_t kAnswerBytesMax = size_t{64} << 20;    // of values in one answer
  static constexpr uint64_t kTableBytesMax = uint64_t{1} << 30;  // all tables together

  explicit FeatureReader(const log::Log& log);
  ~FeatureReader();
  FeatureReader(const FeatureReader&) = delete;
  FeatureReader& operator=(const FeatureReader&) = delete;

  // Nothing: it would take long, and `wait` is false. Errors: HR1204 no such stream, HR1104 no such
  // column, HR4091 the entity is missing or does not read as its type, HR4090 too much for memory.
  Result<std::optional<FeatureAnswer>> Read(const std::shared_ptr<const Deployment>& deployment,
                                            const FeatureRequest& request, bool wait);
  // Gives up what is kept, at once or when it is asked for again: streams are no more. Never waits.
  void Forget();

 private:
  struct Group;
  // What is asked of every request for a stream, worked out once.
  struct Layout {
    std::shared_ptr<const void> plan;  // of the source or statement that it is of
    row::Schema schema;
    std::map<std::string, size_t, std::less<>> columns;
    std::vector<std::vector<size_t>> entities;  // by column
  };
  static constexpr size_t kLayoutsMax = 1024;  // beyond, all are worked out anew

  const Layout& LayoutOf(const Deployment& deployment, const Deployed& item);
  Result<std::vector<Group>> GroupsOf(const Deployment& deployment, const FeatureRequest& request);
  Result<LatestRows*> TableOf(const std::shared_ptr<const Deployment>& deployment,
                              const Group& group);
  // False: it would take long, and `wait` is false.
  Result<bool> CatchUp(LatestRows& table, bool wait);
  Status FillGroup(LatestRows& table, const Group& group, const FeatureRequest& request,
                   FeatureAnswer& answer);

  void ForgetNow();

  const log::Log& log_;
  std::atomic<bool> forgets_ = false;
  std::mutex mutex_;
  std::list<std::unique_ptr<LatestRows>> tables_;  // guarded; the last asked for first
  std::map<std::string, Layout> layouts_;          // guarded; by stream
};

}  // namespace headrace::engine
