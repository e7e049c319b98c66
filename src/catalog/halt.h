#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "headrace/result.h"

namespace headrace::catalog {

// Statements that emit no more from an LSN on, because rows of them could not be computed again as
// they were logged: the text of a control. Format: docs/internals/controls.md. Value type.
struct Halt {
  uint64_t lsn = 0;  // of the control; not in its text
  std::string what;  // the difference that was found, for people
  // Where the partitions of their topics went on: rows of earlier causes stand as they were logged.
  std::map<std::pair<std::string, int32_t>, int64_t> next_offsets;

  // Whether rows of the topic stand as they were logged.
  bool Holds(const std::string& topic) const;

  std::string Encode() const;
  // kCorruption (HR5301).
  static Result<Halt> Decode(std::string_view text, uint64_t lsn);
};

}  // namespace headrace::catalog
