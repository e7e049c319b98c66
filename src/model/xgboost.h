#pragma once

#include <memory>

#include "document/document.h"
#include "model/model.h"

namespace headrace::model {

// Builds a model from an XGBoost document (JSON or UBJSON, versions 1.0 to 3.x): gbtree, dart and
// gblinear. `info` brings the format and the file's hash. Errors: HR3001, HR3002, HR3003, HR3004,
// with the byte where the offending value starts.
Result<std::shared_ptr<const Model>> LoadXgboost(const document::Value& document, ModelInfo info);

}  // namespace headrace::model
