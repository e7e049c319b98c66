#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "model/isotonic_curve.h"
#include "model/model.h"
#include "train/scored_rows.h"

namespace headrace::train {

enum class Calibration : uint8_t { kPlatt, kIsotonic };

// p = 1 / (1 + e^-(slope s + offset)) of a raw score s.
struct PlattCurve {
  double slope = 1;
  double offset = 0;
};

// Fits by maximum likelihood to labels that are drawn in a little, (n1 + 1) / (n1 + 2) and
// 1 / (n0 + 2) (Platt 1999), by Newton's method (Lin, Lin, Weng 2007).
PlattCurve FitPlatt(const ScoredRows& rows);

// The rising curve with the least squared distance to the labels, by pooling neighbours that fall
// (Ayer et al. 1955; Zadrozny and Elkan 2002). Rows with one score count as one point.
model::IsotonicCurve FitIsotonic(const ScoredRows& rows);

// A binary model in LightGBM's text format with its answers fitted to labelled rows that it was not
// learned from. Platt: leaves are multiplied, and one more tree is a constant, so LightGBM gives
// the same answers. Isotonic: the curve stands in a line of our own behind the trees, which
// LightGBM does not read (docs/formats.md). Errors: HR3074 (no such model; rows of one class; too
// long a curve), HR3005, HR3008.
Result<std::string> Calibrate(std::string_view text, std::string_view csv, std::string_view label,
                              Calibration method);

}  // namespace headrace::train
