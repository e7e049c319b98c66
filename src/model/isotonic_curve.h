#pragma once

#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::model {

// A curve of straight lines from raw scores to probabilities that never falls; flat beyond its
// ends. Immutable once made; `scores` rise, `shares` do not fall, both are as many and at least
// one.
struct IsotonicCurve {
  std::vector<double> scores;
  std::vector<double> shares;

  // NaN of NaN.
  double At(double score) const;

  // Reads "s0 p0 s1 p1 ...". Errors: kInvalidArgument HR3002 when it is no such curve, HR3004
  // beyond kIsotonicPointsMax.
  static Result<IsotonicCurve> Parse(std::string_view words, size_t line);
};

// How its line begins in a model file.
inline constexpr std::string_view kIsotonicLine = "headrace_isotonic:";
inline constexpr size_t kIsotonicPointsMax = 65'536;

}  // namespace headrace::model
