#pragma once

#include <cstdint>
#include <vector>

#include "os/worker_team.h"
#include "train/bins.h"
#include "train/table.h"

namespace headrace::train {

// All rows as bins, by groups of up to eight features: the bins of a row in a group lie side by
// side, so that one load brings them all. Features in which all rows are alike are left out; the
// others are numbered anew. Immutable after Make, thread-safe. Memory: a byte a value.
class BinnedRows {
 public:
  static constexpr size_t kGroupFeatures = 8;

  struct Group {
    size_t first = 0;  // feature
    size_t width = 0;
    std::vector<uint8_t> bins;  // rows x width
  };

  // Takes the columns' values away as it goes.
  static BinnedRows Make(Table* table, uint64_t seed, os::WorkerTeam& team);

  size_t rows() const { return rows_; }
  size_t features() const { return features_.size(); }
  const FeatureBins& feature(size_t f) const { return features_[f]; }
  size_t column(size_t f) const { return columns_[f]; }  // its place in the table
  const std::vector<Group>& groups() const { return groups_; }
  // Of every column of the table, also those that are left out.
  const std::vector<FeatureBins>& all() const { return all_; }

  // The constraint of each feature.
  std::vector<int8_t> MonotoneOf(const Table& table) const;

  // The bins of feature f: of row r at r * stride.
  const uint8_t* bins(size_t f, size_t* stride) const {
    const Group& group = groups_[f / kGroupFeatures];
    *stride = group.width;
    return group.bins.data() + (f - group.first);
  }

 private:
  size_t rows_ = 0;
  std::vector<FeatureBins> all_;
  std::vector<FeatureBins> features_;
  std::vector<size_t> columns_;
  std::vector<Group> groups_;
};

}  // namespace headrace::train
