#pragma once

#include <memory>

#include "os/spill_file.h"

namespace headrace::state {

// A spill file for tests, of which KeepWithin puts everything out.
inline std::unique_ptr<os::SpillFile> SpillOfNothing() {
  return os::SpillFile::Create("/tmp", 1,
                               []() -> os::ResidentMemory {
                                 return {UINT64_MAX / 2, UINT64_MAX / 2};
                               })
      .value();
}

}  // namespace headrace::state
