#pragma once

#include "expr/decimal_math.h"
#include "row/wide_decimal.h"

namespace headrace::expr {

// The operations of decimal_math.h on finite decimals of any size: where 38 digits end, and where
// an operand is wide already. Exact but for quotients, which round half away from zero.
DecimalError WideAdd(const row::Value& a, const row::Value& b, base::Arena& arena,
                     row::Value* result);
DecimalError WideMultiply(const row::Value& a, const row::Value& b, base::Arena& arena,
                          row::Value* result);
DecimalError WideDivide(const row::Value& a, const row::Value& b, base::Arena& arena,
                        row::Value* result);
DecimalError WideModulo(const row::Value& a, const row::Value& b, base::Arena& arena,
                        row::Value* result);
DecimalError WideQuotient(const row::Value& a, const row::Value& b, base::Arena& arena,
                          row::Value* result);
DecimalError WideRound(const row::Value& value, int digits, Rounding rounding, base::Arena& arena,
                       row::Value* result);
row::Value WideNegate(const row::Value& value);

// Stores the result; too large is an overflow.
DecimalError GiveWide(const row::WideDecimal& wide, base::Arena& arena, row::Value* result);

}  // namespace headrace::expr
