#include "sql/parser.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sql/lexer.h"
#include "sql/parser_cursor.h"
#include "sql/parser_statement.h"

namespace headrace::sql {
namespace {

using namespace std::string_view_literals;

constexpr auto kFirstWords = std::to_array<std::string_view>(
    {"create"sv, "drop"sv, "alter"sv, "insert"sv, "select"sv, "show"sv, "explain"sv, "describe"sv});

// Reads the statements of one script.
class ScriptParser {
 public:
  ScriptParser(std::string_view text, int file, ParseResult& result)
      : text_(text), lexer_(text, file, result.errors), result_(result) {}

  void Parse() {
    StatementTokens next;
    while (lexer_.Next(next)) {
      if (result_.errors.size() >= kMaxDiagnostics) return GiveUp(next);
      if (!next.broken) ParseTokens(next);
      carried_.clear();
    }
    TakeComments(next);
    result_.comments = std::move(carried_);
  }

 private:
  // Comments on the line of a semicolon belong to the statement it ends.
  void TakeComments(StatementTokens& next) {
    for (std::string& comment : next.same_line) {
      if (result_.statements.empty()) {
        carried_.push_back(std::move(comment));
      } else {
        result_.statements.back().trailing_comments.push_back(std::move(comment));
      }
    }
    for (std::string& comment : next.comments)
      carried_.push_back(std::move(comment));
  }

  void ParseTokens(StatementTokens& next) {
    TakeComments(next);
    std::vector<Token> tokens = std::move(next.tokens);
    while (!tokens.empty()) {
      Statement statement;
      statement.comments = std::move(carried_);
      statement.inner_comments = next.inner_comments;
      carried_.clear();
      Cursor cursor(tokens, text_, false);
      if (StatementParser(cursor).Parse(statement)) {
        statement.source_end = tokens.back().span.begin;
        result_.statements.push_back(std::move(statement));
        return;
      }
      tokens = Report(std::move(tokens));
    }
  }

  // Reads the failed statement again, noting what would have been legal. Answers the tokens to go
  // on with when the statement lacks its semicolon.
  std::vector<Token> Report(std::vector<Token> tokens) {
    Cursor cursor(tokens, text_, true);
    Statement statement;
    StatementParser(cursor).Parse(statement);
    const size_t next = FindNextStatement(tokens, cursor.failure_position());
    const bool missing = next < tokens.size() && next == cursor.failure_position() &&
                         cursor.failure().code == "HR1001";
    if (!missing || !KeepUpTo(tokens, next)) NoteName(tokens);
    Diagnostic failure = cursor.failure();
    if (missing) {
      failure = {"HR1005",
                 "expected `;` in front of " + cursor.Describe(tokens[next]),
                 tokens[next].span,
                 "end the statement before it with a semicolon",
                 {}};
    }
    result_.errors.push_back(std::move(failure));
    if (next >= tokens.size() || result_.errors.size() >= kMaxDiagnostics) return {};
    tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(next));
    return tokens;
  }

  // Takes the tokens in front of `end` for a statement that only lacks its semicolon.
  bool KeepUpTo(const std::vector<Token>& tokens, size_t end) {
    std::vector<Token> head(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(end));
    head.push_back({TokenKind::kEnd, "", tokens[end].span});
    Cursor cursor(head, text_, false);
    Statement statement;
    if (!StatementParser(cursor).Parse(statement)) return false;
    statement.source_end = statement.span.end;
    result_.statements.push_back(std::move(statement));
    return true;
  }

  // CREATE ... name: so that what uses the name is not called wrong too.
  void NoteName(const std::vector<Token>& tokens) {
    if (EditDistance(tokens.front().text, "create", 2) > 2) return;
    size_t i = 1;
    constexpr auto kBefore =
        std::to_array<std::string_view>({"or"sv, "replace"sv, "if"sv, "not"sv, "exists"sv});
    while (std::ranges::find(kBefore, tokens[i].text) != kBefore.end())
      ++i;
    // Behind the kind of object stands its name; IF NOT EXISTS may come between.
    if (tokens[i].kind == TokenKind::kEnd) return;
    ++i;
    if (tokens[i].text == "view") ++i;
    while (std::ranges::find(kBefore, tokens[i].text) != kBefore.end())
      ++i;
    const TokenKind kind = tokens[i].kind;
    if (kind != TokenKind::kWord && kind != TokenKind::kQuotedName) return;
    result_.unread_names.push_back(tokens[i].text);
  }

  // A word that begins a statement, first on its line, at the failure or behind it.
  static size_t FindNextStatement(const std::vector<Token>& tokens, size_t from) {
    for (size_t i = std::max<size_t>(from, 1); i < tokens.size(); ++i) {
      const Token& token = tokens[i];
      const bool begins = token.kind == TokenKind::kWord && token.text != "select" &&
                          std::ranges::find(kFirstWords, token.text) != kFirstWords.end();
      if (begins && token.span.line > tokens[i - 1].span.line && token.span.column == 1) return i;
    }
    return tokens.size();
  }

  void GiveUp(const StatementTokens& next) {
    result_.errors.push_back({"HR1002",
                              "more than " + std::to_string(kMaxDiagnostics) + " errors",
                              next.tokens.front().span,
                              "mend those above; the rest of the script was not read",
                              {}});
  }

  std::string_view text_;
  Lexer lexer_;
  ParseResult& result_;
  std::vector<std::string> carried_;  // comments in front of the next statement
};

}  // namespace

ParseResult Parse(std::string_view text, int file) {
  ParseResult result;
  if (text.size() > kMaxScriptBytes) {
    result.errors.push_back({"HR1002",
                             "the script has " + std::to_string(text.size()) +
                                 " bytes, more than " + std::to_string(kMaxScriptBytes),
                             {file, 1, 1, 0, 0},
                             "split it into several files",
                             {}});
    return result;
  }
  ScriptParser(text, file, result).Parse();
  return result;
}

}  // namespace headrace::sql
