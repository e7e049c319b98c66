#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace headrace::onnx {

// A matrix of float weights, laid out for multiplying one vector at a time. Every sum starts at 0
// and takes the products in the order of the inputs, each by a fused multiply-add: product and sum
// are rounded together, once. That is one exact operation, which a processor has or the C library
// computes, so the bits depend neither on the machine nor on what else is computed. Immutable.
class DenseLayer {
 public:
  // `weight(input, output)` gives the weights.
  template <typename Weight>
  DenseLayer(size_t inputs, size_t outputs, Weight weight)
      : inputs_(inputs), outputs_(outputs), weights_(inputs * outputs) {
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

  // Outputs are summed side by side in lanes of this many, then of this many, then all the rest.
  static constexpr size_t kWide = 32;
  static constexpr size_t kNarrow = 8;

  // The width of the lane that begins at an output.
  size_t LaneAt(size_t output) const {
    const size_t left = outputs_ - output;
    return left >= kWide ? kWide : left >= kNarrow ? kNarrow : left;
  }

 private:
  // A lane has its weights for one input after those for the input before.
  size_t Place(size_t input, size_t output) const {
    const size_t wide = outputs_ / kWide * kWide;
    const size_t narrow = outputs_ / kNarrow * kNarrow;
    const size_t begin = output < wide     ? output / kWide * kWide
                         : output < narrow ? output / kNarrow * kNarrow
                                           : narrow;
    return begin * inputs_ + input * LaneAt(begin) + (output - begin);
  }

  size_t inputs_;
  size_t outputs_;
  std::vector<float> weights_;
};

}  // namespace headrace::onnx
