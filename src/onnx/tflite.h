#pragma once

#include <span>
#include <string_view>

#include "headrace/result.h"
#include "onnx/compiler.h"
#include "onnx/op.h"

namespace headrace::onnx {

// Whether the bytes carry the mark of a TensorFlow Lite file.
bool LooksLikeTflite(std::string_view bytes);

// Errors: HR3002, HR3003, HR3004, and HR3006 for an operator that is not computed here.
Result<CompiledGraph> LoadTflite(std::string_view bytes);

// The operators on bytes, which ONNX does not have in this form. They trust their inputs to be
// bytes, so no file may name their domain: names in files are UTF-8, and this is not.
inline constexpr std::string_view kTfliteDomain = "\xFFtflite";
std::span<const OnnxOperator> TfliteOperators();

}  // namespace headrace::onnx
