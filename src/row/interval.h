#pragma once

#include <string>
#include <string_view>

#include "headrace/result.h"
#include "row/value.h"

namespace headrace::row {

inline constexpr int kMonthsPerYear = 12;
inline constexpr int kDaysPerMonth = 30;  // where a month must become days

// PostgreSQL's interval input: '1 day 2 hours', '1-2', '1 04:05:06', 'P1Y2M3DT4H5M6S', '... ago'.
// `fields` is what stands behind the literal ("", "second", "day to second"): it names the unit of
// a bare number and cuts what is smaller than its last unit.
Result<Interval> ParseInterval(std::string_view text, std::string_view fields = "");

// Cuts what is smaller than the last of the fields.
void CutInterval(std::string_view fields, Interval* interval);

// IntervalStyle postgres: `1 year 2 mons -3 days +04:05:06.789`.
void AppendInterval(const Interval& interval, std::string& out);

// The length with 30-day months and 24-hour days: what comparison and keys go by.
Int128 IntervalSpan(const Interval& interval);

}  // namespace headrace::row
