#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/bytes.h"
#include "os/spill_file.h"
#include "row/value.h"

namespace headrace::state {

class KeyBlock;

// A function with a memory: what it answers for a row depends on the rows before it, in log order.
// Change detectors, running scores, learners.
//
// An answer is a function of the arguments it was given, one row after the other, and of nothing
// else: no clock, no batch, no randomness but a seeded generator of its own that is saved with it.
// Saved and loaded it answers with the same bits. Confined.
class RunningFunction {
 public:
  virtual ~RunningFunction() = default;
  // Takes the row in and answers. `arguments` live for the call; bytes of a result stand in
  // `arena`, which lives as long as the batch.
  virtual row::Value Step(const row::Value* arguments, base::Arena& arena) = 0;
  // Answers a question of the call, before the row is taken in: the memory stays as it is. NULL
  // where there is nothing to ask.
  virtual row::Value Ask(const row::Value* arguments, std::span<const row::Type> types,
                         base::Arena& arena);
  virtual void Save(base::ByteWriter& writer) const = 0;
  // Into a function that was just made. False when the bytes are damaged: it is then thrown away.
  virtual bool Load(base::ByteReader& reader) = 0;
  // Memory it holds, about; in constant time, for it is asked after every row.
  virtual size_t bytes() const = 0;
};

// One call of such a function in a statement.
struct RunningCall {
  static constexpr size_t kArgumentsMax = 1024;

  // Names the function with all that its state depends on besides the rows: constants, seeds, the
  // version of its format. The same text means that a saved state may be loaded.
  std::string definition;
  std::function<std::unique_ptr<RunningFunction>()> make;
  std::vector<int> argument_slots;
  std::vector<row::Type> argument_types;
  int result_slot = -1;
  row::Type result_type{};

  // What else a row asks the same memory. Its state does not depend on it.
  struct Question {
    std::vector<int> argument_slots;
    std::vector<row::Type> argument_types;
    int result_slot = -1;
  };
  std::vector<Question> questions;
};

// All calls over one stream with the same PARTITION BY; without keys one memory for all rows.
struct RunningSpec {
  std::vector<int> key_slots;
  std::vector<row::Type> key_types;
  std::vector<RunningCall> calls;
};

// Their functions and state, as a key block. With a spill file, which must outlive the block, the
// state is kept there but for what was run of late.
std::unique_ptr<KeyBlock> MakeRunningBlock(RunningSpec spec, os::SpillFile* spill = nullptr);

}  // namespace headrace::state
