#pragma once

#include "expr/decimal_math.h"

namespace headrace::expr {

// Roots, powers and logarithms of decimals, with PostgreSQL's rules for the scale of the result
// (at least 16 significant digits; PostgreSQL 15's for whole exponents). Roots and short whole
// powers are exact, the others are computed with ten digits more than shown, at most 1,000.
// Infinities and NaN are the callers'.
DecimalError SqrtDecimal(const row::Value& value, base::Arena& arena, row::Value* result);
DecimalError ExpDecimal(const row::Value& value, base::Arena& arena, row::Value* result);
DecimalError LnDecimal(const row::Value& value, base::Arena& arena, row::Value* result);
DecimalError LogDecimal(const row::Value& base, const row::Value& value, base::Arena& arena,
                        row::Value* result);
DecimalError PowerDecimal(const row::Value& base, const row::Value& exponent, base::Arena& arena,
                          row::Value* result);

}  // namespace headrace::expr
