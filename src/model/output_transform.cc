#include "model/output_transform.h"

#include <algorithm>
#include <cmath>

#include "headrace/check.h"

namespace headrace::model {
namespace {

template <typename T>
T TransformOne(TransformKind kind, T x, T scale) {
  switch (kind) {
    case TransformKind::kSigmoid:
      return T(1) / (T(1) + std::exp(-scale * x));
    case TransformKind::kExp:
      return std::exp(x);
    case TransformKind::kSignedSquare:
      return std::copysign(x * x, x);
    case TransformKind::kLog1pExp:
      return std::log1p(std::exp(x));
    case TransformKind::kStep:
      return x > 0 ? T(1) : T(0);
    default:
      return x;
  }
}

template <typename T>
void Softmax(std::span<double> row) {
  T largest = static_cast<T>(row[0]);
  for (double x : row) {
    largest = std::max(largest, static_cast<T>(x));
  }
  T sum = 0;
  for (double& x : row) {
    const T e = std::exp(static_cast<T>(x) - largest);
    sum += e;
    x = static_cast<double>(e);
  }
  for (double& x : row) {
    x = static_cast<double>(static_cast<T>(x) / sum);
  }
}

template <typename T>
void ApplyIn(const OutputTransform& transform, size_t rows, std::span<double> scores) {
  const auto width = static_cast<size_t>(transform.outputs);
  for (size_t r = 0; r < rows; ++r) {
    const std::span<double> row = scores.subspan(r * width, width);
    if (transform.divisor != 1) {
      for (double& x : row) {
        x /= transform.divisor;
      }
    }
    if (transform.kind == TransformKind::kSoftmax) {
      Softmax<T>(row);
    } else if (transform.kind == TransformKind::kArgMax) {
      scores[r] = static_cast<double>(std::max_element(row.begin(), row.end()) - row.begin());
    } else if (transform.kind == TransformKind::kIsotonic) {
      for (double& x : row)
        x = transform.curve->At(x);
    } else {
      for (double& x : row) {
        x = static_cast<double>(
            TransformOne(transform.kind, static_cast<T>(x), static_cast<T>(transform.scale)));
      }
    }
  }
}

}  // namespace

void OutputTransform::Apply(size_t rows, std::span<double> scores) const {
  HR_CHECK(scores.size() >= rows * static_cast<size_t>(outputs));
  if (kind == TransformKind::kIdentity && divisor == 1) return;
  if (single_precision) {
    ApplyIn<float>(*this, rows, scores);
  } else {
    ApplyIn<double>(*this, rows, scores);
  }
}

}  // namespace headrace::model
