#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headrace/result.h"

namespace headrace::catalog {

// For which keys a canary decides: the text of its control. Value type. Format:
// docs/internals/controls.md.
struct Canary {
  int32_t percent = 0;  // of the keys, 0 to 100; 0 ends it
  std::string salt;     // other salts choose other keys
  std::string key;      // a column of what the model's readers read; empty: their partition key

  std::string Encode() const;
  // kCorruption (HR5301).
  static Result<Canary> Decode(std::string_view text);
};

}  // namespace headrace::catalog
