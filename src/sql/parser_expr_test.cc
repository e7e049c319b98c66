#include <string>

#include <gtest/gtest.h>

#include "sql/parser_testing.h"

namespace headrace::sql {
namespace {

TEST(ExpressionParserTest, OperatorsBindAsInPostgres) {
  EXPECT_EQ(TreeOf("a OR b AND NOT c = d"), "(or a (and b (not (= c d))))");
  EXPECT_EQ(TreeOf("1 + 2 * 3 ^ 4 - 5"), "(- (+ 1 (* 2 (^ 3 4))) 5)");
  EXPECT_EQ(TreeOf("a || b + c"), "(|| a (+ b c))");
  EXPECT_EQ(TreeOf("a -> b ->> c"), "(->> (-> a b) c)");
  EXPECT_EQ(TreeOf("2 ^ 3 ^ 4"), "(^ (^ 2 3) 4)");
  EXPECT_EQ(TreeOf("a = b IS NULL"), "(isnull (= a b))");
  EXPECT_EQ(TreeOf("NOT a IS NULL"), "(not (isnull a))");
  EXPECT_EQ(TreeOf("a < b LIKE c"), "(< a (like b c))");
  EXPECT_EQ(TreeOf("a LIKE b || c"), "(like a (|| b c))");
  EXPECT_EQ(TreeOf("a % b / c"), "(/ (% a b) c)");
}

TEST(ExpressionParserTest, SignsBindTighterThanPowersAndLooserThanCasts) {
  EXPECT_EQ(TreeOf("-a ^ 2"), "(^ (- a) 2)");
  EXPECT_EQ(TreeOf("-2 ^ 2"), "(^ -2 2)");
  EXPECT_EQ(TreeOf("-a::int"), "(- (cast:integer a))");
  EXPECT_EQ(TreeOf("-1::int"), "(- (cast:integer 1))");
  EXPECT_EQ(TreeOf("(-1)::int"), "(cast:integer -1)");
  EXPECT_EQ(TreeOf("~ 1 + 2"), "(~ (+ 1 2))");
  EXPECT_EQ(TreeOf("a - -1"), "(- a -1)");
  EXPECT_EQ(TreeOf("a-1"), "(- a 1)");
}

TEST(ExpressionParserTest, AMinusBelongsToItsLiteral) {
  EXPECT_EQ(TreeOf("-2147483648"), "-2147483648");
  EXPECT_EQ(TreeOf("- - 5"), "5");
  EXPECT_EQ(TreeOf("-(5)"), "-5");
  EXPECT_EQ(TreeOf("+5"), "(+ 5)");
}

TEST(ExpressionParserTest, ComparisonsDoNotChain) {
  EXPECT_EQ(TreeOf("a < b < c"), "error HR1006: `<` follows another operator of its kind");
  EXPECT_EQ(TreeOf("a LIKE b LIKE c"), "error HR1006: `LIKE` follows another operator of its kind");
  EXPECT_EQ(TreeOf("(a < b) = c"), "(= (< a b) c)");
  EXPECT_EQ(TreeOf("a < b AND b < c"), "(and (< a b) (< b c))");
  EXPECT_EQ(TreeOf("a IS NULL IS NULL"), "(isnull (isnull a))");
}

TEST(ExpressionParserTest, PredicatesWithTheirNegations) {
  EXPECT_EQ(TreeOf("a BETWEEN 1 AND 2 AND b"), "(and (between a 1 2) b)");
  EXPECT_EQ(TreeOf("a NOT BETWEEN SYMMETRIC 1 + 1 AND 2"), "(notbetween a (+ 1 1) 2)");
  EXPECT_EQ(TreeOf("a NOT IN (1, 2, NULL)"), "(notin a 1 2 null)");
  EXPECT_EQ(TreeOf("a NOT LIKE 'x' ESCAPE '!'"), "(not like a 'x' '!')");
  EXPECT_EQ(TreeOf("a NOT ILIKE b"), "(not ilike a b)");
  EXPECT_EQ(TreeOf("a SIMILAR TO b"), "(similar a b)");
  EXPECT_EQ(TreeOf("a IS NOT DISTINCT FROM b OR c"), "(or (is_not_distinct_from a b) c)");
  EXPECT_EQ(TreeOf("a IS NOT TRUE"), "(is_not_true a)");
  EXPECT_EQ(TreeOf("a IS UNKNOWN"), "(is_unknown a)");
  EXPECT_EQ(TreeOf("a ISNULL"), "(isnull a)");
  EXPECT_EQ(TreeOf("a NOTNULL"), "(notnull a)");
  EXPECT_EQ(TreeOf("a = ANY (b)"), "(= any a b)");
  EXPECT_EQ(TreeOf("a <> ALL (ARRAY[1, 2])"), "(<> all a (array 1 2))");
  EXPECT_EQ(TreeOf("a != b"), "(<> a b)");
}

TEST(ExpressionParserTest, SpecialFormsAreCallsUnderTheirInnerNames) {
  EXPECT_EQ(TreeOf("EXTRACT(hour FROM ts)"), "(extract 'hour' ts)");
  EXPECT_EQ(TreeOf("EXTRACT('hour' FROM ts)"), "(extract 'hour' ts)");
  EXPECT_EQ(TreeOf("SUBSTRING(a FROM 2 FOR 3)"), "(substring a 2 3)");
  EXPECT_EQ(TreeOf("SUBSTRING(a FOR 3)"), "(substring a 1 3)");
  EXPECT_EQ(TreeOf("SUBSTRING(a, 2)"), "(substring a 2)");
  EXPECT_EQ(TreeOf("SUBSTRING(a FROM 'x+')"), "(substring a 'x+')");
  EXPECT_EQ(TreeOf("POSITION('a' IN b || c)"), "(position 'a' (|| b c))");
  EXPECT_EQ(TreeOf("TRIM(a)"), "(btrim a)");
  EXPECT_EQ(TreeOf("TRIM(LEADING 'x' FROM a)"), "(ltrim a 'x')");
  EXPECT_EQ(TreeOf("TRIM(TRAILING FROM a)"), "(rtrim a)");
  EXPECT_EQ(TreeOf("TRIM('x' FROM a)"), "(btrim a 'x')");
  EXPECT_EQ(TreeOf("OVERLAY(a PLACING b FROM 1 FOR 2)"), "(overlay a b 1 2)");
  EXPECT_EQ(TreeOf("ts AT TIME ZONE 'UTC'"), "(timezone 'UTC' ts)");
  EXPECT_EQ(TreeOf("a || ts AT TIME ZONE 'UTC'"), "(|| a (timezone 'UTC' ts))");
  EXPECT_EQ(TreeOf("(a, b) OVERLAPS (c, d)"), "(overlaps a b c d)");
}

TEST(ExpressionParserTest, LiteralsCarryTheirTypes) {
  EXPECT_EQ(TreeOf("timestamptz '2026-01-01'"), "(timestamptz '2026-01-01')");
  EXPECT_EQ(TreeOf("timestamp with time zone 'x'"), "(timestamptz 'x')");
  EXPECT_EQ(TreeOf("timestamp(3) without time zone 'x'"), "(timestamp(3) 'x')");
  EXPECT_EQ(TreeOf("double precision '1'"), "(double precision '1')");
  EXPECT_EQ(TreeOf("numeric(10,2) '1'"), "(numeric(10,2) '1')");
  EXPECT_EQ(TreeOf("interval '44' hour"), "(interval hour '44')");
  EXPECT_EQ(TreeOf("interval '3 04:09' day to second"), "(interval day to second '3 04:09')");
  EXPECT_EQ(TreeOf("interval '5 seconds' * 2"), "(* (interval '5 seconds') 2)");
}

TEST(ExpressionParserTest, TypesTakePostgresNames) {
  EXPECT_EQ(TreeOf("a::int8"), "(cast:bigint a)");
  EXPECT_EQ(TreeOf("CAST(a AS decimal(12, 2))"), "(cast:numeric(12,2) a)");
  EXPECT_EQ(TreeOf("a::float8::float4"), "(cast:real (cast:double precision a))");
  EXPECT_EQ(TreeOf("a::float(24)"), "(cast:real a)");
  EXPECT_EQ(TreeOf("a::character varying(20)"), "(cast:varchar(20) a)");
  EXPECT_EQ(TreeOf("a::text[]"), "(cast:text[] a)");
  EXPECT_EQ(TreeOf("a::int array[3]"), "(cast:integer[] a)");
  EXPECT_EQ(TreeOf("a::time with time zone"), "(cast:timetz a)");
}

TEST(ExpressionParserTest, TypesTheEngineHasKeepTheirMeaning) {
  const auto type = [](const std::string& text) {
    const ParseResult result = Parse("SELECT a::" + text, 0);
    return ToRowType(
        std::get<SelectPtr>(result.statements.at(0).body)->items.at(0).expression->type);
  };
  EXPECT_EQ(row::ToString(*type("decimal(12,2)")), "decimal(12,2)");
  EXPECT_EQ(type("timestamp(6)")->kind, row::TypeKind::kTimestamp);
  EXPECT_EQ(type("timestamptz")->kind, row::TypeKind::kTimestampTz);
  EXPECT_EQ(type("text[]")->kind, row::TypeKind::kTextArray);
  EXPECT_FALSE(type("smallint"));
  EXPECT_FALSE(type("char(4)"));
  EXPECT_FALSE(type("varchar(4)"));
  EXPECT_FALSE(type("timestamp(3)"));
  EXPECT_FALSE(type("numeric(39)"));
  EXPECT_FALSE(type("real"));
}

TEST(ExpressionParserTest, CaseInBothForms) {
  EXPECT_EQ(TreeOf("CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END"), "(case a 1 b 2 else:3)");
  EXPECT_EQ(TreeOf("CASE a WHEN 1 THEN 2 END"), "(case operand:a 1 2)");
}

TEST(ExpressionParserTest, NamesMayBeQualifiedOrWordsOfOtherClauses) {
  EXPECT_EQ(TreeOf("p.amount"), "p.amount");
  EXPECT_EQ(TreeOf("\"P\".\"Amount\""), "P.Amount");
  EXPECT_EQ(TreeOf("date"), "date");
  EXPECT_EQ(TreeOf("model + stream + emit + user"), "(+ (+ (+ model stream) emit) user)");
  EXPECT_EQ(TreeOf("left(a, 2)"), "(left a 2)");
  EXPECT_EQ(TreeOf("coalesce + 1"), "(+ coalesce 1)");
}

TEST(ExpressionParserTest, ArraysAndSubscripts) {
  EXPECT_EQ(TreeOf("(regexp_match(a, b))[1]"), "(subscript (regexp_match a b) 1)");
  EXPECT_EQ(TreeOf("ARRAY[[1, 2], [3, 4]]"), "(array (array 1 2) (array 3 4))");
  EXPECT_EQ(TreeOf("ARRAY[]"), "(array)");
  EXPECT_EQ(TreeOf("ROW(1, 2)"), "(tuple 1 2)");
}

TEST(ExpressionParserTest, AggregatesKeepTheirClauses) {
  EXPECT_EQ(Canonical("COUNT ( * )"), "count(*)");
  EXPECT_EQ(Canonical("count(DISTINCT a)"), "count(DISTINCT a)");
  EXPECT_EQ(Canonical("sum(a) FILTER (WHERE a<0) OVER w"), "sum(a) FILTER (WHERE a < 0) OVER w");
  EXPECT_EQ(Canonical("array_agg(a ORDER BY b DESC NULLS LAST)"),
            "array_agg(a ORDER BY b DESC NULLS LAST)");
  EXPECT_EQ(Canonical("make_interval(1, secs=>2)"), "make_interval(1, secs => 2)");
}

TEST(ExpressionParserTest, WindowsTakeEveryFrame) {
  EXPECT_EQ(
      Canonical("sum(a) OVER (PARTITION BY b, c ORDER BY ts RANGE INTERVAL '1 hour' PRECEDING)"),
      "sum(a) OVER (PARTITION BY b, c ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING "
      "AND CURRENT ROW)");
  EXPECT_EQ(Canonical("sum(a) OVER (w ROWS BETWEEN 5 PRECEDING AND 1 FOLLOWING)"),
            "sum(a) OVER (w ROWS BETWEEN 5 PRECEDING AND 1 FOLLOWING)");
  EXPECT_EQ(Canonical("lag(a, 2) OVER (ORDER BY b GROUPS BETWEEN UNBOUNDED PRECEDING AND "
                      "UNBOUNDED FOLLOWING)"),
            "lag(a, 2) OVER (ORDER BY b GROUPS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED "
            "FOLLOWING)");
  EXPECT_EQ(Canonical("sum(a) OVER ()"), "sum(a) OVER ()");
  EXPECT_EQ(Canonical("sum(a) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING)"),
            "error HR1014: the frame ends before it begins");
}

TEST(ExpressionParserTest, PredictNamesItsModel) {
  const ParseResult result = Parse("SELECT PREDICT(fraud, amount, n_10m)", 0);
  ASSERT_TRUE(result.ok());
  const auto& predict = *std::get<SelectPtr>(result.statements[0].body)->items[0].expression;
  EXPECT_EQ(predict.kind, ExpressionKind::kPredict);
  EXPECT_EQ(predict.name, "fraud");
  EXPECT_EQ(predict.name_span.column, 16);
  EXPECT_EQ(predict.children.size(), 2u);
}

TEST(ExpressionParserTest, SpansCoverTheText) {
  const std::string text = "SELECT a + b * 2 AS x";
  const ParseResult result = Parse(text, 3);
  const auto& sum = *std::get<SelectPtr>(result.statements.at(0).body)->items[0].expression;
  EXPECT_EQ(sum.span.file, 3);
  EXPECT_EQ(text.substr(sum.span.begin, sum.span.end - sum.span.begin), "a + b * 2");
  EXPECT_EQ(sum.name_span.column, 10);
  EXPECT_EQ(sum.children[1]->span.column, 12);
}

TEST(ExpressionParserTest, DepthAndHeightAreCapped) {
  const auto nested = [](size_t n) { return std::string(n, '(') + "1" + std::string(n, ')'); };
  EXPECT_EQ(TreeOf(nested(300)), "1");
  EXPECT_EQ(TreeOf(nested(1000)).substr(0, 12), "error HR1003");
  EXPECT_EQ(TreeOf(std::string(1000000, '(')).substr(0, 12), "error HR1003");
  std::string nots;
  for (int i = 0; i < 10000; ++i)
    nots += "NOT ";
  EXPECT_EQ(TreeOf(nots + "a").substr(0, 12), "error HR1003");
  std::string chain = "1";
  for (int i = 0; i < kMaxHeight - 1; ++i)
    chain += " + 1";
  EXPECT_NE(TreeOf(chain).substr(0, 5), "error");
  EXPECT_EQ(TreeOf(chain + " + 1").substr(0, 12), "error HR1003");
}

TEST(ExpressionParserTest, SameLooksAtMeaningNotAtPlaceOrSpelling) {
  const auto expression = [](const std::string& text) {
    ParseResult result = Parse("SELECT " + text, 0);
    return std::move(std::get<SelectPtr>(result.statements.at(0).body)->items.at(0).expression);
  };
  const ExpressionPtr a = expression("count(*) FILTER (WHERE a::int = 1) OVER (ORDER BY b)");
  EXPECT_TRUE(Same(*a, *Clone(*a)));
  EXPECT_TRUE(Same(*a, *expression("COUNT( * ) FILTER (WHERE CAST(a AS integer)=1) OVER "
                                   "( ORDER BY b )")));
  EXPECT_FALSE(Same(*a, *expression("count(*) FILTER (WHERE a::int = 2) OVER (ORDER BY b)")));
  EXPECT_FALSE(Same(*expression("a BETWEEN 1 AND 2"), *expression("a BETWEEN SYMMETRIC 1 AND 2")));
  EXPECT_FALSE(Same(*expression("sum(a) OVER (ORDER BY b ROWS 1 PRECEDING)"),
                    *expression("sum(a) OVER (ORDER BY b ROWS 2 PRECEDING)")));
  EXPECT_EQ(Format(*Clone(*a)), Format(*a));
}

}  // namespace
}  // namespace headrace::sql
