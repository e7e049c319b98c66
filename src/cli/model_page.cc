#include "cli/model_page.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <map>
#include <utility>

#include <simdjson.h>

#include "cli/svg_plot.h"

namespace headrace::cli {
namespace {

using simdjson::dom::element;
using Points = SvgPlot::Points;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

constexpr const char* kHead =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n"
    "body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;"
    "color:#1f2328;background:#fff}\n"
    "table{border-collapse:collapse;margin:.5rem 0}td,th{border-bottom:1px solid #d1d9e0;"
    "padding:.2rem .7rem;text-align:left;vertical-align:top}th{color:#57606a;font-weight:500}\n"
    "figure{display:inline-block;width:21rem;margin:.5rem .8rem .5rem 0;vertical-align:top}"
    "figcaption{font-size:12px}svg text{font-size:10px;fill:#57606a}\n"
    "td.number{text-align:right;font-variant-numeric:tabular-nums}.note{color:#57606a}\n"
    "</style>\n";

double Number(element of, std::string_view name) {
  double number = 0;
  return of[name].get(number) == simdjson::SUCCESS ? number : kNone;
}

int64_t Whole(element of, std::string_view name) {
  int64_t number = 0;
  return of[name].get(number) == simdjson::SUCCESS ? number : 0;
}

std::string Text(element of, std::string_view name) {
  std::string_view text;
  return of[name].get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

// `each` is not called where there is no such array.
template <typename Each>
void ForEach(element of, std::string_view name, const Each& each) {
  simdjson::dom::array array;
  if (of[name].get(array) != simdjson::SUCCESS) return;
  for (const element item : array)
    each(item);
}

std::string Day(double seconds) {
  const auto time = static_cast<time_t>(seconds);
  std::tm parts{};
  char text[32];
  if (gmtime_r(&time, &parts) == nullptr) return "";
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts);
  return text;
}

// A table, cell by cell.
class Table {
 public:
  explicit Table(const std::vector<std::string>& columns) : text_("<table><tr>") {
    for (const std::string& column : columns)
      text_ += "<th>" + HtmlText(column) + "</th>";
    text_ += "</tr>\n";
  }
  void Row() { text_ += rows_++ == 0 ? "<tr>" : "</tr>\n<tr>"; }
  void Cell(std::string_view text) { text_ += "<td>" + HtmlText(text) + "</td>"; }
  void Cell(double number) {
    text_ += "<td class=\"number\">" + HtmlText(ShortNumber(number)) + "</td>";
  }
  void Cell(int64_t number) { text_ += "<td class=\"number\">" + std::to_string(number) + "</td>"; }
  std::string Html() const {
    return rows_ == 0 ? "<p class=\"note\">none</p>\n" : text_ + "</tr></table>\n";
  }

 private:
  std::string text_;
  size_t rows_ = 0;
};

std::string Versions(element report) {
  Table table({"version", "role", "format", "sha256"});
  ForEach(report, "versions", [&](element version) {
    table.Row();
    table.Cell(Whole(version, "number"));
    table.Cell(Text(version, "role"));
    table.Cell(Text(version, "format"));
    table.Cell(Text(version, "sha256"));
  });
  return "<h2>Versions</h2>\n" + table.Html();
}

// What decided from when on, and why: the gate's words stand in the reasons.
std::string Decided(element report) {
  Table table({"from LSN", "version", "decides for", "why"});
  std::multimap<int64_t, std::pair<int64_t, std::pair<std::string, std::string>>> moments;
  ForEach(report, "history", [&](element activation) {
    moments.emplace(Whole(activation, "lsn"),
                    std::pair{Whole(activation, "version"),
                              std::pair{std::string("all"), Text(activation, "reason")}});
  });
  ForEach(report, "canaries", [&](element canary) {
    moments.emplace(Whole(canary, "lsn"),
                    std::pair{Whole(canary, "version"),
                              std::pair{std::to_string(Whole(canary, "percent")) + " % of the keys",
                                        std::string("canary")}});
  });
  for (const auto& [lsn, moment] : moments) {
    table.Row();
    table.Cell(lsn);
    table.Cell(moment.first);
    table.Cell(moment.second.first);
    table.Cell(moment.second.second);
  }
  return "<h2>What decided when</h2>\n" + table.Html();
}

std::string Comparisons(element report) {
  Table table({"version", "role", "since LSN", "stream", "rows compared", "other decisions",
               "PSI of scores"});
  ForEach(report, "comparisons", [&](element comparison) {
    table.Row();
    table.Cell(Whole(comparison, "version"));
    table.Cell(Text(comparison, "role"));
    table.Cell(Whole(comparison, "since_lsn"));
    table.Cell(Text(comparison, "stream"));
    table.Cell(Whole(comparison, "compared"));
    table.Cell(Whole(comparison, "flips"));
    element scores;
    const bool scored = comparison["scores"].get(scores) == simdjson::SUCCESS;
    table.Cell(scored ? Number(scores, "psi") : kNone);
  });
  return "<h2>Shadows and canaries</h2>\n" + table.Html();
}

std::string LastWindow(element report) {
  Table table({"statement", "version", "column", "window ends", "scored", "missing", "5 %",
               "median", "95 %", "PSI", "KS", "beyond range", "alarm"});
  ForEach(report, "health", [&](element row) {
    const std::string kind = Text(row, "kind");
    if (kind == "all") return;
    table.Row();
    table.Cell(Text(row, "statement"));
    table.Cell(Whole(row, "version"));
    table.Cell(kind == "score" ? "(score)" : Text(row, "feature"));
    table.Cell(Text(row, "window_end"));
    table.Cell(Whole(row, "scored"));
    for (const char* name : {"null_share", "p05", "p50", "p95", "psi", "ks", "out_of_range"})
      table.Cell(Number(row, name));
    table.Cell(Text(row, "alarm"));
  });
  return "<h2>The last window</h2>\n" + table.Html();
}

// The windows of one column, by version.
using Windows = std::map<int64_t, std::vector<const HealthPoint*>>;

SvgPlot::Range TimesOf(const Windows& windows) {
  SvgPlot::Range range{std::numeric_limits<double>::infinity(),
                       -std::numeric_limits<double>::infinity()};
  for (const auto& [version, points] : windows) {
    for (const HealthPoint* point : points)
      range = {std::min(range.from, point->at), std::max(range.to, point->at)};
  }
  return range;
}

Points Line(const std::vector<const HealthPoint*>& windows, double HealthPoint::* value) {
  Points points;
  for (const HealthPoint* window : windows)
    points.emplace_back(window->at, window->*value);
  return points;
}

double Largest(const Windows& windows, double HealthPoint::* value, double otherwise) {
  double largest = otherwise;
  for (const auto& [version, points] : windows) {
    for (const HealthPoint* point : points) {
      if (point->*value > largest) largest = point->*value;
    }
  }
  return largest;
}

double Smallest(const Windows& windows, double HealthPoint::* value, double otherwise) {
  double smallest = otherwise;
  for (const auto& [version, points] : windows) {
    for (const HealthPoint* point : points) {
      if (point->*value < smallest) smallest = point->*value;
    }
  }
  return smallest;
}

std::string DriftPlot(const std::string& title, const Windows& windows) {
  constexpr double kMuch = 0.25;
  const SvgPlot::Range times = TimesOf(windows);
  SvgPlot plot(title, times, {0, std::max(0.3, Largest(windows, &HealthPoint::psi, 0))});
  plot.NameEnds(Day(times.from), Day(times.to));
  plot.Level(kMuch, "0.25");
  for (const auto& [version, points] : windows) {
    plot.Line(Line(points, &HealthPoint::psi), static_cast<size_t>(version - 1),
              "version " + std::to_string(version));
  }
  return plot.Svg();
}

std::string ScorePlot(const std::string& title, const Windows& windows) {
  const SvgPlot::Range times = TimesOf(windows);
  SvgPlot plot(
      title, times,
      {Smallest(windows, &HealthPoint::p05, 0), Largest(windows, &HealthPoint::p95, 1e-9)});
  plot.NameEnds(Day(times.from), Day(times.to));
  for (const auto& [version, points] : windows) {
    const auto colour = static_cast<size_t>(version - 1);
    plot.Band(Line(points, &HealthPoint::p05), Line(points, &HealthPoint::p95), colour);
    plot.Line(Line(points, &HealthPoint::p50), colour,
              "version " + std::to_string(version) + ": median, 5 % to 95 %");
  }
  return plot.Svg();
}

std::string Health(const std::vector<HealthPoint>& health) {
  std::map<std::pair<std::string, std::string>, Windows> columns;  // by statement and column
  for (const HealthPoint& point : health)
    columns[{point.statement, point.column}][point.version].push_back(&point);
  std::vector<std::pair<double, const std::pair<std::string, std::string>*>> order;
  for (const auto& [name, windows] : columns)
    order.emplace_back(-Largest(windows, &HealthPoint::psi, 0), &name);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string scores = "<h2>Scores by window</h2>\n";
  std::string drift = "<h2>Drift by window (population stability index)</h2>\n";
  size_t shown = 0;
  for (const auto& [rank, name] : order) {
    const Windows& windows = columns.at(*name);
    const std::string title = name->second + " (" + name->first + ")";
    if (name->second == "(score)") scores += ScorePlot(title, windows);
    if (shown++ < kColumnsShown) drift += DriftPlot(title, windows);
  }
  if (order.empty()) {
    return scores + "<p class=\"note\">no window has closed yet</p>\n";
  }
  if (shown > kColumnsShown) {
    drift += "<p class=\"note\">" + std::to_string(shown - kColumnsShown) +
             " columns that moved less are left out</p>\n";
  }
  return scores + "\n" + drift + "\n";
}

Points PointsOf(element curve, std::string_view name) {
  Points points;
  ForEach(curve, name, [&](element point) {
    double x = kNone;
    double y = kNone;
    const bool whole =
        point.at(0).get(x) == simdjson::SUCCESS && point.at(1).get(y) == simdjson::SUCCESS;
    if (whole) points.emplace_back(x, y);
  });
  return points;
}

std::string Curves(element quality) {
  SvgPlot roc("ROC: share of negatives, share of positives found", {0, 1}, {0, 1});
  SvgPlot pr("Precision over recall", {0, 1}, {0, 1});
  SvgPlot reliability("Reliability: mean score, share of positives", {0, 1}, {0, 1});
  roc.Diagonal();
  reliability.Diagonal();
  std::string histograms;
  ForEach(quality, "curves", [&](element curve) {
    const int64_t version = Whole(curve, "version");
    const std::string name = "version " + std::to_string(version);
    const auto colour = static_cast<size_t>(version - 1);
    roc.Line(PointsOf(curve, "roc"), colour, name);
    pr.Line(PointsOf(curve, "pr"), colour, name);
    const Points bins = PointsOf(curve, "reliability");
    reliability.Line(bins, colour, name);
    reliability.Dots(bins, colour);
    std::vector<double> counts;
    ForEach(curve, "histogram", [&](element count) {
      double number = 0;
      if (count.get(number) == simdjson::SUCCESS) counts.push_back(number);
    });
    const double most = counts.empty() ? 1 : *std::max_element(counts.begin(), counts.end());
    SvgPlot histogram("Scores of " + name + " with a label, rows", {0, 1},
                      {0, std::max(most, 1.0)});
    histogram.Bars(counts, colour);
    histograms += histogram.Svg();
  });
  return roc.Svg() + pr.Svg() + reliability.Svg() + histograms + "\n";
}

std::string Quality(element report) {
  element quality;
  if (report["quality"].get(quality) != simdjson::SUCCESS) {
    return "<h2>Against labels</h2>\n<p class=\"note\">give --labels, --on and --label</p>\n";
  }
  Table table({"by", "", "rows", "positives", "ROC AUC", "PR AUC", "log loss", "Brier",
               "calibration error"});
  ForEach(quality, "groups", [&](element group) {
    table.Row();
    table.Cell(Text(group, "by"));
    table.Cell(Text(group, "name"));
    table.Cell(Whole(group, "rows"));
    table.Cell(Whole(group, "positives"));
    for (const char* name : {"roc_auc", "pr_auc", "log_loss", "brier", "ece"})
      table.Cell(Number(group, name));
  });
  return "<h2>Against labels</h2>\n<p>" + std::to_string(Whole(quality, "labelled")) + " rows of " +
         HtmlText(Text(quality, "statement")) + " have a label, " +
         std::to_string(Whole(quality, "unlabelled")) + " have none yet.</p>\n" + table.Html() +
         Curves(quality);
}

// The mean over all days of each version, weighted by rows.
Result<std::string> Importance(const std::string& document) {
  if (document.empty()) return std::string();
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(document).get(root) != simdjson::SUCCESS) {
    return Error(ErrorKind::kInternal, "HR9021", "the importance of a model does not parse");
  }
  std::map<int64_t, std::map<std::string, double>> sums;
  std::map<int64_t, double> rows;
  ForEach(root, "days", [&](element day) {
    const int64_t version = Whole(day, "version");
    const double count = Number(day, "rows");
    rows[version] += count;
    simdjson::dom::object inputs;
    if (day["importance"].get(inputs) != simdjson::SUCCESS) return;
    for (const auto& [name, value] : inputs) {
      double number = 0;
      if (value.get(number) == simdjson::SUCCESS)
        sums[version][std::string(name)] += number * count;
    }
  });
  std::string out = "<h2>What inputs weighed (mean absolute contribution)</h2>\n";
  for (const auto& [version, inputs] : sums) {
    std::vector<std::pair<double, std::string>> order;
    for (const auto& [name, sum] : inputs)
      order.emplace_back(-sum / std::max(rows[version], 1.0), name);
    std::sort(order.begin(), order.end());
    if (order.size() > kColumnsShown) order.resize(kColumnsShown);
    Table table({"version " + std::to_string(version), "", ""});
    const double largest = order.empty() ? 1 : std::max(-order.front().first, 1e-300);
    for (const auto& [weight, name] : order) {
      table.Row();
      table.Cell(name);
      table.Cell(-weight);
      std::string bar;
      for (int i = 0; i < static_cast<int>(std::lround(-weight / largest * 40)); ++i)
        bar += "\xE2\x96\x88";  // a full block
      table.Cell(bar);
    }
    out += table.Html();
  }
  return out;
}

}  // namespace

Result<std::string> ModelPage(const ModelPageData& data) {
  simdjson::dom::parser parser;
  element report;
  simdjson::dom::array versions;
  if (parser.parse(data.report).get(report) != simdjson::SUCCESS ||
      report["versions"].get(versions) != simdjson::SUCCESS) {
    return Error(ErrorKind::kInternal, "HR9021", "the report of a model does not parse");
  }
  HR_ASSIGN(const std::string importance, Importance(data.importance));
  return kHead + ("<title>Model " + HtmlText(data.name)) + "</title></head>\n<body><h1>Model " +
         HtmlText(data.name) + "</h1>\n" + Versions(report) + Decided(report) +
         Comparisons(report) + Health(data.health) + LastWindow(report) + Quality(report) +
         importance + "</body></html>\n";
}

}  // namespace headrace::cli
