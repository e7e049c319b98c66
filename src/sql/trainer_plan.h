#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/options.h"

namespace headrace::sql {

// What CREATE MODEL ... TRAIN says: when to train a model on what the log holds of a stream, how,
// and of which model it becomes a shadow. Value type.
struct TrainerPlan {
  std::string name;
  std::string stream;
  std::vector<std::string> features;  // columns of the stream; the inputs of `shadow_of`, in order
  std::string label;                  // a column of the stream
  std::string shadow_of;
  int64_t every = 0;            // microseconds of event time; 0: never for the time alone
  int64_t watermark_delay = 0;  // microseconds; of the declared stream that `stream` stems from
  std::optional<double> drift;  // when a PSI of `shadow_of` is above this
  double holdout = 0.2;         // share of the rows, the newest, that are not learned from
  int64_t min_rows = 1000;      // with a label; fewer are not trained on
  int64_t rows = 1'000'000;     // the newest are taken, not more
  train::Options options;       // one thread
  // A shadow that it made may decide when the watermark is so much further (microseconds) and the
  // gate is open; nothing: it stays a shadow.
  std::optional<int64_t> promote_after;
  int64_t gate_rows = 100;  // decisions that must have been compared
  double gate_flips = 5;    // percent of them that may be others
};

// Of what is not given.
inline constexpr size_t kTrainerMemory = size_t{1} << 30;
inline constexpr int64_t kTrainerRowsMax = 10'000'000;

}  // namespace headrace::sql
