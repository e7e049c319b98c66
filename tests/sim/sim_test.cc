// Simulated crashes: the whole engine on a disk that loses what was not flushed. Runs 30 seeds, or
// HEADRACE_SEEDS of them, or only HEADRACE_SEED.

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "naive.h"
#include "os/random.h"
#include "simulation.h"
#include "workload.h"

namespace headrace::sim {
namespace {

constexpr uint64_t kSeeds = 30;

uint64_t Number(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Runs `body` for every seed until one fails; it returns how often the power failed.
// Where a seed takes long, of all seeds one in `sparing`.
void ForSeeds(const std::function<uint64_t(uint64_t seed)>& body, uint64_t sparing = 1) {
  const auto& test = *testing::UnitTest::GetInstance()->current_test_info();
  uint64_t only = Number("HEADRACE_SEED", 0);
  uint64_t first = only > 0 ? only : 1;
  uint64_t last = only > 0 ? only : (Number("HEADRACE_SEEDS", kSeeds) + sparing - 1) / sparing;
  uint64_t crashes = 0;
  uint64_t seeds = 0;
  for (uint64_t seed = first; seed <= last && !testing::Test::HasFailure(); ++seed, ++seeds) {
    crashes += body(seed);
    if (testing::Test::HasFailure()) {
      std::printf(
          "sim: reproduce with HEADRACE_SEED=%llu build/tests/sim/sim_test --gtest_filter=%s.%s\n",
          static_cast<unsigned long long>(seed), test.test_suite_name(), test.name());
    }
    if ((seeds + 1) % 50 == 0) {
      std::printf("sim: %s: %llu seeds, %llu simulated crashes\n", test.name(),
                  static_cast<unsigned long long>(seeds + 1),
                  static_cast<unsigned long long>(crashes));
      std::fflush(stdout);
    }
  }
  std::printf("sim: %s: %llu seeds, %llu simulated crashes\n", test.name(),
              static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(crashes));
}

// Where two texts part, for people.
std::string FirstDifference(const std::string& expected, const std::string& actual) {
  size_t line = 1;
  size_t begin = 0;
  size_t i = 0;
  for (; i < expected.size() && i < actual.size() && expected[i] == actual[i]; ++i) {
    if (expected[i] != '\n') continue;
    ++line;
    begin = i + 1;
  }
  auto rest = [begin](const std::string& text) {
    return begin < text.size() ? text.substr(begin, text.find('\n', begin) - begin) : "(the end)";
  };
  return "line " + std::to_string(line) + "\n  expected " + rest(expected) + "\n  got      " +
         rest(actual);
}

void ExpectSame(const std::string& what, const std::string& expected, const std::string& actual) {
  if (expected == actual) return;
  ADD_FAILURE() << what << ": " << FirstDifference(expected, actual);
}

void ExpectSame(const Outcome& calm, const Outcome& disturbed) {
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

uint64_t CompareWithCalm(Feed feed, uint64_t seed, int32_t partitions, size_t events = 400) {
  Workload workload = MakeWorkload(seed, feed, partitions, events);
  Disturbance none;
  none.feed = feed;
  Outcome calm = Done(workload, none);
  if (testing::Test::HasFailure()) return 0;
  Outcome disturbed = Done(workload, Crashing(feed, seed, calm.operations));
  if (!testing::Test::HasFailure()) ExpectSame(calm, disturbed);
  return disturbed.crashes;
}

// The letters of a stream without their IDs, sorted, each event once.
std::string EventsOf(const std::string& rows) {
  std::set<std::string> events;
  const std::string letters = LettersOf(rows);
  for (size_t at = 0; at < letters.size();) {
    const size_t end = letters.find('\n', at);
    events.insert(letters.substr(at, end - at));
    at = end + 1;
  }
  std::string all;
  for (const std::string& event : events)
    all += event + "\n";
  return all;
}

TEST(Simulation, ACalmRunAgreesWithASlowSecondOpinion) {
  ForSeeds([](uint64_t seed) -> uint64_t {
    Workload workload = MakeWorkload(seed, Feed::kFile, 1, 400);
    Outcome calm = Done(workload, {});
    std::map<std::string, std::string> naive = NaiveOutputs(workload);
    for (const auto& [stream, rows] : calm.files) {
      if (stream == Workload::kCsv) continue;
      bool dead = stream.ends_with(".dead");
      ExpectSame(stream, naive[stream], dead ? LettersOf(rows) : rows);
    }
    return calm.crashes;
  });
}

TEST(Simulation, CrashesDoNotShowInWhatARunOverAFileGives) {
  ForSeeds([](uint64_t seed) { return CompareWithCalm(Feed::kFile, seed, 1); });
}

TEST(Simulation, CrashesDoNotShowInWhatRequestsGive) {
  ForSeeds([](uint64_t seed) { return CompareWithCalm(Feed::kRequests, seed, 1); });
}

TEST(Simulation, CrashesDoNotShowWithSeveralPartitions) {
  ForSeeds([](uint64_t seed) {
    auto partitions = static_cast<int32_t>(2 + seed % 4);
    return CompareWithCalm(seed % 2 == 0 ? Feed::kFile : Feed::kRequests, seed, partitions);
  });
}

// When a statement joins the others depends on time, and with it where its refusals of the past
// stand: of the dead letters only which events they name is compared.
uint64_t CompareBeside(uint64_t seed, int32_t partitions) {
  Workload workload = MakeWorkload(seed, Feed::kRequests, partitions, 1000);
  Disturbance none;
  none.feed = Feed::kRequests;
  Outcome calm = Done(workload, none);
  if (testing::Test::HasFailure()) return 0;
  Disturbance disturbance = Crashing(Feed::kRequests, seed, calm.operations);
  disturbance.beside = true;
  disturbance.batch_max = 1 + seed % 20;
  if (seed % 3 == 0) disturbance.crashes.clear();
  Outcome disturbed = Done(workload, disturbance);
  if (testing::Test::HasFailure()) return 0;
  for (const auto& [stream, rows] : calm.streams) {
    const bool dead = stream.ends_with(".dead");
    if (dead) {
      ExpectSame(stream, EventsOf(rows), EventsOf(disturbed.streams.at(stream)));
    } else {
      ExpectSame(stream, rows, disturbed.streams.at(stream));
    }
  }
  return disturbed.crashes;
}

TEST(Simulation, ADeploymentBesideLiveTrafficGivesWhatOneAtRestGives) {
  ForSeeds([](uint64_t seed) { return CompareBeside(seed, static_cast<int32_t>(1 + seed % 4)); });
}

// So many events that the journal's files are used again and segments are written on the way.
TEST(Simulation, CrashesDoNotShowInALongRun) {
  ForSeeds(
      [](uint64_t seed) {
        return CompareWithCalm(seed % 2 == 0 ? Feed::kFile : Feed::kRequests, seed, 1, 12'000);
      },
      20);
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
      ExpectSame(calm, disturbed);
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
