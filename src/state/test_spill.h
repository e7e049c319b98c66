#pragma once

#include <memory>

#include "os/spill_file.h"

namespace headrace::state {

// A spill file for tests, of which KeepWithin puts out everything that was not used very lately.
inline std::unique_ptr<os::SpillFile> SpillOfNothing() {
  auto above_at_first = [looks = 0]() mutable -> uint64_t { return ++looks % 2 == 0 ? 0 : 2; };
  return os::SpillFile::Create("/tmp", 1, above_at_first).value();
}

}  // namespace headrace::state
