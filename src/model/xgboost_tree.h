#pragma once

#include "document/document.h"
#include "forest/forest.h"

namespace headrace::model {

// Reads one element of an XGBoost model's `trees` and appends its category sets to `forest`, whose
// features and leaf_width are set. Only nodes that can be reached from the root are taken.
// Errors: HR3002, HR3003, HR3004, with the byte.
Result<forest::Tree> ReadXgboostTree(const document::Value& tree, forest::Forest* forest);

}  // namespace headrace::model
