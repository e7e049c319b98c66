#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "catalog/change.h"
#include "engine/backfill.h"
#include "headrace/result.h"
#include "log/log.h"

namespace headrace::engine {

// A script that waits for its turn.
struct WaitingScript {
  std::string script;
  std::string file;
  std::function<void(Status)> done;
};

// What is computed over the past. Confined to the worker.
struct Deploying {
  std::vector<catalog::Change> later;   // the controls of the moment at which it takes over
  std::vector<std::string> statements;  // that are computed, in the order of their controls
  std::function<void(Status)> done;
  std::unique_ptr<Backfill> backfill;
  log::Lsn rows_lsn = 0;   // of the last rows that were handed on
  bool finishing = false;  // no events until it has taken over
  bool end_fixed = false;
  int64_t began_nanos = 0;
  int64_t told_nanos = 0;
};

// Whether a start computes what has not joined before it is ready.
enum class Unjoined { kLater, kNow };

// Names, for people.
inline std::string Listed(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names)
    all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace headrace::engine
