#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/ast_expr.h"
#include "sql/diagnostics.h"
#include "sql/token.h"

namespace headrace::sql {

// The place of the parsers in the tokens of one statement, and the first thing that is wrong with
// it. Every parse function answers false (or null) after a failure, and its caller passes that on.
//
// A statement is read without `tracing` first. Only when that fails it is read again with
// tracing, which notes every keyword that would have been legal at each place: a name close to one
// of them is then reported as a misspelled keyword. Confined to one thread; the tokens must
// outlive it.
class Cursor {
 public:
  Cursor(const std::vector<Token>& tokens, std::string_view text, bool tracing)
      : tokens_(tokens), text_(text), tracing_(tracing) {}

  const Token& Peek(size_t ahead = 0) const {
    return tokens_[std::min(position_ + ahead, tokens_.size() - 1)];
  }
  const Token& Take();
  bool AtEnd() const { return Peek().kind == TokenKind::kEnd; }
  size_t position() const { return position_; }

  // Unquoted words, given in lower case.
  bool AtWord(std::string_view word, size_t ahead = 0);
  bool AtWords(std::string_view first, std::string_view second);
  bool AcceptWord(std::string_view word);
  bool AcceptWords(std::string_view first, std::string_view second);
  bool ExpectWord(std::string_view word);
  bool AtSymbol(std::string_view symbol, size_t ahead = 0) const;
  bool AcceptSymbol(std::string_view symbol);
  bool ExpectSymbol(std::string_view symbol);
  // The parenthesis that closes `open`.
  bool ExpectClose(const SourceSpan& open);
  bool AtOperator(std::string_view op, size_t ahead = 0) const;
  // `(` after the word at the cursor.
  bool AtCall(std::string_view word) { return AtSymbol("(", 1) && AtWord(word); }

  // A name of a column, table, window, model ...: not reserved, or quoted.
  bool AtName(size_t ahead = 0) const;
  bool ExpectName(std::string_view what, Identifier& out);
  bool ExpectNumber(std::string_view what, int low, int high, int& out);
  // '(' name {',' name} ')'.
  bool ExpectNameList(std::string_view what, std::vector<Identifier>& out);

  // From `begin` to the last token taken.
  SourceSpan SpanFrom(const SourceSpan& begin) const;

  // "expected <what>, found <token>" at the cursor, or the keyword that was misspelled before it.
  bool Fail(std::string_view what);
  bool FailAt(const SourceSpan& span, std::string code, std::string message, std::string hint);
  // SQL that is known but not part of this dialect (HR1011).
  bool Refuse(const SourceSpan& span, std::string what, std::string hint);
  // Whether a list that already has `count` members may have another (HR1002).
  bool CheckCount(size_t count, std::string_view what);
  // A clause that stands twice (HR1012).
  bool FailTwice(const SourceSpan& span, std::string_view clause);

  // The token as the script has it: "`FORM`", "the number 12", "the end of the statement".
  std::string Describe(const Token& token) const;

  bool failed() const { return failed_; }
  const Diagnostic& failure() const { return failure_; }
  // Index of the token the failure is about.
  size_t failure_position() const { return failure_position_; }

  bool Enter();
  void Leave() { --depth_; }

 private:
  void Note(std::string_view word, size_t position);
  std::string_view Closest(size_t index, int& distance) const;
  bool FindMisspelling(Diagnostic& out);

  const std::vector<Token>& tokens_;
  std::string_view text_;
  bool tracing_;
  size_t position_ = 0;
  int depth_ = 0;
  std::vector<std::pair<size_t, std::string_view>> noted_;  // legal keywords, by token index
  std::vector<size_t> keywords_;  // indices of tokens that were a keyword somebody asked for
  bool failed_ = false;
  size_t failure_position_ = 0;
  Diagnostic failure_;
};

// One level of nesting, as long as it lives. Test ok() first.
class DepthGuard {
 public:
  explicit DepthGuard(Cursor& cursor) : cursor_(cursor), ok_(cursor.Enter()) {}
  ~DepthGuard() { cursor_.Leave(); }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;
  bool ok() const { return ok_; }

 private:
  Cursor& cursor_;
  bool ok_;
};

std::string ToUpper(std::string_view word);

}  // namespace headrace::sql
