#pragma once

#include "row/value.h"

namespace headrace::expr {

enum class DecimalError : uint8_t { kNone, kOverflow, kDivisionByZero };

// PostgreSQL's arithmetic of numeric within 38 digits: scales, NaN and infinities as there. What
// does not fit is an error, never rounded.
DecimalError AddDecimal(const row::Value& a, const row::Value& b, row::Value* result);
DecimalError SubtractDecimal(const row::Value& a, const row::Value& b, row::Value* result);
DecimalError MultiplyDecimal(const row::Value& a, const row::Value& b, row::Value* result);
DecimalError DivideDecimal(const row::Value& a, const row::Value& b, row::Value* result);
DecimalError ModuloDecimal(const row::Value& a, const row::Value& b, row::Value* result);
// a / b cut to an integer.
DecimalError QuotientDecimal(const row::Value& a, const row::Value& b, row::Value* result);

row::Value NegateDecimal(const row::Value& value);

enum class Rounding : uint8_t { kHalfAwayFromZero, kTowardZero, kDown, kUp };
// To `digits` behind the point; negative digits round to tens, hundreds and so on.
DecimalError RoundDecimal(const row::Value& value, int digits, Rounding rounding,
                          row::Value* result);

// Position of the first digit in PostgreSQL's base 10000: what its scales are computed from.
int DecimalWeight(const row::Value& value);

}  // namespace headrace::expr
