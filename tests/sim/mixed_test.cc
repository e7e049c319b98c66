// Everything at once, under every fault there is. HEADRACE_SCENARIO repeats one that was shrunk.

#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "mixed_run.h"
#include "naive.h"
#include "scenario.h"
#include "seeds.h"

namespace headrace::sim {
namespace {

// Rows that follow from the order of the inputs alone.
std::set<std::string> Compared(const Scenario& scenario, const MixedOutcome& outcome) {
  const bool gone = scenario.Has(Trait::kRetention) || scenario.Has(Trait::kClock);
  std::set<std::string> streams;
  for (const auto& [stream, rows] : outcome.rows) {
    const std::string of = stream.substr(0, stream.find('.'));
    // What is computed over the past depends on how much of it is left.
    const bool later = of == "later" || of == "later_windows" || of == "scored";
    const bool over_the_past =
        later || ReplacedStreams().contains(of) || PassingStreams().contains(of);
    if (gone && (over_the_past || of == "events")) continue;
    streams.insert(stream);
  }
  return streams;
}

void CompareWithTwin(const Scenario& scenario, const MixedOutcome& outcome) {
  const std::set<std::string> streams = Compared(scenario, outcome);
  auto twin = RunTwin(outcome.workload, outcome.history, streams);
  if (!twin.ok()) {
    ADD_FAILURE() << "the undisturbed run: " << twin.error().ToString();
    return;
  }
  for (const std::string& stream : streams) {
    // When a statement joins the others depends on time, and with it where its refusals of the past
    // stand: of the dead letters only which events they name is compared.
    if (stream.ends_with(".dead") && scenario.Has(Trait::kBeside)) {
      ExpectSame(stream, EventsOf(twin->at(stream)), EventsOf(outcome.rows.at(stream)));
    } else {
      ExpectSame(stream, twin->at(stream), outcome.rows.at(stream));
    }
  }
}

void CompareWithNaive(const Scenario& scenario, const MixedOutcome& outcome) {
  if (scenario.Has(Trait::kPartitions) || scenario.Has(Trait::kClock)) return;
  if (scenario.Has(Trait::kLong)) return;  // it looks at all events for each of them
  const std::set<std::string> streams = Compared(scenario, outcome);
  for (const auto& [stream, rows] : NaiveTwin(outcome.workload, outcome.history)) {
    if (!streams.contains(stream) || stream == Workload::kCsv) continue;
    const std::string& got = outcome.streams.at(stream);
    if (!stream.ends_with(".dead")) {
      ExpectSame("second opinion on " + stream, rows, got);
    } else if (scenario.Has(Trait::kBeside)) {
      ExpectSame("second opinion on " + stream, EachOnce(rows), EventsOf(got));
    } else {
      ExpectSame("second opinion on " + stream, rows, LettersOf(got));
    }
  }
}

Spent Compare(const Scenario& scenario) {
  auto outcome = RunMixed(scenario);
  if (!outcome.ok()) {
    ADD_FAILURE() << outcome.error().ToString();
    return {};
  }
  CompareWithTwin(scenario, *outcome);
  CompareWithNaive(scenario, *outcome);
  return {outcome->crashes, outcome->simulated_micros};
}

// Whether it fails, without failing the test. A check of the engine that fails ends the program:
// then the last words repeat what was tried.
bool Fails(const Scenario& scenario) {
  SetLastWords(Reproduction("HEADRACE_SCENARIO=" + scenario.ToString()));
  testing::TestPartResultArray failures;
  testing::ScopedFakeTestPartResultReporter reporter(
      testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
  Compare(scenario);
  return failures.size() > 0;
}

TEST(Mixed, NothingThatIsDoneToItShows) {
  if (const char* text = std::getenv("HEADRACE_SCENARIO")) {
    const auto scenario = Scenario::Parse(text);
    ASSERT_TRUE(scenario) << "HEADRACE_SCENARIO names no seed";
    Compare(*scenario);
    return;
  }
  ForSeeds({.seeds = 200}, [](uint64_t seed) -> Spent {
    const Scenario scenario = Scenario::Of(seed);
    const Spent spent = Compare(scenario);
    if (!testing::Test::HasFailure()) return spent;
    std::printf("sim: failed with %s\n", scenario.ToString().c_str());
    if (Number("HEADRACE_SHRINK", 1) == 0) return spent;
    const Scenario smallest = Shrink(scenario, 3, Fails);
    std::fputs(Reproduction("HEADRACE_SCENARIO=" + smallest.ToString()).c_str(), stdout);
    return spent;
  });
}

}  // namespace
}  // namespace headrace::sim
