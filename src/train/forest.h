#pragma once

#include "headrace/result.h"
#include "train/options.h"
#include "train/table.h"
#include "train/trained.h"

namespace headrace::train {

// A random forest (Breiman 2001) over histograms: each tree is grown on as many rows as there are,
// drawn with replacement, and each split looks at features drawn anew: options.feature_share of
// them, or by default their square root, for numbers a third. Where none of these helps, the others
// are looked at.
//
// A leaf answers with the best constant score of its rows: their mean or quantile, or the logarithm
// of their odds or shares with one more row as all rows are. The raw score is the mean over the
// trees, so probabilities are pooled as logarithms (Genest and Zidek 1986), which LightGBM's rf
// files can say. The loss is that over rows by the trees that did not see them (out of bag).
//
// The bytes are a function of the rows, their order, and the options but `threads`. `validation`
// may be null. Takes the values out of `table`. Memory: that of boosting, and 24 bytes a row.
// Error: HR3007.
Result<Trained> TrainForest(Table table, const Table* validation, const Options& options);

}  // namespace headrace::train
