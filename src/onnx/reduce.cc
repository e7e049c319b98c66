// Operators that make one number of many: sums, means, extremes and their places, softmax.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "onnx/op.h"
#include "onnx/tensor_spread.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

// Which elements of the input each result is made of: a start for each result, and steps from there
// that are the same for all.
struct Groups {
  std::vector<uint32_t> starts;
  std::vector<uint32_t> steps;
};

Groups GroupsOf(const Shape& shape, const std::vector<bool>& reduced) {
  const std::vector<size_t> strides = StridesOf(shape);
  Shape kept_shape;
  Shape step_shape;
  std::vector<size_t> kept_strides;
  std::vector<size_t> step_strides;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    (reduced[axis] ? step_shape : kept_shape).push_back(shape[axis]);
    (reduced[axis] ? step_strides : kept_strides).push_back(strides[axis]);
  }
  return {PlacesOf(kept_shape, kept_strides), PlacesOf(step_shape, step_strides)};
}

using Steps = std::vector<uint32_t>;

// Folds a group to one number, in the order of the elements.
template <typename F>
class Reduce : public Operation {
 public:
  Reduce(Groups groups, ElementType type, F f)
      : groups_(std::move(groups)), type_(type), f_(std::move(f)) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t i = 0; i < groups_.starts.size(); ++i) {
      outputs[0][i] = RoundTo(type_, f_(inputs[0] + groups_.starts[i], groups_.steps, type_));
    }
  }

 private:
  Groups groups_;
  ElementType type_;
  F f_;
};

double Sum(const double* x, const Steps& steps, ElementType type) {
  double sum = 0;
  for (uint32_t step : steps) {
    sum = RoundTo(type, sum + x[step]);
  }
  return sum;
}

double Mean(const double* x, const Steps& steps, ElementType type) {
  return Sum(x, steps, type) / static_cast<double>(steps.size());
}

double SumOfSquares(const double* x, const Steps& steps, ElementType type) {
  double sum = 0;
  for (uint32_t step : steps) {
    sum = RoundTo(type, sum + RoundTo(type, x[step] * x[step]));
  }
  return sum;
}

double SumOfMagnitudes(const double* x, const Steps& steps, ElementType type) {
  double sum = 0;
  for (uint32_t step : steps) {
    sum = RoundTo(type, sum + std::abs(x[step]));
  }
  return sum;
}

double Length(const double* x, const Steps& steps, ElementType type) {
  return std::sqrt(SumOfSquares(x, steps, type));
}

double LogOfSum(const double* x, const Steps& steps, ElementType type) {
  return std::log(Sum(x, steps, type));
}

double Product(const double* x, const Steps& steps, ElementType type) {
  double product = 1;
  for (uint32_t step : steps) {
    product = RoundTo(type, product * x[step]);
  }
  return product;
}

double Largest(const double* x, const Steps& steps, ElementType) {
  double largest = -std::numeric_limits<double>::infinity();
  for (uint32_t step : steps) {
    if (std::isnan(x[step])) return x[step];
    largest = std::max(largest, x[step]);
  }
  return largest;
}

double Smallest(const double* x, const Steps& steps, ElementType) {
  double smallest = std::numeric_limits<double>::infinity();
  for (uint32_t step : steps) {
    if (std::isnan(x[step])) return x[step];
    smallest = std::min(smallest, x[step]);
  }
  return smallest;
}

double LogOfSumOfExponentials(const double* x, const Steps& steps, ElementType type) {
  const double largest = Largest(x, steps, type);
  const double shift = std::isinf(largest) ? 0 : largest;
  double sum = 0;
  for (uint32_t step : steps) {
    sum += std::exp(x[step] - shift);
  }
  return std::log(sum) + shift;
}

// Axes are an attribute at first and an input later: since 13 for ReduceSum, 18 for the others.
std::vector<bool> ReducedAxes(OnnxOp& op, int64_t input_since) {
  const OnnxValue& in = op.NumbersIn(0);
  std::vector<int64_t> axes;
  if (op.opset() < input_since) {
    axes = op.Integers("axes");
  } else if (op.Has(1)) {
    axes = op.FixedIntegersIn(1);
  }
  const bool all = axes.empty() && op.Integer("noop_with_empty_axes", 0) == 0;
  std::vector<bool> reduced(in.shape.size(), all);
  for (int64_t axis : axes) {
    const size_t at = op.Axis(axis, in.shape.size());
    if (op.failed()) return {};
    reduced[at] = true;
  }
  return reduced;
}

Shape ReducedShape(const Shape& shape, const std::vector<bool>& reduced, bool keep) {
  Shape result;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (!reduced[axis]) {
      result.push_back(shape[axis]);
    } else if (keep) {
      result.push_back(1);
    }
  }
  return result;
}

template <auto f, int64_t input_since = 18>
void CompileReduce(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  const std::vector<bool> reduced = ReducedAxes(op, input_since);
  const bool keep = op.Integer("keepdims", 1) != 0;
  if (op.failed()) return;
  auto fold = [](const double* x, const Steps& steps, ElementType type) {
    return f(x, steps, type);
  };
  op.Give(0, op.ApplyOne(std::make_unique<Reduce<decltype(fold)>>(GroupsOf(in.shape, reduced),
                                                                  in.type, fold),
                         {&in}, {in.type, ReducedShape(in.shape, reduced, keep)}, in.count()));
}

// The place of the largest (or smallest) element: the first, or the last of equal ones. A NaN is
// never better than what came before it.
template <bool largest>
void CompileArgument(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  const size_t axis = op.Axis(op.Integer("axis", 0), in.shape.size());
  const bool keep = op.Integer("keepdims", 1) != 0;
  const bool last = op.Integer("select_last_index", 0) != 0;
  if (op.failed()) return;
  if (in.shape[axis] == 0) return op.Malformed("there is nothing to choose from");
  std::vector<bool> reduced(in.shape.size());
  reduced[axis] = true;
  auto place = [last](const double* x, const Steps& steps, ElementType) {
    size_t best = 0;
    for (size_t i = 1; i < steps.size(); ++i) {
      const double a = x[steps[i]];
      const double b = x[steps[best]];
      const bool better = largest ? a > b : a < b;
      if (better || (last && a == b)) best = i;
    }
    return static_cast<double>(best);
  };
  op.Give(0, op.ApplyOne(std::make_unique<Reduce<decltype(place)>>(GroupsOf(in.shape, reduced),
                                                                   kInt64, place),
                         {&in}, {kInt64, ReducedShape(in.shape, reduced, keep)}, in.count()));
}

class Softmax : public Operation {
 public:
  Softmax(Groups groups, ElementType type, bool logarithm)
      : groups_(std::move(groups)), type_(type), logarithm_(logarithm) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (uint32_t start : groups_.starts) {
      const double* x = inputs[0] + start;
      double* y = outputs[0] + start;
      const double largest = Largest(x, groups_.steps, type_);
      double sum = 0;
      for (uint32_t step : groups_.steps) {
        y[step] = std::exp(x[step] - largest);
        sum += y[step];
      }
      const double log_of_sum = std::log(sum);
      for (uint32_t step : groups_.steps) {
        y[step] = RoundTo(type_, logarithm_ ? x[step] - largest - log_of_sum : y[step] / sum);
      }
    }
  }

 private:
  Groups groups_;
  ElementType type_;
  bool logarithm_;
};

// Before version 13 all axes from the given one on were taken together.
template <bool logarithm>
void CompileSoftmax(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  const bool old = op.opset() < 13;
  const size_t axis = op.Axis(op.Integer("axis", old ? 1 : -1), in.shape.size());
  if (op.failed()) return;
  std::vector<bool> reduced(in.shape.size());
  for (size_t i = axis; i < (old ? in.shape.size() : axis + 1); ++i) {
    reduced[i] = true;
  }
  op.Give(0, op.ApplyOne(std::make_unique<Softmax>(GroupsOf(in.shape, reduced), in.type, logarithm),
                         {&in}, {in.type, in.shape}, 16 * in.count()));
}

void CompileGlobalPool(OnnxOp& op, bool mean) {
  const OnnxValue& in = op.NumbersIn(0);
  if (op.failed()) return;
  if (in.shape.size() < 3) return op.Malformed("the input has no places to pool");
  std::vector<bool> reduced(in.shape.size(), true);
  reduced[0] = reduced[1] = false;
  const OnnxShape to = {in.type, ReducedShape(in.shape, reduced, true)};
  Groups groups = GroupsOf(in.shape, reduced);
  using Fold = double (*)(const double*, const Steps&, ElementType);
  op.Give(0, op.ApplyOne(
                 std::make_unique<Reduce<Fold>>(std::move(groups), in.type, mean ? Mean : Largest),
                 {&in}, to, in.count()));
}

void CompileGlobalAverage(OnnxOp& op) {
  CompileGlobalPool(op, true);
}
void CompileGlobalMaximum(OnnxOp& op) {
  CompileGlobalPool(op, false);
}

constexpr OnnxOperator kOperators[] = {
    {kOnnxDomain, "ArgMax", CompileArgument<true>},
    {kOnnxDomain, "ArgMin", CompileArgument<false>},
    {kOnnxDomain, "GlobalAveragePool", CompileGlobalAverage},
    {kOnnxDomain, "GlobalMaxPool", CompileGlobalMaximum},
    {kOnnxDomain, "LogSoftmax", CompileSoftmax<true>},
    {kOnnxDomain, "ReduceL1", CompileReduce<SumOfMagnitudes>},
    {kOnnxDomain, "ReduceL2", CompileReduce<Length>},
    {kOnnxDomain, "ReduceLogSum", CompileReduce<LogOfSum>},
    {kOnnxDomain, "ReduceLogSumExp", CompileReduce<LogOfSumOfExponentials>},
    {kOnnxDomain, "ReduceMax", CompileReduce<Largest>},
    {kOnnxDomain, "ReduceMean", CompileReduce<Mean>},
    {kOnnxDomain, "ReduceMin", CompileReduce<Smallest>},
    {kOnnxDomain, "ReduceProd", CompileReduce<Product>},
    {kOnnxDomain, "ReduceSum", CompileReduce<Sum, 13>},
    {kOnnxDomain, "ReduceSumSquare", CompileReduce<SumOfSquares>},
    {kOnnxDomain, "Softmax", CompileSoftmax<false>},
};

}  // namespace

std::span<const OnnxOperator> OnnxReduceOperators() {
  return kOperators;
}

}  // namespace headrace::onnx
