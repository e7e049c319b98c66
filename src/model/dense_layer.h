#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace headrace::model {

// A matrix of float weights, laid out for multiplying one vector at a time. Every sum starts at 0
// and takes the products in the order of the inputs, each by a fused multiply-add: product and sum
// are rounded together, once. That is one exact operation, which a processor has or the C library
// computes, so the bits depend neither on the machine nor on what else is computed. Immutable.
class DenseLayer {
 public:
  // `weight(input, output)` gives the weights.
  template <typename Weight>
  DenseLayer(size_t inputs, size_t outputs, Weight weight)
      : inputs_(inputs), outputs_(outputs), weights_(inputs * padded()) {
    for (size_t i = 0; i < inputs; ++i) {
      for (size_t o = 0; o < outputs; ++o) {
        weights_[Place(i, o)] = static_cast<float>(weight(i, o));
      }
    }
  }

  size_t inputs() const { return inputs_; }
  size_t outputs() const { return outputs_; }

  // `sums` receives outputs() values.
  void Multiply(const double* x, float* sums) const;
  // The same without what this processor has: for tests.
  void MultiplyPlainly(const double* x, float* sums) const;

  static constexpr size_t kLane = 32;  // outputs that are summed side by side

 private:
  size_t padded() const { return (outputs_ + kLane - 1) / kLane * kLane; }
  size_t Place(size_t input, size_t output) const {
    return (output / kLane * inputs_ + input) * kLane + output % kLane;
  }

  size_t inputs_;
  size_t outputs_;
  std::vector<float> weights_;  // by lane of outputs, then by input
};

}  // namespace headrace::model
