#pragma once

#include <string>
#include <vector>

#include "base/arena.h"
#include "row/value.h"
#include "state/packed_text.h"

namespace headrace::state {

// Turns the key columns of a row into one text that is equal exactly when the keys are; a NULL key
// equals a NULL key. A single text column stands for itself. Confined: keeps scratch memory.
class KeyEncoder {
 public:
  KeyEncoder(std::vector<int> slots, std::vector<row::Type> types);

  // Borrowed from the row or from `arena` when long.
  PackedText Encode(const row::Value* row, base::Arena& arena);

 private:
  std::vector<int> slots_;
  std::vector<row::Type> types_;
  bool single_text_;
  std::string scratch_;
  std::string part_;
};

}  // namespace headrace::state
