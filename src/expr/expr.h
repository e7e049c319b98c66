#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "headrace/result.h"
#include "row/value.h"

namespace headrace::expr {

// Where one evaluation leaves its results. Confined to one thread.
struct EvalContext {
  base::Arena& arena;  // memory of text results
  // Set by the first failure of a row (division by zero, overflow, bad cast); the row's value is
  // then meaningless. The caller clears it before each row and checks it after.
  std::optional<Error> error;
};

// A typed expression over a row of values. Immutable after construction, thread-safe, a pure
// function of the row: no clock, no randomness. Evaluate never throws.
class Expr {
 public:
  virtual ~Expr() = default;
  virtual row::Value Evaluate(const row::Value* row, EvalContext& context) const = 0;
  virtual row::Type type() const = 0;
  // Adds the row slots it reads to `slots` (may repeat).
  virtual void CollectSlots(std::vector<int>& slots) const = 0;
  // True when it reads no slot: the binder folds it.
  virtual bool constant() const = 0;
};
using ExprPtr = std::unique_ptr<Expr>;

// Factories. Each resolves types as PostgreSQL does (unknown literals take the other side's type,
// integer widens to bigint, decimal, double) and fails with an Error whose message names the types
// and whose code is HR11xx; the caller adds the place.
ExprPtr Column(int slot, row::Type type);
// Copies the value's bytes.
ExprPtr Literal(row::Value value, row::Type type);
// A function or operator by PostgreSQL's name: "lower", "+", "=", "like", "~", "->>", "||", "not",
// "extract" (first argument: a text literal) ... Unknown: HR1101 with close names in the hint.
Result<ExprPtr> Call(std::string_view name, std::vector<ExprPtr> arguments);
Result<ExprPtr> Cast(ExprPtr argument, row::Type target);
// An explicit cast to a type with what row::Type cannot hold.
struct CastTarget {
  row::Type type{};
  int length = -1;          // varchar(n), char(n): characters
  int precision = -1;       // time(p), timestamp(p), interval(p): digits of the second
  std::string fields = {};  // interval only: "hour", "day to second", ...
};
Result<ExprPtr> CastTo(ExprPtr argument, const CastTarget& target);
// char(n): text that is filled with blanks, which it loses when it becomes text again.
inline constexpr row::Type kPaddedText{row::TypeKind::kText, 1, 0};
// Brings arguments with names (empty: by position) into the function's order, with defaults.
Result<std::vector<ExprPtr>> ArrangeArguments(std::string_view function,
                                              std::vector<ExprPtr> arguments,
                                              const std::vector<std::string>& names);
ExprPtr And(ExprPtr left, ExprPtr right);
ExprPtr Or(ExprPtr left, ExprPtr right);
// CASE; `otherwise` may be null. Branch types are unified as PostgreSQL does.
struct CaseBranch {
  ExprPtr when;
  ExprPtr then;
};
Result<ExprPtr> Case(std::vector<CaseBranch> branches, ExprPtr otherwise);
Result<ExprPtr> Coalesce(std::vector<ExprPtr> arguments);
Result<ExprPtr> NullIf(ExprPtr left, ExprPtr right);
Result<ExprPtr> In(ExprPtr needle, std::vector<ExprPtr> list, bool negated);
// left <op> ANY (array), or ALL.
Result<ExprPtr> Quantified(std::string_view op, ExprPtr left, ExprPtr array, bool all);
Result<ExprPtr> IsNull(ExprPtr argument, bool negated);
// GREATEST/LEAST, IS TRUE/FALSE/UNKNOWN, IS DISTINCT FROM go through Call with the names
// "greatest", "least", "is_true", "is_not_true", "is_false", "is_not_false", "is_unknown",
// "is_not_unknown", "is_distinct_from", "is_not_distinct_from".

// Decimals inside of an expression may have thousands of digits, those of a row 38: more are an
// error (HR2102) of the row. For every expression whose result goes into a row.
ExprPtr NarrowDecimal(ExprPtr argument);

// Turns an unknown literal into text; other expressions pass unchanged.
Result<ExprPtr> ResolveUnknown(ExprPtr argument);

// What to do next after an error of that code whose place gave no better hint.
std::string HintFor(std::string_view code);

// All names Call accepts, sorted: for candidates in errors and for documentation.
std::vector<std::string> FunctionNames();

// The candidates that are really close to `word` (at most three, by edit distance).
std::vector<std::string> CloseNames(std::string_view word, const std::vector<std::string>& known);

}  // namespace headrace::expr
