#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/arena.h"
#include "headrace/result.h"
#include "log/log.h"
#include "row/schema.h"
#include "row/value.h"

namespace headrace::engine {

class Deployment;
class RowDecoder;

// Which labels, and how they belong to the rows of a stream.
struct LabelRequest {
  std::string labels;            // the stream of labels
  std::string on;                // column of the labelled stream; kRowId: the row's ID
  std::string labels_on;         // column of the labels that says the same
  std::string label;             // column of the labels
  std::string segment{};         // column of the labelled stream to tell measures apart by, or none
  std::optional<int64_t> as_of;  // microseconds, of event times; nothing: all that the log holds

  // What people write: `COLUMN` of both, or `THEIRS=OURS`.
  void JoinOn(std::string_view columns);
};

inline constexpr std::string_view kRowId = "_id";
inline constexpr size_t kLabelsMax = 50'000'000;  // more are refused (HR1213)

// The text by which keys of both sides are compared: 7, '7' and 7.0 of a BIGINT, TEXT and DOUBLE
// are one key only when their texts are.
std::string LabelKey(const row::Value& value, row::Type type);

// A label of two: false or 0, true or 1. Nothing: it is another, or NULL.
std::optional<double> BinaryLabel(const row::Value& value, row::Type type);

Error NoSuchColumn(const std::string& name, const std::string& stream, const row::Schema& schema);

// The labels as they were known at a time, by key: of each key the one with the latest event time.
// Immutable once loaded.
class LabelTable {
 public:
  struct Label {
    row::Value value;
    int64_t time = INT64_MIN;  // of the event that said so
  };

  // Errors: HR1204, HR1104 for unknown names, HR1213, those of reading.
  static Result<std::unique_ptr<LabelTable>> Load(const log::Log& log, const Deployment& deployment,
                                                  const LabelRequest& request);

  // Null: none is known.
  const Label* Find(const std::string& key) const;
  const row::Column& column() const { return schema_.columns[static_cast<size_t>(label_)]; }
  uint64_t corrected() const { return corrected_; }

 private:
  LabelTable() = default;
  Status Prepare(const LabelRequest& request);
  Status Add(const row::Value* values, int64_t time, const LabelRequest& request);

  row::Schema schema_;
  int key_ = -1;
  int label_ = -1;
  base::Arena arena_;
  std::unordered_map<std::string, Label> labels_;  // looked up only: its order does not show
  uint64_t corrected_ = 0;
};

}  // namespace headrace::engine
