#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "row/batch.h"

namespace headrace::engine {

// What the log keeps beside a batch of input events: when they arrived and, for events read from a
// file, how far the file had been read. docs/internals/notes.md.
struct InputNote {
  int64_t arrival_micros = 0;
  std::string source;  // the file as named by the user; empty when the events came over a protocol
  uint64_t source_bytes = 0;
  uint64_t source_events = 0;
  bool bounded = false;  // read from an input that ends

  std::string Encode() const;
  static Result<InputNote> Decode(std::string_view bytes);
};

// The causes of a batch of derived rows, one per row, run-length coded: rows that one input frame
// caused one after the other cost three bytes together.
class CauseEncoder {
 public:
  void Add(row::Place cause);
  std::string Finish();  // leaves the encoder empty

 private:
  void CloseRun();

  std::string bytes_;
  row::Place first_{};   // of the open run
  uint32_t length_ = 0;  // of the open run
  uint64_t last_lsn_ = 0;
};

Result<std::vector<row::Place>> DecodeCauses(std::string_view note, size_t rows);

}  // namespace headrace::engine
