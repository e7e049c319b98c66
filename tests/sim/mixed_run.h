#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "headrace/result.h"
#include "history.h"
#include "scenario.h"
#include "workload.h"

namespace headrace::sim {

// What a mixed run left behind, and what it went through.
struct MixedOutcome {
  Workload workload;
  History history;
  std::map<std::string, std::string> rows;     // by stream, with their IDs
  std::map<std::string, std::string> streams;  // by stream, without
  uint64_t lives = 0;
  uint64_t crashes = 0;
  uint64_t unfinished = 0;  // starts with statements that were still to be computed
  int64_t simulated_micros = 0;
};

// Everything at once, as the scenario has it: several producers and a file, statements deployed
// and replaced, models activated, queries, backups, retention, over lives that end in all the ways
// there are. Ends when every event is taken and everything is deployed. Errors: the first promise
// that did not hold (HR0000), or an error that nothing excuses.
Result<MixedOutcome> RunMixed(const Scenario& scenario);

// What the history's inputs, in their order, give in an undisturbed run with one worker.
Result<std::map<std::string, std::string>> RunTwin(const Workload& workload, const History& history,
                                                   const std::set<std::string>& streams);

// What they give by the second opinion (naive.h). For one partition.
std::map<std::string, std::string> NaiveTwin(const Workload& workload, const History& history);

// Statements beside those of the workload: a second source, and one that is replaced twice.
std::string TicksScript();
std::string ReplacedScript(int revision);  // from 1
inline constexpr int kRevisions = 3;
const std::set<std::string>& TickStreams();
const std::set<std::string>& ReplacedStreams();

// A stream, and a view of it, that are dropped and made again.
std::string PassingScript();
inline constexpr size_t kDrops = 2;  // each of the stream and of the view
const std::set<std::string>& PassingStreams();

}  // namespace headrace::sim
