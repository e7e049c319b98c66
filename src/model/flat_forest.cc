#include "model/flat_forest.h"

#include <vector>

#include "model/forest_scorer.h"

namespace headrace::model {

void FlatForest::Score(std::span<const double> features, size_t rows, std::span<double> raw) const {
  ScoreForest(forest_, features, rows, raw);
}

}  // namespace headrace::model
