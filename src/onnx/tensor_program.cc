#include "onnx/tensor_program.h"

#include <algorithm>
#include <array>
#include <utility>

#include "headrace/check.h"

namespace headrace::onnx {
namespace {

constexpr size_t kBlockRows = 16;
constexpr size_t kBlockElements = size_t{1} << 11;  // 16 KiB: stays in a first-level cache
constexpr size_t kOutputsMax = 8;

}  // namespace

void Operation::RunFrame(const Frame& frame, std::span<const Operand> inputs,
                         std::span<const size_t> outputs) const {
  std::array<const double*, kOperandsMax> in;  // filled below as far as it is read
  std::array<double*, kOutputsMax> out;
  for (size_t row = 0; row < frame.rows; ++row) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      in[i] = frame.At(inputs[i], row);
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      out[i] = frame.At(outputs[i], row);
    }
    Run(in.data(), out.data());
  }
}

const double* TensorProgram::Keep(std::vector<double> elements) {
  if (elements.empty()) elements.push_back(0);  // so that there is an address
  return kept_.emplace_back(std::move(elements)).data();
}

std::optional<size_t> TensorProgram::Reserve(size_t elements) {
  if (elements > kTensorElementsMax - stride_) return std::nullopt;
  return std::exchange(stride_, stride_ + elements);
}

void TensorProgram::Add(std::unique_ptr<const Operation> operation, std::vector<Operand> inputs,
                        std::vector<size_t> outputs) {
  HR_CHECK(inputs.size() <= kOperandsMax && outputs.size() <= kOutputsMax);
  steps_.push_back({std::move(operation), std::move(inputs), std::move(outputs)});
}

size_t TensorProgram::block_rows() const {
  return std::clamp<size_t>(kBlockElements / std::max<size_t>(stride_, 1), 1, kBlockRows);
}

void TensorProgram::Run(const Frame& frame) const {
  for (const Step& step : steps_) {
    step.operation->RunFrame(frame, step.inputs, step.outputs);
  }
}

}  // namespace headrace::onnx
