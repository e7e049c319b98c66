#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/metrics.h"
#include "headrace/result.h"
#include "os/clock.h"
#include "os/spill_file.h"

namespace headrace::engine {

struct MemoryLimit {
  uint64_t bytes = 0;       // resident, of the whole process; 0: no limit
  std::string directory{};  // where state beyond goes; empty: the data directory
  os::SpillFile::Measure measure = os::ResidentBytes;
};

// The limit of memory that an engine works within: state beyond it goes to a file, and what cannot
// go there keeps events out. Confined to the worker; the metrics and the clock must outlive it.
class StateMemory {
 public:
  // When nothing more fits, it is looked again after so long at the earliest.
  static constexpr int64_t kLookNanos = 100'000'000;

  // Errors: kIo HR7020.
  static Result<std::unique_ptr<StateMemory>> Make(const MemoryLimit& limit,
                                                   const std::string& data_directory,
                                                   const os::Clock& clock,
                                                   base::MetricsRegistry& metrics);

  // After every batch.
  void KeepWithin();
  // Why no more may be taken in, if so: kLimitExceeded HR5065.
  std::optional<Error> Full();
  os::SpillFile& file() { return *file_; }

 private:
  StateMemory(std::unique_ptr<os::SpillFile> file, const os::Clock& clock,
              base::MetricsRegistry& metrics);

  std::unique_ptr<os::SpillFile> file_;
  const os::Clock& clock_;
  base::Gauge& used_;
  base::Gauge& spilled_;
  base::Counter& put_out_;
  base::Counter& fetched_;
  uint64_t counted_put_out_ = 0;
  uint64_t counted_fetched_ = 0;
  int64_t looked_nanos_ = INT64_MIN;
};

}  // namespace headrace::engine
