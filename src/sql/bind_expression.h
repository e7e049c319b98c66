#pragma once

#include <optional>
#include <string>
#include <vector>

#include "expr/expr.h"
#include "sql/ast.h"
#include "sql/diagnostics.h"

namespace headrace::sql {

// A row slot and its type: what a name or an intercepted call stands for.
struct Binding {
  int slot = -1;
  row::Type type{};
};

// What the planner did with a node that the binder showed it.
enum class Interception {
  kNone,    // not the planner's: the binder goes on by itself
  kBound,   // stands for a slot
  kFailed,  // wrong, and said so in the diagnostics
};

// What names mean where an expression stands. Unsynchronized.
class NameScope {
 public:
  virtual ~NameScope() = default;
  // The column or alias, or nothing when there is none of that name.
  virtual std::optional<Binding> Resolve(const std::string& qualifier, const std::string& name) = 0;
  // Every name Resolve knows, for candidates.
  virtual std::vector<std::string> names() const = 0;
  // Shown every node before the binder looks at it: windows, aggregates, PREDICT, GROUP BY keys.
  virtual Interception Intercept(const Expression& node, Binding* binding) = 0;
  // Names that Intercept takes in call position ("count", "sum", ...), for candidates.
  virtual std::vector<std::string> call_names() const = 0;
};

// Turns syntax into typed expressions. Every mistake becomes a Diagnostic (HR1104 unknown column,
// HR1101 unknown function, HR1102 types that do not fit ...), so that one pass finds all of them.
class ExpressionBinder {
 public:
  ExpressionBinder(NameScope& scope, std::vector<Diagnostic>& diagnostics)
      : scope_(scope), diagnostics_(diagnostics) {}

  // For results that do not go into rows: decimals may then have more than 38 digits.
  void KeepWideResults() { wide_results_ = true; }

  // Null when a diagnostic was added. Constant subtrees are folded; one that fails when it is
  // evaluated (1/0) stays, because it may never be reached. An unknown literal stays unknown.
  expr::ExprPtr Bind(const Expression& expression);
  // The same, with an unknown literal made text.
  expr::ExprPtr BindResolved(const Expression& expression);
  // The same, as a condition: anything but boolean is a diagnostic that names `clause`.
  expr::ExprPtr BindCondition(const Expression& expression, std::string_view clause);

 private:
  NameScope& scope_;
  std::vector<Diagnostic>& diagnostics_;
  bool wide_results_ = false;
};

// A scope without any name: for constants.
class EmptyScope final : public NameScope {
 public:
  std::optional<Binding> Resolve(const std::string&, const std::string&) override { return {}; }
  std::vector<std::string> names() const override { return {}; }
  Interception Intercept(const Expression&, Binding*) override { return Interception::kNone; }
  std::vector<std::string> call_names() const override { return {}; }
};

}  // namespace headrace::sql
