#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::engine {

// One chunk of events read from a file, for the bulk path.
struct BulkChunk {
  std::string topic;
  const std::vector<std::string_view>* payloads = nullptr;  // 64 readable bytes behind each
  size_t begin = 0;
  size_t end = 0;
  std::string source;         // as the user named the file
  uint64_t source_bytes = 0;  // position behind the last payload of the chunk
  uint64_t source_events = 0;
  bool bounded = false;  // the input ends
};

// What became of the events that were taken.
struct IngestTotals {
  uint64_t events = 0;
  uint64_t rows = 0;
  uint64_t dead = 0;
  uint64_t late = 0;
  uint64_t repeats = 0;
};

}  // namespace headrace::engine
