#include "engine/training_rows.h"

#include <algorithm>
#include <cmath>

#include "engine/row_cursor.h"
#include "engine/row_decoder.h"
#include "flow/select_node.h"

namespace headrace::engine {
namespace {

const std::vector<std::string> kNoCategories;

bool Fits(double label, train::Task task) {
  switch (task) {
    case train::Task::kBinary:
      return label == 0 || label == 1;
    case train::Task::kMulticlass:
      return label >= 0 && label < static_cast<double>(train::kClassesMax) &&
             label == std::floor(label);
    case train::Task::kRegression:
      return std::abs(label) <= train::kLabelMax;
  }
  return false;
}

}  // namespace

NewestRows::NewestRows(size_t width, int64_t rows, size_t memory)
    : width_(width),
      most_(std::clamp<size_t>(memory / 2 / (width * sizeof(double)), 1,
                               static_cast<size_t>(rows))) {}

void NewestRows::Add(std::span<const double> row) {
  if (values_.size() < most_ * width_) {
    values_.insert(values_.end(), row.begin(), row.end());
  } else {
    std::copy(row.begin(), row.end(), values_.begin() + static_cast<ptrdiff_t>(next_ * width_));
    next_ = (next_ + 1) % most_;
  }
  ++seen_;
}

train::Table NewestRows::Take(const std::vector<std::string>& names, size_t begin,
                              size_t end) const {
  train::Table table;
  table.columns.resize(width_ - 1);
  for (size_t c = 0; c + 1 < width_; ++c) {
    table.columns[c].name = names[c];
    table.columns[c].values = Column(c, begin, end);
  }
  table.labels = Column(width_ - 1, begin, end);
  return table;
}

std::vector<double> NewestRows::Column(size_t c, size_t begin, size_t end) const {
  std::vector<double> column;
  column.reserve(end - begin);
  for (size_t i = begin; i < end; ++i)
    column.push_back(values_[(next_ + i) % rows() * width_ + c]);
  return column;
}

TrainingRows::TrainingRows(const Deployment& deployment, const sql::TrainerPlan& plan)
    : deployment_(deployment),
      plan_(plan),
      stream_(*deployment.Find(plan.stream)),
      schema_(deployment.SchemaOf(stream_)),
      rows_(plan.features.size() + 1, plan.rows, plan.options.memory) {
  std::vector<std::string> names = plan.features;
  names.push_back(plan.label);
  for (const std::string& name : names) {
    columns_.push_back(schema_.Find(name));
    if (columns_.back() < 0) missing_ = name;
  }
}

Status TrainingRows::Read(const log::Log& log, uint64_t behind, row::Place until,
                          const std::atomic<bool>& stop) {
  HR_ASSIGN(auto cursor, RowCursor::Open(log, stream_, -1, 0));
  RowDecoder decoder(deployment_, stream_);
  StoredRow stored;
  std::vector<double> row(columns_.size());
  while (!stop) {
    HR_ASSIGN(const bool more, cursor->Next(&stored));
    if (!more || stored.cause > until) break;
    if (stored.cause.lsn <= behind) continue;
    row::Value* values = nullptr;
    HR_ASSIGN(const bool fits, decoder.Decode(stored, &values));
    if (!fits || values[columns_.back()].null) continue;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const auto at = static_cast<size_t>(columns_[c]);
      row[c] = flow::FeatureOf(values[at], schema_.columns[at].type, kNoCategories);
    }
    if (Fits(row.back(), plan_.options.task())) {
      rows_.Add(row);
    } else {
      ++unfit_;
    }
  }
  return Ok();
}

}  // namespace headrace::engine
