#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "catalog/drop.h"
#include "headrace/result.h"

namespace headrace::catalog {

// Which trigger of a trainer was answered last, and what is known there of what it looks at: the
// text of the control that answers it. Format: docs/internals/controls.md. Value type.
struct Trained {
  uint64_t run = 0;  // counts the triggers, from 1
  // The place of the trigger, up to which everything was looked at.
  uint64_t lsn = 0;
  uint32_t index = 0;
  int64_t newest = INT64_MIN;  // event time, microseconds; INT64_MIN: no row so far
  bool drifting = false;       // the drift told last was above the limit
  int32_t version = 0;         // that it made last; 0: none so far
  // The version that waits for the gate; 0: none does. From when on it is asked (watermark,
  // microseconds); its decisions behind this LSN are compared.
  int32_t gate_version = 0;
  int64_t gate_time = 0;
  uint64_t gate_from = 0;
  Offsets offsets;  // where reading goes on

  std::string Encode() const;
  // Errors: kCorruption (HR5301).
  static Result<Trained> Decode(std::string_view text);
};

}  // namespace headrace::catalog
