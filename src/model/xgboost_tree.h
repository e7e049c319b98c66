#pragma once

#include "document/document.h"
#include "forest/forest.h"

namespace headrace::model {

// Reads one element of an XGBoost model's `trees` and appends its category sets to `forest`, whose
// features and leaf_width are set. Only nodes that can be reached from the root are taken.
// Errors: HR3002, HR3003, HR3004, with the byte.
Result<forest::Tree> ReadXgboostTree(const document::Value& tree, forest::Forest* forest);

// Member access that fails with HR3002: missing, or of another type.
Result<const document::Value*> MemberOf(const document::Value& object, std::string_view key);
Result<const document::Value::Numbers*> NumbersOf(const document::Value& object,
                                                  std::string_view key);
Result<std::string_view> TextOf(const document::Value& object, std::string_view key);
// A whole number written as text ("3"), as XGBoost writes its parameters, or as a number.
Result<int64_t> IntegerOf(const document::Value& object, std::string_view key);

}  // namespace headrace::model
