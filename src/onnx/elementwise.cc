// Operators that compute each element from the elements at the same place.
#include <algorithm>
#include <cmath>
#include <limits>

#include "onnx/op.h"
#include "onnx/tensor_spread.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

template <typename F>
class Unary : public Operation {
 public:
  Unary(size_t count, ElementType type, F f) : count_(count), type_(type), f_(f) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    const double* in = inputs[0];
    double* out = outputs[0];
    if (type_ == kFloat) {
      for (size_t i = 0; i < count_; ++i) {
        out[i] = static_cast<double>(static_cast<float>(f_(in[i])));
      }
    } else {
      for (size_t i = 0; i < count_; ++i) {
        out[i] = f_(in[i]);
      }
    }
  }

 private:
  size_t count_;
  ElementType type_;
  F f_;
};

template <typename F>
class Binary : public Operation {
 public:
  Binary(const Shape& a, const Shape& b, const OnnxShape& to, F f)
      : count_(CountElements(to.shape).value_or(0)),
        type_(to.type),
        a_(a, to.shape),
        b_(b, to.shape),
        f_(f) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t i = 0; i < count_; ++i) {
      outputs[0][i] = RoundTo(type_, f_(inputs[0][a_.At(i)], inputs[1][b_.At(i)]));
    }
  }

 private:
  size_t count_;
  ElementType type_;
  Spread a_;
  Spread b_;
  F f_;
};

// Transcendental functions cost tens of multiplications.
constexpr uint64_t kFunctionWork = 16;

template <typename F>
void GiveUnary(OnnxOp& op, ElementType type, F f) {
  const OnnxValue& in = op.NumbersIn(0);
  if (op.failed()) return;
  op.Give(0, op.ApplyOne(std::make_unique<Unary<F>>(in.count(), type, f), {&in}, {type, in.shape},
                         kFunctionWork * in.count()));
}

// One of a float type; the result has the same.
template <typename F>
void GiveFloat(OnnxOp& op, F f) {
  const ElementType type = op.NumbersIn(0).type;
  if (type != kFloat && type != kDouble) op.Malformed("the input is not float or double");
  GiveUnary(op, type, f);
}

template <auto f>
void CompileFloat(OnnxOp& op) {
  GiveFloat(op, [](double x) { return f(x); });
}

template <auto f>
void CompileNumber(OnnxOp& op) {
  GiveUnary(op, op.NumbersIn(0).type, [](double x) { return f(x); });
}

double Relu(double x) {
  return x < 0 ? 0.0 : x;
}  // NaN stays
double Sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
double Negate(double x) {
  return -x;
}
double Inverse(double x) {
  return 1 / x;
}
double Softplus(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}
double Softsign(double x) {
  return x / (1 + std::abs(x));
}
double Sign(double x) {
  return x > 0 ? 1.0 : x < 0 ? -1.0 : x;
}
double Absolute(double x) {
  return std::abs(x);
}
double RoundEven(double x) {
  return std::nearbyint(x);
}
double Ceiling(double x) {
  return std::ceil(x);
}
double Floor(double x) {
  return std::floor(x);
}
double Exponential(double x) {
  return std::exp(x);
}
double Logarithm(double x) {
  return std::log(x);
}
double Root(double x) {
  return std::sqrt(x);
}
double Tangent(double x) {
  return std::tanh(x);
}
double ErrorFunction(double x) {
  return std::erf(x);
}
double Sine(double x) {
  return std::sin(x);
}
double Cosine(double x) {
  return std::cos(x);
}

void CompileNot(OnnxOp& op) {
  GiveUnary(op, kBool, [](double x) { return x == 0 ? 1.0 : 0.0; });
}

void CompileIsNan(OnnxOp& op) {
  GiveUnary(op, kBool, [](double x) { return std::isnan(x) ? 1.0 : 0.0; });
}

void CompileLeakyRelu(OnnxOp& op) {
  const auto alpha = static_cast<double>(op.Number("alpha", 0.01F));
  GiveFloat(op, [alpha](double x) { return x < 0 ? alpha * x : x; });
}

void CompileElu(OnnxOp& op) {
  const auto alpha = static_cast<double>(op.Number("alpha", 1));
  GiveFloat(op, [alpha](double x) { return x < 0 ? alpha * std::expm1(x) : x; });
}

void CompileSelu(OnnxOp& op) {
  const auto alpha = static_cast<double>(op.Number("alpha", 1.67326319F));
  const auto gamma = static_cast<double>(op.Number("gamma", 1.05070102F));
  GiveFloat(op, [=](double x) { return gamma * (x > 0 ? x : alpha * std::expm1(x)); });
}

void CompileHardSigmoid(OnnxOp& op) {
  const auto alpha = static_cast<double>(op.Number("alpha", 0.2F));
  const auto beta = static_cast<double>(op.Number("beta", 0.5F));
  GiveFloat(op, [=](double x) { return std::min(1.0, std::max(0.0, alpha * x + beta)); });
}

// A bound of Clip: an attribute at first, an input since version 11.
double ClipBound(OnnxOp& op, const char* name, size_t input, double otherwise) {
  if (op.opset() < 11) return static_cast<double>(op.Number(name, static_cast<float>(otherwise)));
  if (!op.Has(input)) return otherwise;
  const std::span<const double> bound = op.FixedIn(input);
  if (op.failed() || bound.size() != 1) {
    op.Malformed("a bound that is not one number");
    return otherwise;
  }
  return bound[0];
}

void CompileClip(OnnxOp& op) {
  const double low = ClipBound(op, "min", 1, -std::numeric_limits<double>::infinity());
  const double high = ClipBound(op, "max", 2, std::numeric_limits<double>::infinity());
  GiveUnary(op, op.NumbersIn(0).type, [=](double x) {
    const double least = x < low ? low : x;
    return least > high ? high : least;
  });
}

OnnxValue Copied(const OnnxValue& value) {
  return value;
}

void CompileCast(OnnxOp& op) {
  const std::optional<ElementType> to = ElementTypeOf(op.Integer("to", 0));
  const OnnxValue& in = op.In(0);
  if (op.failed()) return;
  if (!to) return op.Unsupported("the element type to cast to is not supported");
  if (*to == in.type) return op.Give(0, Copied(in));
  if (*to == kText || in.type == kText) {
    return op.Unsupported("numbers are not turned into texts, nor texts into numbers");
  }
  if (*to == kBool) {
    return GiveUnary(op, kBool, [](double x) { return x == 0 ? 0.0 : 1.0; });
  }
  // A missing integer stays a NaN, so that what comes after it sees that it is missing.
  if (IsInteger(*to)) return GiveUnary(op, *to, [](double x) { return std::trunc(x); });
  GiveUnary(op, *to, [](double x) { return x; });
}

template <typename F>
OnnxValue ApplyBinary(OnnxOp& op, const OnnxValue& a, const OnnxValue& b, ElementType type, F f) {
  const std::optional<Shape> shape = SpreadShape(a.shape, b.shape);
  if (!shape || !CountElements(*shape)) {
    op.Malformed("tensors of the shapes " + ToString(a.shape) + " and " + ToString(b.shape) +
                 " do not go together");
    return {};
  }
  const OnnxShape to = {type, *shape};
  return op.ApplyOne(std::make_unique<Binary<F>>(a.shape, b.shape, to, f), {&a, &b}, to,
                     *CountElements(*shape));
}

bool SameTypes(OnnxOp& op, const OnnxValue& a, const OnnxValue& b) {
  if (a.type != b.type) {
    op.Malformed("inputs of the types " + std::string(ToString(a.type)) + " and " +
                 std::string(ToString(b.type)));
  }
  return !op.failed();
}

template <auto f>
void CompileArithmetic(OnnxOp& op) {
  const OnnxValue& a = op.NumbersIn(0);
  const OnnxValue& b = op.NumbersIn(1);
  if (!SameTypes(op, a, b)) return;
  op.Give(0, ApplyBinary(op, a, b, a.type, [](double x, double y) { return f(x, y); }));
}

double Plus(double x, double y) {
  return x + y;
}
double Minus(double x, double y) {
  return x - y;
}
double Times(double x, double y) {
  return x * y;
}
double Larger(double x, double y) {
  return std::isnan(x) || x > y ? x : y;
}
double Smaller(double x, double y) {
  return std::isnan(x) || x < y ? x : y;
}

void CompileDivide(OnnxOp& op) {
  const OnnxValue& a = op.NumbersIn(0);
  const OnnxValue& b = op.NumbersIn(1);
  if (!SameTypes(op, a, b)) return;
  if (IsInteger(a.type)) {
    return op.Give(0, ApplyBinary(op, a, b, a.type, [](double x, double y) {
                     return y == 0 ? 0.0 : std::trunc(x / y);
                   }));
  }
  op.Give(0, ApplyBinary(op, a, b, a.type, [](double x, double y) { return x / y; }));
}

void CompilePower(OnnxOp& op) {
  const OnnxValue& a = op.NumbersIn(0);
  const OnnxValue& b = op.NumbersIn(1);
  if (op.failed()) return;
  op.Give(0, ApplyBinary(op, a, b, a.type,
                         [](double x, double y) { return y == 2 ? x * x : std::pow(x, y); }));
}

template <auto f>
void CompileComparison(OnnxOp& op) {
  const OnnxValue& a = op.In(0);
  const OnnxValue& b = op.In(1);
  if (!SameTypes(op, a, b)) return;
  // Two texts that the model does not know have the same code and may yet differ.
  if (a.type == kText && a.open_text && b.open_text) {
    return op.Unsupported("two texts of the row are compared");
  }
  op.Give(0, ApplyBinary(op, a, b, kBool, [](double x, double y) { return f(x, y) ? 1.0 : 0.0; }));
}

bool Equals(double x, double y) {
  return x == y;
}
bool Exceeds(double x, double y) {
  return x > y;
}
bool Undercuts(double x, double y) {
  return x < y;
}
bool IsAtLeast(double x, double y) {
  return x >= y;
}
bool IsAtMost(double x, double y) {
  return x <= y;
}
bool Both(double x, double y) {
  return x != 0 && y != 0;
}
bool Either(double x, double y) {
  return x != 0 || y != 0;
}
bool OneOf(double x, double y) {
  return (x != 0) != (y != 0);
}

// All inputs together, from the first to the last.
template <auto f>
OnnxValue Together(OnnxOp& op) {
  OnnxValue all = op.NumbersIn(0);
  for (size_t i = 1; i < op.inputs() && !op.failed(); ++i) {
    const OnnxValue& next = op.NumbersIn(i);
    if (!SameTypes(op, all, next)) return {};
    all = ApplyBinary(op, all, next, all.type, [](double x, double y) { return f(x, y); });
  }
  return all;
}

template <auto f>
void CompileTogether(OnnxOp& op) {
  OnnxValue all = Together<f>(op);
  if (!op.failed()) op.Give(0, std::move(all));
}

void CompileMean(OnnxOp& op) {
  const OnnxValue sum = Together<Plus>(op);
  if (op.failed()) return;
  const auto count = static_cast<double>(op.inputs());
  const auto divide = [count](double x) { return x / count; };
  op.Give(0, op.ApplyOne(std::make_unique<Unary<decltype(divide)>>(sum.count(), sum.type, divide),
                         {&sum}, {sum.type, sum.shape}, sum.count()));
}

class Choose : public Operation {
 public:
  Choose(const Shape& condition, const Shape& a, const Shape& b, const Shape& to)
      : count_(CountElements(to).value_or(0)), condition_(condition, to), a_(a, to), b_(b, to) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t i = 0; i < count_; ++i) {
      const bool first = inputs[0][condition_.At(i)] != 0;
      outputs[0][i] = first ? inputs[1][a_.At(i)] : inputs[2][b_.At(i)];
    }
  }

 private:
  size_t count_;
  Spread condition_;
  Spread a_;
  Spread b_;
};

void CompileWhere(OnnxOp& op) {
  const OnnxValue& condition = op.In(0);
  const OnnxValue& a = op.In(1);
  const OnnxValue& b = op.In(2);
  if (!SameTypes(op, a, b)) return;
  const std::optional<Shape> branches = SpreadShape(a.shape, b.shape);
  const std::optional<Shape> shape =
      branches ? SpreadShape(*branches, condition.shape) : std::nullopt;
  if (condition.type != kBool || !shape || !CountElements(*shape)) {
    return op.Malformed("the condition and the branches do not go together");
  }
  OnnxValue chosen =
      op.ApplyOne(std::make_unique<Choose>(condition.shape, a.shape, b.shape, *shape),
                  {&condition, &a, &b}, {a.type, *shape}, *CountElements(*shape));
  chosen.open_text = a.open_text || b.open_text;
  op.Give(0, std::move(chosen));
}

// y = (x - mean) / sqrt(variance + epsilon) * scale + bias, per channel (axis 1).
void CompileBatchNormalization(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  std::span<const double> parts[4];
  for (size_t i = 0; i < 4; ++i) {
    parts[i] = op.FixedIn(i + 1);
  }
  const auto epsilon = static_cast<double>(op.Number("epsilon", 1e-5F));
  if (op.Integer("training_mode", 0) != 0) op.Unsupported("training is not supported");
  if (op.failed()) return;
  if (in.shape.size() < 2) return op.Malformed("the input has no channels");
  const auto channels = static_cast<size_t>(in.shape[1]);
  std::vector<double> factor(channels);
  std::vector<double> shift(channels);
  for (std::span<const double> part : parts) {
    if (part.size() != channels) return op.Malformed("the parameters are not one for each channel");
  }
  for (size_t c = 0; c < channels; ++c) {
    factor[c] = RoundTo(in.type, parts[0][c] / std::sqrt(parts[3][c] + epsilon));
    shift[c] = RoundTo(in.type, parts[1][c] - parts[2][c] * factor[c]);
  }
  Shape shape(in.shape.size() - 1, 1);
  shape[0] = in.shape[1];
  const OnnxValue factors = op.Fixed(std::move(factor), {in.type, shape});
  const OnnxValue shifts = op.Fixed(std::move(shift), {in.type, shape});
  const OnnxValue scaled = ApplyBinary(op, in, factors, in.type, Times);
  if (op.failed()) return;
  op.Give(0, ApplyBinary(op, scaled, shifts, in.type, Plus));
}

constexpr OnnxOperator kOperators[] = {
    {kOnnxDomain, "Abs", CompileNumber<Absolute>},
    {kOnnxDomain, "Add", CompileArithmetic<Plus>},
    {kOnnxDomain, "And", CompileComparison<Both>},
    {kOnnxDomain, "BatchNormalization", CompileBatchNormalization},
    {kOnnxDomain, "Cast", CompileCast},
    {kOnnxDomain, "Ceil", CompileFloat<Ceiling>},
    {kOnnxDomain, "Clip", CompileClip},
    {kOnnxDomain, "Cos", CompileFloat<Cosine>},
    {kOnnxDomain, "Div", CompileDivide},
    {kOnnxDomain, "Elu", CompileElu},
    {kOnnxDomain, "Equal", CompileComparison<Equals>},
    {kOnnxDomain, "Erf", CompileFloat<ErrorFunction>},
    {kOnnxDomain, "Exp", CompileFloat<Exponential>},
    {kOnnxDomain, "Floor", CompileFloat<Floor>},
    {kOnnxDomain, "Greater", CompileComparison<Exceeds>},
    {kOnnxDomain, "GreaterOrEqual", CompileComparison<IsAtLeast>},
    {kOnnxDomain, "HardSigmoid", CompileHardSigmoid},
    {kOnnxDomain, "IsNaN", CompileIsNan},
    {kOnnxDomain, "LeakyRelu", CompileLeakyRelu},
    {kOnnxDomain, "Less", CompileComparison<Undercuts>},
    {kOnnxDomain, "LessOrEqual", CompileComparison<IsAtMost>},
    {kOnnxDomain, "Log", CompileFloat<Logarithm>},
    {kOnnxDomain, "Max", CompileTogether<Larger>},
    {kOnnxDomain, "Mean", CompileMean},
    {kOnnxDomain, "Min", CompileTogether<Smaller>},
    {kOnnxDomain, "Mul", CompileArithmetic<Times>},
    {kOnnxDomain, "Neg", CompileNumber<Negate>},
    {kOnnxDomain, "Not", CompileNot},
    {kOnnxDomain, "Or", CompileComparison<Either>},
    {kOnnxDomain, "Pow", CompilePower},
    {kOnnxDomain, "Reciprocal", CompileFloat<Inverse>},
    {kOnnxDomain, "Relu", CompileNumber<Relu>},
    {kOnnxDomain, "Round", CompileFloat<RoundEven>},
    {kOnnxDomain, "Selu", CompileSelu},
    {kOnnxDomain, "Sigmoid", CompileFloat<Sigmoid>},
    {kOnnxDomain, "Sign", CompileNumber<Sign>},
    {kOnnxDomain, "Sin", CompileFloat<Sine>},
    {kOnnxDomain, "Softplus", CompileFloat<Softplus>},
    {kOnnxDomain, "Softsign", CompileFloat<Softsign>},
    {kOnnxDomain, "Sqrt", CompileFloat<Root>},
    {kOnnxDomain, "Sub", CompileArithmetic<Minus>},
    {kOnnxDomain, "Sum", CompileTogether<Plus>},
    {kOnnxDomain, "Tanh", CompileFloat<Tangent>},
    {kOnnxDomain, "Where", CompileWhere},
    {kOnnxDomain, "Xor", CompileComparison<OneOf>},
};

}  // namespace

std::span<const OnnxOperator> OnnxElementwiseOperators() {
  return kOperators;
}

}  // namespace headrace::onnx
