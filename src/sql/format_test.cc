#include "sql/format.h"

#include <string>

#include <gtest/gtest.h>

#include "sql/parser_testing.h"

namespace headrace::sql {
namespace {

std::string FormatText(const std::string& text) {
  const ParseResult result = Parse(text, 0);
  return result.ok() ? FormatScript(result, text) : Errors(text);
}

TEST(FormatTest, ParenthesesStandWhereTheTreeNeedsThem) {
  EXPECT_EQ(Canonical("(a + b) * c"), "(a + b) * c");
  EXPECT_EQ(Canonical("a + (b * c)"), "a + b * c");
  EXPECT_EQ(Canonical("a - (b - c)"), "a - (b - c)");
  EXPECT_EQ(Canonical("((a - b)) - c"), "a - b - c");
  EXPECT_EQ(Canonical("(a OR b) AND c"), "(a OR b) AND c");
  EXPECT_EQ(Canonical("NOT (a AND b)"), "NOT (a AND b)");
  EXPECT_EQ(Canonical("(NOT a) AND b"), "NOT a AND b");
  EXPECT_EQ(Canonical("(NOT a) = b"), "(NOT a) = b");
  EXPECT_EQ(Canonical("(a = b) = c"), "(a = b) = c");
  EXPECT_EQ(Canonical("(a IS NULL) = b"), "(a IS NULL) = b");
  EXPECT_EQ(Canonical("(-1)::int"), "(-1)::INTEGER");
  EXPECT_EQ(Canonical("-1::int"), "-1::INTEGER");
  EXPECT_EQ(Canonical("-(-a)"), "- -a");
  EXPECT_EQ(Canonical("(a LIKE b) LIKE c"), "(a LIKE b) LIKE c");
  EXPECT_EQ(Canonical("a BETWEEN (b AND c) AND d"), "a BETWEEN (b AND c) AND d");
  EXPECT_EQ(Canonical("(a IN (1)) IN (true)"), "a IN (1) IN (TRUE)");
  EXPECT_EQ(Canonical("(a::text || b) COLLATE c"), "(a::TEXT || b) COLLATE c");
  EXPECT_EQ(Canonical("(ts AT TIME ZONE 'x')::date"), "(ts AT TIME ZONE 'x')::DATE");
}

TEST(FormatTest, SpecialFormsComeBackAsWritten) {
  EXPECT_EQ(Canonical("EXTRACT(HOUR FROM ts)"), "extract(hour FROM ts)");
  EXPECT_EQ(Canonical("TRIM(BOTH FROM a)"), "trim(a)");
  EXPECT_EQ(Canonical("trim(leading 'x' from a)"), "trim(LEADING 'x' FROM a)");
  EXPECT_EQ(Canonical("btrim(a)"), "btrim(a)");
  EXPECT_EQ(Canonical("substring(a for 2)"), "substring(a FROM 1 FOR 2)");
  EXPECT_EQ(Canonical("overlay(a placing b from 1)"), "overlay(a PLACING b FROM 1)");
  EXPECT_EQ(Canonical("position('a' in b)"), "position('a' IN b)");
  EXPECT_EQ(Canonical("timezone('UTC', ts)"), "timezone('UTC', ts)");
  EXPECT_EQ(Canonical("a not similar to b escape 'x'"), "a NOT SIMILAR TO b ESCAPE 'x'");
  EXPECT_EQ(Canonical("interval(3) '1' day"), "INTERVAL(3) '1' DAY");
  EXPECT_EQ(Canonical("interval '1' second(3)"), "INTERVAL '1' SECOND(3)");
}

TEST(FormatTest, NamesAreQuotedOnlyWhenTheyMustBe) {
  EXPECT_EQ(FormatName("amount"), "amount");
  EXPECT_EQ(FormatName("Amount"), "\"Amount\"");
  EXPECT_EQ(FormatName("order"), "\"order\"");
  EXPECT_EQ(FormatName("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(FormatName("1a"), "\"1a\"");
  EXPECT_EQ(FormatName("größe"), "größe");
  EXPECT_EQ(FormatName("left"), "\"left\"");
  EXPECT_EQ(Canonical("sum(a) OVER (\"partition\" ORDER BY b)"),
            "sum(a) OVER (\"partition\" ORDER BY b)");
}

TEST(FormatTest, StringsKeepTheirText) {
  EXPECT_EQ(Canonical("E'it\\'s\\n'"), "'it''s\n'");
  EXPECT_EQ(Canonical("$$a'b$$"), "'a''b'");
  EXPECT_EQ(Canonical("'a\\b'"), "'a\\b'");
}

TEST(FormatTest, AStreamTakesALineForEachClause) {
  EXPECT_EQ(
      FormatText("create stream payments (tx_id text not null, amount decimal(12,2) check "
                 "(amount>0), cents as amount*100, day date as (ts::date), ts timestamptz, "
                 "watermark for ts as ts-interval '5 seconds' with (max_future='1 hour')) with "
                 "(topic='payments', kafka.group = g) partition by (tx_id) deduplicate by (tx_id) "
                 "within interval '24 hours'"),
      "CREATE STREAM payments (\n"
      "  tx_id TEXT NOT NULL,\n"
      "  amount DECIMAL(12,2) CHECK (amount > 0),\n"
      "  cents AS amount * 100,\n"
      "  day DATE AS (ts::DATE),\n"
      "  ts TIMESTAMPTZ,\n"
      "  WATERMARK FOR ts AS ts - INTERVAL '5 seconds' WITH (max_future = '1 hour')\n"
      ")\n"
      "PARTITION BY (tx_id)\n"
      "DEDUPLICATE BY (tx_id) WITHIN INTERVAL '24 hours'\n"
      "WITH (topic = 'payments', kafka.group = g);\n");
}

TEST(FormatTest, AQueryTakesALineForEachClause) {
  EXPECT_EQ(
      FormatText("create stream s as select p.*, count(*) over m as n from payments p where a>1 "
                 "group by a, b having count(*)>1 window m as (partition by card order by ts), w "
                 "as (m rows 5 preceding) qualify n>2 order by a desc limit 5 offset 2 with "
                 "(precision(m)='5 minutes') allowed lateness interval '1 minute' emit on window "
                 "close late rows side output to late start from timestamp '2026-01-01'"),
      "CREATE STREAM s AS\n"
      "SELECT p.*, count(*) OVER m AS n\n"
      "FROM payments AS p\n"
      "WHERE a > 1\n"
      "GROUP BY a, b\n"
      "HAVING count(*) > 1\n"
      "WINDOW m AS (PARTITION BY card ORDER BY ts),\n"
      "       w AS (m ROWS BETWEEN 5 PRECEDING AND CURRENT ROW)\n"
      "QUALIFY n > 2\n"
      "ORDER BY a DESC\n"
      "LIMIT 5\n"
      "OFFSET 2\n"
      "WITH (precision(m) = '5 minutes')\n"
      "EMIT ON WINDOW CLOSE\n"
      "LATE ROWS SIDE OUTPUT TO late\n"
      "ALLOWED LATENESS INTERVAL '1 minute'\n"
      "START FROM TIMESTAMPTZ '2026-01-01';\n");
}

TEST(FormatTest, LongListsTakeALineForEachItem) {
  const std::string a(60, 'a');
  const std::string b(60, 'b');
  EXPECT_EQ(FormatText("select " + a + ", " + b + " from t"),
            "SELECT " + a + ",\n       " + b + "\nFROM t;\n");
}

TEST(FormatTest, TablesInFrom) {
  EXPECT_EQ(CanonicalStatement("SELECT * FROM TABLE(HOP(TABLE x, DESCRIPTOR(ts), INTERVAL '1 m', "
                               "INTERVAL '5 m')) h"),
            "SELECT *\nFROM HOP(TABLE x, DESCRIPTOR(ts), INTERVAL '1 m', INTERVAL '5 m') AS h");
  EXPECT_EQ(CanonicalStatement("SELECT * FROM TUMBLE(x, ts, INTERVAL '1 m')"),
            "SELECT *\nFROM TUMBLE(TABLE x, DESCRIPTOR(ts), INTERVAL '1 m')");
  EXPECT_EQ(CanonicalStatement("SELECT * FROM TABLE(ML_PREDICT(args => descriptor(a, \"B\"), "
                               "input => x, model => MODEL m)) AS p"),
            "SELECT *\nFROM ML_PREDICT(TABLE x, MODEL m, DESCRIPTOR(a, \"B\")) AS p");
  EXPECT_EQ(CanonicalStatement("SELECT a FROM ML_PREDICT(TABLE model, model, DESCRIPTOR(a))"),
            "SELECT a\nFROM ML_PREDICT(TABLE model, MODEL model, DESCRIPTOR(a))");
  EXPECT_EQ(CanonicalStatement("SELECT * FROM SESSION(TABLE x PARTITION BY b, DESCRIPTOR(ts), "
                               "INTERVAL '1 m')"),
            "SELECT *\nFROM SESSION(TABLE x PARTITION BY (b), DESCRIPTOR(ts), INTERVAL '1 m')");
  EXPECT_EQ(CanonicalStatement("SELECT * FROM f LEFT JOIN p FOR SYSTEM_TIME AS OF f.ts AS p ON "
                               "p.id = f.id ASOF JOIN q ON q.a=f.a"),
            "SELECT *\nFROM f\nLEFT JOIN p FOR SYSTEM_TIME AS OF f.ts AS p ON p.id = f.id\n"
            "ASOF JOIN q ON q.a = f.a");
  EXPECT_EQ(CanonicalStatement("SELECT * FROM (SELECT a FROM b WHERE c) x"),
            "SELECT *\nFROM (SELECT a FROM b WHERE c) AS x");
}

TEST(FormatTest, TheOtherStatements) {
  EXPECT_EQ(CanonicalStatement("create model if not exists m with (path='x.txt', n=-1.5, b=TRUE)"),
            "CREATE MODEL IF NOT EXISTS m WITH (path = 'x.txt', n = -1.5, b = true)");
  EXPECT_EQ(CanonicalStatement("create model m learner naive_bayes (a numeric(8,2), \"B\" bigint) "
                               "label (up boolean) with (seed=1)"),
            "CREATE MODEL m LEARNER naive_bayes (a DECIMAL(8,2), \"B\" BIGINT) LABEL (up BOOLEAN) "
            "WITH (seed = 1)");
  EXPECT_EQ(CanonicalStatement("create model m learner naive_bayes (a int) label (y text)"),
            "CREATE MODEL m LEARNER naive_bayes (a INTEGER) LABEL (y TEXT)");
  EXPECT_EQ(CanonicalStatement("create model m2 train gradient_boosting (a, \"B\") label y on s "
                               "with (trees=9) when drift(m)>0.2 or every interval '1 day' into "
                               "shadow of m"),
            "CREATE MODEL m2 TRAIN gradient_boosting (a, \"B\") LABEL y ON s\n"
            "  WITH (trees = 9)\n"
            "  WHEN EVERY INTERVAL '1 day' OR drift(m) > 0.2\n"
            "  INTO SHADOW OF m");
  EXPECT_EQ(CanonicalStatement("create model m input (a float4, b text) output (\"C\" float8) with "
                               "(url = 'http://h/v2/models/m', queue = 7)"),
            "CREATE MODEL m INPUT (a REAL, b TEXT) OUTPUT (\"C\" DOUBLE PRECISION) "
            "WITH (url = 'http://h/v2/models/m', queue = 7)");
  EXPECT_EQ(
      CanonicalStatement("create or replace policy p arms ('a', 'it''s') context (x int, \"Y\" "
                         "double precision) with (type='linucb', alpha=0.5)"),
      "CREATE OR REPLACE POLICY p ARMS ('a', 'it''s') CONTEXT (x INTEGER, \"Y\" DOUBLE "
      "PRECISION) WITH (type = 'linucb', alpha = 0.5)");
  EXPECT_EQ(CanonicalStatement("create policy if not exists p arms ('a') with (type='ucb1')"),
            "CREATE POLICY IF NOT EXISTS p ARMS ('a') WITH (type = 'ucb1')");
  EXPECT_EQ(CanonicalStatement("show policies"), "SHOW POLICIES");
  EXPECT_EQ(CanonicalStatement("drop policy p"), "DROP POLICY p");
  EXPECT_EQ(CanonicalStatement("alter model m add version with (path='y')"),
            "ALTER MODEL m ADD VERSION WITH (path = 'y')");
  EXPECT_EQ(CanonicalStatement("alter model m activate version 2"),
            "ALTER MODEL m ACTIVATE VERSION 2");
  EXPECT_EQ(CanonicalStatement("alter model m activate version 2 because 'it''s \nbetter'"),
            "ALTER MODEL m ACTIVATE VERSION 2 BECAUSE 'it''s \nbetter'");
  EXPECT_EQ(CanonicalStatement("alter model m canary version 2 percent 10"),
            "ALTER MODEL m CANARY 10 PERCENT VERSION 2");
  EXPECT_EQ(CanonicalStatement("alter model m canary 10 percent"),
            "ALTER MODEL m CANARY 10 PERCENT");
  EXPECT_EQ(CanonicalStatement("alter model m retire version 1"), "ALTER MODEL m RETIRE VERSION 1");
  EXPECT_EQ(CanonicalStatement("alter model m canary 5 percent with (canary_key='card')"),
            "ALTER MODEL m CANARY 5 PERCENT WITH (canary_key = 'card')");
  EXPECT_EQ(CanonicalStatement("alter model m rollback because 'no'"),
            "ALTER MODEL m ROLLBACK BECAUSE 'no'");
  EXPECT_EQ(CanonicalStatement("create model m with (path='y') reasons (a 'it''s', \"B\" 'c')"),
            "CREATE MODEL m WITH (path = 'y')\nREASONS (\n  a 'it''s',\n  \"B\" 'c'\n)");
  EXPECT_EQ(CanonicalStatement("select reasons(m, a) from t as of lsn 5 x explain when a > 1"),
            "SELECT REASONS(m, a)\nFROM t AS OF LSN 5 AS x\nEXPLAIN WHEN a > 1");
  EXPECT_EQ(CanonicalStatement("drop materialized view if exists v"),
            "DROP MATERIALIZED VIEW IF EXISTS v");
  EXPECT_EQ(CanonicalStatement("insert into s (a, b) values (1,'x'), (2, null)"),
            "INSERT INTO s (a, b)\nVALUES (1, 'x'),\n       (2, NULL)");
  EXPECT_EQ(CanonicalStatement("show materialized views"), "SHOW VIEWS");
  EXPECT_EQ(CanonicalStatement("explain analyze select 1"), "EXPLAIN ANALYZE SELECT 1");
  EXPECT_EQ(CanonicalStatement("describe stream s"), "DESCRIBE s");
  EXPECT_EQ(CanonicalStatement("describe stream"), "DESCRIBE stream");
}

TEST(FormatTest, CommentsStay) {
  const std::string text =
      "-- The source.\n"
      "CREATE MODEL m WITH (path = 'x');  -- inputs come from the file\n"
      "\n"
      "/* Two\n   lines */\n"
      "SELECT a,  -- the first\n"
      "  b FROM t -- last\n"
      ";\n"
      "\n"
      "-- The end.\n";
  EXPECT_EQ(FormatText(text), text);
}

TEST(FormatTest, LongChainsAndTheirFormatsStayReadable) {
  std::string text = "SELECT a";
  for (int i = 0; i < 400; ++i)
    text += " IS NULL = b";
  const std::string once = CanonicalStatement(text);
  EXPECT_EQ(CanonicalStatement(once), once);
  EXPECT_EQ(once.substr(0, 5), "SELEC");
}

}  // namespace
}  // namespace headrace::sql
