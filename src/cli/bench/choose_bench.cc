#include <algorithm>
#include <vector>

#include "cli/bench/bench.h"
#include "learn/policy.h"
#include "os/random.h"

namespace headrace::cli {
namespace {

constexpr size_t kArms = 10;
constexpr size_t kFeatures = 10;
constexpr size_t kRows = 2000;

std::vector<double> MakeNumbers(size_t count) {
  os::SeededRandom random(1);
  std::vector<double> numbers;
  for (size_t i = 0; i < count; ++i)
    numbers.push_back(static_cast<double>(random.Next() >> 11) * 0x1p-52 - 1);
  return numbers;
}

// Choices between arms that have each learned some rewards; then a reward for each choice.
Status BenchPolicy(Bench& bench, const std::string& type) {
  learn::PolicySpec spec;
  spec.type = type;
  spec.arms = kArms;
  spec.features = learn::PolicyTakes(type, true) ? kFeatures : 0;
  HR_ASSIGN(const std::unique_ptr<learn::Policy> policy, learn::Policy::Make(spec));
  const std::vector<double> numbers = MakeNumbers(kRows * kFeatures);
  const auto row = [&](size_t i) {
    return std::span<const double>(numbers).subspan(i % kRows * kFeatures, spec.features);
  };
  const auto reward = [&](size_t i, size_t arm) { return (i * 7 + arm) % 10 < arm ? 1.0 : 0.0; };
  for (size_t i = 0; i < 500; ++i) {
    const learn::Choice choice = policy->Choose(row(i));
    policy->Learn({choice.arm, row(i), reward(i, choice.arm), choice.propensity});
  }
  // What others do on the machine meanwhile is no part of it: the best of many short rounds.
  double best = 0;
  constexpr size_t kChoices = 2000;
  for (int round = 0; round < 100; ++round) {
    const int64_t start = bench.clock().MonotonicNanoseconds();
    for (size_t i = 0; i < kChoices; ++i)
      policy->Choose(row(i));
    const auto spent = static_cast<double>(bench.clock().MonotonicNanoseconds() - start);
    best = round == 0 ? spent : std::min(best, spent);
  }
  bench.Report("choose." + type + ".10x10.ns", best / kChoices, "ns");
  constexpr size_t kPairs = 20'000;
  const int64_t start = bench.clock().MonotonicNanoseconds();
  for (size_t i = 0; i < kPairs; ++i) {
    const learn::Choice choice = policy->Choose(row(i));
    policy->Learn({choice.arm, row(i), reward(i, choice.arm), choice.propensity});
  }
  const auto spent = static_cast<double>(bench.clock().MonotonicNanoseconds() - start);
  bench.Report("choose." + type + ".and_reward.10x10.ns", spent / kPairs, "ns");
  return Ok();
}

}  // namespace

Status BenchChoose(Bench& bench) {
  for (const std::string& type : learn::PolicyTypes())
    HR_TRY(BenchPolicy(bench, type));
  return Ok();
}

}  // namespace headrace::cli
