#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace headrace::cli {

struct SyntheticModelOptions {
  int trees = 100;
  int leaves = 31;
  int features = 30;
  uint64_t seed = 1;
};

// A LightGBM text model of random trees: splits and leaf values without meaning, grown leaf by leaf
// at random, so depths vary as they do in trained ones. Inputs are meant to lie in [0, 1).
std::string SyntheticModel(const SyntheticModelOptions& options);

// Rows for such a model, row-major: floats in [0, 1), so that a library that compares floats gets
// the same ones.
std::vector<double> SyntheticRows(size_t rows, size_t features);

// A small generator for benchmarks (splitmix64). Confined.
class BenchRandom {
 public:
  explicit BenchRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  uint64_t Below(uint64_t bound) { return Next() % bound; }

 private:
  uint64_t state_;
};

}  // namespace headrace::cli
