#include "engine/training_set.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "engine/deployment.h"
#include "engine/row_cursor.h"
#include "engine/row_decoder.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

constexpr std::string_view kRowId = "_id";

// The number a value is; nothing for NULL and for what is none.
std::optional<double> NumberOf(const row::Value& value, row::Type type) {
  if (value.null) return {};
  switch (type.kind) {
    case row::TypeKind::kBoolean:
      return value.boolean ? 1 : 0;
    case row::TypeKind::kInteger:
    case row::TypeKind::kBigint:
      return static_cast<double>(value.integer);
    case row::TypeKind::kDouble:
      return std::isnan(value.number) ? std::optional<double>{} : value.number;
    case row::TypeKind::kDecimal:
      return row::DecimalToDouble(value);
    default:
      return {};
  }
}

bool IsBytes(row::TypeKind kind) {
  using enum row::TypeKind;
  return kind == kText || kind == kBytea || kind == kJson || kind == kJsonb || kind == kTextArray ||
         kind == kBigintArray;
}

// The text by which keys of both sides are compared: 7, '7' and 7.0 of a BIGINT, TEXT and DOUBLE
// are one key only when their texts are.
std::string KeyOf(const row::Value& value, row::Type type) {
  std::string json;
  row::AppendJson(value, type, json);
  const bool quoted = json.size() >= 2 && json.front() == '"';
  return quoted ? json.substr(1, json.size() - 2) : json;
}

// Count, range, mean and how it goes with the label, in one pass (Welford 1962; Chan et al. 1983).
class Moments {
 public:
  void Add(double x, std::optional<double> label) {
    ++count_;
    min_ = count_ == 1 ? x : std::min(min_, x);
    max_ = count_ == 1 ? x : std::max(max_, x);
    mean_ += (x - mean_) / static_cast<double>(count_);
    if (!label) return;
    ++pairs_;
    const double n = static_cast<double>(pairs_);
    const double dx = x - pair_x_;
    pair_x_ += dx / n;
    squares_x_ += dx * (x - pair_x_);
    const double dy = *label - pair_y_;
    pair_y_ += dy / n;
    squares_y_ += dy * (*label - pair_y_);
    products_ += dx * (*label - pair_y_);
  }
  void Tell(ColumnSummary& column) const {
    column.values = count_;
    column.min = min_;
    column.max = max_;
    column.mean = mean_;
    const double scale = std::sqrt(squares_x_) * std::sqrt(squares_y_);
    column.correlation = scale > 0 ? products_ / scale : 0;
  }

 private:
  uint64_t count_ = 0;
  uint64_t pairs_ = 0;
  double min_ = 0;
  double max_ = 0;
  double mean_ = 0;
  double pair_x_ = 0;
  double pair_y_ = 0;
  double squares_x_ = 0;
  double squares_y_ = 0;
  double products_ = 0;
};

Error NoColumn(const std::string& name, const std::string& stream, const row::Schema& schema) {
  std::string names;
  for (const row::Column& column : schema.columns)
    names += (names.empty() ? "" : ", ") + column.name;
  return Error(ErrorKind::kInvalidArgument, "HR1104",
               "no column `" + name + "` in `" + stream + "`")
      .WithHint("its columns: " + names);
}

// The labels as they were known, by key. Confined.
class LabelTable {
 public:
  struct Label {
    row::Value value;
    int64_t time = INT64_MIN;  // of the event that said so
  };

  LabelTable(const Deployment& deployment, const Deployed& item, const TrainingSetRequest& request)
      : item_(item),
        request_(request),
        schema_(deployment.SchemaOf(item)),
        decoder_(deployment, item) {}

  Status Prepare() {
    key_ = schema_.Find(request_.labels_on);
    if (key_ < 0) return NoColumn(request_.labels_on, request_.labels, schema_);
    label_ = schema_.Find(request_.label);
    if (label_ < 0) return NoColumn(request_.label, request_.labels, schema_);
    if (item_.statement) time_ = item_.statement->time_column;
    if (!item_.source) return Ok();
    const std::vector<int>& slots = item_.source->schema_slots;
    const auto found = std::find(slots.begin(), slots.end(), item_.source->time_slot);
    if (found != slots.end()) time_ = static_cast<int>(found - slots.begin());
    return Ok();
  }

  Status Load(const log::Log& log) {
    HR_ASSIGN(auto cursor, RowCursor::Open(log, item_, -1, 0));
    StoredRow stored;
    while (true) {
      HR_ASSIGN(bool more, cursor->Next(&stored));
      if (!more) return Ok();
      row::Value* values = nullptr;
      HR_ASSIGN(bool fits, decoder_.Decode(stored, &values));
      if (fits) HR_TRY(Add(stored, values));
    }
  }

  const Label* Find(const std::string& key) const {
    auto found = labels_.find(key);
    return found == labels_.end() ? nullptr : &found->second;
  }
  const row::Column& column() const { return schema_.columns[static_cast<size_t>(label_)]; }
  uint64_t corrected() const { return corrected_; }

 private:
  Status Add(const StoredRow& stored, const row::Value* values) {
    const row::Value& key = values[key_];
    const int64_t time =
        time_ >= 0 && !values[time_].null ? values[time_].integer : stored.arrival_micros;
    if (key.null || (request_.as_of && time > *request_.as_of)) return Ok();
    if (labels_.size() >= kLabelsMax) {
      return Error(ErrorKind::kLimitExceeded, "HR1213",
                   "more than " + std::to_string(kLabelsMax) + " labels")
          .WithHint("--as-of leaves later ones out");
    }
    auto [label, is_new] = labels_.try_emplace(KeyOf(key, schema_.columns[size_t(key_)].type));
    if (!is_new) ++corrected_;
    if (!is_new && time < label->second.time) return Ok();
    label->second = {Copy(values[label_]), time};
    return Ok();
  }

  row::Value Copy(const row::Value& value) {
    return !value.null && IsBytes(column().type.kind) ? row::Value::Text(arena_.Copy(value.text()))
                                                      : value;
  }

  const Deployed& item_;
  const TrainingSetRequest& request_;
  row::Schema schema_;
  RowDecoder decoder_;
  int key_ = -1;
  int label_ = -1;
  int time_ = -1;
  base::Arena arena_;
  std::unordered_map<std::string, Label> labels_;  // looked up only: its order does not show
  uint64_t corrected_ = 0;
};

// The rows, with their labels. Confined.
class TrainingSet {
 public:
  TrainingSet(const log::Log& log, const Deployment& deployment, const Deployed& item,
              const LabelTable& labels, const TrainingSetRequest& request)
      : log_(log),
        item_(item),
        labels_(labels),
        request_(request),
        decoder_(deployment, item),
        schema_(item.statement->schema) {}

  Result<TrainingSetReport> Make(const TrainingSetTaker& taker) {
    HR_TRY(Prepare());
    HR_TRY(taker.begin(schema_));
    HR_ASSIGN(auto cursor, RowCursor::Open(log_, item_, -1, 0));
    StoredRow stored;
    while (true) {
      HR_ASSIGN(bool more, cursor->Next(&stored));
      if (!more) break;
      row::Value* values = nullptr;
      HR_ASSIGN(bool fits, decoder_.Decode(stored, &values));
      HR_CHECK(fits);
      std::copy_n(values, schema_.columns.size() - 1, row_.begin());
      HR_TRY(Take(stored, taker));
    }
    return Report();
  }

 private:
  Status Prepare() {
    columns_ = schema_.columns.size();
    if (request_.on != kRowId) {
      key_ = schema_.Find(request_.on);
      if (key_ < 0) return NoColumn(request_.on, request_.stream, schema_);
    }
    if (schema_.Find(request_.label) >= 0) {
      return Error(ErrorKind::kInvalidArgument, "HR1212",
                   "`" + request_.stream + "` has a column `" + request_.label +
                       "`: a model would learn the label from it")
          .WithHint("name it otherwise if it is another thing");
    }
    row::Column label = labels_.column();
    label.not_null = false;
    schema_.columns.push_back(label);
    row_.resize(schema_.columns.size());
    moments_.resize(schema_.columns.size());
    nulls_.resize(schema_.columns.size());
    return Ok();
  }

  Status Take(const StoredRow& stored, const TrainingSetTaker& taker) {
    const int time_column = item_.statement->time_column;
    const bool timed = time_column >= 0 && !row_[size_t(time_column)].null;
    const int64_t time = timed ? row_[size_t(time_column)].integer : INT64_MIN;
    if (timed &&
        ((request_.from && time < *request_.from) || (request_.to && time > *request_.to) ||
         (request_.as_of && time > *request_.as_of))) {
      return Ok();
    }
    const LabelTable::Label* label = labels_.Find(KeyOfRow(stored));
    if (label == nullptr) {
      ++report_.unlabelled;
      return Ok();
    }
    row_.back() = label->value;
    ++report_.rows;
    report_.early_labels += timed && label->time < time ? 1 : 0;
    Count();
    return taker.take(row_.data());
  }

  std::string KeyOfRow(const StoredRow& stored) const {
    if (key_ >= 0) return KeyOf(row_[size_t(key_)], schema_.columns[size_t(key_)].type);
    return request_.stream + ":" + std::to_string(stored.partition) + ":" +
           std::to_string(stored.offset);
  }

  void Count() {
    const std::optional<double> label = NumberOf(row_.back(), schema_.columns.back().type);
    for (size_t c = 0; c < row_.size(); ++c) {
      nulls_[c] += row_[c].null ? 1 : 0;
      if (auto number = NumberOf(row_[c], schema_.columns[c].type)) moments_[c].Add(*number, label);
    }
    std::string json;
    row::AppendJson(row_.back(), schema_.columns.back().type, json);
    auto known = label_counts_.find(json);
    if (known != label_counts_.end()) {
      ++known->second;
    } else if (label_counts_.size() < kLabelValuesCounted) {
      label_counts_[json] = 1;
    }
  }

  TrainingSetReport Report() {
    report_.corrected = labels_.corrected();
    report_.last_lsn = log_.durable_lsn();
    report_.label_counts.assign(label_counts_.begin(), label_counts_.end());
    for (size_t c = 0; c < schema_.columns.size(); ++c) {
      ColumnSummary column{schema_.columns[c].name, schema_.columns[c].type, nulls_[c]};
      moments_[c].Tell(column);
      if (c < columns_ && std::abs(column.correlation) >= kLeakCorrelation) {
        report_.warnings.push_back("`" + column.name +
                                   "` goes with the label almost exactly: is it the label itself?");
      }
      report_.columns.push_back(std::move(column));
    }
    if (report_.early_labels > 0) {
      report_.warnings.push_back(std::to_string(report_.early_labels) +
                                 " labels were known before their rows: could the rows know them?");
    }
    return std::move(report_);
  }

  const log::Log& log_;
  const Deployed& item_;
  const LabelTable& labels_;
  const TrainingSetRequest& request_;
  RowDecoder decoder_;
  row::Schema schema_;
  size_t columns_ = 0;  // of the stream
  int key_ = -1;
  std::vector<row::Value> row_;
  std::vector<Moments> moments_;
  std::vector<uint64_t> nulls_;
  std::map<std::string, uint64_t> label_counts_;
  TrainingSetReport report_;
};

}  // namespace

Result<TrainingSetReport> MakeTrainingSet(const log::Log& log, const Deployment& deployment,
                                          const TrainingSetRequest& request,
                                          const TrainingSetTaker& taker) {
  const Deployed* item = deployment.Find(request.stream);
  if (item == nullptr || !item->statement) {
    return Error(ErrorKind::kNotFound, "HR1204", "no statement makes `" + request.stream + "`")
        .WithHint("a training set has the rows of a stream that is made AS SELECT");
  }
  const Deployed* labels = deployment.Find(request.labels);
  if (labels == nullptr || labels->is_model() || !labels->dead_of.empty()) {
    return Error(ErrorKind::kNotFound, "HR1204", "no stream " + request.labels);
  }
  LabelTable table(deployment, *labels, request);
  HR_TRY(table.Prepare());
  HR_TRY(table.Load(log));
  return TrainingSet(log, deployment, *item, table, request).Make(taker);
}

}  // namespace headrace::engine
