#pragma once

#include <optional>
#include <string>
#include <vector>

#include "expr/expr.h"
#include "row/value.h"

namespace headrace::expr {

using row::Type;
using row::TypeKind;
using row::Value;

// PostgreSQL's type categories, as far as overload resolution asks for them.
enum class Category : uint8_t {
  kUnknown,
  kBoolean,
  kNumber,
  kString,
  kDateTime,
  kTimespan,
  kArray,
  kOther,
};

inline constexpr Type kUnknown{TypeKind::kUnknown, 0, 0};
inline constexpr Type kBoolean{TypeKind::kBoolean, 0, 0};
inline constexpr Type kSmallint = row::kSmallint;
inline constexpr Type kInteger{TypeKind::kInteger, 0, 0};
inline constexpr Type kBigint{TypeKind::kBigint, 0, 0};
inline constexpr Type kReal = row::kReal;
inline constexpr Type kDouble{TypeKind::kDouble, 0, 0};
inline constexpr Type kDecimal{TypeKind::kDecimal, 0, 0};
inline constexpr Type kText{TypeKind::kText, 0, 0};
inline constexpr Type kBytea{TypeKind::kBytea, 0, 0};
inline constexpr Type kDate{TypeKind::kDate, 0, 0};
inline constexpr Type kTime{TypeKind::kTime, 0, 0};
inline constexpr Type kTimestamp{TypeKind::kTimestamp, 0, 0};
inline constexpr Type kTimestampTz{TypeKind::kTimestampTz, 0, 0};
inline constexpr Type kInterval{TypeKind::kInterval, 0, 0};
inline constexpr Type kJson{TypeKind::kJson, 0, 0};
inline constexpr Type kJsonb{TypeKind::kJsonb, 0, 0};
inline constexpr Type kTextArray{TypeKind::kTextArray, 0, 0};
inline constexpr Type kBigintArray{TypeKind::kBigintArray, 0, 0};

Category CategoryOf(Type type);
// The type PostgreSQL prefers inside its category.
bool IsPreferred(Type type);
// Decimals without their typmod: what functions are declared with.
Type BaseOf(Type type);
bool SameBase(Type a, Type b);
// Whether PostgreSQL would convert on its own; unknown converts to everything.
bool ImplicitlyConverts(Type from, Type to);

// The type CASE, COALESCE, IN and GREATEST give their arguments; none when they have none in
// common. Arguments that are all unknown become text.
std::optional<Type> CommonType(const std::vector<Type>& types);

// Two types as a comparison sees them; none when no operator compares them.
std::optional<Type> ComparisonType(Type left, Type right);

bool IsInteger(Type type);
bool IsNumber(Type type);

}  // namespace headrace::expr
