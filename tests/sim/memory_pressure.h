#pragma once

#include <cstdint>

#include "engine/state_memory.h"

namespace headrace::sim {

// Behind every batch goes to the spill file what was not used very lately.
inline engine::MemoryLimit NothingStays() {
  return {1, "/tmp", [looks = 0]() mutable -> uint64_t { return ++looks % 2 == 0 ? 0 : 2; }};
}

}  // namespace headrace::sim
