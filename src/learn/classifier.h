#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace headrace::learn {

// One example: a value for each feature, in the order of the declaration. NaN is a missing value;
// no value is infinite.
using Features = std::span<const double>;

// How much speaks for each class, by its number. They add up to 1, or are all 0, or there are none:
// nothing is known yet. While one class is known, the rest to 1 is that of others.
using Votes = std::vector<double>;

inline constexpr size_t kFeaturesMax = 1000;
inline constexpr size_t kClassesMax = 1000;

// Learns classes from one example after another. Classes are numbered from 0 as they occur first;
// all are below kClassesMax.
//
// What it answers is a function of its options and of the examples it learned, in order: the same
// bits on every machine. Each has a bound for its memory, named in its own description. Confined.
class Classifier {
 public:
  virtual ~Classifier() = default;

  virtual void Vote(Features x, Votes& votes) const = 0;
  // Takes one labelled example. `before` becomes what Vote would have said before it.
  virtual void Learn(Features x, size_t label, Votes& before) = 0;

  // The exact state, without the options. Load goes into one with the same options that has not
  // learned; it gives false for bytes that Save did not write, and the classifier must then be
  // thrown away.
  virtual void Save(base::ByteWriter& writer) const = 0;
  virtual bool Load(base::ByteReader& reader) = 0;
  virtual size_t memory() const = 0;  // bytes, about
};

// The class with most votes, of several the first; -1 when nothing is known.
int MostVotes(std::span<const double> votes);
// Divides by the sum, unless that is 0.
void Normalize(Votes& votes);

// A double as its bits. Lists are a count and the values; LoadDoubles refuses more than
// `count_max`.
void SaveDouble(double value, base::ByteWriter& writer);
double LoadDouble(base::ByteReader& reader);
void SaveDoubles(std::span<const double> values, base::ByteWriter& writer);
bool LoadDoubles(size_t count_max, std::vector<double>& values, base::ByteReader& reader);

}  // namespace headrace::learn
