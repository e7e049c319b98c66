#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace headrace::learn {

// The random numbers of a learner: splitmix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom
// Number Generators", OOPSLA 2014). The same seed gives the same numbers on every machine; the one
// word of state is part of the learner's. Value type, unsynchronized.
class Draws {
 public:
  explicit Draws(uint64_t seed = 0) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // Uniform in [0, 1), a multiple of 2^-53.
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  // Uniform in [0, bound); bound is below 2^32, the bias below 2^-32.
  uint64_t Below(uint64_t bound) { return ((Next() >> 32) * bound) >> 32; }

  // Of a Poisson distribution, given e^-mean; the mean is below 100 (Knuth's product of draws).
  int Poisson(double exp_of_minus_mean) {
    int count = -1;
    for (double product = 1; product > exp_of_minus_mean; product *= Unit())
      ++count;
    return count;
  }

  void Save(base::ByteWriter& writer) const { writer.U64Le(state_); }
  void Load(base::ByteReader& reader) { state_ = reader.U64Le(); }

 private:
  uint64_t state_;
};

}  // namespace headrace::learn
