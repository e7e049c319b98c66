#pragma once

#include "headrace/result.h"
#include "train/options.h"
#include "train/table.h"
#include "train/trained.h"

namespace headrace::train {

// An isolation forest (Liu, Ting, Zhou 2008): each tree cuts options.sample_rows rows, drawn
// without replacement, at random values of random features, until each is alone or the tree is as
// deep as the logarithm of their number. What is alone after few cuts is unusual. Labels are not
// looked at.
//
// The model answers with the score of the paper, 2^(-E[h] / c): near 1 is anomalous, 0.5 and below
// is usual. A leaf holds -ln 2 h / c; the answer is e to the mean of the leaves, which is what
// LightGBM computes of a rf file with the objective poisson. A missing value, and an infinite one
// at a cut between others, goes to a side that was drawn for the cut.
//
// The bytes are a function of the rows, their order, and the options. `validation` may be null; the
// losses are mean scores. Memory: the table's and the trees'. Error: HR3007, HR3070 (categories).
Result<Trained> TrainIsolationForest(const Table& table, const Table* validation,
                                     const Options& options);

}  // namespace headrace::train
