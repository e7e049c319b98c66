#include "engine/training_set.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/deployment.h"
#include "engine/label_table.h"
#include "engine/labelled_rows.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

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

// The rows, with their labels. Confined.
class TrainingSet {
 public:
  TrainingSet(const log::Log& log, const Deployment& deployment, const Deployed& item,
              const LabelTable& labels, const TrainingSetRequest& request)
      : log_(log),
        deployment_(deployment),
        item_(item),
        labels_(labels),
        request_(request),
        schema_(item.statement->schema) {}

  Result<TrainingSetReport> Make(const TrainingSetTaker& taker) {
    HR_TRY(Prepare());
    HR_TRY(taker.begin(schema_));
    LabelledRows rows({log_, deployment_, item_, labels_, request_, key_});
    while (true) {
      HR_ASSIGN(const LabelledChunk* chunk, rows.Next());
      if (chunk == nullptr) return Report();
      HR_TRY(Take(*chunk, taker));
    }
  }

 private:
  Status Prepare() {
    columns_ = schema_.columns.size();
    if (request_.on != kRowId) {
      key_ = schema_.Find(request_.on);
      if (key_ < 0) return NoSuchColumn(request_.on, request_.stream, schema_);
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
    moments_.resize(schema_.columns.size());
    nulls_.resize(schema_.columns.size());
    return Ok();
  }

  Status Take(const LabelledChunk& chunk, const TrainingSetTaker& taker) {
    report_.unlabelled += chunk.unlabelled;
    report_.rows += chunk.rows();
    for (size_t i = 0; i < chunk.rows(); ++i) {
      const row::Value* row = chunk.values.data() + i * schema_.columns.size();
      report_.early_labels += chunk.label_times[i] < chunk.row_times[i] ? 1 : 0;
      Count(row);
      HR_TRY(taker.take(row));
    }
    return Ok();
  }

  void Count(const row::Value* row) {
    const size_t columns = schema_.columns.size();
    const std::optional<double> label = NumberOf(row[columns - 1], schema_.columns.back().type);
    for (size_t c = 0; c < columns; ++c) {
      nulls_[c] += row[c].null ? 1 : 0;
      if (auto number = NumberOf(row[c], schema_.columns[c].type)) moments_[c].Add(*number, label);
    }
    std::string json;
    row::AppendJson(row[columns - 1], schema_.columns.back().type, json);
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
  const Deployment& deployment_;
  const Deployed& item_;
  const LabelTable& labels_;
  const TrainingSetRequest& request_;
  row::Schema schema_;
  size_t columns_ = 0;  // of the stream
  int key_ = -1;
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
  HR_ASSIGN(std::unique_ptr<LabelTable> table,
            LabelTable::Load(
                log, deployment,
                {request.labels, request.on, request.labels_on, request.label, "", request.as_of}));
  return TrainingSet(log, deployment, *item, *table, request).Make(taker);
}

}  // namespace headrace::engine
