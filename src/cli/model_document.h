#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "cli/listing.h"
#include "headrace/result.h"

namespace headrace::cli {

// What a shadow or canary would have decided: one entry of a report's `comparisons`.
struct ModelComparison {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  std::string role;
  int64_t version = 0;
  int64_t since_lsn = 0;
  std::string stream;
  uint64_t compared = 0;
  uint64_t flips = 0;
  std::vector<std::string> details;  // "from -> to  count"
  double psi = kNone;                // of the scores
  // With labels, of the version that decides and of this one.
  uint64_t labelled = 0;
  double auc_before = kNone;
  double auc_after = kNone;
  std::string table;  // of scores and measures, for people; empty: there are none
};

// The report of a model (Engine::ModelReport), read once for everything that needs it.
struct ModelDocument {
  Listing versions{{"version", "role", "format", "sha256", "decides_from"}};
  std::vector<ModelComparison> comparisons;
  // What the watches told last of each statement and version.
  Listing health{{"statement", "version", "column", "scored", "null_share", "p50", "psi", "ks",
                  "out_of_range", "alarm"}};
  std::vector<std::string> windows;  // one line a statement and version
  std::string remote;  // of a model that another program runs: how it is asked, a line a thing

  // Error: HR9021 when it is no such report.
  static Result<ModelDocument> Parse(const std::string& report);

  // Of the version; nothing compared when it has none.
  ModelComparison Of(int64_t version) const;
  std::string Text() const;
};

}  // namespace headrace::cli
