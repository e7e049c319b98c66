#include "sql/lexer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace headrace::sql {
namespace {

struct Lexed {
  std::vector<StatementTokens> statements;
  std::vector<Diagnostic> errors;
};

Lexed Lex(std::string_view text) {
  Lexed lexed;
  Lexer lexer(text, 0, lexed.errors);
  StatementTokens next;
  while (lexer.Next(next))
    lexed.statements.push_back(next);
  lexed.statements.push_back(next);
  return lexed;
}

// The tokens of the first statement: `kind:text`, kinds by their first letter.
std::string Show(std::string_view text) {
  const Lexed lexed = Lex(text);
  if (!lexed.errors.empty()) return lexed.errors[0].code + " " + lexed.errors[0].message;
  std::string shown;
  for (const Token& token : lexed.statements[0].tokens) {
    if (token.kind == TokenKind::kEnd) break;
    if (!shown.empty()) shown += " ";
    shown += "EWQSBNOY"[static_cast<int>(token.kind)];
    shown += ":" + token.text;
  }
  return shown;
}

TEST(LexerTest, WordsFoldToLowerCaseUnlessQuoted) {
  EXPECT_EQ(Show("Select FooBar \"FooBar\" _x$1 straße"),
            "W:select W:foobar Q:FooBar W:_x$1 W:straße");
  EXPECT_EQ(Show("\"a\"\"b\""), "Q:a\"b");
}

TEST(LexerTest, NumbersTakeEveryFormOfPostgres) {
  EXPECT_EQ(Show("1 1.5 .5 1. 1e5 1E-3 1.5e+10"), "N:1 N:1.5 N:.5 N:1. N:1e5 N:1E-3 N:1.5e+10");
  EXPECT_EQ(Show("12abc"), "HR1008 letters follow the number");
  EXPECT_EQ(Show("1e"), "HR1008 letters follow the number");
}

TEST(LexerTest, StringsDoubleTheirQuotesAndKeepBackslashes) {
  EXPECT_EQ(Show("'it''s' 'a\\b'"), "S:it's S:a\\b");
  EXPECT_EQ(Show("''"), "S:");
}

TEST(LexerTest, StringsApartByANewlineAreOne) {
  EXPECT_EQ(Show("'foo'\n  'bar'"), "S:foobar");
  EXPECT_EQ(Show("'foo' 'bar'"), "S:foo S:bar");
}

TEST(LexerTest, EscapeStringsDecode) {
  EXPECT_EQ(Show(R"(E'a\tb\n\\\'\x41\101\u00e9\U0001F600q''')"), "S:a\tb\n\\'AAé😀q'");
  EXPECT_EQ(Show(R"(E'\uD83D\uDE00')"), "S:😀");
  EXPECT_EQ(Show(R"(E'\uD83D')"), "HR1007 an escape in the text is not valid");
  EXPECT_EQ(Show(R"(E'\xff')"), "HR1009 the text is not valid UTF-8");
  EXPECT_EQ(Show(R"(E'\u0000')"), "HR1007 an escape in the text is not valid");
}

TEST(LexerTest, UnicodeStringsDecodeWithTheirEscape) {
  EXPECT_EQ(Show(R"(U&'d\0061t\+000061' U&"d\0061t")"), "S:data Q:dat");
  EXPECT_EQ(Show("U&'d!0061t!!' UESCAPE '!'"), "S:dat!");
  EXPECT_EQ(Show("U&'\\zz'"), "HR1007 an escape in the U& literal is not valid");
}

TEST(LexerTest, DollarQuotesNest) {
  EXPECT_EQ(Show("$$it's$$ $t$a $$ b$t$"), "S:it's S:a $$ b");
  EXPECT_EQ(Show("$1"), "HR1009 a `$` begins neither a name nor a value");
}

TEST(LexerTest, BitStringsAreChecked) {
  EXPECT_EQ(Show("B'101' X'1F'"), "B:b101 B:x1f");
  EXPECT_EQ(Show("B'12'"), "HR1007 the bit string holds something that is not a digit of its base");
}

TEST(LexerTest, OperatorsEndAsInPostgres) {
  EXPECT_EQ(Show("a=-1"), "W:a O:= O:- N:1");
  EXPECT_EQ(Show("a@-1"), "W:a O:@- N:1");
  EXPECT_EQ(Show("a!=b<>c->>'d'#>>e||f"), "W:a O:<> W:b O:<> W:c O:->> S:d O:#>> W:e O:|| W:f");
  EXPECT_EQ(Show("1+--x\n2"), "N:1 O:+ N:2");
  EXPECT_EQ(Show("1*/*x*/2"), "N:1 O:* N:2");
  EXPECT_EQ(Show("a::b.c[1]=>(,)"), "W:a Y::: W:b Y:. W:c Y:[ N:1 Y:] Y:=> Y:( Y:, Y:)");
}

TEST(LexerTest, CommentsNest) {
  EXPECT_EQ(Show("a /* x /* y */ z */ b -- c\nd"), "W:a W:b W:d");
  EXPECT_EQ(Show("a /* x /* y */ z"), "HR1007 the comment is not closed");
}

TEST(LexerTest, CommentsAreKeptInFrontOfAStatementAndBesideItsEnd) {
  const Lexed lexed = Lex("-- one\n/* two */ a; -- beside\n-- next\nb -- in\n; -- last");
  ASSERT_EQ(lexed.statements.size(), 3u);
  EXPECT_EQ(lexed.statements[0].comments, (std::vector<std::string>{"-- one", "/* two */"}));
  EXPECT_FALSE(lexed.statements[0].inner_comments);
  EXPECT_EQ(lexed.statements[1].same_line, std::vector<std::string>{"-- beside"});
  EXPECT_EQ(lexed.statements[1].comments, std::vector<std::string>{"-- next"});
  EXPECT_TRUE(lexed.statements[1].inner_comments);
  EXPECT_EQ(lexed.statements[2].same_line, std::vector<std::string>{"-- last"});
}

TEST(LexerTest, SpansCountLinesAndCodePoints) {
  const Lexed lexed = Lex("a\n 'é' b");
  const std::vector<Token>& tokens = lexed.statements[0].tokens;
  ASSERT_EQ(tokens.size(), 4u);
  EXPECT_EQ(tokens[1].span.line, 2);
  EXPECT_EQ(tokens[1].span.column, 2);
  EXPECT_EQ(tokens[2].span.line, 2);
  EXPECT_EQ(tokens[2].span.column, 6);
  EXPECT_EQ(tokens[2].span.begin, 8u);
  EXPECT_EQ(tokens[2].span.end, 9u);
}

TEST(LexerTest, BytesWithoutMeaningAreNamed) {
  EXPECT_EQ(Show("a \\ b"), "HR1009 `\\` has no meaning in SQL");
  EXPECT_EQ(Show(std::string_view("a \0 b", 5)), "HR1009 byte 0x00 has no meaning in SQL");
  EXPECT_EQ(Show("a\xff"), "HR1009 the name is not valid UTF-8");
  EXPECT_EQ(Show("`a b`"), "HR1009 names are not quoted with backticks");
}

TEST(LexerTest, ABacktickedNameIsOneError) {
  EXPECT_EQ(Lex("SELECT `a` FROM t").errors.size(), 1u);
}

TEST(LexerTest, LongNamesAreRefused) {
  EXPECT_EQ(Show(std::string(256, 'a')), "HR1007 the name is longer than 255 bytes");
  EXPECT_EQ(Show("\"\""), "HR1007 the quoted name is empty");
}

TEST(LexerTest, AScriptOfTooManyWordsIsRefused) {
  std::string text = "SELECT 1";
  for (size_t i = 0; i < kMaxTokens; ++i)
    text += ",1";
  const Lexed lexed = Lex(text);
  ASSERT_EQ(lexed.errors.size(), 1u);
  EXPECT_EQ(lexed.errors[0].code, "HR1002");
}

TEST(LexerTest, EmptyStatementsAreNone) {
  EXPECT_EQ(Lex(";;; a ;; b;;").statements.size(), 3u);  // and the end
  EXPECT_EQ(Lex("").statements.size(), 1u);
}

}  // namespace
}  // namespace headrace::sql
