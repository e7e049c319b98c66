#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/ast_expr.h"
#include "sql/parser_precedence.h"

namespace headrace::sql {

// Writes an expression on one line so that the parser reads the same tree from it.
//
// Each part is written with two bounds on how it meets its neighbours, from which follows exactly
// where a parenthesis must stand: long chains get none, so what could be read once can be read
// again within the same depth. Low trees get some more, for people. Unsynchronized.
class ExpressionWriter {
 public:
  // The writer for the expression `root` and its parts.
  explicit ExpressionWriter(const Expression& root) : readable_(root.height < kReadableHeight) {}

  std::string Write(const Expression& expression) const { return Emit(expression).text; }

 private:
  static constexpr int kReadableHeight = 64;

  struct Piece {
    std::string text;
    int own = kPrecedencePrimary;  // of the operator at the top
    // The loosest operator whose left operand begins the text: a neighbour on the left that binds
    // at least as tightly takes that operand away from it.
    int left = kPrecedencePrimary;
    // Operators on the right at least this tight are read into the last operand of the text.
    int right = kPrecedencePrimary;
    bool unchained = false;  // at the top is an operator that takes no second of its kind
  };

  Piece Emit(const Expression& expression) const;
  std::string WritePrimary(const Expression& expression) const;
  Piece EmitUnary(const Expression& expression) const;
  Piece EmitBinary(const Expression& expression) const;
  Piece EmitCall(const Expression& expression) const;
  Piece EmitMatch(const Expression& expression) const;
  Piece EmitZone(const Expression& expression) const;
  Piece EmitBetween(const Expression& expression) const;
  Piece EmitQuantified(const Expression& expression) const;
  // left-operand text
  Piece Postfix(const Expression& operand, int precedence, const std::string& text) const;
  Piece Infix(const Expression& left, int precedence, const std::string& op,
              const Expression& right, bool chains) const;
  Piece Left(const Expression& operand, int precedence, bool chains) const;
  Piece Right(const Expression& operand, int precedence) const;
  static Piece Parenthesize(Piece piece);

  std::string WriteTypedLiteral(const Expression& expression) const;
  std::string WriteCase(const Expression& expression) const;
  std::string WriteCall(const Expression& expression) const;
  std::string WriteSpecial(const Expression& expression) const;
  std::string List(const std::vector<ExpressionPtr>& items, size_t first = 0) const;

  bool readable_;
};

std::string WriteOrder(const std::vector<OrderItem>& items);
std::string WriteType(const TypeName& type);
std::string WriteString(std::string_view text);

}  // namespace headrace::sql
