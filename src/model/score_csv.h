#pragma once

#include <string>
#include <string_view>

#include "headrace/result.h"
#include "model/background_shap.h"
#include "model/model.h"

namespace headrace::model {

// What ScoreCsv writes for each row.
enum class OutputKind {
  kRaw,            // raw, or raw_0 raw_1 ...: scores before the output transform
  kProbability,    // prediction, or prediction_0 ...: after it
  kLeaf,           // leaf_0 leaf_1 ...: the leaf in each tree
  kContributions,  // a column per feature and `base`; with several outputs k0_NAME ... k1_NAME ...
};

// Scores a CSV (RFC 4180, first line names the columns) and appends a CSV with a header, numbers
// such that they read back to the same bits.
//
// Columns are matched to features by name when every feature is there, whatever the order and
// whatever else the file has; otherwise by position, which needs as many columns as features.
// A cell is a number, nan, inf, -inf, empty (missing) or, for a feature with named categories, a
// category's name; an unknown one is missing. Memory: the output and some rows.
// Errors: HR3005 (not a CSV that fits the model; place is the line), and those of Contributions.
Status ScoreCsv(const Model& model, std::string_view csv, OutputKind kind, std::string* out);

// The rows of a CSV as a background, and contributions against one: columns as kContributions has
// them, those that are sampled followed by `NAME_error`. Errors besides: those of
// ContributionsAgainst.
Result<Background> ReadBackground(const Model& model, std::string_view csv);
Status ScoreCsvAgainst(const Model& model, std::string_view csv, const Background& background,
                       std::string* out);

}  // namespace headrace::model
