#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "log/salvage.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace headrace::engine {

// What a salvage found. Value type.
struct SalvageResult {
  // A statement or another control that is whole and cannot be deployed, because what it names is
  // lost.
  struct LeftOut {
    log::Lsn lsn = 0;
    std::string name;
    std::string reason;
  };
  log::SalvageReport log;
  std::vector<LeftOut> left_out;
  // Rows of causes from here to the end of what was salvaged cannot be computed again as they were;
  // 0: all can.
  log::Lsn lost_from = 0;

  bool complete() const { return log.complete() && left_out.empty(); }
};

// Makes a new data directory of what is whole in a damaged one: log and models, no snapshots. An
// engine starts from it: what is logged stands, state is that of the events that are left. When
// anything is lost, a control behind everything says so, because recomputed rows then differ from
// logged ones (catalog/loss.h). Never writes into `from`. Errors: those of log::Salvage.
Result<SalvageResult> Salvage(os::FileSystem& files, const os::Clock& clock,
                              const std::string& from, const std::string& to);

}  // namespace headrace::engine
