#pragma once

#include <memory>
#include <string_view>

#include "headrace/result.h"
#include "model/model.h"
#include "model/onnx_op.h"

namespace headrace::model {

// Whether the bytes carry the mark of a TensorFlow Lite file.
bool LooksLikeTflite(std::string_view bytes);

// Errors: HR3002, HR3003, HR3004, and HR3006 for an operator that is not computed here.
Result<std::shared_ptr<const Model>> LoadTflite(std::string_view bytes, ModelInfo info);

// The operators on bytes, which ONNX does not have in this form. They trust their inputs to be
// bytes, so no file may name their domain: names in files are UTF-8, and this is not.
inline constexpr std::string_view kTfliteDomain = "\xFFtflite";
std::span<const OnnxOperator> TfliteOperators();

}  // namespace headrace::model
