#include "sql/parser_expr.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sql/parser_type.h"

namespace headrace::sql {
namespace {

using namespace std::string_view_literals;

constexpr auto kOperators = std::to_array<std::string_view>(
    {"||"sv,  "->"sv,  "->>"sv,  "#>"sv, "#>>"sv, "@>"sv, "<@"sv,  "?"sv,  "?|"sv, "?&"sv,  "~"sv,
     "~*"sv,  "!~"sv,  "!~*"sv,  "&"sv,  "|"sv,   "#"sv,  "<<"sv,  ">>"sv, "&&"sv, "^@"sv,  "~~"sv,
     "~~*"sv, "!~~"sv, "!~~*"sv, "@?"sv, "@@"sv,  "#-"sv, "-|-"sv, "%"sv,  "^"sv,  "+"sv,   "-"sv,
     "*"sv,   "/"sv,   "<"sv,    ">"sv,  "="sv,   "<="sv, ">="sv,  "<>"sv, "|/"sv, "||/"sv, "@"sv});

constexpr auto kUnary =
    std::to_array<std::string_view>({"+"sv, "-"sv, "~"sv, "@"sv, "|/"sv, "||/"sv});

bool IsUnary(std::string_view op) {
  return std::ranges::find(kUnary, op) != kUnary.end();
}

std::string OperatorCandidate(std::string_view op) {
  if (op == "==" || op == "===") return "=";
  if (op == "=!" || op == "!==") return "<>";
  if (op == "=<") return "<=";
  if (op == "**") return "^";
  if (op == "!") return "NOT";
  return "";
}

}  // namespace

ExpressionPtr ExpressionParser::Make(ExpressionKind kind, const SourceSpan& begin) {
  return std::make_unique<Expression>(kind, begin);
}

bool ExpressionParser::Grow(Expression& parent, const Expression* child) {
  if (child == nullptr) return false;
  parent.height = std::max(parent.height, child->height + 1);
  if (parent.height <= kMaxHeight) return true;
  return cursor_.FailAt(child->span, "HR1003",
                        "the expression is built of more than " + std::to_string(kMaxHeight) +
                            " steps on top of each other",
                        "write long chains of OR as IN (...), or split the expression");
}

bool ExpressionParser::Attach(Expression& parent, ExpressionPtr child) {
  if (!Grow(parent, child.get())) return false;
  parent.children.push_back(std::move(child));
  return true;
}

bool ExpressionParser::Wrap(ExpressionKind kind, std::string name, ExpressionPtr& left) {
  ExpressionPtr outer = Make(kind, left->span);
  outer->name = std::move(name);
  if (!Attach(*outer, std::move(left))) return false;
  left = std::move(outer);
  Close(*left);
  return true;
}

bool ExpressionParser::ParseList(std::vector<ExpressionPtr>& out) {
  do {
    ExpressionPtr item = Parse();
    if (!item) return false;
    out.push_back(std::move(item));
  } while (cursor_.AcceptSymbol(","));
  return true;
}

bool ExpressionParser::ParseOrderBy(std::vector<OrderItem>& out) {
  do {
    OrderItem item;
    item.expression = Parse();
    if (!item.expression) return false;
    item.descending = cursor_.AcceptWord("desc");
    if (!item.descending) cursor_.AcceptWord("asc");
    if (cursor_.AcceptWords("nulls", "first")) {
      item.nulls_first = true;
    } else if (cursor_.AcceptWords("nulls", "last")) {
      item.nulls_first = false;
    }
    item.span = cursor_.SpanFrom(item.expression->span);
    out.push_back(std::move(item));
  } while (cursor_.AcceptSymbol(","));
  return true;
}

ExpressionPtr ExpressionParser::ParseAbove(int floor) {
  const DepthGuard guard(cursor_);
  if (!guard.ok()) return nullptr;
  ExpressionPtr left = ParsePrefix();
  // The precedence of the operator just read when it takes no second one of its kind.
  int unchained = kPrecedenceNone;
  while (left) {
    switch (ParseInfix(floor, left, unchained)) {
      case Step::kDone:
        return left;
      case Step::kFailed:
        return nullptr;
      case Step::kTaken:
        break;
    }
  }
  return nullptr;
}

ExpressionPtr ExpressionParser::ParsePrefix() {
  const Token& token = cursor_.Peek();
  if (cursor_.AcceptWord("not")) {
    ExpressionPtr outer = Make(ExpressionKind::kUnary, token.span);
    outer->name = "not";
    outer->name_span = token.span;
    if (!Attach(*outer, ParseAbove(kPrecedenceNot - 1))) return nullptr;
    Close(*outer);
    return outer;
  }
  if (token.kind != TokenKind::kOperator) return ParsePrimary();
  if (!IsUnary(token.text)) {
    cursor_.Fail("an expression");
    return nullptr;
  }
  cursor_.Take();
  if (token.text == "-") return ParseNegation(token);
  ExpressionPtr outer = Make(ExpressionKind::kUnary, token.span);
  outer->name = token.text;
  outer->name_span = token.span;
  const int floor = token.text == "+" ? kPrecedenceSign - 1 : kPrecedenceOther;
  if (!Attach(*outer, ParseAbove(floor))) return nullptr;
  Close(*outer);
  return outer;
}

// A minus in front of a literal is part of it, as in PostgreSQL.
ExpressionPtr ExpressionParser::ParseNegation(const Token& sign) {
  ExpressionPtr operand = ParseAbove(kPrecedenceSign - 1);
  if (!operand) return nullptr;
  if (operand->kind == ExpressionKind::kNumber) {
    const bool negative = operand->name.front() == '-';
    operand->name = negative ? operand->name.substr(1) : "-" + operand->name;
    operand->span = cursor_.SpanFrom(sign.span);
    return operand;
  }
  ExpressionPtr outer = Make(ExpressionKind::kUnary, sign.span);
  outer->name = "-";
  outer->name_span = sign.span;
  if (!Attach(*outer, std::move(operand))) return nullptr;
  Close(*outer);
  return outer;
}

bool ExpressionParser::CheckChain(int precedence, int unchained) {
  if (precedence != unchained) return true;
  const Token& token = cursor_.Peek();
  return cursor_.FailAt(token.span, "HR1006",
                        cursor_.Describe(token) + " follows another operator of its kind",
                        "join two conditions with AND, or say with parentheses what is meant");
}

ExpressionParser::Step ExpressionParser::ParseInfix(int floor, ExpressionPtr& left,
                                                    int& unchained) {
  const Token& token = cursor_.Peek();
  switch (token.kind) {
    case TokenKind::kWord:
      return ParseWordInfix(floor, left, unchained);
    case TokenKind::kOperator:
      return ParseOperator(floor, left, unchained);
    case TokenKind::kSymbol:
      return ParsePostfix(floor, left);
    default:
      return Step::kDone;
  }
}

ExpressionParser::Step ExpressionParser::ParseWordInfix(int floor, ExpressionPtr& left,
                                                        int& unchained) {
  const bool is_or = cursor_.AtWord("or");
  if (is_or || cursor_.AtWord("and")) {
    const int precedence = is_or ? kPrecedenceOr : kPrecedenceAnd;
    if (precedence <= floor) return Step::kDone;
    const SourceSpan place = cursor_.Take().span;
    if (!Wrap(ExpressionKind::kBinary, is_or ? "or" : "and", left)) return Step::kFailed;
    left->name_span = place;
    if (!Attach(*left, ParseAbove(precedence))) return Step::kFailed;
    Close(*left);
    unchained = kPrecedenceNone;
    return Step::kTaken;
  }
  if (cursor_.AtWord("is") || cursor_.AtWord("isnull") || cursor_.AtWord("notnull")) {
    if (kPrecedenceIs <= floor) return Step::kDone;
    return CheckChain(kPrecedenceIs, unchained) ? ParseIs(left, unchained) : Step::kFailed;
  }
  if (cursor_.AtWord("at") && cursor_.AtWord("time", 1)) {
    if (kPrecedenceZone <= floor) return Step::kDone;
    unchained = kPrecedenceNone;
    return ParseZone(left) ? Step::kTaken : Step::kFailed;
  }
  if (cursor_.AtWord("collate")) {
    if (kPrecedenceCollate <= floor) return Step::kDone;
    cursor_.Take();
    Identifier name;
    if (!Wrap(ExpressionKind::kCollate, "", left)) return Step::kFailed;
    if (!cursor_.ExpectName("the name of a collation", name)) return Step::kFailed;
    left->name = std::move(name.name);
    left->name_span = name.span;
    Close(*left);
    unchained = kPrecedenceNone;
    return Step::kTaken;
  }
  const size_t ahead = cursor_.AtWord("not") ? 1 : 0;
  const bool match = cursor_.AtWord("like", ahead) || cursor_.AtWord("in", ahead) ||
                     cursor_.AtWord("between", ahead) || cursor_.AtWord("ilike", ahead) ||
                     cursor_.AtWord("similar", ahead);
  if (!match || kPrecedenceMatch <= floor) return Step::kDone;
  return CheckChain(kPrecedenceMatch, unchained) ? ParseMatch(left, unchained) : Step::kFailed;
}

ExpressionParser::Step ExpressionParser::ParseIs(ExpressionPtr& left, int& unchained) {
  unchained = kPrecedenceNone;
  const Token& word = cursor_.Take();
  if (word.text != "is") {
    if (!Wrap(ExpressionKind::kIsNull, "", left)) return Step::kFailed;
    left->negated = word.text == "notnull";
    return Step::kTaken;
  }
  const bool negated = cursor_.AcceptWord("not");
  return ParseIsTail(left, negated, unchained) ? Step::kTaken : Step::kFailed;
}

bool ExpressionParser::ParseIsTail(ExpressionPtr& left, bool negated, int& unchained) {
  if (cursor_.AcceptWord("null")) {
    if (!Wrap(ExpressionKind::kIsNull, "", left)) return false;
    left->negated = negated;
    return true;
  }
  const std::string prefix = negated ? "is_not_" : "is_";
  for (const std::string_view word : {"true", "false", "unknown"}) {
    if (!cursor_.AcceptWord(word)) continue;
    if (!Wrap(ExpressionKind::kCall, prefix + std::string(word), left)) return false;
    left->flag = true;
    left->name_span = left->span;
    return true;
  }
  if (!cursor_.AcceptWord("distinct")) {
    return cursor_.Fail(negated ? "`NULL`, `TRUE`, `FALSE`, `UNKNOWN` or `DISTINCT FROM`"
                                : "`NULL`, `NOT NULL`, `TRUE`, `FALSE`, `UNKNOWN` or "
                                  "`DISTINCT FROM`");
  }
  if (!cursor_.ExpectWord("from")) return false;
  if (!Wrap(ExpressionKind::kCall, prefix + "distinct_from", left)) return false;
  left->flag = true;
  if (!Attach(*left, ParseAbove(kPrecedenceIs))) return false;
  Close(*left);
  left->name_span = left->span;
  unchained = kPrecedenceIs;
  return true;
}

ExpressionParser::Step ExpressionParser::ParseMatch(ExpressionPtr& left, int& unchained) {
  const bool negated = cursor_.AcceptWord("not");
  const std::string word = cursor_.Take().text;
  unchained = word == "in" ? kPrecedenceNone : kPrecedenceMatch;
  bool read = false;
  if (word == "in") {
    read = ParseIn(left, negated);
  } else if (word == "between") {
    read = ParseBetween(left, negated);
  } else {
    if (word == "similar" && !cursor_.ExpectWord("to")) return Step::kFailed;
    if (AtQuantifier()) unchained = kPrecedenceNone;
    read = ParseLike(left, negated ? "not " + word : word);
  }
  return read ? Step::kTaken : Step::kFailed;
}

bool ExpressionParser::ParseIn(ExpressionPtr& left, bool negated) {
  const SourceSpan open = cursor_.Peek().span;
  if (!cursor_.ExpectSymbol("(")) return false;
  if (cursor_.AtWord("select")) return RefuseQuery() != nullptr;
  if (!Wrap(ExpressionKind::kIn, "", left)) return false;
  left->negated = negated;
  do {
    if (!Attach(*left, Parse())) return false;
  } while (cursor_.AcceptSymbol(","));
  if (!cursor_.ExpectClose(open)) return false;
  Close(*left);
  return true;
}

bool ExpressionParser::ParseBetween(ExpressionPtr& left, bool negated) {
  if (!Wrap(ExpressionKind::kBetween, "", left)) return false;
  left->negated = negated;
  left->flag = cursor_.AcceptWord("symmetric");
  if (!left->flag) cursor_.AcceptWord("asymmetric");
  if (!Attach(*left, ParseAbove(kPrecedenceMatch))) return false;
  if (!cursor_.ExpectWord("and")) return false;
  if (!Attach(*left, ParseAbove(kPrecedenceMatch))) return false;
  Close(*left);
  return true;
}

bool ExpressionParser::ParseLike(ExpressionPtr& left, std::string name) {
  if (AtQuantifier()) return ParseQuantified(left, std::move(name));
  if (!Wrap(ExpressionKind::kCall, std::move(name), left)) return false;
  left->flag = true;
  if (!Attach(*left, ParseAbove(kPrecedenceMatch))) return false;
  if (cursor_.AcceptWord("escape") && !Attach(*left, ParseAbove(kPrecedenceMatch))) return false;
  Close(*left);
  left->name_span = left->span;
  return true;
}

bool ExpressionParser::ParseZone(ExpressionPtr& left) {
  cursor_.Take();
  cursor_.Take();
  if (!cursor_.ExpectWord("zone")) return false;
  ExpressionPtr call = Make(ExpressionKind::kCall, left->span);
  call->name = "timezone";
  call->flag = true;
  if (!Attach(*call, ParseAbove(kPrecedenceZone))) return false;
  if (!Attach(*call, std::move(left))) return false;
  left = std::move(call);
  Close(*left);
  left->name_span = left->span;
  return true;
}

bool ExpressionParser::AtQuantifier() {
  return cursor_.AtSymbol("(", 1) &&
         (cursor_.AtWord("any") || cursor_.AtWord("all") || cursor_.AtWord("some"));
}

bool ExpressionParser::ParseQuantified(ExpressionPtr& left, std::string op) {
  const bool all = cursor_.Take().text == "all";
  const SourceSpan open = cursor_.Take().span;
  if (cursor_.AtWord("select")) return RefuseQuery() != nullptr;
  if (!Wrap(ExpressionKind::kQuantified, std::move(op), left)) return false;
  left->flag = all;
  if (!Attach(*left, Parse()) || !cursor_.ExpectClose(open)) return false;
  Close(*left);
  return true;
}

int ExpressionParser::OperatorPrecedence() {
  const std::string& op = cursor_.Peek().text;
  if (op == "+" || op == "-") return kPrecedenceSum;
  if (op == "*" || op == "/" || op == "%") return kPrecedenceProduct;
  if (op == "^") return kPrecedencePower;
  if (op == "=" || op == "<" || op == ">" || op == "<=" || op == ">=" || op == "<>") {
    return kPrecedenceComparison;
  }
  return kPrecedenceOther;
}

ExpressionParser::Step ExpressionParser::ParseOperator(int floor, ExpressionPtr& left,
                                                       int& unchained) {
  const Token& token = cursor_.Peek();
  const std::string& op = token.text;
  if (std::ranges::find(kOperators, op) == kOperators.end()) {
    const std::string candidate = OperatorCandidate(op);
    cursor_.FailAt(
        token.span, "HR1010", "there is no operator " + cursor_.Describe(token),
        candidate.empty() ? "put spaces between operators" : "write `" + candidate + "`");
    return Step::kFailed;
  }
  const int precedence = OperatorPrecedence();
  if (precedence <= floor) return Step::kDone;
  const bool comparison = precedence == kPrecedenceComparison;
  if (comparison && !CheckChain(precedence, unchained)) return Step::kFailed;
  cursor_.Take();
  unchained = kPrecedenceNone;
  if (AtQuantifier()) return ParseQuantified(left, op) ? Step::kTaken : Step::kFailed;
  if (!Wrap(ExpressionKind::kBinary, op, left)) return Step::kFailed;
  left->name_span = token.span;
  if (!Attach(*left, ParseAbove(precedence))) return Step::kFailed;
  Close(*left);
  if (comparison) unchained = precedence;
  return Step::kTaken;
}

ExpressionParser::Step ExpressionParser::ParsePostfix(int floor, ExpressionPtr& left) {
  if (cursor_.AtSymbol("::") && kPrecedenceCast > floor) {
    cursor_.Take();
    if (!Wrap(ExpressionKind::kCast, "", left)) return Step::kFailed;
    left->flag = true;
    if (!ParseTypeName(cursor_, left->type)) return Step::kFailed;
    Close(*left);
    return Step::kTaken;
  }
  if (cursor_.AtSymbol("[") && kPrecedenceSubscript > floor) {
    cursor_.Take();
    if (!Wrap(ExpressionKind::kSubscript, "", left)) return Step::kFailed;
    if (!Attach(*left, Parse())) return Step::kFailed;
    if (cursor_.AtSymbol(":")) {
      cursor_.Refuse(cursor_.Peek().span, "slices of arrays are not supported",
                     "take single elements: a[1]");
      return Step::kFailed;
    }
    if (!cursor_.ExpectSymbol("]")) return Step::kFailed;
    Close(*left);
    return Step::kTaken;
  }
  return Step::kDone;
}

}  // namespace headrace::sql
