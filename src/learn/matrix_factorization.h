#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "learn/regressor.h"

namespace headrace::learn {

struct FactorOptions {
  size_t factors = 10;
  double rate = 0.025;
  double l2 = 0.02;
  size_t memory_max = size_t{64} << 20;
};

// How a user would rate an item: the mean of all ratings, a bias of either, and the product of
// their factors, each moved against the squared error. Koren, Bell and Volinsky, "Matrix
// Factorization Techniques for Recommender Systems", IEEE Computer 2009.
//
// An example has two features, the numbers of user and item. Whoever is not known counts as the
// mean. First factors come from the seed and the number alone, so that they do not depend on who
// came before. Memory: 8 bytes a factor and about 64 for each user and item; beyond memory_max
// nobody new is taken in, and those known go on.
class MatrixFactorization final : public Regressor {
 public:
  MatrixFactorization(const FactorOptions& options, uint64_t seed);

  double Estimate(Features x) const override;
  // Nothing is learned of an example without user or item.
  void Learn(Features x, double label) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

 private:
  // Users, or items. Values of one: its bias, then its factors.
  struct Side {
    std::unordered_map<double, size_t> places;  // looked up only: its order means nothing
    std::vector<double> names;                  // by place, in the order of arrival
    std::vector<double> values;
  };

  const double* Find(const Side& side, double name) const;
  // Null when there is no room.
  double* Take(Side& side, double name, uint64_t salt);
  bool LoadSide(Side& side, base::ByteReader& reader);
  size_t ValuesOfOne() const { return options_.factors + 1; }
  size_t BytesOfOne() const { return ValuesOfOne() * sizeof(double) + 64; }

  FactorOptions options_;
  uint64_t seed_;
  uint64_t count_ = 0;
  double mean_ = 0;
  Side users_;
  Side items_;
};

}  // namespace headrace::learn
