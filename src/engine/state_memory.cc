#include "engine/state_memory.h"

#include <utility>

namespace headrace::engine {

Result<std::unique_ptr<StateMemory>> StateMemory::Make(const MemoryLimit& limit,
                                                       const std::string& data_directory,
                                                       const os::Clock& clock,
                                                       base::MetricsRegistry& metrics) {
  const std::string& directory = limit.directory.empty() ? data_directory : limit.directory;
  HR_ASSIGN(auto file, os::SpillFile::Create(directory, limit.bytes, limit.measure));
  return std::unique_ptr<StateMemory>(new StateMemory(std::move(file), clock, metrics));
}

StateMemory::StateMemory(std::unique_ptr<os::SpillFile> file, const os::Clock& clock,
                         base::MetricsRegistry& metrics)
    : file_(std::move(file)),
      clock_(clock),
      used_(
          metrics.GetGauge("headrace_memory_used_bytes",
                           "Resident bytes of the process, when --memory was last looked after.")),
      spilled_(metrics.GetGauge("headrace_memory_spill_bytes",
                                "Bytes of state in the spill file, resident or not.")),
      put_out_(metrics.GetCounter("headrace_memory_put_out_bytes_total",
                                  "Bytes of state put out of memory.")),
      fetched_(metrics.GetCounter("headrace_memory_fetched_pages_total",
                                  "Pages of state that a batch asked for before it ran.")) {
  metrics.GetGauge("headrace_memory_limit_bytes", "The limit of resident bytes: --memory.")
      .Set(static_cast<double>(file_->limit()));
}

void StateMemory::KeepWithin() {
  file_->KeepWithin();
  used_.Set(static_cast<double>(file_->resident()));
  spilled_.Set(static_cast<double>(file_->bytes()));
  const uint64_t put_out = file_->put_out();
  const uint64_t fetched = file_->fetched();
  put_out_.Add(put_out - std::exchange(counted_put_out_, put_out));
  fetched_.Add(fetched - std::exchange(counted_fetched_, fetched));
}

std::optional<Error> StateMemory::Full() {
  if (!file_->full()) return std::nullopt;
  // Whoever comes in vain must not make the worker do nothing else.
  const int64_t now = clock_.MonotonicNanoseconds();
  if (looked_nanos_ == INT64_MIN || now - looked_nanos_ >= kLookNanos) {
    looked_nanos_ = now;
    KeepWithin();
    if (!file_->full()) return std::nullopt;
  }
  constexpr uint64_t kMegabyte = 1'000'000;
  return Error(ErrorKind::kLimitExceeded, "HR5065",
               "memory is full: " + std::to_string(file_->resident() / kMegabyte) + " MB of " +
                   std::to_string(file_->limit() / kMegabyte) +
                   " MB are taken, and what could go to the spill file is there")
      .WithHint("nothing was taken; start again with a larger --memory, or free disk space");
}

}  // namespace headrace::engine
