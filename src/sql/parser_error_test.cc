#include <string>

#include <gtest/gtest.h>

#include "sql/parser_testing.h"

namespace headrace::sql {
namespace {

// "line:column code candidate" of the only error.
std::string Only(std::string_view text) {
  const ParseResult result = Parse(text, 0);
  if (result.errors.size() != 1) return std::to_string(result.errors.size()) + " errors";
  const Diagnostic& error = result.errors[0];
  return std::to_string(error.span.line) + ":" + std::to_string(error.span.column) + " " +
         error.code + (error.candidates.empty() ? "" : " " + error.candidates[0]);
}

TEST(ParserErrorTest, AMisspelledKeywordThatReadsAsAnAliasIsFound) {
  EXPECT_EQ(Errors("CREATE STREAM e AS SELECT amount FORM payments;"),
            "app.sql:1:34: error HR1004: expected `FROM`, found `FORM`\n"
            "  1 | CREATE STREAM e AS SELECT amount FORM payments;\n"
            "    |                                  ^~~~\n"
            "  hint: did you mean `FROM`?\n");
}

TEST(ParserErrorTest, MisspelledKeywordsAreFoundEverywhere) {
  EXPECT_EQ(Only("SELCT 1"), "1:1 HR1004 SELECT");
  EXPECT_EQ(Only("CRAETE STREAM x (a INT)"), "1:1 HR1004 CREATE");
  EXPECT_EQ(Only("CREATE STRAEM x (a INT)"), "1:8 HR1004 STREAM");
  EXPECT_EQ(Only("SELECT a FROM t WHRE x > 1"), "1:17 HR1004 WHERE");
  EXPECT_EQ(Only("SELECT a FROM t WHERE x GRUOP BY a"), "1:25 HR1004 GROUP");
  EXPECT_EQ(Only("SELECT a FROM t GROUP YB a"), "1:23 HR1004 BY");
  EXPECT_EQ(Only("SELECT a FROM t LIMT 5"), "1:17 HR1004 LIMIT");
  EXPECT_EQ(Only("SELECT count(*) OVR w FROM t"), "1:17 HR1004 OVER");
  EXPECT_EQ(Only("SELECT count(*) OVER (PARTITON BY a) FROM t"), "1:23 HR1004 PARTITION");
  EXPECT_EQ(Only("SELECT sum(a) FILTER (WHER b) FROM t"), "1:23 HR1004 WHERE");
  EXPECT_EQ(Only("SELECT CASE WEHN a THEN 1 END"), "1:13 HR1004 WHEN");
  EXPECT_EQ(Only("SELECT CASE WHEN a THN 1 END"), "1:20 HR1004 THEN");
  EXPECT_EQ(Only("SELECT a BETWEN 1 AND 2"), "1:10 HR1004 BETWEEN");
  EXPECT_EQ(Only("SELECT extract(hour FORM ts)"), "1:21 HR1004 FROM");
  EXPECT_EQ(Only("SELECT a FROM t EMIT ON ARIVAL"), "1:25 HR1004 ARRIVAL");
  EXPECT_EQ(Only("CREATE STREAM x (a INT, WATERMRK FOR ts AS ts)"), "1:25 HR1004 WATERMARK");
  EXPECT_EQ(Only("CREATE STREAM x (a INT NOT NUL)"), "1:28 HR1004 NULL");
  EXPECT_EQ(Only("CREATE STREAM x (a INT) DEDUPLICTE BY (a) WITHIN INTERVAL '1 h'"),
            "1:25 HR1004 DEDUPLICATE");
  EXPECT_EQ(Only("CREATE MODLE m WITH (path = 'x')"), "1:8 HR1004 MODEL");
  EXPECT_EQ(Only("SHOW STREMS"), "1:6 HR1004 STREAMS");
}

TEST(ParserErrorTest, NamesThatAreNotCloseAreNotTakenForKeywords) {
  EXPECT_EQ(Only("SELECT a id 5 FROM t"), "1:13 HR1001");
  EXPECT_EQ(Only("SELECT a win 5 FROM t"), "1:14 HR1001");
  EXPECT_EQ(Only("SELECT a b c FROM t"), "1:12 HR1001");
  EXPECT_EQ(Only("SELECT count(*) OVER (ROWS BETWEEN 1 PRECEDING AND 5) FROM t"), "1:53 HR1001");
}

TEST(ParserErrorTest, EveryStatementReportsItsOwnError) {
  const std::string script =
      "CREATE STREAM a (x INT);\n"
      "SELECT 1 +;\n"
      "CREATE STREAM b (y INT);\n"
      "SELECT (1;\n"
      "SELECT 'ok';\n"
      "SELECT a FORM b;\n";
  const ParseResult result = Parse(script, 0);
  EXPECT_EQ(result.statements.size(), 3u);
  ASSERT_EQ(result.errors.size(), 3u);
  EXPECT_EQ(result.errors[0].span.line, 2);
  EXPECT_EQ(result.errors[1].span.line, 4);
  EXPECT_EQ(result.errors[2].span.line, 6);
}

TEST(ParserErrorTest, AMissingSemicolonCostsNoStatement) {
  const ParseResult result =
      Parse("CREATE STREAM a (x INT)\nCREATE STREAM b (y INT);\nSELECT 1", 0);
  EXPECT_EQ(result.statements.size(), 3u);
  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_EQ(result.errors[0].code, "HR1005");
  EXPECT_EQ(result.errors[0].span.line, 2);
}

TEST(ParserErrorTest, NamesOfUnreadableStatementsAreKnown) {
  const ParseResult result = Parse(
      "CREATE OR REPLACE STREAM IF NOT EXISTS a AS SELECT FROM;"
      "CREATE MATERIALISED VIEW b AS SELECT 1; CRAETE MODEL c WITH (); SELECT +;",
      0);
  EXPECT_EQ(result.unread_names, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(ParserErrorTest, AnUnclosedParenthesisNamesItsBeginning) {
  EXPECT_EQ(Errors("SELECT (a +\n  b FROM t"),
            "app.sql:2:5: error HR1001: expected `)`, found `FROM`\n"
            "  2 |   b FROM t\n"
            "    |     ^~~~\n"
            "  hint: it closes the `(` at line 1, column 8\n");
}

TEST(ParserErrorTest, ReservedWordsSayHowToQuoteThem) {
  EXPECT_EQ(Errors("CREATE STREAM order (a INT)"),
            "app.sql:1:15: error HR1001: expected the name of the stream, found `order`\n"
            "  1 | CREATE STREAM order (a INT)\n"
            "    |               ^~~~~\n"
            "  hint: ORDER is a word of SQL; as a name it needs quotes: \"order\"\n");
}

TEST(ParserErrorTest, AnErrorAtTheEndPointsBehindTheLastWord) {
  EXPECT_EQ(Errors("SELECT 1 +;"),
            "app.sql:1:11: error HR1001: expected an expression, found the end of the statement\n"
            "  1 | SELECT 1 +;\n"
            "    |           ^\n");
  EXPECT_EQ(Only("SELECT"), "1:7 HR1001");
}

TEST(ParserErrorTest, StrayCommasAreNamed) {
  EXPECT_EQ(Errors("SELECT a, FROM t"),
            "app.sql:1:11: error HR1001: expected an expression, found `FROM`\n"
            "  1 | SELECT a, FROM t\n"
            "    |           ^~~~\n"
            "  hint: remove the comma in front of it\n");
  EXPECT_EQ(Only("CREATE STREAM x (a INT,)"), "1:24 HR1001");
}

TEST(ParserErrorTest, UnknownOperatorsProposeTheRightOne) {
  EXPECT_EQ(Errors("SELECT a == b"),
            "app.sql:1:10: error HR1010: there is no operator `==`\n"
            "  1 | SELECT a == b\n"
            "    |          ^~\n"
            "  hint: write `=`\n");
}

TEST(ParserErrorTest, KnownSqlOutsideTheDialectIsRefusedWithAWayOut) {
  EXPECT_EQ(Only("SELECT * FROM a, b"), "1:16 HR1011");
  EXPECT_EQ(Only("SELECT 1 UNION SELECT 2"), "1:10 HR1011");
  EXPECT_EQ(Only("WITH x AS (SELECT 1) SELECT 2"), "1:1 HR1011");
  EXPECT_EQ(Only("SELECT * FROM a WHERE x IN (SELECT 1)"), "1:29 HR1011");
  EXPECT_EQ(Only("SELECT EXISTS (SELECT 1)"), "1:8 HR1011");
  EXPECT_EQ(Only("SELECT * FROM a CROSS JOIN b"), "1:17 HR1011");
  EXPECT_EQ(Only("SELECT * FROM a JOIN b USING (x)"), "1:24 HR1011");
  EXPECT_EQ(Only("UPDATE t SET a = 1"), "1:1 HR1011");
  EXPECT_EQ(Only("INSERT INTO t SELECT 1"), "1:15 HR1011");
  EXPECT_EQ(Only("CREATE VIEW v AS SELECT 1"), "1:8 HR1011");
  EXPECT_EQ(Only("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a)"), "1:29 HR1011");
  EXPECT_EQ(Only("SELECT * FROM TUMBEL(TABLE t, DESCRIPTOR(ts), INTERVAL '1 m')"), "1:15 HR1011");
}

TEST(ParserErrorTest, ClausesStandOnce) {
  EXPECT_EQ(Only("SELECT a FROM t LIMIT 1 LIMIT 2"), "1:25 HR1012");
  EXPECT_EQ(Only("SELECT a FROM t EMIT CHANGES EMIT CHANGES"), "1:30 HR1012");
  EXPECT_EQ(Only("CREATE STREAM x (a INT, a TEXT)"), "1:25 HR1012");
  EXPECT_EQ(Only("CREATE STREAM x (a INT) WITH (k = 1, k = 2)"), "1:38 HR1012");
  EXPECT_EQ(Only("SELECT 1 FROM t WINDOW w AS (), w AS ()"), "1:33 HR1012");
  EXPECT_EQ(Only("CREATE STREAM x (a INT, WATERMARK FOR a AS a, WATERMARK FOR a AS a)"),
            "1:47 HR1012");
}

TEST(ParserErrorTest, NumbersOfVersionsAreChecked) {
  EXPECT_EQ(Only("ALTER MODEL m ACTIVATE VERSION 0"), "1:32 HR1013");
  EXPECT_EQ(Only("ALTER MODEL m ACTIVATE VERSION 1.5"), "1:32 HR1013");
  EXPECT_EQ(Only("ALTER MODEL m ACTIVATE VERSION 99999999999999999999"), "1:32 HR1013");
  EXPECT_EQ(Only("ALTER MODEL m CANARY 101 PERCENT"), "1:22 HR1013");
}

TEST(ParserErrorTest, ShapesAreChecked) {
  EXPECT_EQ(Only("SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts))"), "1:15 HR1014");
  EXPECT_EQ(Only("SELECT nullif(1)"), "1:8 HR1014");
  EXPECT_EQ(Only("INSERT INTO t VALUES (1, 2), (3)"), "1:30 HR1014");
  EXPECT_EQ(Only("CREATE STREAM x (a INT) AS SELECT 1"), "1:18 HR1014");
  EXPECT_EQ(Only("CREATE MATERIALIZED VIEW x (a INT)"), "1:26 HR1014");
}

TEST(ParserErrorTest, ScriptsAreCappedInSizeAndErrors) {
  const ParseResult large = Parse(std::string(kMaxScriptBytes + 1, ' '), 0);
  ASSERT_EQ(large.errors.size(), 1u);
  EXPECT_EQ(large.errors[0].code, "HR1002");
  std::string script;
  for (int i = 0; i < 1000; ++i)
    script += "SELECT +;\n";
  EXPECT_EQ(Parse(script, 0).errors.size(), kMaxDiagnostics + 1);
}

TEST(ParserErrorTest, ListsThatAreSearchedAreCapped) {
  std::string columns = "CREATE STREAM s (c INT";
  for (size_t i = 0; i < kMaxListed; ++i)
    columns += ", c" + std::to_string(i) + " INT";
  EXPECT_EQ(Parse(columns + ")", 0).errors.at(0).code, "HR1002");
}

TEST(ParserErrorTest, QueriesNestedTooDeeplyAreRefused) {
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += "SELECT * FROM (";
  EXPECT_EQ(Only(text), "1:481 HR1003");
}

TEST(ParserErrorTest, ALexicalErrorIsTheOnlyOneOfItsStatement) {
  const ParseResult result = Parse("SELECT 12abc FORM t; SELECT 1", 0);
  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_EQ(result.errors[0].code, "HR1008");
  EXPECT_EQ(result.statements.size(), 1u);
}

}  // namespace
}  // namespace headrace::sql
