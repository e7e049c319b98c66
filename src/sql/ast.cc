#include "sql/ast.h"

#include <algorithm>

namespace headrace::sql {
namespace {

ExpressionPtr CloneOrNull(const ExpressionPtr& expression) {
  return expression ? Clone(*expression) : nullptr;
}

bool SameOrNull(const ExpressionPtr& a, const ExpressionPtr& b) {
  return a && b ? Same(*a, *b) : !a && !b;
}

bool SameList(const std::vector<ExpressionPtr>& a, const std::vector<ExpressionPtr>& b) {
  return std::ranges::equal(a, b, SameOrNull);
}

std::vector<ExpressionPtr> CloneList(const std::vector<ExpressionPtr>& list) {
  std::vector<ExpressionPtr> copies;
  copies.reserve(list.size());
  for (const ExpressionPtr& item : list)
    copies.push_back(CloneOrNull(item));
  return copies;
}

std::vector<OrderItem> CloneOrder(const std::vector<OrderItem>& list) {
  std::vector<OrderItem> copies;
  copies.reserve(list.size());
  for (const OrderItem& item : list) {
    copies.push_back({CloneOrNull(item.expression), item.descending, item.nulls_first, item.span});
  }
  return copies;
}

bool SameOrder(const std::vector<OrderItem>& a, const std::vector<OrderItem>& b) {
  return std::ranges::equal(a, b, [](const OrderItem& x, const OrderItem& y) {
    return x.descending == y.descending && x.nulls_first == y.nulls_first &&
           SameOrNull(x.expression, y.expression);
  });
}

FrameBound CloneBound(const FrameBound& bound) {
  return {bound.kind, CloneOrNull(bound.offset), bound.span};
}

bool SameBound(const FrameBound& a, const FrameBound& b) {
  return a.kind == b.kind && SameOrNull(a.offset, b.offset);
}

bool SameFrame(const std::optional<Frame>& a, const std::optional<Frame>& b) {
  if (!a || !b) return !a && !b;
  return a->mode == b->mode && SameBound(a->start, b->start) && SameBound(a->end, b->end);
}

bool SameWindow(const WindowSpec* a, const WindowSpec* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->base.name == b->base.name && SameList(a->partition_by, b->partition_by) &&
         SameOrder(a->order_by, b->order_by) && SameFrame(a->frame, b->frame);
}

bool SameType(const TypeName& a, const TypeName& b) {
  return a.name == b.name && a.modifiers == b.modifiers &&
         a.array_dimensions == b.array_dimensions && a.fields == b.fields;
}

bool FlagIsSpelling(ExpressionKind kind) {
  return kind == ExpressionKind::kCall || kind == ExpressionKind::kCast ||
         kind == ExpressionKind::kTuple;
}

}  // namespace

ExpressionPtr Clone(const Expression& expression) {
  auto copy = std::make_unique<Expression>(expression.kind, expression.span);
  copy->name_span = expression.name_span;
  copy->name = expression.name;
  copy->qualifier = expression.qualifier;
  copy->children = CloneList(expression.children);
  copy->height = expression.height;
  copy->negated = expression.negated;
  copy->flag = expression.flag;
  copy->type = expression.type;
  copy->operand = CloneOrNull(expression.operand);
  copy->otherwise = CloneOrNull(expression.otherwise);
  copy->star = expression.star;
  copy->distinct = expression.distinct;
  copy->argument_names = expression.argument_names;
  copy->argument_order = CloneOrder(expression.argument_order);
  copy->filter = CloneOrNull(expression.filter);
  copy->over_name = expression.over_name;
  copy->over_span = expression.over_span;
  if (expression.over) copy->over = std::make_unique<WindowSpec>(Clone(*expression.over));
  return copy;
}

WindowSpec Clone(const WindowSpec& window) {
  WindowSpec copy;
  copy.base = window.base;
  copy.partition_by = CloneList(window.partition_by);
  copy.order_by = CloneOrder(window.order_by);
  copy.span = window.span;
  if (window.frame) {
    copy.frame = Frame{window.frame->mode, CloneBound(window.frame->start),
                       CloneBound(window.frame->end), window.frame->span};
  }
  return copy;
}

bool Same(const Expression& a, const Expression& b) {
  const bool head = a.kind == b.kind && a.name == b.name && a.qualifier == b.qualifier &&
                    a.negated == b.negated && (a.flag == b.flag || FlagIsSpelling(a.kind)) &&
                    a.star == b.star && a.distinct == b.distinct && a.over_name == b.over_name &&
                    a.argument_names == b.argument_names && SameType(a.type, b.type);
  return head && SameList(a.children, b.children) && SameOrNull(a.operand, b.operand) &&
         SameOrNull(a.otherwise, b.otherwise) && SameOrder(a.argument_order, b.argument_order) &&
         SameOrNull(a.filter, b.filter) && SameWindow(a.over.get(), b.over.get());
}

}  // namespace headrace::sql
