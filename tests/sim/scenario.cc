#include "scenario.h"

#include <iterator>
#include <utility>
#include <vector>

#include "os/random.h"

namespace headrace::sim {
namespace {

struct Named {
  Trait trait;
  const char* name;
  uint64_t of_eight;  // how many seeds of eight have it
};
constexpr Named kTraits[] = {
    {Trait::kCrashes, "crashes", 6},
    {Trait::kFaults, "faults", 2},
    {Trait::kFull, "full", 1},
    {Trait::kReadOnly, "readonly", 1},
    {Trait::kDescriptors, "descriptors", 1},
    {Trait::kClock, "clock", 1},
    {Trait::kPartitions, "partitions", 2},
    {Trait::kFile, "file", 5},
    {Trait::kRepeats, "repeats", 4},
    {Trait::kBeside, "beside", 4},
    {Trait::kReplace, "replace", 4},
    {Trait::kModels, "models", 4},
    {Trait::kRetention, "retention", 2},
    {Trait::kBackup, "backup", 3},
    {Trait::kQueries, "queries", 4},
    {Trait::kWorkers, "workers", 4},
    {Trait::kMemory, "memory", 2},
    {Trait::kSnapshots, "snapshots", 6},
    {Trait::kLong, "long", 0},
    {Trait::kDrop, "drop", 3},
};
constexpr uint64_t kLongEvery = 40;
constexpr size_t kEventsMin = 8;

}  // namespace

Scenario Scenario::Of(uint64_t seed) {
  os::SeededRandom random(seed * 7919);
  Scenario scenario;
  scenario.seed = seed;
  scenario.events = 120 + random.Below(180);
  scenario.lives = 2 + random.Below(8);
  for (const Named& named : kTraits) {
    if (random.Below(8) < named.of_eight) scenario.traits.insert(named.trait);
  }
  if (seed % kLongEvery == 0) {
    scenario.traits.insert(Trait::kLong);
    scenario.events *= 10;
  }
  return scenario;
}

std::string Scenario::ToString() const {
  std::string text = "seed=" + std::to_string(seed) + ",events=" + std::to_string(events) +
                     ",lives=" + std::to_string(lives) + ",with=";
  const char* separator = "";
  for (const Named& named : kTraits) {
    if (!Has(named.trait)) continue;
    text += std::exchange(separator, "+");
    text += named.name;
  }
  return text;
}

std::optional<Scenario> Scenario::Parse(const std::string& text) {
  auto after = [&text](const std::string& name) -> std::optional<std::string> {
    const size_t at = text.find(name + "=");
    if (at == std::string::npos) return std::nullopt;
    const size_t begin = at + name.size() + 1;
    return text.substr(begin, text.find(',', begin) - begin);
  };
  const auto seed = after("seed");
  if (!seed) return std::nullopt;
  Scenario scenario = Of(std::stoull(*seed));
  if (const auto events = after("events")) scenario.events = std::stoull(*events);
  if (const auto lives = after("lives")) scenario.lives = std::stoull(*lives);
  const auto with = after("with");
  if (!with) return scenario;
  scenario.traits.clear();
  const std::string names = "+" + *with + "+";
  for (const Named& named : kTraits) {
    if (names.find("+" + std::string(named.name) + "+") != std::string::npos)
      scenario.traits.insert(named.trait);
  }
  return scenario;
}

Scenario Shrink(Scenario scenario, int tries, const std::function<bool(const Scenario&)>& fails) {
  auto still = [&](const Scenario& smaller) {
    for (int i = 0; i < tries; ++i) {
      if (!fails(smaller)) continue;
      scenario = smaller;
      return true;
    }
    return false;
  };
  for (const Named& named : kTraits) {
    Scenario smaller = scenario;
    if (smaller.traits.erase(named.trait) > 0) still(smaller);
  }
  bool smaller_fails = true;
  while (smaller_fails && scenario.lives > 0) {
    Scenario smaller = scenario;
    --smaller.lives;
    smaller_fails = still(smaller);
  }
  smaller_fails = true;
  while (smaller_fails && scenario.events > kEventsMin) {
    Scenario smaller = scenario;
    smaller.events /= 2;
    smaller_fails = still(smaller);
  }
  return scenario;
}

}  // namespace headrace::sim
