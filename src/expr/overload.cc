#include "expr/overload.h"

#include <algorithm>

namespace headrace::expr {
namespace {

using Candidates = std::vector<const FunctionEntry*>;
using Table = std::span<const FunctionEntry> (*)();

constexpr Table kTables[] = {
    &ArithmeticFunctions, &DecimalFunctions,  &DoubleFunctions,    &TextFunctions,
    &TextSearchFunctions, &EncodingFunctions, &FormatFunctions,    &LikeFunctions,
    &RegexFunctions,      &DateTimeFunctions, &MomentFunctions,    &IntervalFunctions,
    &DateFormatFunctions, &JsonFunctions,     &JsonBuildFunctions, &ArrayFunctions,
    &LogicFunctions,
};

bool TakesAny(Type parameter) {
  return parameter.kind == TypeKind::kUnknown;
}

bool IsExact(Type argument, Type parameter) {
  return TakesAny(parameter) || SameBase(argument, parameter);
}

bool Accepts(const FunctionEntry& entry, const std::vector<Type>& types) {
  const bool variadic = (entry.flags & kVariadic) != 0;
  if (variadic ? types.size() < entry.arity : types.size() != entry.arity) return false;
  for (size_t i = 0; i < types.size(); ++i) {
    const Type parameter = ParameterAt(entry, i);
    if (!TakesAny(parameter) && !ImplicitlyConverts(types[i], parameter)) return false;
  }
  return true;
}

// Keeps the candidates with the highest score.
template <typename Score>
void KeepBest(Candidates& candidates, Score score) {
  size_t best = 0;
  for (const FunctionEntry* c : candidates)
    best = std::max(best, score(*c));
  std::erase_if(candidates, [&](const FunctionEntry* c) { return score(*c) != best; });
}

size_t CountExact(const FunctionEntry& entry, const std::vector<Type>& types) {
  size_t count = 0;
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] != kUnknown && IsExact(types[i], ParameterAt(entry, i))) ++count;
  }
  return count;
}

size_t CountPreferred(const FunctionEntry& entry, const std::vector<Type>& types) {
  size_t count = 0;
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] == kUnknown) continue;
    const Type parameter = ParameterAt(entry, i);
    const bool preferred = IsPreferred(parameter) && CategoryOf(parameter) == CategoryOf(types[i]);
    if (preferred || IsExact(types[i], parameter)) ++count;
  }
  return count;
}

// For each unknown argument: string when a candidate takes a string there, otherwise the category
// all agree on; candidates of another category go.
void ResolveUnknowns(Candidates& candidates, const std::vector<Type>& types) {
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] != kUnknown) continue;
    Category category = CategoryOf(ParameterAt(*candidates.front(), i));
    bool agree = true;
    for (const FunctionEntry* c : candidates) {
      const Category other = CategoryOf(ParameterAt(*c, i));
      if (other == Category::kString) category = Category::kString;
      agree &= other == category;
    }
    if (!agree && category != Category::kString) return;
    std::erase_if(candidates, [&](const FunctionEntry* c) {
      return CategoryOf(ParameterAt(*c, i)) != category;
    });
    const bool has_preferred = std::any_of(candidates.begin(), candidates.end(), [&](auto* c) {
      return IsPreferred(ParameterAt(*c, i));
    });
    if (!has_preferred) continue;
    std::erase_if(candidates,
                  [&](const FunctionEntry* c) { return !IsPreferred(ParameterAt(*c, i)); });
  }
}

// When all known arguments have one type, the unknown ones are taken for it, too.
const FunctionEntry* TryOneType(const Candidates& candidates, std::vector<Type> types) {
  Type known = kUnknown;
  for (Type type : types) {
    if (type == kUnknown) continue;
    if (known != kUnknown && !SameBase(known, type)) return nullptr;
    known = type;
  }
  if (known == kUnknown) return nullptr;
  std::replace(types.begin(), types.end(), kUnknown, known);
  const FunctionEntry* found = nullptr;
  for (const FunctionEntry* c : candidates) {
    if (!Accepts(*c, types)) continue;
    if (found != nullptr) return nullptr;
    found = c;
  }
  return found;
}

const FunctionEntry* FindExact(const Candidates& candidates, const std::vector<Type>& types) {
  for (const FunctionEntry* c : candidates) {
    if (!Accepts(*c, types)) continue;
    bool exact = true;
    for (size_t i = 0; i < types.size(); ++i)
      exact &= IsExact(types[i], ParameterAt(*c, i));
    if (exact) return c;
  }
  return nullptr;
}

}  // namespace

Type ParameterAt(const FunctionEntry& entry, size_t i) {
  return entry.parameters[std::min<size_t>(i, entry.arity - 1U)];
}

std::vector<const FunctionEntry*> FindEntries(std::string_view name) {
  Candidates found;
  for (Table table : kTables) {
    for (const FunctionEntry& entry : table()) {
      if (entry.name == name) found.push_back(&entry);
    }
  }
  return found;
}

const FunctionEntry* ChooseOverload(const Candidates& candidates, const std::vector<Type>& types,
                                    bool is_operator) {
  if (const FunctionEntry* exact = FindExact(candidates, types)) return exact;
  if (is_operator && types.size() == 2 && (types[0] == kUnknown) != (types[1] == kUnknown)) {
    // An operator takes an unknown side for the type of the other first.
    const Type known = types[0] == kUnknown ? types[1] : types[0];
    if (const FunctionEntry* exact = FindExact(candidates, {known, known})) return exact;
  }
  Candidates fitting;
  for (const FunctionEntry* c : candidates) {
    if (Accepts(*c, types)) fitting.push_back(c);
  }
  if (fitting.size() <= 1) return fitting.empty() ? nullptr : fitting.front();
  KeepBest(fitting, [&](const FunctionEntry& c) { return CountExact(c, types); });
  if (fitting.size() == 1) return fitting.front();
  KeepBest(fitting, [&](const FunctionEntry& c) { return CountPreferred(c, types); });
  if (fitting.size() == 1) return fitting.front();
  Candidates resolved = fitting;
  ResolveUnknowns(resolved, types);
  if (resolved.size() == 1) return resolved.front();
  return TryOneType(resolved.empty() ? fitting : resolved, types);
}

std::vector<std::string> FunctionNames() {
  std::vector<std::string> names = {
      "<",    "<=", "<>", "=", ">", ">=", "greatest", "is_distinct_from", "is_not_distinct_from",
      "least"};
  for (Table table : kTables) {
    for (const FunctionEntry& entry : table())
      names.emplace_back(entry.name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace headrace::expr
