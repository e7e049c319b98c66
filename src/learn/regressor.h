#pragma once

#include <cstddef>

#include "learn/classifier.h"

namespace headrace::learn {

// Estimates numbers from one example after another. Confined.
class Regressor {
 public:
  virtual ~Regressor() = default;
  virtual double Estimate(Features x) const = 0;
  virtual void Learn(Features x, double label) = 0;
  // As of a Classifier.
  virtual void Save(base::ByteWriter& writer) const = 0;
  virtual bool Load(base::ByteReader& reader) = 0;
  virtual size_t memory() const = 0;
};

}  // namespace headrace::learn
