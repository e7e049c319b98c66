// Operators that move elements and change shapes, and compute nothing.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "onnx/op.h"
#include "onnx/tensor_spread.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

// Each element of the output is the one at a known place of the input.
class Pick : public Operation {
 public:
  explicit Pick(std::vector<uint32_t> places) : places_(std::move(places)) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t i = 0; i < places_.size(); ++i) {
      outputs[0][i] = inputs[0][places_[i]];
    }
  }

 private:
  std::vector<uint32_t> places_;
};

void GivePicked(OnnxOp& op, const OnnxValue& in, Shape shape, std::vector<uint32_t> places) {
  if (op.failed()) return;
  const uint64_t work = places.size();
  OnnxValue picked = op.ApplyOne(std::make_unique<Pick>(std::move(places)), {&in},
                                 {in.type, std::move(shape)}, work);
  picked.open_text = in.open_text;
  op.Give(0, std::move(picked));
}

// The same elements in another shape.
void GiveReshaped(OnnxOp& op, const OnnxValue& in, Shape shape) {
  if (op.failed()) return;
  if (shape.size() > kTensorRankMax) return op.OverLimit("too many dimensions");
  if (CountElements(shape) != in.count()) {
    return op.Malformed("the shape " + ToString(in.shape) + " cannot become " + ToString(shape));
  }
  OnnxValue value = in;
  value.shape = std::move(shape);
  op.Give(0, std::move(value));
}

void CompileIdentity(OnnxOp& op) {
  const OnnxValue& in = op.In(0);
  if (!op.failed()) op.Give(0, in);
}

void CompileReshape(OnnxOp& op) {
  const OnnxValue& in = op.In(0);
  const bool keeps_zero = op.Integer("allowzero", 0) != 0;
  Shape shape = op.FixedIntegersIn(1);
  if (op.failed()) return;
  size_t rest = in.count();
  int64_t* open = nullptr;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 0 && !keeps_zero) {
      if (axis >= in.shape.size()) return op.Malformed("a 0 beyond the input's dimensions");
      shape[axis] = in.shape[axis];
    }
    if (shape[axis] == -1 && open == nullptr) {
      open = &shape[axis];
      continue;
    }
    if (shape[axis] < 0) return op.Malformed("the shape " + ToString(shape));
    rest = shape[axis] == 0 ? 0 : rest / static_cast<size_t>(shape[axis]);
  }
  if (open != nullptr) *open = static_cast<int64_t>(rest);
  GiveReshaped(op, in, std::move(shape));
}

void CompileFlatten(OnnxOp& op) {
  const OnnxValue& in = op.In(0);
  const auto rank = static_cast<int64_t>(in.shape.size());
  int64_t axis = op.Integer("axis", 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) return op.Malformed("the axis is outside the input");
  Shape shape = {1, 1};
  for (int64_t i = 0; i < rank; ++i) {
    shape[i < axis ? 0 : 1] *= in.shape[static_cast<size_t>(i)];
  }
  GiveReshaped(op, in, std::move(shape));
}

// Axes are an attribute at first, an input since version 13.
std::vector<int64_t> Axes(OnnxOp& op) {
  if (op.opset() < 13) return op.Integers("axes");
  return op.Has(1) ? op.FixedIntegersIn(1) : std::vector<int64_t>();
}

void CompileSqueeze(OnnxOp& op) {
  const OnnxValue& in = op.In(0);
  const std::vector<int64_t> axes = Axes(op);
  std::vector<bool> drop(in.shape.size());
  for (size_t i = 0; i < drop.size(); ++i) {
    drop[i] = axes.empty() && in.shape[i] == 1;
  }
  for (int64_t axis : axes) {
    const size_t at = op.Axis(axis, in.shape.size());
    if (op.failed()) return;
    drop[at] = true;
  }
  Shape shape;
  for (size_t i = 0; i < drop.size(); ++i) {
    if (!drop[i]) shape.push_back(in.shape[i]);
  }
  GiveReshaped(op, in, std::move(shape));  // finds an extent that is not 1
}

void CompileUnsqueeze(OnnxOp& op) {
  const OnnxValue& in = op.In(0);
  const std::vector<int64_t> axes = Axes(op);
  const size_t rank = in.shape.size() + axes.size();
  if (rank > kTensorRankMax) return op.OverLimit("too many dimensions");
  std::vector<bool> added(rank);
  for (int64_t axis : axes) {
    const size_t at = op.Axis(axis, rank);
    if (op.failed()) return;
    if (added[at]) return op.Malformed("an axis twice");
    added[at] = true;
  }
  Shape shape;
  size_t next = 0;
  for (size_t i = 0; i < rank; ++i) {
    shape.push_back(added[i] ? 1 : in.shape[next++]);
  }
  GiveReshaped(op, in, std::move(shape));
}

void CompileTranspose(OnnxOp& op) {
  const OnnxValue& in = op.In(0);
  const size_t rank = in.shape.size();
  std::vector<int64_t> order = op.Integers("perm");
  for (size_t i = 0; order.size() < rank && !op.HasAttribute("perm"); ++i) {
    order.push_back(static_cast<int64_t>(rank - 1 - i));
  }
  if (order.size() != rank) return op.Malformed("perm does not name every axis");
  const std::vector<size_t> strides = StridesOf(in.shape);
  std::vector<bool> seen(rank);
  Shape shape;
  std::vector<size_t> taken;
  for (int64_t axis : order) {
    const size_t at = op.Axis(axis, rank);
    if (op.failed()) return;
    if (seen[at]) return op.Malformed("perm names an axis twice");
    seen[at] = true;
    shape.push_back(in.shape[at]);
    taken.push_back(strides[at]);
  }
  if (op.failed()) return;
  std::vector<uint32_t> places = PlacesOf(shape, taken);
  GivePicked(op, in, std::move(shape), std::move(places));
}

void CompileExpand(OnnxOp& op) {
  const OnnxValue& in = op.In(0);
  const Shape wanted = op.FixedIntegersIn(1);
  if (op.failed()) return;
  std::optional<Shape> shape = SpreadShape(in.shape, wanted);
  if (!shape || !CountElements(*shape)) return op.Malformed("cannot expand to " + ToString(wanted));
  const Spread spread(in.shape, *shape);
  std::vector<uint32_t> places(*CountElements(*shape));
  for (size_t i = 0; i < places.size(); ++i) {
    places[i] = static_cast<uint32_t>(spread.At(i));
  }
  GivePicked(op, in, std::move(*shape), std::move(places));
}

// What a slice takes along one axis.
struct Range {
  int64_t start = 0;
  int64_t count = 0;
  int64_t step = 1;
};

Range RangeOf(int64_t start, int64_t end, int64_t step, int64_t extent) {
  const int64_t low = step > 0 ? 0 : -1;
  const int64_t high = step > 0 ? extent : extent - 1;
  start = std::clamp(start < 0 ? start + extent : start, step > 0 ? 0 : int64_t{0}, high);
  end = std::clamp(end < 0 ? end + extent : end, low, extent);
  const int64_t span = step > 0 ? end - start : start - end;
  const int64_t stride = std::abs(step);
  return {start, span <= 0 ? 0 : (span - 1) / stride + 1, step};
}

void CompileSlice(OnnxOp& op) {
  const OnnxValue& in = op.In(0);
  const bool inputs = op.opset() >= 10;
  const std::vector<int64_t> starts = inputs ? op.FixedIntegersIn(1) : op.Integers("starts");
  const std::vector<int64_t> ends = inputs ? op.FixedIntegersIn(2) : op.Integers("ends");
  std::vector<int64_t> axes =
      inputs ? (op.Has(3) ? op.FixedIntegersIn(3) : std::vector<int64_t>()) : op.Integers("axes");
  std::vector<int64_t> steps =
      inputs && op.Has(4) ? op.FixedIntegersIn(4) : std::vector<int64_t>(starts.size(), 1);
  if (axes.empty()) {
    axes.resize(starts.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (op.failed()) return;
  if (ends.size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size()) {
    return op.Malformed("starts, ends, axes and steps are not equally many");
  }
  Shape shape = in.shape;
  std::vector<size_t> strides = StridesOf(in.shape);
  size_t begin = 0;
  for (size_t i = 0; i < starts.size(); ++i) {
    const size_t at = op.Axis(axes[i], shape.size());
    if (op.failed()) return;
    if (steps[i] == 0) return op.Malformed("a step of 0");
    if (steps[i] < 0 && in.shape[at] == 0) return op.Malformed("a slice of nothing");
    const Range range = RangeOf(starts[i], ends[i], steps[i], in.shape[at]);
    begin += static_cast<size_t>(range.start) * strides[at];
    // Steps backwards wrap around, and back again when they are added.
    strides[at] *= static_cast<size_t>(range.step);
    shape[at] = range.count;
  }
  std::vector<uint32_t> places = PlacesOf(shape, strides, begin);
  GivePicked(op, in, std::move(shape), std::move(places));
}

// Several tensors one after the other along an axis.
class Join : public Operation {
 public:
  Join(size_t outer, std::vector<size_t> widths) : outer_(outer), widths_(std::move(widths)) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    double* out = outputs[0];
    for (size_t o = 0; o < outer_; ++o) {
      for (size_t i = 0; i < widths_.size(); ++i) {
        out = std::copy_n(inputs[i] + o * widths_[i], widths_[i], out);
      }
    }
  }

 private:
  size_t outer_;
  std::vector<size_t> widths_;  // elements of each input, for one of the outer places
};

void CompileConcat(OnnxOp& op) {
  const OnnxValue& first = op.In(0);
  const size_t axis = op.Axis(op.Integer("axis", 1), first.shape.size());
  if (op.failed()) return;
  Shape shape = first.shape;
  shape[axis] = 0;
  size_t outer = 1;
  for (size_t i = 0; i < axis; ++i) {
    outer *= static_cast<size_t>(first.shape[i]);
  }
  std::vector<const OnnxValue*> parts;
  std::vector<size_t> widths;
  bool open_text = false;
  for (size_t i = 0; i < op.inputs(); ++i) {
    const OnnxValue& part = op.In(i);
    if (op.failed()) return;
    Shape rest = part.shape;
    if (rest.size() == shape.size()) rest[axis] = shape[axis];
    if (rest != shape || part.type != first.type) {
      return op.Malformed("input " + std::to_string(i) + " does not go with the first");
    }
    parts.push_back(&part);
    widths.push_back(outer == 0 ? 0 : part.count() / outer);
    open_text = open_text || part.open_text;
    shape[axis] += part.shape[axis];
  }
  const uint64_t work = CountElements(shape).value_or(0);
  OnnxValue joined = op.ApplyOne(std::make_unique<Join>(outer, std::move(widths)), parts,
                                 {first.type, shape}, work);
  joined.open_text = open_text;
  op.Give(0, std::move(joined));
}

void CompileShape(OnnxOp& op) {
  const Shape& shape = op.In(0).shape;
  if (op.failed()) return;
  if (op.HasAttribute("start") || op.HasAttribute("end")) {
    return op.Unsupported("a part of a shape is not supported");
  }
  const auto rank = static_cast<int64_t>(shape.size());
  op.Give(0, op.Fixed({shape.begin(), shape.end()}, {kInt64, {rank}}));
}

void CompileConstant(OnnxOp& op) {
  if (const OnnxTensor* tensor = op.Tensor("value")) return op.Give(0, op.Fixed(*tensor));
  if (op.HasAttribute("value_float")) {
    return op.Give(0, op.Fixed({static_cast<double>(op.Number("value_float", 0))}, {kFloat, {}}));
  }
  if (op.HasAttribute("value_int")) {
    return op.Give(0, op.Fixed({static_cast<double>(op.Integer("value_int", 0))}, {kInt64, {}}));
  }
  if (op.HasAttribute("value_ints")) {
    const std::vector<int64_t>& list = op.Integers("value_ints");
    return op.Give(
        0, op.Fixed({list.begin(), list.end()}, {kInt64, {static_cast<int64_t>(list.size())}}));
  }
  if (op.HasAttribute("value_floats")) {
    const std::vector<float>& list = op.Numbers("value_floats");
    return op.Give(
        0, op.Fixed({list.begin(), list.end()}, {kFloat, {static_cast<int64_t>(list.size())}}));
  }
  op.Unsupported("this kind of constant is not supported");
}

void CompileConstantOfShape(OnnxOp& op) {
  const Shape shape = op.FixedIntegersIn(0);
  const OnnxTensor* value = op.Tensor("value");
  if (op.failed()) return;
  if (value != nullptr && value->numbers.size() != 1)
    return op.Malformed("a value that is not one");
  for (int64_t extent : shape) {
    if (extent < 0) return op.Malformed("a negative extent");
  }
  const OnnxValue one = op.Fixed({value == nullptr ? 0.0 : value->numbers[0]},
                                 {value == nullptr ? kFloat : value->type, {}});
  const std::optional<size_t> count = CountElements(shape);
  if (!count) return op.OverLimit("a tensor of the shape " + ToString(shape));
  GivePicked(op, one, shape, std::vector<uint32_t>(*count));
}

// Whole slices along one axis, by numbers that may depend on the row. One out of range gives NaN.
class Take : public Operation {
 public:
  struct Extents {
    size_t outer = 1;
    size_t axis = 1;
    size_t inner = 1;
    size_t taken = 1;
  };
  explicit Take(Extents extents) : extents_(extents) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    const auto [outer, axis, inner, taken] = extents_;
    double* out = outputs[0];
    for (size_t o = 0; o < outer; ++o) {
      const double* slices = inputs[0] + o * axis * inner;
      for (size_t t = 0; t < taken; ++t, out += inner) {
        double at = inputs[1][t];
        if (at < 0) at += static_cast<double>(axis);
        if (at >= 0 && at < static_cast<double>(axis)) {
          std::copy_n(slices + static_cast<size_t>(at) * inner, inner, out);
        } else {
          std::fill_n(out, inner, std::numeric_limits<double>::quiet_NaN());
        }
      }
    }
  }

 private:
  Extents extents_;
};

void GiveTaken(OnnxOp& op, size_t axis, Shape shape) {
  const OnnxValue& data = op.In(0);
  const OnnxValue& numbers = op.NumbersIn(1);
  if (op.failed()) return;
  if (!IsInteger(numbers.type)) return op.Malformed("the numbers to take are not integers");
  if (shape.size() > kTensorRankMax) return op.OverLimit("too many dimensions");
  Take::Extents extents;
  for (size_t i = 0; i < data.shape.size(); ++i) {
    size_t& extent = i < axis ? extents.outer : i == axis ? extents.axis : extents.inner;
    extent *= static_cast<size_t>(data.shape[i]);
  }
  extents.taken = numbers.count();
  if (numbers.fixed()) {
    for (double number : op.FixedIn(1)) {
      const auto extent = static_cast<double>(extents.axis);
      if (!(number >= -extent && number < extent)) {
        return op.Malformed("an element beyond the " + std::to_string(extents.axis) +
                            " that are there");
      }
    }
  }
  const uint64_t work = CountElements(shape).value_or(0);
  OnnxValue taken = op.ApplyOne(std::make_unique<Take>(extents), {&data, &numbers},
                                {data.type, std::move(shape)}, work);
  taken.open_text = data.open_text;
  op.Give(0, std::move(taken));
}

void CompileGather(OnnxOp& op) {
  const Shape& data = op.In(0).shape;
  const Shape& numbers = op.In(1).shape;
  const size_t axis = op.Axis(op.Integer("axis", 0), data.size());
  if (op.failed()) return;
  Shape shape(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), numbers.begin(), numbers.end());
  shape.insert(shape.end(), data.begin() + static_cast<std::ptrdiff_t>(axis) + 1, data.end());
  GiveTaken(op, axis, std::move(shape));
}

void CompileArrayFeatureExtractor(OnnxOp& op) {
  Shape shape = op.In(0).shape;
  const auto taken = static_cast<int64_t>(op.In(1).count());
  if (op.failed()) return;
  if (shape.empty()) return op.Malformed("the input has no dimension");
  const size_t axis = shape.size() - 1;
  shape.back() = taken;
  if (shape.size() == 1) shape.insert(shape.begin(), 1);
  GiveTaken(op, axis, std::move(shape));
}

// The values stay; their columns get the names of the classes.
void CompileZipMap(OnnxOp& op) {
  OnnxValue value = op.NumbersIn(0);
  for (int64_t label : op.Integers("classlabels_int64s")) {
    value.keys.push_back(std::to_string(label));
  }
  for (std::string_view label : op.Texts("classlabels_strings")) {
    value.keys.emplace_back(label);
  }
  if (op.failed()) return;
  if (value.keys.size() != value.count()) {
    return op.Malformed(std::to_string(value.keys.size()) + " class labels for " +
                        std::to_string(value.count()) + " columns");
  }
  op.Give(0, std::move(value));
}

constexpr OnnxOperator kOperators[] = {
    {kOnnxMlDomain, "ArrayFeatureExtractor", CompileArrayFeatureExtractor},
    {kOnnxDomain, "Concat", CompileConcat},
    {kOnnxDomain, "Constant", CompileConstant},
    {kOnnxDomain, "ConstantOfShape", CompileConstantOfShape},
    {kOnnxDomain, "Dropout", CompileIdentity},
    {kOnnxDomain, "Expand", CompileExpand},
    {kOnnxDomain, "Flatten", CompileFlatten},
    {kOnnxDomain, "Gather", CompileGather},
    {kOnnxDomain, "Identity", CompileIdentity},
    {kOnnxDomain, "Reshape", CompileReshape},
    {kOnnxDomain, "Shape", CompileShape},
    {kOnnxDomain, "Slice", CompileSlice},
    {kOnnxDomain, "Squeeze", CompileSqueeze},
    {kOnnxDomain, "Transpose", CompileTranspose},
    {kOnnxDomain, "Unsqueeze", CompileUnsqueeze},
    {kOnnxMlDomain, "ZipMap", CompileZipMap},
};

}  // namespace

std::span<const OnnxOperator> OnnxShapeOperators() {
  return kOperators;
}

}  // namespace headrace::onnx
