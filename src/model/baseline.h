#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::model {

// How one column lay in the rows that a model was trained on. Value type.
struct ColumnBaseline {
  static constexpr size_t kQuantiles = 101;

  double null_share = 0;  // of the rows; missing values are NaN
  // Values at equal steps of rank, from the smallest to the largest, rising; all of them where
  // there are fewer. The share of values below any number is off by at most half a step. Empty: no
  // value was there.
  std::vector<double> quantiles;

  // Of values in any order; those that are not finite count as missing.
  static ColumnBaseline Of(std::vector<double> values);
};

// What a model was trained on, as far as it is kept with it: the inputs in their order, then the
// raw scores of the same rows. Value type.
//
// In LightGBM's text it is a line of the header, which LightGBM passes over:
// `headrace_baseline=1 ROWS|NULL_SHARE QUANTILE...|...`, the numbers as the shortest text that
// reads back to the same bits.
struct Baseline {
  static constexpr std::string_view kKey = "headrace_baseline";
  static constexpr size_t kQuantilesMax = 1001;

  uint64_t rows = 0;
  std::vector<ColumnBaseline> columns;

  std::string Encode() const;
  // `columns`: how many there must be. Error: HR3002.
  static Result<Baseline> Decode(std::string_view text, size_t columns);
  // Puts it into a model of LightGBM's text format. False: the text is none.
  bool AddTo(std::string& text) const;
};

}  // namespace headrace::model
