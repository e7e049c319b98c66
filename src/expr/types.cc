#include "expr/types.h"

namespace headrace::expr {
namespace {

// Numbers in the order in which they widen.
int NumberRank(Type type) {
  switch (type.kind) {
    case TypeKind::kInteger:
      return row::IsSmallint(type) ? 0 : 1;
    case TypeKind::kBigint:
      return 2;
    case TypeKind::kDecimal:
      return 3;
    default:
      return row::IsReal(type) ? 4 : 5;
  }
}

int MomentRank(TypeKind kind) {
  return kind == TypeKind::kDate ? 0 : kind == TypeKind::kTimestamp ? 1 : 2;
}

bool IsMoment(TypeKind kind) {
  return kind == TypeKind::kDate || kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampTz;
}

// The wider of two known types, or none.
std::optional<Type> Wider(Type a, Type b) {
  if (a == b) return a;
  if (SameBase(a, b)) return BaseOf(a);
  if (ImplicitlyConverts(a, b)) return BaseOf(b);
  if (ImplicitlyConverts(b, a)) return BaseOf(a);
  return std::nullopt;
}

}  // namespace

Category CategoryOf(Type type) {
  switch (type.kind) {
    case TypeKind::kUnknown:
      return Category::kUnknown;
    case TypeKind::kBoolean:
      return Category::kBoolean;
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
      return Category::kNumber;
    case TypeKind::kText:
      return Category::kString;
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return Category::kDateTime;
    case TypeKind::kInterval:
      return Category::kTimespan;
    case TypeKind::kTextArray:
    case TypeKind::kBigintArray:
      return Category::kArray;
    case TypeKind::kBytea:
    case TypeKind::kJson:
    case TypeKind::kJsonb:
      return Category::kOther;
  }
  return Category::kOther;
}

bool IsPreferred(Type type) {
  return type == kDouble || type == kText || type == kTimestampTz || type == kInterval ||
         type == kBoolean;
}

Type BaseOf(Type type) {
  if (type.kind == TypeKind::kDecimal) return kDecimal;
  if (type.kind == TypeKind::kBigintArray) return kBigintArray;
  return type;
}

bool SameBase(Type a, Type b) {
  return BaseOf(a) == BaseOf(b);
}

bool ImplicitlyConverts(Type from, Type to) {
  if (SameBase(from, to) || from.kind == TypeKind::kUnknown) return true;
  if (from == kPaddedText) return to == kText;
  if (IsNumber(from) && IsNumber(to)) return NumberRank(from) < NumberRank(to);
  if (IsMoment(from.kind) && IsMoment(to.kind)) {
    return MomentRank(from.kind) < MomentRank(to.kind);
  }
  return from.kind == TypeKind::kTime && to.kind == TypeKind::kInterval;
}

std::optional<Type> CommonType(const std::vector<Type>& types) {
  std::optional<Type> common;
  for (Type type : types) {
    if (type.kind == TypeKind::kUnknown) continue;
    common = common ? Wider(*common, type) : type;
    if (!common) return std::nullopt;
  }
  return common ? *common : kText;
}

std::optional<Type> ComparisonType(Type left, Type right) {
  const std::optional<Type> common = CommonType({left, right});
  if (!common || common->kind == TypeKind::kJson) return std::nullopt;  // json has no equality
  if (CategoryOf(*common) != Category::kNumber) return BaseOf(*common);
  // Integers of every width compare as 64 bits, real as double.
  if (IsInteger(*common)) return kBigint;
  return common->kind == TypeKind::kDouble ? kDouble : kDecimal;
}

bool IsInteger(Type type) {
  return type.kind == TypeKind::kInteger || type.kind == TypeKind::kBigint;
}

bool IsNumber(Type type) {
  return CategoryOf(type) == Category::kNumber;
}

}  // namespace headrace::expr
