#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "model/isotonic_curve.h"

namespace headrace::model {

// How raw scores become predictions.
enum class TransformKind : uint8_t {
  kIdentity,
  kSigmoid,  // 1 / (1 + exp(-scale x)), each output by itself
  kSoftmax,  // over the outputs of a row
  kExp,
  kSignedSquare,  // sign(x) x^2
  kLog1pExp,      // log(1 + exp(x))
  kStep,          // 1 above 0, else 0
  kArgMax,        // the place of the largest output
  kIsotonic,      // a curve of its own, each output by itself
};

// The output transform of one model, in its library's precision. Value type, immutable; pure.
struct OutputTransform {
  TransformKind kind = TransformKind::kIdentity;
  double scale = 1;    // the sigmoid's
  double divisor = 1;  // random forests predict from the mean: the number of trees per output
  bool single_precision = false;
  std::shared_ptr<const IsotonicCurve> curve;  // of kIsotonic
  int32_t outputs = 1;

  // Values per row of predictions: 1 when the prediction is a class, else `outputs`.
  int32_t predictions() const { return kind == TransformKind::kArgMax ? 1 : outputs; }

  // Replaces rows x outputs raw scores by rows x predictions() values, from the front.
  void Apply(size_t rows, std::span<double> scores) const;
};

}  // namespace headrace::model
