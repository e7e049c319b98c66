#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/local_engine.h"
#include "headrace/result.h"

namespace headrace::engine {

// What `headrace run` does, without its flags.
struct RunOptions {
  std::vector<std::pair<std::string, std::string>> inputs;   // stream, file or "-"
  std::vector<std::pair<std::string, std::string>> outputs;  // stream, file or "-"
  bool follow = false;                                       // keep reading at the end of the files
  size_t chunk_events = 256;                                 // events per journal frame
  // Asked between chunks; true stops cleanly (SIGTERM): what was taken is finished and durable.
  const std::atomic<bool>* stop = nullptr;
  // Told now and then: events taken, and the share of the inputs' bytes read (0 when unknown).
  std::function<void(uint64_t events, double share)> progress;
  // Called when no input has anything and `follow` is set: waits a little.
  std::function<void()> idle;
};

struct RunTotals {
  uint64_t events = 0;
  uint64_t rows = 0;  // emitted by all statements
  uint64_t dead = 0;
  uint64_t late = 0;
  uint64_t repeats = 0;
};

// Reads the inputs through the engine into the outputs, in the order in which the inputs are given,
// round robin by chunk. Without `follow` every input is finished at its end, so every window
// closes. Rows reach an output only when they are durable. Worker thread. `data_directory` keeps
// the outputs' checkpoints; empty: none are kept. Errors: kNotFound for a stream or an input file
// (HR6601), kIo, kNoSpace.
Result<RunTotals> RunInputs(LocalEngine& engine, os::FileSystem& files, const RunOptions& options,
                            const std::string& data_directory);

}  // namespace headrace::engine
