#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>

#include "engine/score_comparison.h"
#include "engine/what_if.h"

namespace headrace::engine {

// Where the model's score becomes a decision: the statement that asks for it, or the first one
// behind it that has a `decision` or a CASE; without one, the one that asks. Null: nobody asks.
const Deployed* DecisionStream(const Deployment& deployment, const std::string& model);

// Tells of the versions of models, and of each shadow and canary how its decisions would have
// differed from those that were made, over the events since it became one. The comparison is a
// replay with it in the place of the version that decides: nothing is scored twice while events
// come. What was compared is kept, and the next time goes on behind that.
//
// Thread-safe; one comparison at a time. Limit: kKept comparisons are kept, the oldest go.
class ModelReports {
 public:
  static constexpr size_t kKept = 16;

  // Both must outlive it.
  ModelReports(const os::Clock& clock, base::MetricsRegistry& metrics) : times_(clock, metrics) {}

  // Of everything that scores.
  ScoreTimes& times() { return times_; }

  // One JSON document: versions with number, role, format, hash, since when each decided; history;
  // canaries; comparisons, with the metrics of both where labels are asked for; what the watches
  // told last. Errors: kNotFound HR1107, and those of RunWhatIf and LabelTable.
  Result<std::string> Describe(const WhatIfMeans& means, const std::string& name,
                               const std::optional<LabelRequest>& labels);

 private:
  // A shadow or canary: name, version, since when, the stream that is compared, when that was made.
  using Subject = std::tuple<std::string, int32_t, uint64_t, std::string, uint64_t>;
  struct Compared {
    uint64_t through_lsn = 0;
    uint64_t used = 0;  // when, by a counter
    WhatIfReport report;
    std::unique_ptr<ScoreComparison> scores;
  };

  Status GoOn(const WhatIfMeans& means, const Subject& subject, Compared& compared);
  // The one that is kept, or a new one.
  Compared& Keep(const WhatIfMeans& means, const Subject& subject);

  ScoreTimes times_;
  std::mutex mutex_;
  std::map<Subject, Compared> kept_;
  uint64_t uses_ = 0;
};

}  // namespace headrace::engine
