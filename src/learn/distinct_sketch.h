#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "learn/running_mean.h"

namespace headrace::learn {

// How many different values there were: HyperLogLog over 64-bit hashes. Flajolet, Fusy, Gandouet
// and Meunier, AofA 2007, with the estimator of Ertl, "New Cardinality Estimation Algorithms for
// HyperLogLog Sketches", arXiv 1702.01284, 2017, which needs no table of corrections.
//
// The standard error is 1.04 / sqrt(2^precision): 1.6 % with 12, which takes 4 KiB. Sketches of
// parts merge to that of the whole, exactly. State is a function of the set of hashes added.
// Confined.
class DistinctSketch {
 public:
  static constexpr int kLeastPrecision = 4;
  static constexpr int kMostPrecision = 18;

  explicit DistinctSketch(int precision = 12);

  void Add(uint64_t hash);
  // Of the same precision.
  void Merge(const DistinctSketch& other);
  double Estimate() const { return estimate_; }

  size_t memory() const { return registers_.capacity(); }
  // Without the precision. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  int width() const { return 64 - precision_; }  // bits of a hash that are counted
  void Raise(size_t at, uint8_t rank);
  double Compute() const;

  int precision_;
  std::vector<uint8_t> registers_;     // the highest rank of a first one bit
  std::array<uint32_t, 66> counts_{};  // registers by what they hold
  double estimate_ = 0;
};

}  // namespace headrace::learn
