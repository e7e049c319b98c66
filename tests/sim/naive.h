#pragma once

#include <map>
#include <string>

#include "workload.h"

namespace headrace::sim {

// What the workload must give, computed by looking at all events for every row: a second, slow
// opinion on windows, watermarks, lateness and repeats, without any of the engine's code. Lines of
// each stream; of a dead-letter stream only offset and payload of each letter, as LettersOf gives
// them. For one partition, and events read from a file.
std::map<std::string, std::string> NaiveOutputs(const Workload& workload);

// The lines of a dead-letter stream reduced to `offset payload`.
std::string LettersOf(const std::string& lines);

}  // namespace headrace::sim
