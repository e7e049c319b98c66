#include <algorithm>
#include <array>
#include <utility>

#include "sql/parser_expr.h"

namespace headrace::sql {
namespace {

using namespace std::string_view_literals;

// Calls whose syntax is their own; a quoted name cannot mean them.
constexpr auto kSpecial = std::to_array<std::string_view>(
    {"coalesce"sv, "nullif"sv, "extract"sv, "substring"sv, "position"sv, "trim"sv, "overlay"sv,
     "predict"sv, "reasons"sv, "cast"sv, "row"sv, "array"sv, "exists"sv});

}  // namespace

// name(...) as any function; the cursor is on the name and `(` follows.
ExpressionPtr ExpressionParser::ParseCall() {
  const Token& token = cursor_.Peek();
  if (token.kind == TokenKind::kWord && IsReserved(token.text)) {
    cursor_.Fail("an expression");
    return nullptr;
  }
  if (token.kind == TokenKind::kQuotedName &&
      std::ranges::find(kSpecial, token.text) != kSpecial.end()) {
    cursor_.Refuse(token.span, cursor_.Describe(token) + " is not an ordinary function",
                   "write it without quotes");
    return nullptr;
  }
  cursor_.Take();
  ExpressionPtr call = Make(ExpressionKind::kCall, token.span);
  call->name = token.text;
  call->name_span = token.span;
  if (!ParseArguments(*call) || !ParseCallTail(*call)) return nullptr;
  Close(*call);
  return call;
}

bool ExpressionParser::Argument(Expression& call) {
  return Attach(call, Parse());
}

bool ExpressionParser::Arguments(Expression& call) {
  do {
    if (!Argument(call)) return false;
  } while (cursor_.AcceptSymbol(","));
  return true;
}

// Arguments by position, then arguments by name: f(1, secs => 2).
bool ExpressionParser::NamedArguments(Expression& call) {
  bool named = false;
  do {
    std::string name;
    const SourceSpan place = cursor_.Peek().span;
    if (cursor_.AtSymbol("=>", 1) && cursor_.AtName()) {
      if (!cursor_.CheckCount(call.argument_names.size(), "arguments")) return false;
      name = cursor_.Take().text;
      cursor_.Take();
      const auto& known = call.argument_names;
      if (std::ranges::find(known, name) != known.end()) {
        return cursor_.FailTwice(place, "the argument `" + name + "`");
      }
    } else if (named) {
      return cursor_.FailAt(place, "HR1014", "an argument by position follows one by name",
                            "put the arguments without names first");
    }
    named = named || !name.empty();
    if (!Argument(call)) return false;
    call.argument_names.push_back(std::move(name));
  } while (cursor_.AcceptSymbol(","));
  if (!named) call.argument_names.clear();
  return true;
}

bool ExpressionParser::ParseArguments(Expression& call) {
  const SourceSpan open = cursor_.Take().span;
  if (cursor_.AcceptSymbol(")")) return true;
  if (cursor_.AtOperator("*") && cursor_.AtSymbol(")", 1)) {
    cursor_.Take();
    call.star = true;
    return cursor_.ExpectClose(open);
  }
  if (cursor_.AtWord("select")) return RefuseQuery() != nullptr;
  call.distinct = cursor_.AcceptWord("distinct");
  if (!call.distinct) cursor_.AcceptWord("all");
  if (cursor_.AtWord("variadic")) {
    return cursor_.Refuse(cursor_.Peek().span, "VARIADIC is not supported",
                          "write the arguments one by one");
  }
  if (!NamedArguments(call)) return false;
  if (cursor_.AcceptWord("order")) {
    if (!cursor_.ExpectWord("by") || !ParseOrderBy(call.argument_order)) return false;
    for (const OrderItem& item : call.argument_order) {
      if (!Grow(call, item.expression.get())) return false;
    }
  }
  return cursor_.ExpectClose(open);
}

bool ExpressionParser::ParseCallTail(Expression& call) {
  if (cursor_.AtWord("within") && cursor_.AtWord("group", 1)) {
    return cursor_.Refuse(cursor_.Peek().span, "WITHIN GROUP is not supported",
                          "use an aggregate that needs no order of its input");
  }
  if (cursor_.AtWord("filter") && cursor_.AtSymbol("(", 1)) {
    cursor_.Take();
    const SourceSpan open = cursor_.Take().span;
    if (!cursor_.ExpectWord("where")) return false;
    call.filter = Parse();
    if (!Grow(call, call.filter.get()) || !cursor_.ExpectClose(open)) return false;
  }
  const bool nulls =
      (cursor_.AtWord("ignore") || cursor_.AtWord("respect")) && cursor_.AtWord("nulls", 1);
  if (nulls) {
    return cursor_.Refuse(cursor_.Peek().span, "IGNORE NULLS is not supported",
                          "leave NULLs out with FILTER (WHERE x IS NOT NULL)");
  }
  return !cursor_.AcceptWord("over") || ParseOver(call);
}

bool ExpressionParser::ParseOver(Expression& call) {
  call.over_span = cursor_.Peek().span;
  if (!cursor_.AtSymbol("(")) {
    Identifier name;
    if (!cursor_.ExpectName("the name of a window or `(`", name)) return false;
    call.over_name = std::move(name.name);
    return true;
  }
  call.over = std::make_unique<WindowSpec>();
  WindowSpec& window = *call.over;
  if (!ParseWindow(window)) return false;
  call.over_span = window.span;
  for (const ExpressionPtr& part : window.partition_by) {
    if (!Grow(call, part.get())) return false;
  }
  for (const OrderItem& item : window.order_by) {
    if (!Grow(call, item.expression.get())) return false;
  }
  if (!window.frame) return true;
  for (const FrameBound* bound : {&window.frame->start, &window.frame->end}) {
    if (bound->offset && !Grow(call, bound->offset.get())) return false;
  }
  return true;
}

// The calls with words between their arguments. `known` becomes false when it is none of them.
ExpressionPtr ExpressionParser::ParseSpecialCall(bool& known) {
  if (cursor_.AtWord("coalesce")) return ParseFixed(ExpressionKind::kCoalesce, 1, SIZE_MAX);
  if (cursor_.AtWord("nullif")) return ParseFixed(ExpressionKind::kNullIf, 2, 2);
  if (cursor_.AtWord("predict") || cursor_.AtWord("reasons")) return ParsePredict();
  using Reader = bool (ExpressionParser::*)(Expression&);
  Reader reader = nullptr;
  if (cursor_.AtWord("extract")) reader = &ExpressionParser::ParseExtract;
  if (cursor_.AtWord("substring")) reader = &ExpressionParser::ParseSubstring;
  if (cursor_.AtWord("position")) reader = &ExpressionParser::ParsePosition;
  if (cursor_.AtWord("trim")) reader = &ExpressionParser::ParseTrim;
  if (cursor_.AtWord("overlay")) reader = &ExpressionParser::ParseOverlay;
  if (reader == nullptr) {
    known = false;
    return nullptr;
  }
  const Token& name = cursor_.Take();
  const SourceSpan open = cursor_.Take().span;
  ExpressionPtr call = Make(ExpressionKind::kCall, name.span);
  call->name = name.text;
  call->name_span = name.span;
  if (!(this->*reader)(*call) || !cursor_.ExpectClose(open)) return nullptr;
  Close(*call);
  return call;
}

ExpressionPtr ExpressionParser::ParseFixed(ExpressionKind kind, size_t least, size_t most) {
  const Token& name = cursor_.Take();
  ExpressionPtr call = Make(kind, name.span);
  call->name_span = name.span;
  const SourceSpan open = cursor_.Take().span;
  if (!cursor_.AtSymbol(")") && !Arguments(*call)) return nullptr;
  if (!cursor_.ExpectClose(open)) return nullptr;
  Close(*call);
  if (call->children.size() < least || call->children.size() > most) {
    cursor_.FailAt(call->span, "HR1014",
                   ToUpper(name.text) + " takes " + std::to_string(least) +
                       (most == least ? "" : " or more") + " arguments, not " +
                       std::to_string(call->children.size()),
                   "");
    return nullptr;
  }
  return call;
}

ExpressionPtr ExpressionParser::ParsePredict() {
  const bool reasons = cursor_.AtWord("reasons");
  ExpressionPtr call = Make(ExpressionKind::kPredict, cursor_.Take().span);
  call->flag = reasons;
  const SourceSpan open = cursor_.Take().span;
  Identifier model;
  if (!cursor_.ExpectName("the name of a model", model)) return nullptr;
  call->name = std::move(model.name);
  call->name_span = model.span;
  if (cursor_.AcceptSymbol(",") && !Arguments(*call)) return nullptr;
  if (!cursor_.ExpectClose(open)) return nullptr;
  Close(*call);
  return call;
}

bool ExpressionParser::ParseExtract(Expression& call) {
  const Token& field = cursor_.Peek();
  const bool named = field.kind == TokenKind::kWord || field.kind == TokenKind::kQuotedName ||
                     field.kind == TokenKind::kString;
  if (!named || !cursor_.AtWord("from", 1)) return Arguments(call);
  call.flag = true;
  ExpressionPtr literal = Make(ExpressionKind::kString, field.span);
  literal->name = field.text;
  cursor_.Take();
  cursor_.Take();
  return Attach(call, std::move(literal)) && Argument(call);
}

bool ExpressionParser::ParseSubstring(Expression& call) {
  if (!Argument(call)) return false;
  if (cursor_.AcceptSymbol(",")) return Arguments(call);
  if (cursor_.AtSymbol(")")) return true;
  call.flag = true;
  ExpressionPtr from;
  ExpressionPtr length;
  for (int i = 0; i < 2 && !cursor_.AtSymbol(")"); ++i) {
    const bool is_from = cursor_.AtWord("from");
    if (!is_from && !cursor_.AtWord("for")) return cursor_.Fail("`FROM`, `FOR`, `,` or `)`");
    ExpressionPtr& slot = is_from ? from : length;
    if (slot) return cursor_.Fail("`)`");
    cursor_.Take();
    slot = Parse();
    if (!slot) return false;
  }
  if (!from) {
    from = Make(ExpressionKind::kNumber, length->span);
    from->name = "1";
  }
  return Attach(call, std::move(from)) && (!length || Attach(call, std::move(length)));
}

bool ExpressionParser::ParsePosition(Expression& call) {
  call.flag = true;
  if (!Attach(call, ParseAbove(kPrecedenceMatch)) || !cursor_.ExpectWord("in")) return false;
  return Argument(call);
}

bool ExpressionParser::ParseTrim(Expression& call) {
  call.flag = true;
  call.name = "btrim";
  if (cursor_.AcceptWord("leading")) {
    call.name = "ltrim";
  } else if (cursor_.AcceptWord("trailing")) {
    call.name = "rtrim";
  } else {
    cursor_.AcceptWord("both");
  }
  if (cursor_.AcceptWord("from")) return Argument(call);
  if (!Argument(call)) return false;
  if (cursor_.AcceptSymbol(",")) return Argument(call);
  if (!cursor_.AcceptWord("from")) return true;
  if (!Argument(call)) return false;
  std::swap(call.children[0], call.children[1]);
  return true;
}

bool ExpressionParser::ParseOverlay(Expression& call) {
  if (!Argument(call)) return false;
  if (cursor_.AcceptSymbol(",")) return Arguments(call);
  call.flag = true;
  if (!cursor_.ExpectWord("placing") || !Argument(call)) return false;
  if (!cursor_.ExpectWord("from") || !Argument(call)) return false;
  return !cursor_.AcceptWord("for") || Argument(call);
}

}  // namespace headrace::sql
