#include "expr/time_field.h"

#include <limits>

#include "row/interval.h"

namespace headrace::expr {
namespace {

struct FieldName {
  std::string_view name;
  TimeField field;
};

constexpr FieldName kFields[] = {
    {"microsecond", TimeField::kMicroseconds},
    {"microseconds", TimeField::kMicroseconds},
    {"us", TimeField::kMicroseconds},
    {"usec", TimeField::kMicroseconds},
    {"usecs", TimeField::kMicroseconds},
    {"millisecond", TimeField::kMilliseconds},
    {"milliseconds", TimeField::kMilliseconds},
    {"ms", TimeField::kMilliseconds},
    {"msec", TimeField::kMilliseconds},
    {"msecs", TimeField::kMilliseconds},
    {"second", TimeField::kSecond},
    {"seconds", TimeField::kSecond},
    {"sec", TimeField::kSecond},
    {"secs", TimeField::kSecond},
    {"s", TimeField::kSecond},
    {"minute", TimeField::kMinute},
    {"minutes", TimeField::kMinute},
    {"min", TimeField::kMinute},
    {"mins", TimeField::kMinute},
    {"m", TimeField::kMinute},
    {"hour", TimeField::kHour},
    {"hours", TimeField::kHour},
    {"hr", TimeField::kHour},
    {"hrs", TimeField::kHour},
    {"h", TimeField::kHour},
    {"day", TimeField::kDay},
    {"days", TimeField::kDay},
    {"d", TimeField::kDay},
    {"week", TimeField::kWeek},
    {"weeks", TimeField::kWeek},
    {"w", TimeField::kWeek},
    {"month", TimeField::kMonth},
    {"months", TimeField::kMonth},
    {"mon", TimeField::kMonth},
    {"mons", TimeField::kMonth},
    {"quarter", TimeField::kQuarter},
    {"qtr", TimeField::kQuarter},
    {"year", TimeField::kYear},
    {"years", TimeField::kYear},
    {"y", TimeField::kYear},
    {"yr", TimeField::kYear},
    {"yrs", TimeField::kYear},
    {"decade", TimeField::kDecade},
    {"decades", TimeField::kDecade},
    {"dec", TimeField::kDecade},
    {"decs", TimeField::kDecade},
    {"century", TimeField::kCentury},
    {"centuries", TimeField::kCentury},
    {"c", TimeField::kCentury},
    {"cent", TimeField::kCentury},
    {"millennium", TimeField::kMillennium},
    {"millennia", TimeField::kMillennium},
    {"mil", TimeField::kMillennium},
    {"mils", TimeField::kMillennium},
    {"dow", TimeField::kDow},
    {"isodow", TimeField::kIsoDow},
    {"doy", TimeField::kDoy},
    {"isoyear", TimeField::kIsoYear},
    {"julian", TimeField::kJulian},
    {"epoch", TimeField::kEpoch},
    {"timezone", TimeField::kTimezone},
    {"timezone_hour", TimeField::kTimezoneHour},
    {"timezone_minute", TimeField::kTimezoneMinute},
};

constexpr size_t kLongestName = 16;

// A field name that was constant.
class PreparedField final : public Prepared {
 public:
  explicit PreparedField(TimeField field) : field_(field) {}
  TimeField field() const { return field_; }

 private:
  TimeField field_;
};

Value UnitError(EvalContext& context, std::string_view unit, std::string_view what,
                std::string_view type) {
  std::string shown;
  for (char c : unit)
    shown += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return Fail(context, "HR2103",
              "unit \"" + shown + "\" not " + std::string(what) + " for type " + std::string(type));
}

}  // namespace

TimeField FindTimeField(std::string_view name) {
  if (name.size() > kLongestName) return TimeField::kNone;
  char lower[kLongestName];
  for (size_t i = 0; i < name.size(); ++i) {
    lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] + 32) : name[i];
  }
  for (const FieldName& entry : kFields) {
    if (entry.name == std::string_view(lower, name.size())) return entry.field;
  }
  return TimeField::kNone;
}

TimeField FieldOf(const Value& name, const CallFrame& frame) {
  if (frame.prepared != nullptr) {
    return static_cast<const PreparedField*>(frame.prepared)->field();
  }
  return FindTimeField(name.text());
}

Result<std::unique_ptr<Prepared>> PrepareField(KnownArguments arguments) {
  if (arguments[0] == nullptr) return std::unique_ptr<Prepared>();
  return std::unique_ptr<Prepared>(
      std::make_unique<PreparedField>(FindTimeField(arguments[0]->text())));
}

Value UnknownUnit(EvalContext& context, std::string_view unit, std::string_view type) {
  return UnitError(context, unit, "recognized", type);
}

Value UnsupportedUnit(EvalContext& context, std::string_view unit, std::string_view type) {
  return UnitError(context, unit, "supported", type);
}

int DayOfWeek(int64_t day) {
  return static_cast<int>(((day + 4) % 7 + 7) % 7);
}

IsoWeek IsoWeekOf(int64_t day) {
  // The week belongs to the year of its Thursday.
  const int64_t thursday = day - (DayOfWeek(day) + 6) % 7 + 3;
  const int64_t year = row::CivilFromDays(thursday).year;
  return {year, static_cast<int>((thursday - row::DaysFromCivil(year, 1, 1)) / 7) + 1};
}

bool AddInterval(int64_t moment, const row::Interval& interval, int64_t* result) {
  *result = moment;
  if (IsInfiniteTime(moment)) return true;
  row::Int128 sum = moment;
  if (interval.months != 0) {
    const int64_t day = row::FloorDivide(moment, row::kMicrosPerDay);
    row::Civil date = row::CivilFromDays(day);
    const int64_t months = date.year * row::kMonthsPerYear + (date.month - 1) + interval.months;
    date.year = row::FloorDivide(months, row::kMonthsPerYear);
    date.month = static_cast<int>(months - date.year * row::kMonthsPerYear) + 1;
    date.day = std::min(date.day, row::DaysInMonth(date.year, date.month));
    sum += static_cast<row::Int128>(row::DaysFromCivil(date.year, date.month, date.day) - day) *
           row::kMicrosPerDay;
  }
  sum += static_cast<row::Int128>(interval.days) * row::kMicrosPerDay;
  sum += interval.micros;
  if (sum > std::numeric_limits<int64_t>::max() || sum < std::numeric_limits<int64_t>::min()) {
    return false;
  }
  *result = static_cast<int64_t>(sum);
  return row::ValidTimestamp(*result);
}

bool NegateInterval(const row::Interval& interval, row::Interval* result) {
  return !__builtin_sub_overflow(int64_t{0}, interval.micros, &result->micros) &&
         !__builtin_sub_overflow(0, interval.days, &result->days) &&
         !__builtin_sub_overflow(0, interval.months, &result->months);
}

}  // namespace headrace::expr
