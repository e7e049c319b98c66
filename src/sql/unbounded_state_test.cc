#include "sql/unbounded_state.h"

#include <gtest/gtest.h>

#include "sql/parser.h"

namespace headrace::sql {
namespace {

// "HR1165@2:7 ..." for each warning about the script.
std::string Found(const std::string& script) {
  const ParseResult parsed = Parse(script, 0);
  EXPECT_TRUE(parsed.ok());
  std::string text;
  for (const Diagnostic& found : FindUnboundedState(parsed.statements)) {
    text += (text.empty() ? "" : " ") + found.code + "@" + std::to_string(found.span.line) + ":" +
            std::to_string(found.span.column);
    EXPECT_FALSE(found.message.empty());
    EXPECT_FALSE(found.hint.empty());
  }
  return text;
}

TEST(UnboundedState, OfFramesThatEndByTimeThereIsNone) {
  EXPECT_EQ(
      "", Found("CREATE STREAM a AS SELECT count(*) OVER w, sum(x) FILTER (WHERE y) OVER w FROM s "
                "WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' "
                "PRECEDING AND CURRENT ROW);"));
  EXPECT_EQ("",
            Found("CREATE STREAM a AS SELECT window_start, count(DISTINCT x) FROM TUMBLE(TABLE s, "
                  "DESCRIPTOR(ts), INTERVAL '1 day') GROUP BY window_start;"));
  EXPECT_EQ("", Found("SELECT count(*) OVER (PARTITION BY k ORDER BY ts) FROM s;"))
      << "a query keeps nothing";
}

TEST(UnboundedState, IsToldOnceAWindowAtItsFrame) {
  EXPECT_EQ("HR1165@2:42",
            Found("CREATE STREAM a AS SELECT count(*) OVER w, sum(x) OVER w FROM s WINDOW\n"
                  " w AS (PARTITION BY k ORDER BY ts        RANGE UNBOUNDED PRECEDING);"));
  EXPECT_EQ("HR1166@2:21",
            Found("CREATE STREAM a AS SELECT 1 + count(*) OVER (PARTITION BY k ORDER BY ts\n"
                  "                    ROWS 9 PRECEDING) FROM s;"));
}

TEST(UnboundedState, OfNoFrameIsThatOfSql) {
  EXPECT_EQ("HR1165@1:39",
            Found("CREATE STREAM a AS SELECT sum(x) OVER (PARTITION BY k ORDER BY ts) FROM s;")
                .substr(0, 11));
  EXPECT_EQ("HR1165",
            Found("CREATE STREAM a AS SELECT sum(x) OVER (w ORDER BY ts) FROM s WINDOW w AS "
                  "(PARTITION BY k);")
                .substr(0, 6));
}

TEST(UnboundedState, OfLagAreTheLastRowsWhateverTheFrame) {
  EXPECT_EQ("HR1166",
            Found("CREATE STREAM a AS SELECT lag(x) OVER (PARTITION BY k ORDER BY ts) FROM s;")
                .substr(0, 6));
}

TEST(UnboundedState, OfOneKeyOnlyDistinctValuesGrow) {
  EXPECT_EQ("", Found("CREATE STREAM a AS SELECT sum(x) OVER (ORDER BY ts) FROM s;"));
  EXPECT_EQ("HR1167@1:27",
            Found("CREATE STREAM a AS SELECT count(DISTINCT x) OVER (ORDER BY ts) FROM s;"));
}

TEST(UnboundedState, IsLookedForInEveryExpressionAndSubquery) {
  EXPECT_EQ("HR1165 HR1166", [] {
    const std::string found = Found(
        "CREATE STREAM a AS SELECT CASE WHEN sum(x) OVER (PARTITION BY k ORDER BY ts) > 1 "
        "THEN 1 END FROM (SELECT lag(x) OVER (PARTITION BY k ORDER BY ts) AS x, k, ts FROM s);");
    return found.substr(0, 6) + " " + found.substr(found.rfind("HR"), 6);
  }());
}

TEST(UnboundedState, OfAWindowThatExtendsItselfIsTheMatterOfThePlanner) {
  Found("CREATE STREAM a AS SELECT sum(x) OVER w FROM s WINDOW w AS (w ORDER BY ts);");
  EXPECT_EQ("", Found("CREATE STREAM a AS SELECT sum(x) OVER missing FROM s;"));
}

}  // namespace
}  // namespace headrace::sql
