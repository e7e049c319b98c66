#include "onnx/dense_layer.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace headrace::onnx {
namespace {

TEST(DenseLayer, ALayerHasTheSameBitsWithAndWithoutVectors) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (const size_t outputs : {1u, 7u, 8u, 31u, 32u, 33u, 40u, 100u}) {
    const DenseLayer layer(17, outputs, [&](size_t, size_t) { return normal(random); });
    std::vector<double> x(17);
    for (double& value : x) {
      value = static_cast<double>(static_cast<float>(normal(random)));
    }
    std::vector<float> fast(outputs);
    std::vector<float> plain(outputs);
    layer.Multiply(x.data(), fast.data());
    layer.MultiplyPlainly(x.data(), plain.data());
    EXPECT_EQ(plain, fast);
  }
}

}  // namespace
}  // namespace headrace::onnx
