#include "cli/model_page.h"

#include <cmath>

#include <gtest/gtest.h>

#include "cli/svg_plot.h"

namespace headrace::cli {
namespace {

constexpr const char* kReport =
    R"({"name":"m","versions":[{"number":1,"role":"decides","format":"lightgbm","sha256":"ab",)"
    R"("decides_from":[3]}],"history":[{"lsn":3,"version":1,"reason":"<img src=x onerror=alert(1)>"}],)"
    R"("canaries":[{"lsn":9,"until_lsn":null,"version":2,"percent":10,"salt":"s","key":""}],)"
    R"("comparisons":[],"quality":{"statement":"s","labelled":2,"unlabelled":1,"groups":[)"
    R"({"by":"segment","name":"</td><script>","rows":2,"positives":1,"roc_auc":0.75,"pr_auc":null}],)"
    R"("curves":[{"version":1,"roc":[[0,0],[0.5,1],[1,1]],"pr":[[1,0.5]],)"
    R"("reliability":[[0.25,0.5]],"histogram":[1,2]}]},"health":[{"statement":"s","kind":"input",)"
    R"("feature":"<b>x</b>","version":1,"scored":7,"window_end":"2026-01-01T00:00:00Z",)"
    R"("psi":0.5,"alarm":"psi"}]})";

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST(ModelPageTest, NamesAreTextWhateverIsInThem) {
  ModelPageData data;
  data.name = "</title><script>alert('1')</script>";
  data.report = kReport;
  data.importance =
      R"({"days":[{"day":"2026-01-01","version":1,"rows":2,"importance":{"<i>y</i>":0.5}}]})";
  data.health = {{"s\"<", 1, "<svg onload=x>", 86400, 0.5, 1, 2, 3, 0},
                 {"s\"<", 1, "<svg onload=x>", 172800, NAN, NAN, NAN, NAN, 0},
                 {"s\"<", 1, "(score)", 86400, 0.1, 0, 0.5, 1, 0}};
  const std::string page = ModelPage(data).value();
  for (const char* markup : {"<script", "<img", "<b>", "<i>", "<svg onload", "onerror=alert(1)>"})
    EXPECT_EQ(Count(page, markup), 0U) << markup;
  EXPECT_EQ(Count(page, "&lt;script&gt;alert(&#39;1&#39;)"), 2U);  // in the title and above
  EXPECT_GE(Count(page, "<svg "), 6U);
  EXPECT_EQ(Count(page, "<svg "), Count(page, "</svg>"));
  EXPECT_EQ(Count(page, "<table>"), Count(page, "</table>"));
  EXPECT_EQ(Count(page, "nan"), 0U);
  EXPECT_EQ(Count(page, "http://") + Count(page, "https://") + Count(page, "src="), 1U);  // escaped
  EXPECT_TRUE(page.find("10 % of the keys") != std::string::npos);
  EXPECT_TRUE(page.find("0.75") != std::string::npos);
}

TEST(ModelPageTest, WhatIsNoReportIsAnError) {
  EXPECT_EQ(ModelPage({"m", "{", "", {}}).error().code(), "HR9021");
  EXPECT_EQ(ModelPage({"m", "{}", "", {}}).error().code(), "HR9021");
  EXPECT_EQ(ModelPage({"m", kReport, "[", {}}).error().code(), "HR9021");
}

TEST(SvgPlotTest, PointsLieWithinTheAxes) {
  SvgPlot plot("t", {0, 10}, {0, 1});
  plot.Line({{0, 0}, {10, 1}, {20, -5}, {5, NAN}}, 0, "a");
  const std::string svg = plot.Svg();
  EXPECT_TRUE(svg.find("points=\"44.0,158.0 312.0,24.0 312.0,158.0 \"") != std::string::npos)
      << svg;
}

TEST(SvgPlotTest, LongLinesAreThinned) {
  SvgPlot::Points points;
  for (int i = 0; i < 100'000; ++i)
    points.emplace_back(i, i % 7);
  SvgPlot plot("t", {0, 100'000}, {0, 7});
  plot.Line(points, 0, "");
  EXPECT_LT(plot.Svg().size(), 20'000U);
}

TEST(SvgPlotTest, ControlCharactersAreShown) {
  EXPECT_EQ(HtmlText(std::string("a\0\x1b<", 4)), "a\xEF\xBF\xBD\xEF\xBF\xBD&lt;");
}

}  // namespace
}  // namespace headrace::cli
