#include "onnx/tensor_spread.h"

#include <algorithm>

namespace headrace::onnx {

std::vector<size_t> StridesOf(const Shape& shape) {
  std::vector<size_t> strides(shape.size());
  size_t stride = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= static_cast<size_t>(shape[axis]);
  }
  return strides;
}

std::vector<uint32_t> PlacesOf(const Shape& shape, const std::vector<size_t>& strides,
                               size_t start) {
  std::vector<uint32_t> places;
  const size_t count = CountElements(shape).value_or(0);
  places.reserve(count);
  Shape at(shape.size());
  size_t place = start;
  while (places.size() < count) {
    places.push_back(static_cast<uint32_t>(place));
    for (size_t axis = shape.size(); axis-- > 0;) {
      place += strides[axis];
      if (++at[axis] < shape[axis]) break;
      place -= strides[axis] * static_cast<size_t>(at[axis]);
      at[axis] = 0;
    }
  }
  return places;
}

std::optional<Shape> SpreadShape(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape shape = longer;
  const size_t lead = longer.size() - shorter.size();
  for (size_t axis = 0; axis < shorter.size(); ++axis) {
    int64_t& extent = shape[lead + axis];
    if (extent == shorter[axis]) continue;
    if (extent != 1 && shorter[axis] != 1) return std::nullopt;
    if (extent == 1) extent = shorter[axis];
  }
  return shape;
}

bool CanSpread(const Shape& from, const Shape& to) {
  const std::optional<Shape> shape = SpreadShape(from, to);
  return shape && *shape == to;
}

Spread::Spread(const Shape& from, const Shape& to) {
  if (from == to) return;
  if (CountElements(from) == 1) {
    one_ = true;
    return;
  }
  if (CountElements(from) == CountElements(to)) return;  // differs in leading ones only
  const std::vector<size_t> own = StridesOf(from);
  std::vector<size_t> strides(to.size());
  const size_t lead = to.size() - from.size();
  for (size_t axis = 0; axis < from.size(); ++axis) {
    strides[lead + axis] = from[axis] == 1 ? 0 : own[axis];
  }
  places_ = PlacesOf(to, strides);
}

}  // namespace headrace::onnx
