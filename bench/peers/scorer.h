#pragma once

#include <memory>
#include <string>
#include <vector>

#include "forest/forest.h"
#include "headrace/result.h"

namespace headrace::bench {

// Rows that are scored with one call where many are.
inline constexpr size_t kBlockRows = 256;

// Somebody's way to score one model, on one thread, through the call that its makers offer for it.
// A call gives false when the library says that it failed. Confined.
class Scorer {
 public:
  virtual ~Scorer() = default;
  virtual bool ScoreOne(const double* row, double* raw) = 0;
  // `rows` is at most kBlockRows.
  virtual bool ScoreBlock(const double* features, size_t rows, double* raw) = 0;
  // The contributions of the features and the expected value. False also when it has none.
  virtual bool Explain(const double* row, double* contributions) = 0;
  // How far its scores may be from ours: 0 when it computes in double too.
  virtual double tolerance() const = 0;
};

// LightGBM through the C API of its library, single-row fast configuration. `text` is the model's.
Result<std::unique_ptr<Scorer>> MakeLightGbm(const std::string& library, const std::string& text,
                                             int features);

// ONNX Runtime through its C API, on a TreeEnsembleRegressor of the same trees (OnnxForest).
Result<std::unique_ptr<Scorer>> MakeOnnxRuntime(const std::string& library,
                                                const forest::Forest& forest);

// An ONNX model that adds the leaves of a forest of numeric splits that never miss a value. ONNX
// compares floats: each threshold becomes the next float that is not above it, so that rows of
// floats take the ways they take in double.
std::string OnnxForest(const forest::Forest& forest);

}  // namespace headrace::bench
