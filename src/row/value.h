#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace headrace::row {

using Int128 = __int128;

// The SQL types. Order is not significant and never stored: formats store the name.
enum class TypeKind : uint8_t {
  kUnknown,  // an untyped literal ('...' or NULL) before resolution, as in PostgreSQL
  kBoolean,
  kInteger,  // 32 bits
  kBigint,   // 64 bits
  kDouble,
  kDecimal,  // exact, up to 38 digits; PostgreSQL's numeric within that range
  kText,
  kBytea,
  kDate,         // days since 1970-01-01
  kTime,         // microseconds since midnight
  kTimestamp,    // microseconds since 1970-01-01, without zone
  kTimestampTz,  // microseconds since 1970-01-01T00:00:00Z
  kInterval,     // months, days, microseconds
  kJson,         // text kept as written
  kJsonb,        // canonical text: keys by length then bytes, last duplicate wins
  kTextArray,
  kBigintArray,
};

// A type with its modifiers. Value type.
struct Type {
  TypeKind kind = TypeKind::kUnknown;
  // DECIMAL(precision, scale); precision 0 means unconstrained: each value carries its own scale.
  // For kInteger 2 means SMALLINT, for kDouble 4 means REAL (bytes): same values, a smaller range.
  uint8_t precision = 0;
  uint8_t scale = 0;

  bool operator==(const Type&) const = default;
};

// As SQL and `"type"` in answers spell it: "bigint", "decimal(12,2)", "timestamptz", ...
std::string ToString(Type type);
// As PostgreSQL's messages spell it: "numeric", "double precision", without modifiers.
std::string PostgresName(Type type);

inline constexpr Type kSmallint{TypeKind::kInteger, 2, 0};
inline constexpr Type kReal{TypeKind::kDouble, 4, 0};
// Arrays of narrower integers: the same text, elements of a smaller range.
inline constexpr Type kIntegerArray{TypeKind::kBigintArray, 4, 0};
inline constexpr Type kSmallintArray{TypeKind::kBigintArray, 2, 0};
inline bool IsSmallint(Type type) {
  return type == kSmallint;
}
inline bool IsReal(Type type) {
  return type == kReal;
}
// Whether the number is in the range of the integer type.
inline bool FitsInteger(int64_t value, Type type) {
  if (type.kind != TypeKind::kInteger) return true;
  return IsSmallint(type) ? value == static_cast<int16_t>(value)
                          : value == static_cast<int32_t>(value);
}

struct Interval {
  int64_t micros = 0;
  int32_t days = 0;
  int32_t months = 0;
};

// One SQL value, 24 bytes, trivially copyable. Which member is meant follows from the plan's Type,
// which every reader knows; the value itself only says null. Text, bytes and JSON point into an
// arena or an event's payload that must outlive the value.
struct Value {
  union {
    bool boolean;
    int64_t integer;  // kInteger, kBigint, kDate, kTime, kTimestamp, kTimestampTz
    double number;
    const char* data;  // kText, kBytea, kJson, kJsonb, arrays (text form)
    uint64_t low;      // kDecimal: low word of the unscaled value
    int64_t micros;    // kInterval
  };
  union {
    int64_t high;  // kDecimal: high word
    struct {
      int32_t days;
      int32_t months;
    } span;  // kInterval
  };
  uint32_t length;  // bytes behind `data`
  uint8_t scale;    // kDecimal: digits behind the point; value = unscaled / 10^scale
  uint8_t special;  // kDecimal: 0 finite, 1 NaN, 2 +Infinity, 3 -Infinity
  bool null;
  uint8_t unused;

  static Value Null() {
    Value v = Zero();
    v.null = true;
    return v;
  }
  static Value Boolean(bool b) {
    Value v = Zero();
    v.low = 0;
    v.boolean = b;
    return v;
  }
  static Value Integer(int64_t i) {
    Value v = Zero();
    v.integer = i;
    return v;
  }
  static Value Double(double d) {
    Value v = Zero();
    v.number = d;
    return v;
  }
  static Value Decimal(Int128 unscaled, uint8_t scale) {
    Value v = Zero();
    v.low = static_cast<uint64_t>(unscaled);
    v.high = static_cast<int64_t>(unscaled >> 64);
    v.scale = scale;
    return v;
  }
  static Value Text(std::string_view text) {
    Value v = Zero();
    v.data = text.data();
    v.length = static_cast<uint32_t>(text.size());
    return v;
  }
  static Value Of(Interval interval) {
    Value v = Zero();
    v.micros = interval.micros;
    v.span.days = interval.days;
    v.span.months = interval.months;
    return v;
  }

  std::string_view text() const { return {data, length}; }
  Int128 unscaled() const {
    return static_cast<Int128>((static_cast<unsigned __int128>(static_cast<uint64_t>(high)) << 64) |
                               low);
  }
  Interval interval() const { return {micros, span.days, span.months}; }

 private:
  static Value Zero() {
    Value v;
    v.integer = 0;
    v.high = 0;
    v.length = 0;
    v.scale = 0;
    v.special = 0;
    v.null = false;
    v.unused = 0;
    return v;
  }
};
static_assert(sizeof(Value) == 24);

}  // namespace headrace::row
