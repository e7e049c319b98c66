#include "state/aggregate.h"

#include <string>
#include <utility>

namespace headrace::state {
namespace {

using row::Type;
using row::TypeKind;

constexpr std::pair<std::string_view, AggregateKind> kNames[] = {
    {"count", AggregateKind::kCount},
    {"sum", AggregateKind::kSum},
    {"avg", AggregateKind::kAvg},
    {"min", AggregateKind::kMin},
    {"max", AggregateKind::kMax},
    {"stddev", AggregateKind::kStddevSamp},
    {"stddev_samp", AggregateKind::kStddevSamp},
    {"stddev_pop", AggregateKind::kStddevPop},
    {"variance", AggregateKind::kVarSamp},
    {"var_samp", AggregateKind::kVarSamp},
    {"var_pop", AggregateKind::kVarPop},
    {"first_value", AggregateKind::kFirstValue},
    {"last_value", AggregateKind::kLastValue},
    {"lag", AggregateKind::kLag},
    {"bool_and", AggregateKind::kBoolAnd},
    {"every", AggregateKind::kBoolAnd},
    {"bool_or", AggregateKind::kBoolOr},
};

std::string_view NameOf(AggregateKind kind) {
  for (const auto& [name, known] : kNames) {
    if (known == kind && name != "stddev" && name != "variance") return name;
  }
  return "count";
}

Error NotDefined(AggregateKind kind, Type argument) {
  std::string call = std::string(NameOf(kind)) + "(" +
                     (kind == AggregateKind::kCountDistinct ? "DISTINCT " : "") +
                     row::ToString(argument) + ")";
  return Error(ErrorKind::kInvalidArgument, "HR1103", "no aggregate " + call)
      .WithHint("cast the argument to a type it takes, for example to numeric or text");
}

bool IsExact(TypeKind kind) {
  return kind == TypeKind::kInteger || kind == TypeKind::kBigint || kind == TypeKind::kDecimal;
}

bool HasEquality(TypeKind kind) {
  return kind != TypeKind::kJson;
}

bool HasExtremes(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
    case TypeKind::kBytea:
    case TypeKind::kJson:
    case TypeKind::kJsonb:
      return false;
    default:
      return true;
  }
}

constexpr Type kBigintType{TypeKind::kBigint, 0, 0};
constexpr Type kDecimalType{TypeKind::kDecimal, 0, 0};
constexpr Type kDoubleType{TypeKind::kDouble, 0, 0};
constexpr Type kBooleanType{TypeKind::kBoolean, 0, 0};

}  // namespace

std::optional<AggregateKind> FindAggregate(std::string_view name) {
  for (const auto& [known, kind] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

Result<Type> ResultType(AggregateKind kind, Type argument) {
  // An untyped literal is text to an aggregate.
  if (argument.kind == TypeKind::kUnknown) argument.kind = TypeKind::kText;
  switch (kind) {
    case AggregateKind::kCountRows:
    case AggregateKind::kCount:
      return kBigintType;
    case AggregateKind::kCountDistinct:
      if (!HasEquality(argument.kind)) return NotDefined(kind, argument);
      return kBigintType;
    case AggregateKind::kSum:
      if (argument.kind == TypeKind::kInteger) return kBigintType;
      [[fallthrough]];
    case AggregateKind::kAvg:
    case AggregateKind::kStddevSamp:
    case AggregateKind::kStddevPop:
    case AggregateKind::kVarSamp:
    case AggregateKind::kVarPop:
      if (IsExact(argument.kind)) return kDecimalType;
      if (argument.kind == TypeKind::kDouble) return kDoubleType;
      return NotDefined(kind, argument);
    case AggregateKind::kMin:
    case AggregateKind::kMax:
      if (!HasExtremes(argument.kind)) return NotDefined(kind, argument);
      return argument;
    case AggregateKind::kFirstValue:
    case AggregateKind::kLastValue:
    case AggregateKind::kLag:
      return argument;
    case AggregateKind::kBoolAnd:
    case AggregateKind::kBoolOr:
      if (argument.kind != TypeKind::kBoolean) return NotDefined(kind, argument);
      return kBooleanType;
  }
  return NotDefined(kind, argument);
}

}  // namespace headrace::state
