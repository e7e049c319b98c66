#include <string>

#include <gtest/gtest.h>

#include "sql/parser_testing.h"

namespace headrace::sql {
namespace {

template <typename T>
T ReadOne(std::string_view text) {
  ParseResult result = Parse(text, 0);
  EXPECT_TRUE(result.ok()) << Errors(text);
  EXPECT_EQ(result.statements.size(), 1u);
  return std::move(std::get<T>(result.statements.at(0).body));
}

constexpr std::string_view kFraud = R"sql(
CREATE STREAM payments (
  tx_id TEXT, card TEXT, terminal TEXT, amount DECIMAL(12,2), ts TIMESTAMPTZ,
  WATERMARK FOR ts AS ts - INTERVAL '5 seconds'
) PARTITION BY (card)
  DEDUPLICATE BY (tx_id) WITHIN INTERVAL '24 hours'
  WITH (topic = 'payments', format = 'json', bad_records = 'dead_letter');

CREATE MODEL fraud WITH (path = 'fraud.lgb.txt');           -- read from the file

CREATE STREAM scored AS
SELECT p.*,
       count(*)      OVER m10 AS n_10m,
       sum(amount)   OVER h1  AS sum_1h,
       amount / nullif(avg(amount) OVER d7, 0) AS vs_week,
       count(DISTINCT terminal) OVER d1 AS terminals_1d,
       PREDICT(fraud, amount, n_10m, sum_1h, vs_week, terminals_1d) AS risk
FROM payments p
WINDOW m10 AS (PARTITION BY card ORDER BY ts
               RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW),
       h1  AS (PARTITION BY card ORDER BY ts
               RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW),
       d1  AS (PARTITION BY card ORDER BY ts
               RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW),
       d7  AS (PARTITION BY card ORDER BY ts
               RANGE BETWEEN INTERVAL '7 days' PRECEDING AND CURRENT ROW);

CREATE STREAM decisions AS
SELECT *, CASE WHEN risk > 0.95 THEN 'decline' WHEN risk > 0.7 THEN 'review' ELSE 'approve' END
         AS decision
FROM scored;

CREATE MATERIALIZED VIEW risk_by_minute AS
SELECT window_start, decision, count(*) AS n, sum(amount) AS amount
FROM TUMBLE(TABLE decisions, DESCRIPTOR(ts), INTERVAL '1 minute')
GROUP BY window_start, decision;
)sql";

TEST(StatementParserTest, TheFraudScriptParsesAndSurvivesTheFormatter) {
  const std::string text(kFraud);
  const ParseResult result = Parse(text, 0);
  ASSERT_TRUE(result.ok()) << Errors(text);
  ASSERT_EQ(result.statements.size(), 5u);
  EXPECT_EQ(result.statements[1].trailing_comments.size(), 1u);
  const auto& scored = std::get<CreateRelation>(result.statements[2].body);
  EXPECT_EQ(scored.query->items[0].expression->kind, ExpressionKind::kStar);
  EXPECT_EQ(scored.query->items[0].expression->qualifier, "p");
  EXPECT_EQ(scored.query->from.alias.name, "p");
  EXPECT_EQ(scored.query->windows.size(), 4u);
  const auto& view = std::get<CreateRelation>(result.statements[4].body);
  EXPECT_EQ(view.kind, RelationKind::kView);
  EXPECT_EQ(view.query->from.kind, TableKind::kTumble);
  EXPECT_EQ(view.query->from.descriptor.name, "ts");
  const std::string once = FormatScript(result, text);
  const ParseResult again = Parse(once, 0);
  ASSERT_TRUE(again.ok()) << once;
  EXPECT_EQ(FormatScript(again, once), once);
}

TEST(StatementParserTest, CreateStreamKeepsEveryClause) {
  const auto create = ReadOne<CreateRelation>(
      "CREATE OR REPLACE STREAM IF NOT EXISTS s (a BIGINT NOT NULL CHECK (a > 0) DEFAULT 1, "
      "b INT GENERATED ALWAYS AS (a * 2) STORED, c AS a + b, ts TIMESTAMPTZ, "
      "CONSTRAINT k CHECK (a < b), PRIMARY KEY (a, b), WATERMARK FOR ts AS ts) "
      "PARTITION BY a, b DEDUPLICATE BY (a) WITHIN INTERVAL '1 hour' WITH (topic = 't', n = 5)");
  EXPECT_TRUE(create.or_replace);
  EXPECT_TRUE(create.if_not_exists);
  ASSERT_EQ(create.columns.size(), 4u);
  EXPECT_TRUE(create.columns[0].not_null);
  EXPECT_EQ(create.columns[0].checks.size(), 1u);
  EXPECT_NE(create.columns[0].default_value, nullptr);
  EXPECT_NE(create.columns[1].computed, nullptr);
  EXPECT_TRUE(create.columns[1].type.has_value());
  EXPECT_FALSE(create.columns[2].type.has_value());
  EXPECT_EQ(create.checks[0].name.name, "k");
  EXPECT_EQ(create.primary_key.size(), 2u);
  EXPECT_EQ(create.watermark->column.name, "ts");
  EXPECT_EQ(create.partition_by.size(), 2u);
  EXPECT_EQ(create.deduplicate->columns[0].name, "a");
  EXPECT_EQ(create.options[1].kind, OptionValueKind::kNumber);
}

TEST(StatementParserTest, OptionsMayStandInFrontOfTheQueryAndBehindIt) {
  const auto create = ReadOne<CreateRelation>(
      "CREATE STREAM s WITH (topic = 't') AS SELECT a FROM t WITH (precision(d7) = '5 minutes')");
  EXPECT_EQ(create.options[0].key.name, "topic");
  EXPECT_EQ(create.query->options[0].key.name, "precision");
  EXPECT_EQ(create.query->options[0].argument, "d7");
}

TEST(StatementParserTest, StreamingClausesComeInAnyOrder) {
  const auto select = ReadOne<SelectPtr>(
      "SELECT a FROM t START FROM NOW LATE ROWS SIDE OUTPUT TO late EMIT CHANGES EVERY INTERVAL "
      "'1 s' ALLOWED LATENESS INTERVAL '1 hour' ORDER BY a LIMIT 5");
  EXPECT_EQ(select->start_from->kind, StartKind::kNow);
  EXPECT_EQ(select->late_rows->action, LateAction::kSideOutput);
  EXPECT_EQ(select->late_rows->output.name, "late");
  EXPECT_EQ(select->emit->mode, EmitMode::kChanges);
  EXPECT_NE(select->emit->every, nullptr);
  EXPECT_NE(select->allowed_lateness, nullptr);
  EXPECT_EQ(select->order_by.size(), 1u);
  EXPECT_NE(select->limit, nullptr);
}

TEST(StatementParserTest, EmitFinalIsWindowClose) {
  EXPECT_EQ(ReadOne<SelectPtr>("SELECT a FROM t EMIT FINAL")->emit->mode, EmitMode::kOnWindowClose);
}

TEST(StatementParserTest, WordsOfTheDialectAreStillNames) {
  const auto select = ReadOne<SelectPtr>(
      "SELECT emit, late, start, stream, model FROM watermark emit WHERE late.rows = 1");
  EXPECT_EQ(select->items.size(), 5u);
  EXPECT_EQ(select->from.alias.name, "emit");
  EXPECT_EQ(ReadOne<SelectPtr>("SELECT 1 AS from")->items[0].alias.name, "from");
  EXPECT_EQ(ReadOne<SelectPtr>("SELECT a year FROM t")->items[0].alias.name, "year");
}

TEST(StatementParserTest, StartFromTakesAnInstant) {
  const auto select = ReadOne<SelectPtr>("SELECT a FROM t START FROM TIMESTAMP '2026-01-31 12:00'");
  EXPECT_EQ(select->start_from->timestamp->type.name, "timestamptz");
}

TEST(StatementParserTest, AlterModelReadsEverySpelling) {
  const auto canary = ReadOne<AlterModel>("ALTER MODEL m CANARY 10 PERCENT VERSION 3");
  EXPECT_EQ(canary.percent, 10);
  EXPECT_EQ(canary.version, 3);
  const auto other = ReadOne<AlterModel>("ALTER MODEL m CANARY VERSION 3 PERCENT 10");
  EXPECT_EQ(other.percent, 10);
  EXPECT_EQ(other.version, 3);
  const auto third = ReadOne<AlterModel>("ALTER MODEL m CANARY VERSION 3 10 PERCENT");
  EXPECT_EQ(third.percent, 10);
  EXPECT_EQ(third.version, 3);
  EXPECT_EQ(ReadOne<AlterModel>("ALTER MODEL m RETIRE VERSION 2").action, ModelAction::kRetire);
  EXPECT_EQ(ReadOne<AlterModel>("ALTER MODEL m SHADOW VERSION 2").action, ModelAction::kShadow);
}

TEST(StatementParserTest, SelectWithoutFromAndInParentheses) {
  EXPECT_EQ(ReadOne<SelectPtr>("SELECT 1, 'a'")->from.kind, TableKind::kNone);
  EXPECT_EQ(ReadOne<SelectPtr>("((SELECT DISTINCT a FROM t))")->distinct, true);
  EXPECT_EQ(ReadOne<CreateRelation>("CREATE STREAM s AS (SELECT 1)").query->items.size(), 1u);
}

TEST(StatementParserTest, SpansOfStatementsHoldWhatTheUserWrote) {
  const std::string text = "-- x\nSELECT 1 ; \n SELECT  2";
  const ParseResult result = Parse(text, 0);
  ASSERT_EQ(result.statements.size(), 2u);
  const SourceSpan& span = result.statements[1].span;
  EXPECT_EQ(span.line, 3);
  EXPECT_EQ(span.column, 2);
  EXPECT_EQ(text.substr(span.begin, span.end - span.begin), "SELECT  2");
  EXPECT_EQ(result.statements[0].comments, std::vector<std::string>{"-- x"});
}

TEST(StatementParserTest, AnEmptyScriptHasNoStatements) {
  EXPECT_TRUE(Parse("", 0).ok());
  const ParseResult result = Parse(" ;; -- only a comment", 0);
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(result.statements.empty());
  EXPECT_EQ(result.comments, std::vector<std::string>{"-- only a comment"});
}

}  // namespace
}  // namespace headrace::sql
