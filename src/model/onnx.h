#pragma once

#include <memory>
#include <string_view>

#include "headrace/result.h"
#include "model/model.h"

namespace headrace::model {

// Whether the bytes begin as an ONNX file does: with the version of its format.
bool LooksLikeOnnx(std::string_view bytes);

// Errors: HR3002, HR3003, HR3004, and HR3006 for an operator that is not computed here.
Result<std::shared_ptr<const Model>> LoadOnnx(std::string_view bytes, ModelInfo info);

struct OnnxGraph;
// Compiles a graph, which may be dropped afterwards.
Result<std::shared_ptr<const Model>> CompileOnnx(const OnnxGraph& graph, ModelInfo info);

}  // namespace headrace::model
