#include "model/program_model.h"

#include <algorithm>
#include <cmath>
#include <memory>

namespace headrace::model {

ProgramModel::ProgramModel(ModelInfo info, onnx::CompiledGraph graph)
    : program_(std::move(graph.program)),
      inputs_(std::move(graph.inputs)),
      outputs_(std::move(graph.outputs)),
      predicted_(std::move(graph.predicted)) {
  info_ = std::move(info);
  info_.features = std::move(graph.features);
  info_.categories = std::move(graph.categories);
  info_.exact_categories = true;
  info_.output_names = std::move(graph.output_names);
  info_.text_outputs = std::move(graph.text_outputs);
  info_.output_texts = std::move(graph.output_texts);
  info_.text_prediction = graph.text_prediction;
  info_.outputs = static_cast<int32_t>(outputs_.size());
  info_.predictions = static_cast<int32_t>(predicted_.size());
}

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

void ProgramModel::Transform(size_t rows, std::span<double> scores) const {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t p = 0; p < predicted_.size(); ++p) {
      // The predicted ones are in ascending order, so nothing is overwritten that is still read.
      scores[r * predicted_.size() + p] = scores[r * outputs_.size() + predicted_[p]];
    }
  }
}

void ProgramModel::Leaves(std::span<const double>, std::span<int32_t>) const {}

Result<std::vector<double>> ProgramModel::Contributions(std::span<const double>) const {
  return Error(ErrorKind::kInvalidArgument, "HR3003",
               "contributions are not defined for models of this format")
      .WithHint("LightGBM and XGBoost files hold the counts that they need");
}

}  // namespace headrace::model
