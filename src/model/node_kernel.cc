#include <limits>

#include "model/forest_kernel.h"

namespace headrace::model {

double NodeKernelCost(const Forest& forest) {
  return forest.trees.empty() ? 0 : std::numeric_limits<double>::infinity();
}

std::unique_ptr<const ForestKernel> MakeNodeKernel(const Forest&) {
  return nullptr;
}

}  // namespace headrace::model
