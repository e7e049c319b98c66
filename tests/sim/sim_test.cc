// Simulated crashes: the whole engine on a disk that loses what was not flushed. Runs 30 seeds, or
// HEADRACE_SEEDS of them, or only HEADRACE_SEED.

#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "naive.h"
#include "os/random.h"
#include "seeds.h"
#include "simulation.h"
#include "workload.h"

namespace headrace::sim {
namespace {

void ExpectSameOutcome(const Outcome& calm, const Outcome& disturbed) {
  for (const auto& [stream, rows] : calm.streams)
    ExpectSame("stream " + stream, rows, disturbed.streams.at(stream));
  for (const auto& [stream, rows] : calm.files)
    ExpectSame("output file of " + stream, rows, disturbed.files.at(stream));
}

Outcome Done(const Workload& workload, const Disturbance& disturbance) {
  Result<Outcome> outcome = Simulate(workload, disturbance);
  if (outcome.ok()) return std::move(outcome).value();
  ADD_FAILURE() << outcome.error().ToString();
  return {};
}

// Lives that end at random operations, then one that does not.
Disturbance Crashing(Feed feed, uint64_t seed, uint64_t operations) {
  os::SeededRandom random(seed);
  Disturbance disturbance;
  disturbance.feed = feed;
  disturbance.seed = seed;
  disturbance.random_batches = true;
  disturbance.batch_max = 1 + random.Below(256);
  disturbance.faults = random.Below(3) == 0;
  uint64_t lives = 4 + random.Below(8);
  for (uint64_t i = 0; i < lives; ++i)
    disturbance.crashes.push_back(1 + random.Below(random.Below(3) == 0 ? 12 : operations));
  return disturbance;
}

Spent CompareWithCalm(Feed feed, uint64_t seed, int32_t partitions, size_t events = 400) {
  Workload workload = MakeWorkload(seed, feed, partitions, events);
  Disturbance none;
  none.feed = feed;
  Outcome calm = Done(workload, none);
  if (testing::Test::HasFailure()) return {};
  Outcome disturbed = Done(workload, Crashing(feed, seed, calm.operations));
  if (!testing::Test::HasFailure()) ExpectSameOutcome(calm, disturbed);
  return {disturbed.crashes, disturbed.simulated_micros};
}

TEST(Simulation, ACalmRunAgreesWithASlowSecondOpinion) {
  ForSeeds({}, [](uint64_t seed) -> Spent {
    Workload workload = MakeWorkload(seed, Feed::kFile, 1, 400);
    Outcome calm = Done(workload, {});
    std::map<std::string, std::string> naive = NaiveOutputs(workload);
    for (const auto& [stream, rows] : calm.files) {
      if (stream == Workload::kCsv) continue;
      bool dead = stream.ends_with(".dead");
      ExpectSame(stream, naive[stream], dead ? LettersOf(rows) : rows);
    }
    return {calm.crashes, 0};
  });
}

TEST(Simulation, CrashesDoNotShowInWhatARunOverAFileGives) {
  ForSeeds({}, [](uint64_t seed) { return CompareWithCalm(Feed::kFile, seed, 1); });
}

TEST(Simulation, CrashesDoNotShowInWhatRequestsGive) {
  ForSeeds({}, [](uint64_t seed) { return CompareWithCalm(Feed::kRequests, seed, 1); });
}

TEST(Simulation, CrashesDoNotShowWithSeveralPartitions) {
  ForSeeds({}, [](uint64_t seed) {
    auto partitions = static_cast<int32_t>(2 + seed % 4);
    return CompareWithCalm(seed % 2 == 0 ? Feed::kFile : Feed::kRequests, seed, partitions);
  });
}

// When a statement joins the others depends on time, and with it where its refusals of the past
// stand: of the dead letters only which events they name is compared.
Spent CompareBeside(uint64_t seed, int32_t partitions) {
  Workload workload = MakeWorkload(seed, Feed::kRequests, partitions, 1000);
  Disturbance none;
  none.feed = Feed::kRequests;
  Outcome calm = Done(workload, none);
  if (testing::Test::HasFailure()) return {};
  Disturbance disturbance = Crashing(Feed::kRequests, seed, calm.operations);
  disturbance.beside = true;
  disturbance.batch_max = 1 + seed % 20;
  if (seed % 3 == 0) disturbance.crashes.clear();
  Outcome disturbed = Done(workload, disturbance);
  if (testing::Test::HasFailure()) return {};
  for (const auto& [stream, rows] : calm.streams) {
    const bool dead = stream.ends_with(".dead");
    if (dead) {
      ExpectSame(stream, EventsOf(rows), EventsOf(disturbed.streams.at(stream)));
    } else {
      ExpectSame(stream, rows, disturbed.streams.at(stream));
    }
  }
  return {disturbed.crashes, disturbed.simulated_micros};
}

TEST(Simulation, ADeploymentBesideLiveTrafficGivesWhatOneAtRestGives) {
  ForSeeds({},
           [](uint64_t seed) { return CompareBeside(seed, static_cast<int32_t>(1 + seed % 4)); });
}

// So many events that the journal's files are used again and segments are written on the way.
TEST(Simulation, CrashesDoNotShowInALongRun) {
  ForSeeds({.sparing = 20}, [](uint64_t seed) {
    return CompareWithCalm(seed % 2 == 0 ? Feed::kFile : Feed::kRequests, seed, 1, 12'000);
  });
}

// One crash at each operation of the run in turn (in `make test` at some of them).
TEST(Simulation, ACrashAtEachOperationDoesNotShow) {
  uint64_t stride = Number("HEADRACE_SEEDS", 0) > 20 ? 1 : 5;
  Workload workload = MakeWorkload(4711, Feed::kFile, 1, 120);
  Disturbance small;
  small.batch_max = 16;
  Outcome calm = Done(workload, small);
  uint64_t crashes = 0;
  for (uint64_t phase = 0; phase < 3; ++phase) {
    uint64_t at = 1;
    for (bool crashed = true; crashed && !HasFailure(); at += stride) {
      Disturbance disturbance = small;
      disturbance.seed = at;
      disturbance.crashes.assign(phase + 1, 0);
      disturbance.crashes.back() = at;
      Outcome disturbed = Done(workload, disturbance);
      if (HasFailure()) break;
      ExpectSameOutcome(calm, disturbed);
      crashed = disturbed.crashes > 0;
      crashes += disturbed.crashes;
    }
    if (HasFailure())
      std::printf("sim: phase %llu, crash at operation %llu\n",
                  static_cast<unsigned long long>(phase), static_cast<unsigned long long>(at));
  }
  std::printf("sim: each operation: %llu simulated crashes\n",
              static_cast<unsigned long long>(crashes));
}

}  // namespace
}  // namespace headrace::sim
