#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "headrace/result.h"

namespace headrace::catalog {

// What a salvage left out: the text of the control that it writes behind everything. Format:
// docs/internals/controls.md. Value type.
struct Loss {
  uint64_t lsn = 0;  // of the control; not in its text
  // The first event or statement that is lost stood here or behind it. When only computed rows are
  // lost, it is the LSN of the control.
  uint64_t lost_from = 0;
  // Where the partitions of topics went on: rows of earlier causes are logged, or lost for good.
  std::map<std::pair<std::string, int32_t>, int64_t> next_offsets;

  // Of a row with this cause: it cannot be computed again, because events before it may be lost.
  bool Hides(uint64_t cause) const { return cause >= lost_from && cause < lsn; }

  std::string Encode() const;
  // kCorruption (HR5301).
  static Result<Loss> Decode(std::string_view text, uint64_t lsn);
};

}  // namespace headrace::catalog
