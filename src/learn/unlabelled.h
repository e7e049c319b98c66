#pragma once

#include <cstddef>
#include <optional>

#include "learn/classifier.h"

namespace headrace::learn {

// Learns from examples that have no label: how unusual an example is, or which group it belongs to.
// What it answers is a function of its options and of the examples it learned, in order. Confined.
class Unlabelled {
 public:
  virtual ~Unlabelled() = default;

  // A score, or the number of a group; nothing until enough was seen.
  virtual std::optional<double> Answer(Features x) const = 0;
  virtual void Learn(Features x) = 0;
  // As of a Classifier.
  virtual void Save(base::ByteWriter& writer) const = 0;
  virtual bool Load(base::ByteReader& reader) = 0;
  virtual size_t memory() const = 0;
};

}  // namespace headrace::learn
