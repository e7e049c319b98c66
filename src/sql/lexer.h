#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sql/diagnostics.h"
#include "sql/token.h"

namespace headrace::sql {

// Words and signs of a whole script (HR1002): each may cost some hundred bytes of tree.
constexpr size_t kMaxTokens = size_t{1} << 20;
// Names longer than this are refused (HR1007).
constexpr size_t kMaxNameBytes = 255;
// Lexical errors of a script beyond this number are not reported.
constexpr size_t kMaxLexicalErrors = 100;

bool IsUtf8(std::string_view text);

// What lies between two semicolons.
struct StatementTokens {
  std::vector<Token> tokens;           // the last is kEnd
  std::vector<std::string> comments;   // in front of the first token
  std::vector<std::string> same_line;  // those of `comments` on the line of the last semicolon
  bool inner_comments = false;         // there are comments between the tokens
  bool broken = false;                 // a token could not be read; the error is reported
};

// Cuts a script into statements of tokens by PostgreSQL's lexical rules. The text must outlive the
// lexer. Confined to one thread. Runs in time linear in the text.
class Lexer {
 public:
  Lexer(std::string_view text, int file, std::vector<Diagnostic>& errors)
      : text_(text), file_(file), errors_(errors) {}

  // The next statement; false at the end of the script, when `out` holds only the comments left.
  bool Next(StatementTokens& out);

 private:
  char At(size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }
  void Mark();              // the span's beginning is the current place
  SourceSpan Span() const;  // from the mark to the current place
  void Add(TokenKind kind, std::string text);
  void Fail(std::string code, std::string message, std::string hint);

  void SkipBlanks();  // and comments
  void LineComment();
  void BlockComment();
  void KeepComment(size_t begin);
  void ReadToken();
  void ReadWord();
  void ReadNumber();
  void ReadDollar();
  void ReadOperator();
  void ReadSymbol();
  void ReadInvalid();
  // Literals (lexer_literal.cc). The position is on the opening quote.
  bool ReadQuoted(char quote, bool backslash, std::string& raw);
  bool SkipToContinuation();
  void ReadString(bool escapes);
  void ReadUnicode();
  void ReadBits(char base);
  void ReadQuotedName();
  bool DecodeEscapes(std::string_view raw, std::string& out);
  bool DecodeUnicode(std::string_view raw, char escape, std::string& out);
  bool TakeUescape(char& escape);
  void AddString(std::string text);
  void AddName(std::string text);

  std::string_view text_;
  int file_;
  std::vector<Diagnostic>& errors_;
  StatementTokens* out_ = nullptr;
  size_t position_ = 0;
  size_t tokens_ = 0;
  SourceSpan mark_;
  // Line and column of `counted_`; Mark moves them on.
  size_t counted_ = 0;
  int line_ = 1;
  int column_ = 1;
  int semicolon_line_ = 0;
};

}  // namespace headrace::sql
