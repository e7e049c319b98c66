#include <algorithm>

#include "expr/expr.h"
#include "expr/function.h"
#include "expr/node.h"
#include "expr/overload.h"

namespace headrace::expr {
namespace {

bool IsWord(std::string_view name) {
  return !name.empty() && ((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_');
}

std::string ListTypes(const std::vector<Type>& types) {
  std::string list;
  for (Type type : types) {
    if (!list.empty()) list += ", ";
    list += row::ToString(BaseOf(type));
  }
  return list;
}

Error NoOverload(std::string_view name, const std::vector<const FunctionEntry*>& candidates,
                 const std::vector<Type>& types) {
  if (!IsWord(name)) {
    const std::string shown = types.size() == 2
                                  ? row::ToString(BaseOf(types[0])) + " " + std::string(name) +
                                        " " + row::ToString(BaseOf(types[1]))
                                  : std::string(name) + " " + ListTypes(types);
    return TypeError("no operator " + shown).WithHint("convert one side with a cast: x::type");
  }
  std::string signatures;
  for (const FunctionEntry* c : candidates) {
    if (!signatures.empty()) signatures += ", ";
    std::vector<Type> parameters(c->parameters, c->parameters + c->arity);
    std::string list = ListTypes(parameters);
    for (size_t at = list.find("unknown"); at != std::string::npos; at = list.find("unknown")) {
      list.replace(at, 7, "any");
    }
    signatures += std::string(name) + "(" + list + ((c->flags & kVariadic) != 0 ? "..." : "") + ")";
  }
  return TypeError("no function " + std::string(name) + "(" + ListTypes(types) + ")")
      .WithHint("there is " + signatures);
}

Error UnknownName(std::string_view name) {
  Error error(ErrorKind::kInvalidArgument, "HR1101",
              IsWord(name) ? "unknown function " + std::string(name)
                           : "unknown operator " + std::string(name));
  std::string hint;
  for (const std::string& close : CloseNames(name, FunctionNames())) {
    hint += (hint.empty() ? "did you mean " : " or ") + close;
  }
  if (!hint.empty()) error.WithHint(hint + "?");
  return error;
}

// Functions that take char(n) with its blanks; to all others it is text without them.
bool SeesPadding(std::string_view name) {
  constexpr std::string_view kNames[] = {"octet_length", "bit_length", "concat", "concat_ws",
                                         "format",       "like",       "ilike",  "~"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

// What does not resolve by tables: comparisons and what takes any number of arguments of one type.
std::optional<Result<ExprPtr>> CallSpecial(std::string_view name, std::vector<ExprPtr>& arguments) {
  const size_t count = arguments.size();
  if (count == 2 && IsComparison(name)) {
    return MakeComparison(name, std::move(arguments[0]), std::move(arguments[1]));
  }
  if (count == 2 && (name == "is_distinct_from" || name == "is_not_distinct_from")) {
    return MakeDistinct(name == "is_not_distinct_from", std::move(arguments[0]),
                        std::move(arguments[1]));
  }
  if (count > 0 && (name == "greatest" || name == "least")) {
    return MakeExtreme(name == "greatest", std::move(arguments));
  }
  return std::nullopt;
}

}  // namespace

Result<ExprPtr> Call(std::string_view name, std::vector<ExprPtr> arguments) {
  if (!SeesPadding(name)) {
    HR_ASSIGN(arguments, DropPadding(std::move(arguments)));
  }
  if (auto special = CallSpecial(name, arguments)) return *std::move(special);
  const std::vector<const FunctionEntry*> candidates = FindEntries(name);
  if (candidates.empty()) return UnknownName(name);
  std::vector<Type> types;
  for (const ExprPtr& argument : arguments)
    types.push_back(argument->type());
  const FunctionEntry* entry = ChooseOverload(candidates, types, !IsWord(name));
  if (entry == nullptr) return NoOverload(name, candidates, types);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Type parameter = ParameterAt(*entry, i);
    if (parameter == kUnknown) {
      HR_ASSIGN(arguments[i], ResolveUnknown(std::move(arguments[i])));
    } else if (types[i] == kPaddedText && parameter == kText) {
      continue;  // seen with its blanks
    } else if (!SameBase(types[i], parameter)) {
      HR_ASSIGN(arguments[i], Cast(std::move(arguments[i]), parameter));
    }
  }
  if (name.size() == 1 && arguments.size() == 2) {
    if (ExprPtr fast = MakeFastArithmetic(name[0], arguments[0], arguments[1])) return fast;
  }
  return MakeCall(*entry, std::move(arguments));
}

}  // namespace headrace::expr
