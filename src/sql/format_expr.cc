#include "sql/format_expr.h"

#include <algorithm>
#include <utility>

#include "sql/format.h"
#include "sql/parser_cursor.h"
#include "sql/parser_type.h"
#include "sql/token.h"

namespace headrace::sql {
namespace {

int BinaryPrecedence(std::string_view op) {
  if (op == "or") return kPrecedenceOr;
  if (op == "and") return kPrecedenceAnd;
  if (op == "+" || op == "-") return kPrecedenceSum;
  if (op == "*" || op == "/" || op == "%") return kPrecedenceProduct;
  if (op == "^") return kPrecedencePower;
  const bool comparison =
      op == "=" || op == "<" || op == ">" || op == "<=" || op == ">=" || op == "<>";
  return comparison ? kPrecedenceComparison : kPrecedenceOther;
}

bool IsMatch(std::string_view name) {
  if (name.starts_with("not ")) name.remove_prefix(4);
  return name == "like" || name == "ilike" || name == "similar";
}

std::string MatchWords(std::string_view name) {
  return ToUpper(name) + (name.ends_with("similar") ? " TO" : "");
}

std::string OperatorWords(const std::string& op) {
  return IsMatch(op) ? MatchWords(op) : op == "or" || op == "and" ? ToUpper(op) : op;
}

// Not reserved, but with a meaning of their own in a window or a list of arguments.
bool IsContextual(std::string_view name) {
  return name == "partition" || name == "range" || name == "rows" || name == "groups" ||
         name == "unbounded" || name == "current" || name == "variadic";
}

}  // namespace

std::string FormatName(const std::string& name) {
  bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') && name[0] != '$';
  for (const char c : name) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
                      static_cast<unsigned char>(c) >= 0x80;
    plain = plain && kept;
  }
  const bool taken = IsReserved(name) || IsFunctionOnly(name) || IsContextual(name);
  if (plain && !taken) return name;
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string WriteString(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + "'";
}

std::string WriteType(const TypeName& type) {
  TypeName shown = type;
  if (!IsKnownType(type.name)) {
    shown.name = FormatName(type.name);
    return ToString(shown);
  }
  if (type.name == "numeric") shown.name = "decimal";
  return ToUpper(ToString(shown));
}

std::string WriteOrder(const std::vector<OrderItem>& items) {
  std::string text;
  for (const OrderItem& item : items) {
    if (!text.empty()) text += ", ";
    text += Format(*item.expression);
    if (item.descending) text += " DESC";
    if (item.nulls_first) text += *item.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }
  return text;
}

ExpressionWriter::Piece ExpressionWriter::Parenthesize(Piece piece) {
  Piece wrapped;
  wrapped.text = "(" + std::move(piece.text) + ")";
  return wrapped;
}

ExpressionWriter::Piece ExpressionWriter::Left(const Expression& operand, int precedence,
                                               bool chains) const {
  Piece piece = Emit(operand);
  const bool taken = precedence >= piece.right;
  const bool second = !chains && piece.unchained && piece.own == precedence;
  const bool clearer = readable_ && piece.own < precedence;
  return taken || second || clearer ? Parenthesize(std::move(piece)) : piece;
}

ExpressionWriter::Piece ExpressionWriter::Right(const Expression& operand, int precedence) const {
  Piece piece = Emit(operand);
  const bool clearer = readable_ && piece.own < precedence;
  return piece.left <= precedence || clearer ? Parenthesize(std::move(piece)) : piece;
}

ExpressionWriter::Piece ExpressionWriter::Postfix(const Expression& operand, int precedence,
                                                  const std::string& text) const {
  Piece piece = Left(operand, precedence, false);
  piece.text += text;
  piece.own = precedence;
  piece.left = std::min(piece.left, precedence);
  piece.right = kPrecedencePrimary;
  piece.unchained = false;
  return piece;
}

ExpressionWriter::Piece ExpressionWriter::Infix(const Expression& left, int precedence,
                                                const std::string& op, const Expression& right,
                                                bool chains) const {
  Piece piece = Left(left, precedence, chains);
  const Piece last = Right(right, precedence);
  piece.text += " " + op + " " + last.text;
  piece.own = precedence;
  piece.left = std::min(piece.left, precedence);
  piece.right = std::min(last.right, precedence + 1);
  piece.unchained = !chains;
  return piece;
}

ExpressionWriter::Piece ExpressionWriter::Emit(const Expression& e) const {
  Piece piece;
  switch (e.kind) {
    case ExpressionKind::kUnary:
      return EmitUnary(e);
    case ExpressionKind::kBinary:
      return EmitBinary(e);
    case ExpressionKind::kCall:
      return EmitCall(e);
    case ExpressionKind::kBetween:
      return EmitBetween(e);
    case ExpressionKind::kQuantified:
      return EmitQuantified(e);
    case ExpressionKind::kIsNull:
      return Postfix(*e.children[0], kPrecedenceIs, e.negated ? " IS NOT NULL" : " IS NULL");
    case ExpressionKind::kIn:
      return Postfix(*e.children[0], kPrecedenceMatch,
                     (e.negated ? " NOT IN (" : " IN (") + List(e.children, 1) + ")");
    case ExpressionKind::kCollate:
      return Postfix(*e.children[0], kPrecedenceCollate, " COLLATE " + FormatName(e.name));
    case ExpressionKind::kSubscript:
      return Postfix(*e.children[0], kPrecedenceSubscript, "[" + Write(*e.children[1]) + "]");
    case ExpressionKind::kCast:
      if (e.flag) return Postfix(*e.children[0], kPrecedenceCast, "::" + WriteType(e.type));
      piece.text = "CAST(" + Write(*e.children[0]) + " AS " + WriteType(e.type) + ")";
      return piece;
    case ExpressionKind::kNumber:
      piece.text = e.name;
      // The minus of a literal is read as an operator first.
      if (e.name.front() == '-') piece.own = piece.right = kPrecedenceSign;
      return piece;
    default:
      piece.text = WritePrimary(e);
      return piece;
  }
}

// What needs no parentheses wherever it stands.
std::string ExpressionWriter::WritePrimary(const Expression& e) const {
  std::string text;
  switch (e.kind) {
    case ExpressionKind::kNull:
      return "NULL";
    case ExpressionKind::kBoolean:
      return e.flag ? "TRUE" : "FALSE";
    case ExpressionKind::kString:
      return WriteString(e.name);
    case ExpressionKind::kBitString:
      return e.name.substr(0, 1) + "'" + e.name.substr(1) + "'";
    case ExpressionKind::kTypedLiteral:
      return WriteTypedLiteral(e);
    case ExpressionKind::kColumn:
    case ExpressionKind::kStar:
      text = e.qualifier.empty() ? "" : FormatName(e.qualifier) + ".";
      text += e.kind == ExpressionKind::kStar ? "*" : FormatName(e.name);
      return text;
    case ExpressionKind::kPredict:
      text = (e.flag ? "REASONS(" : "PREDICT(") + FormatName(e.name);
      text += (e.children.empty() ? "" : ", " + List(e.children)) + ")";
      return text;
    case ExpressionKind::kCase:
      return WriteCase(e);
    case ExpressionKind::kCoalesce:
      return "coalesce(" + List(e.children) + ")";
    case ExpressionKind::kNullIf:
      return "nullif(" + List(e.children) + ")";
    case ExpressionKind::kTuple:
      return (e.flag || e.children.size() < 2 ? "ROW(" : "(") + List(e.children) + ")";
    case ExpressionKind::kArray:
      return "ARRAY[" + List(e.children) + "]";
    default:
      return text;
  }
}

ExpressionWriter::Piece ExpressionWriter::EmitUnary(const Expression& e) const {
  const Expression& operand = *e.children[0];
  const bool word = e.name == "not";
  const bool sign = e.name == "-" || e.name == "+";
  const int precedence = word ? kPrecedenceNot : sign ? kPrecedenceSign : kPrecedenceOther;
  // NOT and the signs take an operand of their own kind; the others only what binds tighter.
  const int floor = word || sign ? precedence - 1 : precedence;
  Piece piece = Emit(operand);
  const bool clearer = readable_ && piece.own < precedence;
  // A minus in front of a bare number would become part of it.
  const bool merges = e.name == "-" && operand.kind == ExpressionKind::kNumber;
  if (piece.left <= floor || clearer || merges) piece = Parenthesize(std::move(piece));
  const bool apart =
      word || !(piece.text[0] == '(' || piece.text[0] == '\'' || piece.text[0] == '_' ||
                std::isalnum(static_cast<unsigned char>(piece.text[0])) != 0);
  piece.text = ToUpper(e.name) + (apart ? " " : "") + piece.text;
  piece.right = std::min(piece.right, floor + 1);
  piece.own = precedence;
  piece.left = kPrecedencePrimary;
  piece.unchained = false;
  return piece;
}

ExpressionWriter::Piece ExpressionWriter::EmitBinary(const Expression& e) const {
  const int precedence = BinaryPrecedence(e.name);
  return Infix(*e.children[0], precedence, OperatorWords(e.name), *e.children[1],
               precedence != kPrecedenceComparison);
}

ExpressionWriter::Piece ExpressionWriter::EmitBetween(const Expression& e) const {
  Piece piece = Left(*e.children[0], kPrecedenceMatch, false);
  const Piece low = Right(*e.children[1], kPrecedenceMatch);
  const Piece high = Right(*e.children[2], kPrecedenceMatch);
  piece.text += std::string(e.negated ? " NOT" : "") + " BETWEEN " + (e.flag ? "SYMMETRIC " : "") +
                low.text + " AND " + high.text;
  piece.own = kPrecedenceMatch;
  piece.left = std::min<int>(piece.left, kPrecedenceMatch);
  piece.right = std::min<int>(high.right, kPrecedenceMatch + 1);
  piece.unchained = true;
  return piece;
}

ExpressionWriter::Piece ExpressionWriter::EmitQuantified(const Expression& e) const {
  const int precedence = IsMatch(e.name) ? kPrecedenceMatch : BinaryPrecedence(e.name);
  const bool chains = precedence != kPrecedenceMatch && precedence != kPrecedenceComparison;
  Piece piece = Left(*e.children[0], precedence, chains);
  piece.text +=
      " " + OperatorWords(e.name) + (e.flag ? " ALL (" : " ANY (") + Write(*e.children[1]) + ")";
  piece.own = precedence;
  piece.left = std::min(piece.left, precedence);
  piece.right = kPrecedencePrimary;
  piece.unchained = false;
  return piece;
}

ExpressionWriter::Piece ExpressionWriter::EmitMatch(const Expression& e) const {
  Piece piece = Infix(*e.children[0], kPrecedenceMatch, MatchWords(e.name), *e.children[1], false);
  if (e.children.size() == 3) {
    const Piece escape = Right(*e.children[2], kPrecedenceMatch);
    piece.text += " ESCAPE " + escape.text;
    piece.right = std::min<int>(escape.right, kPrecedenceMatch + 1);
  }
  return piece;
}

ExpressionWriter::Piece ExpressionWriter::EmitCall(const Expression& e) const {
  Piece piece;
  if (!e.flag) {
    piece.text = WriteCall(e);
    return piece;
  }
  if (IsMatch(e.name)) return EmitMatch(e);
  if (e.name == "timezone") {
    return Infix(*e.children[1], kPrecedenceZone, "AT TIME ZONE", *e.children[0], true);
  }
  if (e.name.ends_with("distinct_from")) {
    const bool negated = e.name.starts_with("is_not_");
    return Infix(*e.children[0], kPrecedenceIs,
                 negated ? "IS NOT DISTINCT FROM" : "IS DISTINCT FROM", *e.children[1], false);
  }
  if (e.name.starts_with("is_")) {
    std::string words = ToUpper(e.name);
    std::ranges::replace(words, '_', ' ');
    return Postfix(*e.children[0], kPrecedenceIs, " " + words);
  }
  piece.text = WriteSpecial(e);
  return piece;
}

std::string ExpressionWriter::List(const std::vector<ExpressionPtr>& items, size_t first) const {
  std::string text;
  for (size_t i = first; i < items.size(); ++i) {
    if (i > first) text += ", ";
    text += Write(*items[i]);
  }
  return text;
}

std::string ExpressionWriter::WriteTypedLiteral(const Expression& e) const {
  if (e.type.name != "interval") return WriteType(e.type) + " " + WriteString(e.name);
  // The fields of an interval stand behind the text.
  TypeName bare = e.type;
  bare.fields.clear();
  const bool behind = e.type.fields.ends_with("second");
  if (behind) bare.modifiers.clear();
  std::string text = WriteType(bare) + " " + WriteString(e.name);
  if (!e.type.fields.empty()) text += " " + ToUpper(e.type.fields);
  for (size_t i = 0; behind && i < e.type.modifiers.size(); ++i) {
    text += (i == 0 ? "(" : ",") + std::to_string(e.type.modifiers[i]);
  }
  return text + (behind && !e.type.modifiers.empty() ? ")" : "");
}

std::string ExpressionWriter::WriteCase(const Expression& e) const {
  std::string text = "CASE";
  if (e.operand) text += " " + Write(*e.operand);
  for (size_t i = 0; i + 1 < e.children.size(); i += 2) {
    text += " WHEN " + Write(*e.children[i]) + " THEN " + Write(*e.children[i + 1]);
  }
  if (e.otherwise) text += " ELSE " + Write(*e.otherwise);
  return text + " END";
}

std::string ExpressionWriter::WriteCall(const Expression& e) const {
  // LEFT and RIGHT are words of a join, but functions in front of a parenthesis.
  std::string text = IsFunctionOnly(e.name) ? e.name : FormatName(e.name);
  text += "(";
  if (e.star) text += "*";
  if (e.distinct) text += "DISTINCT ";
  for (size_t i = 0; i < e.children.size(); ++i) {
    if (i > 0) text += ", ";
    const bool named = !e.argument_names.empty() && !e.argument_names[i].empty();
    if (named) text += FormatName(e.argument_names[i]) + " => ";
    text += Write(*e.children[i]);
  }
  if (!e.argument_order.empty()) text += " ORDER BY " + WriteOrder(e.argument_order);
  text += ")";
  if (e.filter) text += " FILTER (WHERE " + Write(*e.filter) + ")";
  if (e.over) return text + " OVER (" + Format(*e.over) + ")";
  return e.over_name.empty() ? text : text + " OVER " + FormatName(e.over_name);
}

std::string ExpressionWriter::WriteSpecial(const Expression& e) const {
  const auto part = [&](size_t i) { return Write(*e.children[i]); };
  const size_t count = e.children.size();
  if (e.name.starts_with("current_")) return ToUpper(e.name);
  if (e.name == "extract") {
    const std::string& field = e.children[0]->name;
    const bool word = FormatName(field) == field;
    return "extract(" + (word ? field : WriteString(field)) + " FROM " + part(1) + ")";
  }
  if (e.name == "substring") {
    const std::string length = count > 2 ? " FOR " + part(2) : "";
    return "substring(" + part(0) + " FROM " + part(1) + length + ")";
  }
  if (e.name == "position") {
    const Piece needle = Right(*e.children[0], kPrecedenceMatch);
    return "position(" + needle.text + " IN " + part(1) + ")";
  }
  if (e.name == "overlay") {
    const std::string length = count > 3 ? " FOR " + part(3) : "";
    return "overlay(" + part(0) + " PLACING " + part(1) + " FROM " + part(2) + length + ")";
  }
  if (e.name == "overlaps") {
    return "(" + part(0) + ", " + part(1) + ") OVERLAPS (" + part(2) + ", " + part(3) + ")";
  }
  std::string where = e.name == "ltrim" ? "LEADING " : e.name == "rtrim" ? "TRAILING " : "";
  if (count > 1) where += part(1) + " ";
  return "trim(" + where + (where.empty() ? "" : "FROM ") + part(0) + ")";
}

std::string Format(const Expression& expression) {
  return ExpressionWriter(expression).Write(expression);
}

std::string Format(const WindowSpec& window) {
  std::string text = FormatName(window.base.name);
  if (window.base.empty()) text.clear();
  const auto clause = [&](const std::string& words) { text += (text.empty() ? "" : " ") + words; };
  if (!window.partition_by.empty()) {
    std::string keys;
    for (const ExpressionPtr& key : window.partition_by) {
      keys += (keys.empty() ? "" : ", ") + Format(*key);
    }
    clause("PARTITION BY " + keys);
  }
  if (!window.order_by.empty()) clause("ORDER BY " + WriteOrder(window.order_by));
  if (!window.frame) return text;
  const auto bound = [](const FrameBound& b) -> std::string {
    switch (b.kind) {
      case FrameBoundKind::kUnboundedPreceding:
        return "UNBOUNDED PRECEDING";
      case FrameBoundKind::kPreceding:
        return Format(*b.offset) + " PRECEDING";
      case FrameBoundKind::kCurrentRow:
        return "CURRENT ROW";
      case FrameBoundKind::kFollowing:
        return Format(*b.offset) + " FOLLOWING";
      case FrameBoundKind::kUnboundedFollowing:
        return "UNBOUNDED FOLLOWING";
    }
    return "";
  };
  const Frame& frame = *window.frame;
  const std::string mode = frame.mode == FrameMode::kRange  ? "RANGE"
                           : frame.mode == FrameMode::kRows ? "ROWS"
                                                            : "GROUPS";
  clause(mode + " BETWEEN " + bound(frame.start) + " AND " + bound(frame.end));
  return text;
}

}  // namespace headrace::sql
