#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/ast_expr.h"
#include "sql/parser_cursor.h"
#include "sql/parser_precedence.h"

namespace headrace::sql {

// Reads expressions: precedence climbing over PostgreSQL's operator table. Null (false) after a
// failure, which the cursor holds. Confined to one thread; the cursor must outlive it.
class ExpressionParser {
 public:
  explicit ExpressionParser(Cursor& cursor) : cursor_(cursor) {}

  ExpressionPtr Parse() { return ParseAbove(kPrecedenceNone); }
  // One or more, separated by commas.
  bool ParseList(std::vector<ExpressionPtr>& out);
  bool ParseOrderBy(std::vector<OrderItem>& out);  // behind ORDER BY
  // (name, ...) of a window: the parenthesis with what is in it.
  bool ParseWindow(WindowSpec& out);

 private:
  // Operators that bind tighter than `floor`.
  ExpressionPtr ParseAbove(int floor);
  ExpressionPtr ParsePrefix();
  ExpressionPtr ParseNegation(const Token& sign);

  // What one round of the operator loop did.
  enum class Step { kDone, kTaken, kFailed };
  Step ParseInfix(int floor, ExpressionPtr& left, int& unchained);
  Step ParseWordInfix(int floor, ExpressionPtr& left, int& unchained);
  Step ParseOperator(int floor, ExpressionPtr& left, int& unchained);
  Step ParsePostfix(int floor, ExpressionPtr& left);
  Step ParseIs(ExpressionPtr& left, int& unchained);
  Step ParseMatch(ExpressionPtr& left, int& unchained);
  bool ParseIsTail(ExpressionPtr& left, bool negated, int& unchained);
  bool ParseIn(ExpressionPtr& left, bool negated);
  bool ParseBetween(ExpressionPtr& left, bool negated);
  bool ParseLike(ExpressionPtr& left, std::string name);
  bool ParseQuantified(ExpressionPtr& left, std::string op);
  bool ParseZone(ExpressionPtr& left);
  bool AtQuantifier();
  int OperatorPrecedence();
  bool CheckChain(int precedence, int unchained);

  // Primaries (parser_primary.cc).
  ExpressionPtr ParsePrimary();
  ExpressionPtr ParseWord();
  ExpressionPtr ParseKeyword(bool& known);
  ExpressionPtr ParseLiteral(ExpressionKind kind);
  ExpressionPtr ParseName();
  ExpressionPtr ParseParenthesis();
  ExpressionPtr ParseCase();
  ExpressionPtr ParseCast();
  ExpressionPtr ParseArray();
  ExpressionPtr ParseArrayItems(const SourceSpan& begin);
  ExpressionPtr ParseRow();
  ExpressionPtr ParseOverlaps(ExpressionPtr left);
  ExpressionPtr RefuseQuery();

  // Calls (parser_call.cc).
  ExpressionPtr ParseCall();
  bool ParseArguments(Expression& call);
  bool ParseCallTail(Expression& call);
  bool ParseOver(Expression& call);
  ExpressionPtr ParseSpecialCall(bool& known);
  ExpressionPtr ParsePredict();
  ExpressionPtr ParseFixed(ExpressionKind kind, size_t least, size_t most);
  bool ParseExtract(Expression& call);
  bool ParseSubstring(Expression& call);
  bool ParsePosition(Expression& call);
  bool ParseTrim(Expression& call);
  bool ParseOverlay(Expression& call);
  bool Argument(Expression& call);  // adds one
  bool Arguments(Expression& call);
  bool NamedArguments(Expression& call);

  // Windows (parser_window.cc).
  bool ParseFrame(Frame& out);
  bool ParseBound(FrameBound& out);
  bool CheckFrame(const Frame& frame);

  ExpressionPtr Make(ExpressionKind kind, const SourceSpan& begin);
  // Adds a part and keeps the height; false when the tree gets too high.
  bool Attach(Expression& parent, ExpressionPtr child);
  bool Grow(Expression& parent, const Expression* child);
  // `left` becomes an expression of this kind around what it was.
  bool Wrap(ExpressionKind kind, std::string name, ExpressionPtr& left);
  // Ends `expression` at the last token taken.
  void Close(Expression& expression) { expression.span = cursor_.SpanFrom(expression.span); }

  Cursor& cursor_;
};

}  // namespace headrace::sql
