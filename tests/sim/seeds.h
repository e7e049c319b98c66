#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace headrace::sim {

// A number from the environment.
uint64_t Number(const char* name, uint64_t otherwise);

// What a seed cost: for the line that a test prints.
struct Spent {
  uint64_t crashes = 0;
  int64_t simulated_micros = 0;  // that passed on the simulated clock
};

// Runs `body` for the seeds 1 to HEADRACE_SEEDS (or `seeds`), or for HEADRACE_SEED alone, until one
// fails; prints how many they were, and for one that fails, or ends the program, the line that
// repeats it. Where a seed takes long, of all seeds one in `sparing`.
struct SeedRange {
  uint64_t seeds = 30;
  uint64_t sparing = 1;
};
void ForSeeds(const SeedRange& range, const std::function<Spent(uint64_t seed)>& body);

// The line that repeats the present test, with these settings of the environment.
std::string Reproduction(const std::string& settings);
// Printed should the program end itself, until the next call: the check that fails then is a
// finding too. Empty: nothing.
void SetLastWords(const std::string& words);

// Fails the present test when two texts differ, and says where.
void ExpectSame(const std::string& what, const std::string& expected, const std::string& actual);
// Where two texts part, for people.
std::string FirstDifference(const std::string& expected, const std::string& actual);

// Lines, sorted, each once.
std::string EachOnce(const std::string& lines);
// The events that the rows of a dead-letter stream name, sorted, each once.
std::string EventsOf(const std::string& rows);

}  // namespace headrace::sim
