// Products of matrices.
#include <algorithm>
#include <cmath>

#include "onnx/dense_layer.h"
#include "onnx/op.h"
#include "onnx/tensor_spread.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

// Vectors times a matrix of weights that is the same for all rows.
class Weigh : public Operation {
 public:
  Weigh(size_t vectors, DenseLayer layer) : vectors_(vectors), layer_(std::move(layer)) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    std::vector<float> sums(layer_.outputs());
    for (size_t v = 0; v < vectors_; ++v) {
      layer_.Multiply(inputs[0] + v * layer_.inputs(), sums.data());
      std::copy(sums.begin(), sums.end(), outputs[0] + v * layer_.outputs());
    }
  }

 private:
  size_t vectors_;
  DenseLayer layer_;
};

// Any matrices, one pair after the other. Sums are taken as in DenseLayer.
class Multiply : public Operation {
 public:
  struct Extents {
    size_t rows = 1;
    size_t inner = 1;
    size_t columns = 1;
  };
  // Where the matrices of a pair start.
  struct Pairs {
    std::vector<uint32_t> a;
    std::vector<uint32_t> b;
  };
  Multiply(Extents extents, Pairs pairs, ElementType type)
      : extents_(extents), pairs_(std::move(pairs)), type_(type) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    double* out = outputs[0];
    for (size_t p = 0; p < pairs_.a.size(); ++p) {
      const double* a = inputs[0] + pairs_.a[p] * extents_.rows * extents_.inner;
      const double* b = inputs[1] + pairs_.b[p] * extents_.inner * extents_.columns;
      for (size_t r = 0; r < extents_.rows; ++r, a += extents_.inner) {
        for (size_t c = 0; c < extents_.columns; ++c) {
          *out++ = Product(a, b + c);
        }
      }
    }
  }

 private:
  double Product(const double* a, const double* b) const {
    double sum = 0;
    for (size_t i = 0; i < extents_.inner; ++i) {
      const double factor = b[i * extents_.columns];
      sum = type_ == kFloat
                ? static_cast<double>(std::fma(static_cast<float>(a[i]), static_cast<float>(factor),
                                               static_cast<float>(sum)))
                : std::fma(a[i], factor, sum);
    }
    return sum;
  }

  Extents extents_;
  Pairs pairs_;
  ElementType type_;
};

// a of the shape [.., rows, inner] times b of [.., inner, columns].
OnnxValue Product(OnnxOp& op, const OnnxValue& a, const OnnxValue& b) {
  const Shape a_lead(a.shape.begin(), a.shape.end() - 2);
  const Shape b_lead(b.shape.begin(), b.shape.end() - 2);
  const std::optional<Shape> lead = SpreadShape(a_lead, b_lead);
  const auto inner = a.shape.back();
  if (a.type != b.type || !lead || inner != b.shape[b.shape.size() - 2]) {
    op.Malformed("matrices of the shapes " + ToString(a.shape) + " and " + ToString(b.shape) +
                 " cannot be multiplied");
    return {};
  }
  Multiply::Extents extents;
  extents.rows = static_cast<size_t>(a.shape[a.shape.size() - 2]);
  extents.inner = static_cast<size_t>(inner);
  extents.columns = static_cast<size_t>(b.shape.back());
  OnnxShape to = {a.type, *lead};
  to.shape.push_back(static_cast<int64_t>(extents.rows));
  to.shape.push_back(static_cast<int64_t>(extents.columns));
  const std::optional<size_t> count = CountElements(to.shape);
  const size_t pairs = CountElements(*lead).value_or(0);
  if (!count || (pairs == 0 && *count > 0)) {
    op.OverLimit("a product of the shape " + ToString(to.shape));
    return {};
  }
  const uint64_t work = uint64_t{*count} * extents.inner;
  if (b.fixed() && b.shape.size() == 2 && a.type == kFloat && !a.fixed()) {
    DenseLayer layer(extents.inner, extents.columns,
                     [&](size_t i, size_t o) { return b.operand.fixed[i * extents.columns + o]; });
    const size_t vectors = pairs * extents.rows;
    return op.ApplyOne(std::make_unique<Weigh>(vectors, std::move(layer)), {&a}, to, work);
  }
  const Spread a_spread(a_lead, *lead);
  const Spread b_spread(b_lead, *lead);
  Multiply::Pairs places;
  for (size_t p = 0; p < pairs; ++p) {
    places.a.push_back(static_cast<uint32_t>(a_spread.At(p)));
    places.b.push_back(static_cast<uint32_t>(b_spread.At(p)));
  }
  return op.ApplyOne(std::make_unique<Multiply>(extents, std::move(places), a.type), {&a, &b}, to,
                     work);
}

void CompileMatMul(OnnxOp& op) {
  OnnxValue a = op.NumbersIn(0);
  OnnxValue b = op.NumbersIn(1);
  if (op.failed()) return;
  if (a.shape.empty() || b.shape.empty()) return op.Malformed("a number is not a matrix");
  const bool row = a.shape.size() == 1;
  const bool column = b.shape.size() == 1;
  if (row) a.shape.insert(a.shape.begin(), 1);
  if (column) b.shape.push_back(1);
  OnnxValue product = Product(op, a, b);
  if (op.failed()) return;
  if (column) product.shape.pop_back();
  if (row) product.shape.erase(product.shape.end() - (column ? 1 : 2));
  op.Give(0, std::move(product));
}

// alpha x + beta c, where c may be spread and may be left out.
class Combine : public Operation {
 public:
  Combine(const Shape& c, const OnnxShape& to, double alpha, double beta)
      : count_(CountElements(to.shape).value_or(0)),
        c_(c, to.shape),
        alpha_(alpha),
        beta_(beta),
        type_(to.type) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t i = 0; i < count_; ++i) {
      const double x = RoundTo(type_, alpha_ * inputs[0][i]);
      const double c = beta_ == 0 ? 0 : RoundTo(type_, beta_ * inputs[1][c_.At(i)]);
      outputs[0][i] = RoundTo(type_, x + c);
    }
  }

 private:
  size_t count_;
  Spread c_;
  double alpha_;
  double beta_;
  ElementType type_;
};

class TransposeMatrix : public Operation {
 public:
  TransposeMatrix(size_t rows, size_t columns) : rows_(rows), columns_(columns) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t r = 0; r < rows_; ++r) {
      for (size_t c = 0; c < columns_; ++c) {
        outputs[0][c * rows_ + r] = inputs[0][r * columns_ + c];
      }
    }
  }

 private:
  size_t rows_;
  size_t columns_;
};

OnnxValue Transposed(OnnxOp& op, const OnnxValue& value) {
  return op.ApplyOne(std::make_unique<TransposeMatrix>(static_cast<size_t>(value.shape[0]),
                                                       static_cast<size_t>(value.shape[1])),
                     {&value}, {value.type, {value.shape[1], value.shape[0]}}, value.count());
}

void CompileGemm(OnnxOp& op) {
  OnnxValue a = op.NumbersIn(0);
  OnnxValue b = op.NumbersIn(1);
  if (op.failed()) return;
  if (a.shape.size() != 2 || b.shape.size() != 2) return op.Malformed("an input is not a matrix");
  if (op.Integer("transA", 0) != 0) a = Transposed(op, a);
  if (op.Integer("transB", 0) != 0) b = Transposed(op, b);
  if (op.failed()) return;
  OnnxValue product = Product(op, a, b);
  if (op.failed()) return;
  const auto alpha = static_cast<double>(op.Number("alpha", 1));
  const auto beta = op.Has(2) ? static_cast<double>(op.Number("beta", 1)) : 0.0;
  if (alpha == 1 && beta == 0) return op.Give(0, std::move(product));
  const OnnxValue& c = op.Has(2) ? op.NumbersIn(2) : product;
  if (op.failed()) return;
  if (c.type != product.type || !CanSpread(c.shape, product.shape)) {
    return op.Malformed("a tensor of the shape " + ToString(c.shape) +
                        " cannot be added to one of " + ToString(product.shape));
  }
  const OnnxShape to = {product.type, product.shape};
  op.Give(0, op.ApplyOne(std::make_unique<Combine>(c.shape, to, alpha, beta), {&product, &c}, to,
                         product.count()));
}

constexpr OnnxOperator kOperators[] = {
    {kOnnxDomain, "Gemm", CompileGemm},
    {kOnnxDomain, "MatMul", CompileMatMul},
};

}  // namespace

std::span<const OnnxOperator> OnnxDenseOperators() {
  return kOperators;
}

}  // namespace headrace::onnx
