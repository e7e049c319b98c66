#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "headrace/result.h"

namespace headrace::engine {

// How far a file had been read into a topic.
struct ReadPosition {
  uint64_t bytes = 0;
  uint64_t events = 0;
};
using ReadPositions = std::map<std::pair<std::string, std::string>, ReadPosition>;  // topic, source

// What the engine knows of the past beside the flow: part of a snapshot. Value type. Format:
// docs/internals/snapshots.md.
struct EngineState {
  ReadPositions positions;
  std::map<std::string, int64_t> finished;                          // see LocalEngine
  std::map<std::pair<std::string, int32_t>, int64_t> next_offsets;  // of derived topics
  std::string graph;                                                // Graph::BeginSnapshot

  std::string Encode() const;
  // kCorruption (HR5404).
  static Result<EngineState> Decode(std::string_view bytes);
};

}  // namespace headrace::engine
