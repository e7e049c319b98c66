// x = ANY (array) and x <> ALL (array), with any operator that answers boolean.
#include <string>

#include "expr/function.h"
#include "expr/node.h"
#include "row/array_text.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

constexpr size_t kMaxElements = 100'000;

class QuantifiedNode final : public ParentNode {
 public:
  // `test` reads the left side in slot 0 and an element in slot 1.
  QuantifiedNode(ExprPtr left, ExprPtr array, ExprPtr test, bool all)
      : ParentNode(List(std::move(left), std::move(array)), kBoolean),
        test_(std::move(test)),
        element_type_(ElementOf(child(1).type())),
        all_(all) {}

  static Type ElementOf(Type array) {
    return array.kind == TypeKind::kBigintArray ? kBigint : kText;
  }

  Value Evaluate(const Value* row, EvalContext& context) const override {
    const Value array = child(1).Evaluate(row, context);
    Value slots[2] = {child(0).Evaluate(row, context), Value::Null()};
    if (array.null) return Value::Null();
    const Result<row::ArrayElements> elements = row::ParseArray(array.text());
    if (!elements.ok()) return Value::Null();
    if (elements->size() > kMaxElements) {
      return Fail(context, "HR2103", "ANY and ALL take arrays of at most 100000 elements");
    }
    bool unknown = false;
    for (const auto& element : *elements) {
      slots[1] = Value::Null();
      if (element) {
        const Result<Value> value =
            row::ParseText(context.arena.Copy(*element), element_type_, context.arena);
        if (value.ok()) slots[1] = *value;
      }
      const Value verdict = test_->Evaluate(slots, context);
      if (context.error) return Value::Null();
      unknown |= verdict.null;
      if (!verdict.null && verdict.boolean != all_) return Value::Boolean(!all_);
    }
    return unknown ? Value::Null() : Value::Boolean(all_);
  }

 private:
  ExprPtr test_;
  Type element_type_;
  bool all_;
};

}  // namespace

Result<ExprPtr> Quantified(std::string_view op, ExprPtr left, ExprPtr array, bool all) {
  if (array->type() == kUnknown) {
    HR_ASSIGN(array, Cast(std::move(array), IsInteger(left->type()) ? kBigintArray : kTextArray));
  }
  if (CategoryOf(array->type()) != Category::kArray) {
    return TypeError("ANY and ALL need an array on their right, not " +
                     row::ToString(array->type()));
  }
  const Type element = QuantifiedNode::ElementOf(array->type());
  if (left->type() == kUnknown) {
    HR_ASSIGN(left, Cast(std::move(left), element));
  }
  HR_ASSIGN(ExprPtr test, Call(op, List(Column(0, left->type()), Column(1, element))));
  if (test->type().kind != TypeKind::kBoolean) {
    return TypeError("ANY and ALL need an operator that answers boolean");
  }
  return ExprPtr(
      std::make_unique<QuantifiedNode>(std::move(left), std::move(array), std::move(test), all));
}

}  // namespace headrace::expr
