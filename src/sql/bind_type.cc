#include "sql/bind_type.h"

#include <algorithm>
#include <array>

namespace headrace::sql {
namespace {

using row::Type;
using row::TypeKind;

constexpr int kMicrosecondDigits = 6;

Error Unsupported(const TypeName& type, std::string hint) {
  return Error(ErrorKind::kInvalidArgument, "HR1113",
               "type " + ToString(type) + " is not supported")
      .WithHint(std::move(hint));
}

Result<expr::CastTarget> ToArray(const TypeName& type) {
  struct Entry {
    std::string_view element;
    Type array;
  };
  static constexpr auto kArrays = std::to_array<Entry>({{"text", {TypeKind::kTextArray, 0, 0}},
                                                        {"varchar", {TypeKind::kTextArray, 0, 0}},
                                                        {"bigint", {TypeKind::kBigintArray, 0, 0}},
                                                        {"integer", row::kIntegerArray},
                                                        {"smallint", row::kSmallintArray}});
  const auto* found = std::ranges::find(kArrays, type.name, &Entry::element);
  if (type.array_dimensions > 1 || !type.modifiers.empty() || found == kArrays.end()) {
    return Unsupported(type, "arrays have one dimension, of text or integers");
  }
  return expr::CastTarget{.type = found->array};
}

Result<expr::CastTarget> ToText(const TypeName& type) {
  expr::CastTarget target;
  target.type.kind = TypeKind::kText;
  const bool padded = type.name == "char";
  if (padded) target.type = expr::kPaddedText;
  if (type.modifiers.empty()) {
    if (padded) target.length = 1;
    return target;
  }
  if (type.modifiers.size() > 1 || type.modifiers[0] < 1) {
    return Unsupported(type, "the length is one number, at least 1");
  }
  target.length = type.modifiers[0];
  return target;
}

// Types of time: the modifier is the number of digits of the second.
Result<expr::CastTarget> ToTime(const TypeName& type, TypeKind kind) {
  expr::CastTarget target;
  target.type.kind = kind;
  target.fields = type.fields;
  if (type.modifiers.size() > 1) return Unsupported(type, "the precision is one number, 0 to 6");
  if (!type.modifiers.empty()) target.precision = std::min(type.modifiers[0], kMicrosecondDigits);
  return target;
}

}  // namespace

Result<expr::CastTarget> ToCastTarget(const TypeName& type) {
  if (type.array_dimensions > 0) return ToArray(type);
  if (type.name == "varchar" || type.name == "char") return ToText(type);
  if (type.name == "time") return ToTime(type, TypeKind::kTime);
  if (type.name == "timestamp") return ToTime(type, TypeKind::kTimestamp);
  if (type.name == "timestamptz") return ToTime(type, TypeKind::kTimestampTz);
  if (type.name == "interval") return ToTime(type, TypeKind::kInterval);
  if (type.modifiers.empty() && type.name == "smallint") {
    return expr::CastTarget{.type = row::kSmallint};
  }
  if (type.modifiers.empty() && type.name == "real") return expr::CastTarget{.type = row::kReal};
  const std::optional<Type> plain = ToRowType(type);
  if (plain) return expr::CastTarget{.type = *plain};
  const bool decimal = type.name == "numeric";
  return Unsupported(type, decimal ? "decimals have 1 to 38 digits, of them at most all behind "
                                     "the point: DECIMAL(12,2)"
                                   : "the types are listed in docs/sql/functions.md");
}

}  // namespace headrace::sql
