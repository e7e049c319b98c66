#pragma once

#include <memory>
#include <string_view>

#include "model/model.h"

namespace headrace::model {

// Reads a LightGBM text model (versions v2 to v4, with or without the optional lines, LF or CRLF).
// `info` brings what does not come from the text: the file's hash. Errors: HR3002, HR3003, HR3004,
// with the line.
Result<std::shared_ptr<const Model>> LoadLightGbm(std::string_view bytes, ModelInfo info);

}  // namespace headrace::model
