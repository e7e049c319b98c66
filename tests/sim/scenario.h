#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

namespace headrace::sim {

// What a mixed run does beside taking events, and what is done to it.
enum class Trait : uint8_t {
  kCrashes,      // lives end at any operation of the disk, most of them with the power
  kFaults,       // reads, writes, flushes and opens fail, writes come short
  kFull,         // the disk is full for a while; the program goes on
  kReadOnly,     // the file system is remounted read-only
  kDescriptors,  // no file descriptors are left for a while
  kClock,        // the wall clock jumps by a year and back
  kPartitions,   // several partitions
  kFile,         // a part of the events comes from a file
  kRepeats,      // requests that were answered come again
  kBeside,       // statements are deployed while events go on
  kReplace,      // CREATE OR REPLACE, twice
  kModels,       // a new version of a model decides, another one shadows it
  kRetention,    // old events go
  kBackup,       // backups, restores, and a move to what was restored
  kQueries,      // queries, rows, why, verify meanwhile
  kWorkers,      // up to four workers, another number in each life
  kMemory,       // a budget for state
  kSnapshots,    // snapshots, often
  kLong,         // ten times the events
  kDrop,         // a stream and a view of it are dropped and made again
};

// What a seed of the mixed run stands for, and how much of it is done: a failing one is shrunk by
// leaving things out. Value type.
struct Scenario {
  uint64_t seed = 0;
  size_t events = 0;
  size_t lives = 0;  // that may be disturbed; then one that is not
  std::set<Trait> traits;

  static Scenario Of(uint64_t seed);
  bool Has(Trait trait) const { return traits.contains(trait); }
  // seed=7,events=240,lives=5,with=crashes+file
  std::string ToString() const;
  static std::optional<Scenario> Parse(const std::string& text);
};

// The smallest scenario found that fails still, by leaving out one thing after the other; each is
// tried `tries` times, because the threads of the engine take turns as they like.
Scenario Shrink(Scenario scenario, int tries, const std::function<bool(const Scenario&)>& fails);

}  // namespace headrace::sim
