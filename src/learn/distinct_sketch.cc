#include "learn/distinct_sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "headrace/check.h"

namespace headrace::learn {
namespace {

constexpr double kBase = 0.72134752044448170368;  // 1 / (2 ln 2)

// The expectations of registers that are still 0, and of those that are full (Ertl, section 3).
double Sigma(double x) {
  if (x == 1) return INFINITY;
  double y = 1;
  double z = x;
  for (double before = -1; z != before;) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double z = 1 - x;
  for (double before = -1; z != before;) {
    x = std::sqrt(x);
    before = z;
    y /= 2;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

}  // namespace

DistinctSketch::DistinctSketch(int precision) : precision_(precision) {
  HR_CHECK(precision >= kLeastPrecision && precision <= kMostPrecision);
  registers_.resize(size_t{1} << precision);
  counts_[0] = static_cast<uint32_t>(registers_.size());
}

void DistinctSketch::Add(uint64_t hash) {
  const auto at = static_cast<size_t>(hash >> width());
  const uint64_t rest = hash << precision_;
  const int rank = rest == 0 ? width() + 1 : std::countl_zero(rest) + 1;
  if (rank <= registers_[at]) return;
  Raise(at, static_cast<uint8_t>(rank));
  estimate_ = Compute();
}

void DistinctSketch::Raise(size_t at, uint8_t rank) {
  --counts_[registers_[at]];
  ++counts_[rank];
  registers_[at] = rank;
}

void DistinctSketch::Merge(const DistinctSketch& other) {
  HR_CHECK(precision_ == other.precision_);
  for (size_t at = 0; at < registers_.size(); ++at) {
    if (other.registers_[at] > registers_[at]) Raise(at, other.registers_[at]);
  }
  estimate_ = Compute();
}

double DistinctSketch::Compute() const {
  const auto m = static_cast<double>(registers_.size());
  if (counts_[0] == registers_.size()) return 0;
  double z = m * Tau(1 - counts_[static_cast<size_t>(width()) + 1] / m);
  for (int rank = width(); rank >= 1; --rank)
    z = (z + counts_[static_cast<size_t>(rank)]) / 2;
  z += m * Sigma(counts_[0] / m);
  return kBase * m * m / z;
}

// Runs of equal registers: count varint, value u8.
void DistinctSketch::Save(base::ByteWriter& writer) const {
  for (size_t at = 0; at < registers_.size();) {
    size_t end = at;
    while (end < registers_.size() && registers_[end] == registers_[at])
      ++end;
    writer.Varint(end - at);
    writer.U8(registers_[at]);
    at = end;
  }
}

bool DistinctSketch::Load(base::ByteReader& reader) {
  counts_ = {};
  for (size_t at = 0; at < registers_.size();) {
    const uint64_t count = reader.Varint();
    const uint8_t rank = reader.U8();
    if (!reader.ok() || count == 0 || count > registers_.size() - at || rank > width() + 1) {
      return false;
    }
    std::fill_n(registers_.begin() + static_cast<ptrdiff_t>(at), count, rank);
    counts_[rank] += static_cast<uint32_t>(count);
    at += count;
  }
  estimate_ = Compute();
  return true;
}

}  // namespace headrace::learn
