#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "workload.h"

namespace headrace::sim {

// How a run is disturbed. Nothing of it may show in what the run gives.
struct Disturbance {
  Feed feed = Feed::kFile;
  uint64_t seed = 0;       // of batch sizes, crash damage, stalls
  size_t batch_max = 256;  // events taken together; each time a random number up to it
  bool random_batches = false;
  // Operations on the file system at which the program dies, one life each, most of them with the
  // power; when they are used up the program is left alone. 0 is a life without a crash.
  std::vector<uint64_t> crashes;
  bool faults = false;  // in these lives, reads, writes and flushes may fail
  bool beside = false;  // the second script is deployed while events go on (Feed::kRequests)
};

// What a run left behind, and what it went through.
struct Outcome {
  std::map<std::string, std::string> files;    // by stream: its output file (Feed::kFile)
  std::map<std::string, std::string> streams;  // by stream: its rows with their IDs
  uint64_t operations = 0;                     // of the last life
  uint64_t crashes = 0;
  int64_t simulated_micros = 0;
};

// Runs the workload through the whole engine on a simulated disk and clock: first script, first
// events, second script, the rest, the end of the input. Afterwards the log must be sound, and a
// replay must give what was logged. Errors: what the engine says when nothing had crashed, or the
// first promise that did not hold.
Result<Outcome> Simulate(const Workload& workload, const Disturbance& disturbance);

}  // namespace headrace::sim
