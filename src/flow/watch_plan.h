#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "row/schema.h"
#include "row/value.h"

namespace headrace::flow {

// How a model is watched: windows of event time, and from where on a column counts as moved.
struct WatchOptions {
  int64_t window = 86'400'000'000;  // microseconds
  int64_t rows = 1000;              // scored rows that a window has before it closes, at least
  int64_t baseline_rows = 2000;     // first rows, when a version brings no baseline
  double psi = 0.25;                // thresholds: of the population stability index,
  double nulls = 0.1;               // of how much the share of NULLs has risen,
  double range = 0.05;              // of the share beyond the baseline's smallest and largest value

  bool operator==(const WatchOptions&) const = default;
};

// The watch of one model in one statement: which slots of a row it reads.
struct WatchPlan {
  static constexpr size_t kInputsMax = 256;  // inputs behind them are not watched

  std::string model;
  WatchOptions options;
  std::vector<std::string> names;  // of the inputs
  std::vector<int> slots;
  std::vector<row::Type> types;
  int score_slot = -1;    // a double; NULL: the row was not scored, and is not looked at
  int version_slot = -1;  // a bigint: the version that gave the score
};

// Columns of the rows that a watch gives (docs/watching.md).
enum HealthColumn : int {
  kHealthTime,
  kHealthWindowStart,
  kHealthWindowEnd,
  kHealthModel,
  kHealthVersion,
  kHealthKind,
  kHealthFeature,
  kHealthRows,
  kHealthSampled,
  kHealthNullShare,
  kHealthLeast,
  kHealthP05,
  kHealthP50,
  kHealthP95,
  kHealthMost,
  kHealthMean,
  kHealthDistinct,
  kHealthFreshness,
  kHealthOutOfRange,
  kHealthPsi,
  kHealthKs,
  kHealthJs,
  kHealthWasserstein,
  kHealthBaseline,
  kHealthAlarm,
  kHealthCrossed,
  kHealthColumns
};
const row::Schema& HealthSchema();

}  // namespace headrace::flow
