#pragma once

#include <cstdint>
#include <string_view>

#include "row/value.h"
#include "state/aggregate.h"
#include "state/sums.h"

namespace headrace::state {

// Why an aggregate has no value.
enum class FinishError : uint8_t { kNone, kBigintRange, kDecimalRange, kDoubleRange };

// PostgreSQL's message.
std::string_view Message(FinishError error);

// The value of kSum, kAvg, kStddev* or kVar* from totals; NULL where SQL has it NULL. Decimal
// results have PostgreSQL's display scale: a sum the largest scale of its values; averages and
// variances what numeric division gives, at least 16 significant digits. A variance too long for 38
// digits is rounded to fit.
//
// `scale` is the scale of the narrow values; `result` kBigint or kDecimal.
FinishError FinishNarrow(AggregateKind kind, const NarrowSum& totals, int scale, row::Type result,
                         row::Value* value);
FinishError FinishNarrowSquares(AggregateKind kind, const NarrowSquares& totals, int scale,
                                row::Value* value);
FinishError FinishWide(AggregateKind kind, const WideSums& totals, row::Value* value);
FinishError FinishDouble(AggregateKind kind, const DoubleSums& totals, row::Value* value);

}  // namespace headrace::state
