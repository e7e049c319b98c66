#pragma once

#include <utility>
#include <vector>

#include "expr/expr.h"
#include "expr/types.h"

namespace headrace::expr {

// What nodes with operands share. Immutable, thread-safe.
class ParentNode : public Expr {
 public:
  ParentNode(std::vector<ExprPtr> children, Type type)
      : children_(std::move(children)), type_(type) {}

  Type type() const final { return type_; }
  void CollectSlots(std::vector<int>& slots) const final {
    for (const ExprPtr& child : children_)
      child->CollectSlots(slots);
  }
  bool constant() const final {
    for (const ExprPtr& child : children_) {
      if (!child->constant()) return false;
    }
    return true;
  }

 protected:
  const Expr& child(size_t i) const { return *children_[i]; }
  size_t size() const { return children_.size(); }

 private:
  std::vector<ExprPtr> children_;
  Type type_;
};

// The slot of a column, or -1: nodes that read a column often skip the call.
int SlotOf(const Expr& expression);

// Moves the arguments into a list.
template <typename... Pointers>
std::vector<ExprPtr> List(Pointers... pointers) {
  std::vector<ExprPtr> list;
  (list.push_back(std::move(pointers)), ...);
  return list;
}

// The value of a constant expression; the bytes of text live in `arena`. An error when evaluating
// it fails.
Result<Value> EvaluateConstant(const Expr& expression, base::Arena& arena);

// Converts every argument to the type; an unknown literal is read as it.
Result<std::vector<ExprPtr>> CastAll(std::vector<ExprPtr> arguments, Type type);

// Ready to be compared: char(n) goes without its blanks, and so do literals beside it.
Result<std::vector<ExprPtr>> DropPadding(std::vector<ExprPtr> arguments);

// An error about an expression's types (HR1102).
Error TypeError(std::string message);

// Comparison of two expressions by one of = <> < <= > >=.
Result<ExprPtr> MakeComparison(std::string_view name, ExprPtr left, ExprPtr right);
bool IsComparison(std::string_view name);
// "is_distinct_from" and its negation.
Result<ExprPtr> MakeDistinct(bool negated, ExprPtr left, ExprPtr right);
Result<ExprPtr> MakeExtreme(bool greatest, std::vector<ExprPtr> arguments);

// Arithmetic and comparison nodes without a call per value, or null when there is none for these
// types. Both sides have exactly these types.
ExprPtr MakeFastArithmetic(char op, ExprPtr& left, ExprPtr& right);

// PostgreSQL's order for a type, jsonb included.
int CompareValues(const Value& a, const Value& b, Type type);

}  // namespace headrace::expr
