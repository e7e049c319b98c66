#include "sql/diagnostics.h"

#include <string>

#include <gtest/gtest.h>

namespace headrace::sql {
namespace {

Diagnostic At(int file, int line, int column, size_t begin, size_t end) {
  return {"HR1104", "unknown column `amuont`", {file, line, column, begin, end}, "", {"amount"}};
}

TEST(DiagnosticsTest, RenderShowsPlaceLineCaretAndHint) {
  SourceMap sources;
  const int file = sources.Add("app.sql", "SELECT 1;\nSELECT amuont FROM payments;\n");
  EXPECT_EQ(Render(At(file, 2, 8, 17, 23), sources),
            "app.sql:2:8: error HR1104: unknown column `amuont`\n"
            "  2 | SELECT amuont FROM payments;\n"
            "    |        ^~~~~~\n"
            "  hint: did you mean `amount`?\n");
}

TEST(DiagnosticsTest, CandidatesStandInFrontOfTheHint) {
  Diagnostic diagnostic = At(0, 1, 1, 0, 0);
  diagnostic.candidates = {"a", "b", "c"};
  diagnostic.hint = "See DESCRIBE.";
  EXPECT_EQ(FullHint(diagnostic), "did you mean `a`, `b` or `c`? See DESCRIBE.");
}

TEST(DiagnosticsTest, TheCaretCountsCodePointsAndSurvivesTabs) {
  SourceMap sources;
  const int file = sources.Add("x", "\t'é' b");
  const std::string text = Render(At(file, 1, 6, 6, 7), sources);
  EXPECT_NE(text.find("\n  1 |  'é' b\n    |      ^\n"), std::string::npos) << text;
}

TEST(DiagnosticsTest, ASpanOverSeveralLinesIsUnderlinedToTheEndOfTheFirst) {
  SourceMap sources;
  const int file = sources.Add("x", "ab\r\ncd");
  const std::string text = Render(At(file, 1, 2, 1, 6), sources);
  EXPECT_NE(text.find("  1 | ab\n    |  ^\n"), std::string::npos) << text;
}

TEST(DiagnosticsTest, LongLinesAreCutAroundTheCaret) {
  SourceMap sources;
  const int file = sources.Add("x", std::string(1000, 'a') + "BAD" + std::string(1000, 'b'));
  const std::string text = Render(At(file, 1, 1001, 1000, 1003), sources);
  EXPECT_NE(text.find("  1 | ..." + std::string(60, 'a') + "BAD"), std::string::npos) << text;
  EXPECT_NE(text.find("\n    | " + std::string(63, ' ') + "^~~\n"), std::string::npos) << text;
  EXPECT_LT(text.size(), 500u);
}

TEST(DiagnosticsTest, UnknownFilesAndPlacesDoNoHarm) {
  SourceMap sources;
  EXPECT_EQ(Render(At(7, 3, 4, 900, 905), sources),
            "3:4: error HR1104: unknown column `amuont`\n  hint: did you mean `amount`?\n");
  const int file = sources.Add("x", "ab");
  EXPECT_FALSE(Render(At(file, 1, 3, 2, 2), sources).empty());
  EXPECT_FALSE(Render(At(file, 1, 3, 900, 2), sources).empty());
}

TEST(DiagnosticsTest, BytesThatAreNoTextAreNotPrinted) {
  SourceMap sources;
  const int file = sources.Add("x", "a \x9d\x1b[31m b");
  const std::string text = Render(At(file, 1, 3, 2, 3), sources);
  EXPECT_NE(text.find("  1 | a ? [31m b\n    |   ^\n"), std::string::npos) << text;
}

TEST(DiagnosticsTest, SeveralAreSortedByPlace) {
  SourceMap sources;
  const int file = sources.Add("x", "one\ntwo\n");
  Diagnostic late = At(file, 2, 1, 4, 7);
  Diagnostic early = At(file, 1, 1, 0, 3);
  late.message = "late";
  early.message = "early";
  const std::string text = Render({late, early}, sources);
  EXPECT_LT(text.find("early"), text.find("late"));
  EXPECT_NE(text.find("\n\nx:2:1: "), std::string::npos) << text;
}

TEST(DiagnosticsTest, ToErrorKeepsPlaceCodeAndHint) {
  SourceMap sources;
  const int file = sources.Add("app.sql", "SELECT 1;\nSELECT amuont FROM payments;\n");
  const Error error = ToError(At(file, 2, 8, 17, 23), sources);
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
  EXPECT_EQ(error.code(), "HR1104");
  EXPECT_EQ(error.place(), "app.sql:2:8");
  EXPECT_EQ(error.hint(), "did you mean `amount`?");
}

TEST(DiagnosticsTest, EditDistanceCountsAnExchangeOnce) {
  EXPECT_EQ(EditDistance("FORM", "from", 2), 1);
  EXPECT_EQ(EditDistance("amuont", "amount", 2), 1);
  EXPECT_EQ(EditDistance("", "ab", 2), 2);
  EXPECT_EQ(EditDistance("abc", "abc", 0), 0);
  EXPECT_EQ(EditDistance("kitten", "sitting", 5), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting", 2), 3);
  EXPECT_EQ(EditDistance("short", "a much longer word", 2), 3);
}

}  // namespace
}  // namespace headrace::sql
