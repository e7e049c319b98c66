#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "train/table.h"

namespace headrace::train {

// The most bins for values of one feature; one more is for the missing ones, so that a bin is a
// byte.
inline constexpr size_t kValueBinsMax = 255;

// How the values of one feature become bins. Immutable after MakeBins.
//
// Numbers: bin b holds what is <= upper[b] and > upper[b - 1]. The last bound is the largest
// double, or infinity when that is among the values; a split needs a finite bound. Categories: bin
// b is category categories[b], the most frequent first. Bin values() is what is missing, and
// categories without a bin of their own.
struct FeatureBins {
  std::vector<double> upper;
  std::vector<int32_t> categories;
  bool categorical = false;
  bool has_missing = false;  // some row is in the last bin
  // The smallest and the largest value that is there; 0 without any.
  double low = 0;
  double high = 0;

  size_t values() const { return categorical ? categories.size() : upper.size(); }
  size_t bins() const { return values() + 1; }
  // False when all rows are in one bin.
  bool splits() const { return values() > 1 || (values() == 1 && has_missing); }
};

// Cuts a feature into bins of about equally many rows (Friedman 2001 sorts once; bins as in Ke et
// al. 2017). `sample` are the rows that are looked at, in rising order; a frequent value has a bin
// of its own, and as many bins as values when these are few.
FeatureBins MakeBins(const Column& column, const std::vector<uint32_t>& sample);

// Rows to make bins from: all, or kSampleRows spread evenly, one at a random place of each part.
std::vector<uint32_t> SampleRows(size_t rows, uint64_t seed);

// Writes the bin of each value to bins[0], bins[stride], ...; sets has_missing.
void Encode(const Column& column, FeatureBins* feature, uint8_t* bins, size_t stride);

inline constexpr size_t kSampleRows = 200'000;

}  // namespace headrace::train
