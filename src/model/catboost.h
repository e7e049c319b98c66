#pragma once

#include <memory>

#include "document/document.h"
#include "model/model.h"

namespace headrace::model {

// Whether a JSON text begins with a key of CatBoost's documents.
bool LooksLikeCatboost(std::string_view text);

// A model as CatBoost's save_model(format = "json") writes it: trees of numeric splits, oblivious
// or not. Inputs are compared as floats and leaves added as doubles in the order of the trees, as
// CatBoost does; values within 1e-35 of 0 count as 0. The raw score is that of RawFormulaVal.
// Errors: HR3002, HR3003 (categorical and text features, an unknown loss), HR3004.
Result<std::shared_ptr<const Model>> LoadCatboost(const document::Value& root, ModelInfo info);

}  // namespace headrace::model
