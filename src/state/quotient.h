#pragma once

#include <cstdint>

#include "row/value.h"

namespace headrace::state {

// Averages and spreads of values whose totals fit 128 bits: what nearly every window needs, without
// arithmetic of any length. Each returns false when the totals are too large; the general way then
// gives the same digits.

// Averages have at least so many decimals, where 38 digits leave room for them: PostgreSQL gives
// none at all to an average of 17 digits or more before the point.
constexpr int kAverageDecimals = 9;

// sum / count, in units of 10^-scale, as PostgreSQL divides numerics, see kAverageDecimals.
bool FastAverage(row::Int128 sum, uint64_t count, int scale, row::Value* value);

struct SpreadTotals {
  row::Int128 sum = 0;
  const uint64_t* squares = nullptr;  // three limbs
  uint64_t count = 0;
  int scale = 0;
  bool sample = false;     // divides by n - 1
  bool deviation = false;  // the root
};
bool FastSpread(const SpreadTotals& totals, row::Value* value);

// The square root of high * 2^128 + low, rounded to nearest.
unsigned __int128 RoundedRoot(unsigned __int128 high, unsigned __int128 low);

}  // namespace headrace::state
