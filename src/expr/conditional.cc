#include <optional>
#include <string>
#include <unordered_set>

#include "expr/node.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

// Searched CASE: when, then, when, then, ..., otherwise.
class CaseNode final : public ParentNode {
 public:
  CaseNode(std::vector<ExprPtr> parts, Type type) : ParentNode(std::move(parts), type) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    size_t i = 0;
    for (; i + 1 < size(); i += 2) {
      const Value when = child(i).Evaluate(row, context);
      if (!when.null && when.boolean) return child(i + 1).Evaluate(row, context);
    }
    return child(i).Evaluate(row, context);
  }
};

class CoalesceNode final : public ParentNode {
 public:
  CoalesceNode(std::vector<ExprPtr> arguments, Type type)
      : ParentNode(std::move(arguments), type) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    for (size_t i = 0; i < size(); ++i) {
      const Value value = child(i).Evaluate(row, context);
      if (!value.null) return value;
    }
    return Value::Null();
  }
};

// The left value; NULL when the comparison (which reads the same left side) says they are equal.
class NullIfNode final : public ParentNode {
 public:
  NullIfNode(ExprPtr left, ExprPtr right, ExprPtr compared_left, Type type)
      : ParentNode(List(std::move(left), std::move(compared_left), std::move(right)), type),
        compared_(child(2).type()) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    const Value value = child(0).Evaluate(row, context);
    if (value.null) return value;
    const Value left = child(1).Evaluate(row, context);
    const Value right = child(2).Evaluate(row, context);
    if (right.null || CompareValues(left, right, compared_) != 0) return value;
    return Value::Null();
  }

 private:
  Type compared_;
};

// A value computed elsewhere in the same node, shared by two parents.
class SharedNode final : public Expr {
 public:
  explicit SharedNode(std::shared_ptr<const Expr> inner) : inner_(std::move(inner)) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    return inner_->Evaluate(row, context);
  }
  Type type() const override { return inner_->type(); }
  void CollectSlots(std::vector<int>& slots) const override { inner_->CollectSlots(slots); }
  bool constant() const override { return inner_->constant(); }

 private:
  std::shared_ptr<const Expr> inner_;
};

class InNode final : public ParentNode {
 public:
  InNode(std::vector<ExprPtr> needle_and_list, bool negated)
      : ParentNode(std::move(needle_and_list), kBoolean),
        compared_(child(0).type()),
        negated_(negated) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    const Value needle = child(0).Evaluate(row, context);
    bool null = false;
    for (size_t i = 1; i < size(); ++i) {
      const Value value = child(i).Evaluate(row, context);
      if (value.null || needle.null) {
        null = true;
      } else if (CompareValues(needle, value, compared_) == 0) {
        return Value::Boolean(!negated_);
      }
    }
    return null ? Value::Null() : Value::Boolean(negated_);
  }

 private:
  Type compared_;
  bool negated_;
};

// A long list of constants, by their keys.
class InSetNode final : public ParentNode {
 public:
  InSetNode(ExprPtr needle, std::unordered_set<std::string> keys, bool has_null, bool negated)
      : ParentNode(List(std::move(needle)), kBoolean),
        keys_(std::move(keys)),
        has_null_(has_null),
        negated_(negated) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    const Value needle = child(0).Evaluate(row, context);
    if (needle.null) return Value::Null();
    std::string key;
    row::AppendKey(needle, child(0).type(), key);
    if (keys_.contains(key)) return Value::Boolean(!negated_);
    return has_null_ ? Value::Null() : Value::Boolean(negated_);
  }

 private:
  std::unordered_set<std::string> keys_;  // only asked, never walked
  bool has_null_;
  bool negated_;
};

class IsNullNode final : public ParentNode {
 public:
  IsNullNode(ExprPtr argument, bool negated)
      : ParentNode(List(std::move(argument)), kBoolean), negated_(negated) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    return Value::Boolean(child(0).Evaluate(row, context).null != negated_);
  }

 private:
  bool negated_;
};

std::vector<Type> TypesOf(const std::vector<ExprPtr>& arguments) {
  std::vector<Type> types;
  for (const ExprPtr& argument : arguments)
    types.push_back(argument->type());
  return types;
}

Error NoCommonType(std::string_view what, const std::vector<Type>& types) {
  std::string list;
  for (size_t i = 0; i < types.size(); ++i) {
    const std::string name = row::ToString(types[i]);
    if (types[i] == kUnknown || list.find(name) != std::string::npos) continue;
    list += (list.empty() ? "" : " and ") + name;
  }
  return TypeError(std::string(what) + " types " + list + " cannot be matched")
      .WithHint("convert them to one type with casts: x::type");
}

constexpr size_t kSmallList = 16;  // up to here a walk beats building a key

// An InSetNode when all of the list is constant, otherwise null.
ExprPtr MakeInSet(std::vector<ExprPtr>& all, bool negated) {
  if (all.size() <= kSmallList || all[0]->type().kind == TypeKind::kJsonb) return nullptr;
  std::unordered_set<std::string> keys;
  bool has_null = false;
  base::Arena arena;
  for (size_t i = 1; i < all.size(); ++i) {
    if (!all[i]->constant()) return nullptr;
    Result<Value> value = EvaluateConstant(*all[i], arena);
    if (!value.ok()) return nullptr;
    has_null |= value->null;
    std::string key;
    row::AppendKey(*value, all[i]->type(), key);
    if (!value->null) keys.insert(std::move(key));
  }
  return std::make_unique<InSetNode>(std::move(all[0]), std::move(keys), has_null, negated);
}

}  // namespace

Result<ExprPtr> Case(std::vector<CaseBranch> branches, ExprPtr otherwise) {
  std::vector<Type> types;
  for (CaseBranch& branch : branches) {
    types.push_back(branch.then->type());
    const Type when = branch.when->type();
    if (when.kind != TypeKind::kBoolean && when.kind != TypeKind::kUnknown) {
      return TypeError("CASE/WHEN needs a boolean, not " + row::ToString(when));
    }
    HR_ASSIGN(branch.when, Cast(std::move(branch.when), kBoolean));
  }
  if (otherwise == nullptr) otherwise = Literal(Value::Null(), kUnknown);
  types.push_back(otherwise->type());
  const std::optional<Type> type = CommonType(types);
  if (!type) return NoCommonType("CASE", types);
  std::vector<ExprPtr> parts;
  for (CaseBranch& branch : branches) {
    parts.push_back(std::move(branch.when));
    HR_ASSIGN(ExprPtr then, Cast(std::move(branch.then), *type));
    parts.push_back(std::move(then));
  }
  HR_ASSIGN(otherwise, Cast(std::move(otherwise), *type));
  parts.push_back(std::move(otherwise));
  return ExprPtr(std::make_unique<CaseNode>(std::move(parts), *type));
}

Result<ExprPtr> Coalesce(std::vector<ExprPtr> arguments) {
  const std::vector<Type> types = TypesOf(arguments);
  const std::optional<Type> type = CommonType(types);
  if (!type) return NoCommonType("COALESCE", types);
  HR_ASSIGN(arguments, CastAll(std::move(arguments), *type));
  return ExprPtr(std::make_unique<CoalesceNode>(std::move(arguments), *type));
}

Result<ExprPtr> NullIf(ExprPtr left, ExprPtr right) {
  HR_ASSIGN(std::vector<ExprPtr> sides, DropPadding(List(std::move(left), std::move(right))));
  left = std::move(sides[0]);
  right = std::move(sides[1]);
  const Type left_type = left->type();
  const std::optional<Type> compared = ComparisonType(left_type, right->type());
  if (!compared) {
    return TypeError("no operator " + row::ToString(left_type) + " = " +
                     row::ToString(right->type()))
        .WithHint("NULLIF compares its arguments: convert one with a cast");
  }
  if (left_type == kUnknown) {
    HR_ASSIGN(left, Cast(std::move(left), *compared));
  }
  // The left side has the type in which the equality sees it; integers of any width meet as they
  // are.
  const bool widened = IsNumber(left->type()) && !SameBase(left->type(), *compared) &&
                       !IsInteger(*compared) && left->type() != kReal;
  if (widened) {
    HR_ASSIGN(left, Cast(std::move(left), *compared));
  }
  const Type type = left->type();
  std::shared_ptr<const Expr> shared = std::move(left);
  HR_ASSIGN(ExprPtr converted, Cast(std::make_unique<SharedNode>(shared), *compared));
  HR_ASSIGN(right, Cast(std::move(right), *compared));
  return ExprPtr(std::make_unique<NullIfNode>(std::make_unique<SharedNode>(shared),
                                              std::move(right), std::move(converted), type));
}

Result<ExprPtr> In(ExprPtr needle, std::vector<ExprPtr> list, bool negated) {
  std::vector<ExprPtr> all = List(std::move(needle));
  for (ExprPtr& item : list)
    all.push_back(std::move(item));
  HR_ASSIGN(all, DropPadding(std::move(all)));
  const std::vector<Type> types = TypesOf(all);
  const std::optional<Type> common = CommonType(types);
  if (!common || common->kind == TypeKind::kJson) return NoCommonType("IN", types);
  HR_ASSIGN(all, CastAll(std::move(all), BaseOf(*common)));
  if (ExprPtr set = MakeInSet(all, negated)) return set;
  return ExprPtr(std::make_unique<InNode>(std::move(all), negated));
}

Result<ExprPtr> IsNull(ExprPtr argument, bool negated) {
  return ExprPtr(std::make_unique<IsNullNode>(std::move(argument), negated));
}

}  // namespace headrace::expr
