#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/deployment.h"
#include "log/log.h"
#include "train/table.h"

namespace headrace::engine {

// The newest rows with a label, row by row, in a ring. They take half of the memory at most: the
// rest is for learning. Value type.
class NewestRows {
 public:
  NewestRows(size_t width, int64_t rows, size_t memory);

  // `row`: the features, then the label.
  void Add(std::span<const double> row);
  uint64_t seen() const { return seen_; }
  size_t rows() const { return values_.size() / width_; }

  // Rows [begin, end), the oldest first, as a table.
  train::Table Take(const std::vector<std::string>& names, size_t begin, size_t end) const;

 private:
  std::vector<double> Column(size_t c, size_t begin, size_t end) const;

  size_t width_;
  size_t most_;
  std::vector<double> values_;
  size_t next_ = 0;  // the oldest, when it is full
  uint64_t seen_ = 0;
};

// Reads the rows of a trainer's stream that have a label. Confined; what is given must outlive it.
class TrainingRows {
 public:
  TrainingRows(const Deployment& deployment, const sql::TrainerPlan& plan);

  // The column that the stream has no more, since it was replaced; empty: all are there.
  const std::string& missing() const { return missing_; }
  // Rows of causes behind this LSN, up to the place. Errors: those of reading.
  Status Read(const log::Log& log, uint64_t behind, row::Place until,
              const std::atomic<bool>& stop);

  const NewestRows& rows() const { return rows_; }
  uint64_t unfit() const { return unfit_; }  // labels that the objective does not know

 private:
  const Deployment& deployment_;
  const sql::TrainerPlan& plan_;
  const Deployed& stream_;
  row::Schema schema_;
  std::string missing_;
  std::vector<int> columns_;  // of the features, then the label
  NewestRows rows_;
  uint64_t unfit_ = 0;
};

}  // namespace headrace::engine
