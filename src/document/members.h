#pragma once

#include <cstdint>
#include <string_view>

#include "document/document.h"

namespace headrace::document {

// Member access that fails with HR3002: missing, or of another type.
Result<const Value*> MemberOf(const Value& object, std::string_view key);
Result<const Value::Numbers*> NumbersOf(const Value& object, std::string_view key);
Result<std::string_view> TextOf(const Value& object, std::string_view key);
Result<double> NumberOf(const Value& object, std::string_view key);
// A whole number written as text ("3"), as XGBoost writes its parameters, or as a number.
Result<int64_t> IntegerOf(const Value& object, std::string_view key);

// Whether x is a whole number of [least, end).
bool IsWhole(double x, double least, double end);

}  // namespace headrace::document
