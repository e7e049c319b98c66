#pragma once

#include "headrace/result.h"
#include "train/options.h"
#include "train/table.h"
#include "train/trained.h"

namespace headrace::train {

// k-means over standardised features (Lloyd 1982), from centres that were drawn far apart (Arthur
// and Vassilvitskii 2007, k-means++), until no row changes its cluster or kKMeansRoundsMax. A
// missing value is left out of distances and means (Hathaway and Bezdek 2001, partial distances). A
// cluster that loses its rows keeps its centre. Labels are not looked at.
//
// The model has an output a cluster; its answers are shares, e^(-d^2 / 2s) over their sum, d being
// the distance to the centre and s what a feature varies within clusters: the largest is the
// nearest centre, and the others say how near they are. As d^2 without the row's own square is
// linear in the row, the file has a linear leaf a feature and cluster, and LightGBM's softmax.
//
// The bytes are a function of the rows, their order, and the options but `threads`. Losses are mean
// squared distances. Changes the values of `table`. `validation` may be null. Memory: 16 bytes a
// row, and clusters x features a thread. Errors: HR3007, HR3070.
Result<Trained> TrainKMeans(Table table, const Table* validation, const Options& options);

inline constexpr size_t kKMeansRoundsMax = 300;

}  // namespace headrace::train
