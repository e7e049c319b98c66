#pragma once

#include <span>

#include "model/forest.h"

namespace headrace::model {

// Scores rows with a forest. Immutable, thread-safe; the forest must outlive it.
class FlatForest {
 public:
  explicit FlatForest(const Forest& forest) : forest_(forest) {}

  // `features` is rows x forest.features, row-major; `raw` receives rows x forest.outputs.
  void Score(std::span<const double> features, size_t rows, std::span<double> raw) const;

 private:
  const Forest& forest_;
};

}  // namespace headrace::model
