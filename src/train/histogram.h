#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/binned_rows.h"
#include "train/gradient.h"

namespace headrace::train {

// Sums over the rows of one bin, two words of 64 bits: first derivatives; and second derivatives
// above a count of rows. Both are added at once.
struct Cell {
  using Pair [[gnu::vector_size(16)]] = int64_t;
  Pair sums = {0, 0};
};

inline Sums Unpack(const Cell& cell, unsigned count_bits) {
  const int64_t packed = cell.sums[1];
  return {cell.sums[0], packed >> count_bits, packed & ((int64_t{1} << count_bits) - 1)};
}

// Where the bins of each feature lie in a histogram. Immutable.
class HistogramLayout {
 public:
  explicit HistogramLayout(const BinnedRows& rows);
  size_t cells() const { return first_.back(); }
  size_t first(size_t feature) const { return first_[feature]; }  // features() gives the end

 private:
  std::vector<size_t> first_;
};

// Rows of a node and their gradients, side by side.
struct NodeRows {
  std::span<const uint32_t> rows;
  std::span<const Gradient> gradients;
};

// Adds the rows to the cells of one group's features in `histogram`, which follows `layout`.
void Accumulate(const BinnedRows::Group& group, const HistogramLayout& layout, const NodeRows& node,
                unsigned count_bits, Cell* histogram);

}  // namespace headrace::train
