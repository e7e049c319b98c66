#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "cli/bench/bench.h"
#include "flow/running_functions.h"

namespace headrace::cli {
namespace {

constexpr size_t kValues = 200'000;
constexpr int kRounds = 5;

// Levels that change every 5,000 values, and errors with that frequency.
std::vector<row::Value> Series(bool errors) {
  uint64_t state = 1;
  const auto unit = [&state] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state >> 11) * 0x1p-53;
  };
  std::vector<row::Value> series;
  double level = 0;
  for (size_t i = 0; i < kValues; ++i) {
    if (i % 5000 == 0) level = unit();
    const double drawn = unit();
    series.push_back(row::Value::Double(errors ? (drawn < level ? 1 : 0) : level + drawn));
  }
  return series;
}

// Nanoseconds a value: the median of some rounds, each with a function of its own.
double MedianNanoseconds(Bench& bench, const flow::RunningEntry& entry,
                         const std::vector<row::Value>& series) {
  std::vector<double> constants;
  for (const flow::RunningParameter& parameter : entry.parameters)
    constants.push_back(parameter.standard);
  const std::vector<row::Type> types(entry.values, {row::TypeKind::kDouble, 0, 0});
  base::Arena arena;
  std::vector<double> rounds;
  for (int round = 0; round < kRounds; ++round) {
    const auto function = entry.make(constants, types);
    std::vector<row::Value> values(entry.values);
    const int64_t start = bench.clock().MonotonicNanoseconds();
    for (const row::Value& value : series) {
      std::fill(values.begin(), values.end(), value);
      function->Step(values.data(), arena);
    }
    rounds.push_back(static_cast<double>(bench.clock().MonotonicNanoseconds() - start) /
                     static_cast<double>(series.size()));
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[rounds.size() / 2];
}

}  // namespace

Status BenchDetect(Bench& bench) {
  const std::vector<row::Value> errors = Series(true);
  const std::vector<row::Value> levels = Series(false);
  for (const std::string& name : flow::RunningFunctionNames()) {
    if (name.ends_with("_warning")) continue;  // the same work
    const bool of_errors = name.find("ddm") != std::string::npos;
    const flow::RunningEntry& entry = *flow::FindRunningFunction(name);
    bench.Report("detect." + name + ".ns",
                 MedianNanoseconds(bench, entry, of_errors ? errors : levels), "ns");
  }
  return Ok();
}

}  // namespace headrace::cli
