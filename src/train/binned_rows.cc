#include "train/binned_rows.h"

#include <algorithm>

namespace headrace::train {

BinnedRows BinnedRows::Make(Table* table, uint64_t seed, os::WorkerTeam& team) {
  BinnedRows made;
  made.rows_ = table->rows();
  made.all_.resize(table->columns.size());
  const std::vector<uint32_t> sample = SampleRows(made.rows_, seed);
  std::vector<std::vector<uint8_t>> encoded(table->columns.size());
  team.Run(table->columns.size(), [&](size_t c, size_t) {
    Column& column = table->columns[c];
    made.all_[c] = MakeBins(column, sample);
    encoded[c].resize(made.rows_);
    Encode(column, &made.all_[c], encoded[c].data(), 1);
    column.values = {};
    if (!made.all_[c].splits()) encoded[c] = {};
  });
  for (size_t c = 0; c < made.all_.size(); ++c) {
    if (!made.all_[c].splits()) continue;
    made.columns_.push_back(c);
    made.features_.push_back(made.all_[c]);
  }
  made.groups_.resize((made.features() + kGroupFeatures - 1) / kGroupFeatures);
  team.Run(made.groups_.size(), [&](size_t g, size_t) {
    Group& group = made.groups_[g];
    group.first = g * kGroupFeatures;
    group.width = std::min(kGroupFeatures, made.features() - group.first);
    group.bins.resize(made.rows_ * group.width);
    for (size_t w = 0; w < group.width; ++w) {
      std::vector<uint8_t>& bins = encoded[made.columns_[group.first + w]];
      for (size_t row = 0; row < made.rows_; ++row)
        group.bins[row * group.width + w] = bins[row];
      bins = {};
    }
  });
  return made;
}

std::vector<int8_t> BinnedRows::MonotoneOf(const Table& table) const {
  std::vector<int8_t> monotone;
  for (size_t column : columns_)
    monotone.push_back(table.columns[column].monotone);
  return monotone;
}

}  // namespace headrace::train
