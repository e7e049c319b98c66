#pragma once

#include <string>
#include <string_view>

#include "base/arena.h"
#include "headrace/result.h"
#include "row/value.h"

namespace headrace::row {

// PostgreSQL's text input of a type ('2026-01-01'::date and so on). Errors carry PostgreSQL's
// message and the code HR2001 (invalid text), HR2002 (out of range). Memory of text-like results
// comes from `arena`, or points into `text`.
Result<Value> ParseText(std::string_view text, Type type, base::Arena& arena);

// PostgreSQL's text output, with TimeZone UTC, DateStyle ISO, IntervalStyle postgres.
void AppendText(const Value& value, Type type, std::string& out);

// RFC 3339 with any offset, microseconds; nothing else is taken. False when malformed.
bool ParseRfc3339(std::string_view text, int64_t* micros);
// `2026-01-31T23:59:59.000001Z`: six digits of fraction, or none when it is zero.
void AppendRfc3339(int64_t micros, std::string& out);

// The row JSON of the contract: DECIMAL as number with its scale, DOUBLE as the shortest text that
// reads back to the same bits (`"NaN"`, `"Infinity"` as strings), TIMESTAMPTZ as RFC 3339, BYTEA as
// base64, JSON verbatim, NULL as null.
void AppendJson(const Value& value, Type type, std::string& out);
void AppendJsonString(std::string_view text, std::string& out);

// Exact decimal from JSON or SQL number text ("12.30", "-1e3"). False when it is not a finite
// number of at most 38 digits.
bool ParseDecimal(std::string_view text, Value* value);
void AppendDecimal(const Value& value, std::string& out);
// Rescales, rounding half away from zero, and checks DECIMAL(p,s). False on overflow.
bool FitDecimal(Value* value, uint8_t precision, uint8_t scale);
double DecimalToDouble(const Value& value);  // correctly rounded

// Total order of PostgreSQL's btree (NULLs are the caller's business): NaN is largest, text by
// bytes, decimals by value whatever their scale, intervals with 30-day months. <0, 0, >0.
int Compare(const Value& a, const Value& b, Type type);
// Appends bytes that are equal exactly when Compare says 0 (and both or none NULL). Used as hash
// and map keys: 1.0 and 1.00 give the same bytes.
void AppendKey(const Value& value, Type type, std::string& out);

}  // namespace headrace::row
