#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "log/log.h"
#include "os/file_system.h"

namespace headrace::log {

// Bytes of a file that are not what was written there. Value type.
struct Damage {
  std::string path;
  uint64_t from = 0;
  uint64_t to = 0;  // one behind; equal to `from` when bytes are missing there
  std::string what;
  // Of the journal: the entries that stood there; 0 when none did.
  Lsn first_lsn = 0;
  Lsn last_lsn = 0;
};

// All of a file, whatever its size; zeros where reading fails, which is added to `damage`. Errors:
// those of opening it.
Result<std::string> ReadReadable(os::FileSystem& files, const std::string& path,
                                 std::vector<Damage>& damage);

}  // namespace headrace::log
