#include "model/program_model.h"

#include <algorithm>
#include <cmath>
#include <memory>

namespace headrace::model {

ProgramModel::ProgramModel(ModelInfo info, onnx::CompiledGraph graph)
    : GraphModel(std::move(info), std::move(graph.description)),
      program_(std::move(graph.program)),
      inputs_(std::move(graph.inputs)),
      outputs_(std::move(graph.outputs)) {}

void ProgramModel::Load(const double* features, double* row) const {
  for (size_t f = 0; f < inputs_.size(); ++f) {
    double x = features[f];
    const onnx::ElementType type = inputs_[f].type;
    if (type == onnx::ElementType::kText) {
      x = std::isnan(x) ? onnx::kUnknownText : x;
    } else if (type == onnx::ElementType::kBool) {
      x = std::isnan(x) || x == 0 ? 0 : 1;
    } else {
      x = onnx::IsInteger(type) ? std::trunc(x) : onnx::RoundTo(type, x);
    }
    row[inputs_[f].slot] = x;
  }
}

void ProgramModel::ScoreRaw(std::span<const double> features, size_t rows,
                            std::span<double> raw) const {
  const size_t block = std::min(program_.block_rows(), std::max<size_t>(rows, 1));
  // Every element is written before it is read: none needs a value first.
  const auto memory =
      std::make_unique_for_overwrite<double[]>(block * std::max<size_t>(program_.stride(), 1));
  for (size_t begin = 0; begin < rows; begin += block) {
    const onnx::Frame frame = {memory.get(), program_.stride(), std::min(block, rows - begin)};
    for (size_t r = 0; r < frame.rows; ++r) {
      Load(features.data() + (begin + r) * inputs_.size(), frame.At(size_t{0}, r));
    }
    program_.Run(frame);
    for (size_t r = 0; r < frame.rows; ++r) {
      double* scores = raw.data() + (begin + r) * outputs_.size();
      for (size_t o = 0; o < outputs_.size(); ++o) {
        scores[o] = *frame.At(outputs_[o], r);
      }
    }
  }
}

}  // namespace headrace::model
