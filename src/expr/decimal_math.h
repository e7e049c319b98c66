#pragma once

#include "base/arena.h"
#include "row/value.h"

namespace headrace::expr {

enum class DecimalError : uint8_t { kNone, kOverflow, kDivisionByZero };

// PostgreSQL's arithmetic of numeric: scales, NaN and infinities as there. Results of more than 38
// digits are wide, with their bytes in `arena`; beyond the limits of wide_decimal.h they are an
// overflow, never rounded.
DecimalError AddDecimal(const row::Value& a, const row::Value& b, base::Arena& arena,
                        row::Value* result);
DecimalError SubtractDecimal(const row::Value& a, const row::Value& b, base::Arena& arena,
                             row::Value* result);
DecimalError MultiplyDecimal(const row::Value& a, const row::Value& b, base::Arena& arena,
                             row::Value* result);
DecimalError DivideDecimal(const row::Value& a, const row::Value& b, base::Arena& arena,
                           row::Value* result);
DecimalError ModuloDecimal(const row::Value& a, const row::Value& b, base::Arena& arena,
                           row::Value* result);
// a / b cut to an integer.
DecimalError QuotientDecimal(const row::Value& a, const row::Value& b, base::Arena& arena,
                             row::Value* result);

// -1, 0, 1; infinities have a sign, too.
int DecimalSign(const row::Value& value);

row::Value NegateDecimal(const row::Value& value);

enum class Rounding : uint8_t { kHalfAwayFromZero, kTowardZero, kDown, kUp };
// To `digits` behind the point; negative digits round to tens, hundreds and so on.
DecimalError RoundDecimal(const row::Value& value, int digits, Rounding rounding,
                          base::Arena& arena, row::Value* result);

// Position of the first digit in PostgreSQL's base 10000: what its scales are computed from.
int DecimalWeight(const row::Value& value);

}  // namespace headrace::expr
