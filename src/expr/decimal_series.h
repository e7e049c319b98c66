#pragma once

#include "expr/decimal_math.h"

namespace headrace::expr {

// Roots, powers and logarithms of decimals, with PostgreSQL's rules for the scale of the result
// (at least 16 significant digits). Computed with 60 digits. Infinities and NaN are the callers'.
DecimalError SqrtDecimal(const row::Value& value, row::Value* result);
DecimalError ExpDecimal(const row::Value& value, row::Value* result);
DecimalError LnDecimal(const row::Value& value, row::Value* result);
DecimalError LogDecimal(const row::Value& base, const row::Value& value, row::Value* result);
DecimalError PowerDecimal(const row::Value& base, const row::Value& exponent, row::Value* result);

}  // namespace headrace::expr
