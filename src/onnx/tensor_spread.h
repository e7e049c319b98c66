#pragma once

#include <optional>
#include <vector>

#include "onnx/tensor.h"

namespace headrace::onnx {

// Which element of a tensor belongs to each element of the larger shape it is spread over (ONNX
// and NumPy broadcasting). Value type, immutable.
class Spread {
 public:
  // `from` must be spreadable over `to`, which has a count.
  Spread(const Shape& from, const Shape& to);

  size_t At(size_t i) const { return places_.empty() ? (one_ ? 0 : i) : places_[i]; }

 private:
  bool one_ = false;
  std::vector<uint32_t> places_;  // empty: the same place, or the only one
};

// The shape over which both can be spread, if there is one.
std::optional<Shape> SpreadShape(const Shape& a, const Shape& b);
bool CanSpread(const Shape& from, const Shape& to);

// The distance between neighbours along each axis.
std::vector<size_t> StridesOf(const Shape& shape);

// The place, in a tensor with these strides, of each element of `shape` in its order. A stride of 0
// repeats. The shape has a count.
std::vector<uint32_t> PlacesOf(const Shape& shape, const std::vector<size_t>& strides,
                               size_t start = 0);

}  // namespace headrace::onnx
