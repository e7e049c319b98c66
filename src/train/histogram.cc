#include "train/histogram.h"

#include <bit>
#include <cstring>

#include "headrace/check.h"

namespace headrace::train {
namespace {

static_assert(std::endian::native == std::endian::little);

// Rows of a node lie apart in memory: their bins are asked for this many rows ahead.
constexpr size_t kAhead = 24;

template <size_t kWidth>
void AccumulateGroup(const BinnedRows::Group& group, const HistogramLayout& layout,
                     const NodeRows& node, unsigned count_bits, Cell* histogram) {
  Cell* cells[kWidth];
  for (size_t w = 0; w < kWidth; ++w)
    cells[w] = histogram + layout.first(group.first + w);
  const uint8_t* bins = group.bins.data();
  const size_t count = node.rows.size();
  const uint32_t* rows = node.rows.data();
  const Gradient* gradients = node.gradients.data();
  for (size_t i = 0; i < count; ++i) {
    const size_t ahead = i + kAhead < count ? i + kAhead : i;
    __builtin_prefetch(bins + size_t{rows[ahead]} * kWidth);
    uint64_t word = 0;
    std::memcpy(&word, bins + size_t{rows[i]} * kWidth, kWidth);
    const Cell::Pair add = {gradients[i].first, (int64_t{gradients[i].second} << count_bits) | 1};
#pragma GCC unroll 8
    for (size_t w = 0; w < kWidth; ++w)
      cells[w][(word >> (8 * w)) & 255].sums += add;
  }
}

}  // namespace

HistogramLayout::HistogramLayout(const BinnedRows& rows) {
  first_.push_back(0);
  for (size_t f = 0; f < rows.features(); ++f)
    first_.push_back(first_.back() + rows.feature(f).bins());
}

void Accumulate(const BinnedRows::Group& group, const HistogramLayout& layout, const NodeRows& node,
                unsigned count_bits, Cell* histogram) {
  using Kernel =
      void (*)(const BinnedRows::Group&, const HistogramLayout&, const NodeRows&, unsigned, Cell*);
  constexpr Kernel kKernels[] = {AccumulateGroup<1>, AccumulateGroup<2>, AccumulateGroup<3>,
                                 AccumulateGroup<4>, AccumulateGroup<5>, AccumulateGroup<6>,
                                 AccumulateGroup<7>, AccumulateGroup<8>};
  HR_CHECK(group.width >= 1 && group.width <= BinnedRows::kGroupFeatures);
  kKernels[group.width - 1](group, layout, node, count_bits, histogram);
}

}  // namespace headrace::train
