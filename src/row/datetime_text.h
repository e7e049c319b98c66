#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headrace/result.h"
#include "row/value.h"

namespace headrace::row {

// PostgreSQL's text input of dates and times: ISO, DateStyle MDY, English month names, AD/BC,
// AM/PM, zone offsets and the zone names of time_zone.h, 'epoch' and 'infinity'. Words that need a
// clock ('now', 'today') are refused: a replayed row would get another value.
Result<int64_t> ParseDate(std::string_view text);       // days since 1970-01-01
Result<int64_t> ParseTime(std::string_view text);       // microseconds since midnight
Result<int64_t> ParseTimestamp(std::string_view text);  // a zone is read and ignored
Result<int64_t> ParseTimestampTz(std::string_view text);

// ISO output.
void AppendDate(int64_t days, std::string& out);
void AppendTime(int64_t micros, std::string& out);
// `separator` stands between date and time.
void AppendTimestamp(int64_t micros, std::string& out, char separator = ' ');
void AppendTimestampTz(int64_t micros, std::string& out);

}  // namespace headrace::row
