#pragma once

#include <cstdint>

namespace headrace::train {

// The most rows there may be is 2^24, and a sum of gradients has to fit in 63 bits with 30 bits
// each.
inline constexpr int kGradientBits = 30;

// First and second derivative of the loss at one row, as multiples of a power of two. Whole numbers
// add up to the same whatever the order, so that sums do not depend on how rows are shared among
// threads, and a histogram less another is exactly that of the other rows.
struct Gradient {
  int32_t first = 0;
  int32_t second = 0;
};

// What one unit of a Gradient is worth, and how sums are packed.
struct GradientScale {
  double first = 1;         // units per 1
  double second = 1;        // units per 1
  unsigned count_bits = 1;  // rows fit in these
};

// Sums over rows. Value type; exact.
struct Sums {
  int64_t first = 0;
  int64_t second = 0;
  int64_t rows = 0;

  Sums operator-(const Sums& other) const {
    return {first - other.first, second - other.second, rows - other.rows};
  }
  Sums& operator+=(const Sums& other) {
    first += other.first;
    second += other.second;
    rows += other.rows;
    return *this;
  }
};

}  // namespace headrace::train
