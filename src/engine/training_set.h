#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "log/log.h"
#include "row/schema.h"
#include "row/value.h"

namespace headrace::engine {

class Deployment;

// Which rows with which labels.
struct TrainingSetRequest {
  std::string stream;     // made AS SELECT: its rows, as they were served
  std::string labels;     // the stream of labels
  std::string on;         // column of the stream; `_id`: the row's ID
  std::string labels_on;  // column of the labels that says the same
  std::string label;      // column of the labels
  // Microseconds since 1970, of event times; all ends are in.
  std::optional<int64_t> as_of;  // what was known then; nothing: all that the log holds
  std::optional<int64_t> from;   // rows from here
  std::optional<int64_t> to;     // to here
};

// One column of what was written.
struct ColumnSummary {
  std::string name;
  row::Type type{};
  uint64_t nulls = 0;
  // Of numbers and booleans; `values` counts them.
  uint64_t values = 0;
  double min = 0;
  double max = 0;
  double mean = 0;
  double correlation = 0;  // with the label, when that is a number or a boolean; 0 when it has none
};

struct TrainingSetReport {
  uint64_t rows = 0;          // written: of rows whose label was known
  uint64_t unlabelled = 0;    // left out
  uint64_t corrected = 0;     // labels that took the place of an earlier one
  uint64_t early_labels = 0;  // rows whose label was known before their own time
  uint64_t last_lsn = 0;      // the log up to here was read
  std::vector<std::pair<std::string, uint64_t>> label_counts;  // JSON text of the label; ascending
  std::vector<ColumnSummary> columns;
  std::vector<std::string> warnings;  // what looks like leakage, a sentence each
};

// More values of labels are not counted.
inline constexpr size_t kLabelValuesCounted = 100;
// A column whose correlation with the label is at least this looks like the label itself.
inline constexpr double kLeakCorrelation = 0.999;

// Joins the rows of a stream with the labels that were known at a time: of each key the label with
// the latest event time up to `as_of` counts, so that a correction that came later does not leak.
// Calls `begin` with the columns (those of the stream, then the label), then `take` for each row,
// in the order of their causes. Errors: HR1204, HR1104 for unknown names, HR1212 when the label is
// a column of the stream, HR1213, those of the callbacks and of reading.
struct TrainingSetTaker {
  std::function<Status(const row::Schema&)> begin;
  std::function<Status(const row::Value* values)> take;
};
Result<TrainingSetReport> MakeTrainingSet(const log::Log& log, const Deployment& deployment,
                                          const TrainingSetRequest& request,
                                          const TrainingSetTaker& taker);

}  // namespace headrace::engine
