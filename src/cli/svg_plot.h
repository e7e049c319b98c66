#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headrace::cli {

// Text as it stands in HTML, also between the quotes of an attribute: nothing of it is markup, and
// what is no printable character is shown as U+FFFD.
std::string HtmlText(std::string_view text);

// A small plot as inline SVG: no script, no style from outside. Axes are linear; their ends are
// written below and beside. Points that are not finite are left out. Value type.
class SvgPlot {
 public:
  struct Range {
    double from = 0;
    double to = 1;
  };
  using Points = std::vector<std::pair<double, double>>;
  static constexpr size_t kPointsMax = 1000;  // of a line; of more every second, third ... is drawn

  SvgPlot(std::string_view title, Range x, Range y) : title_(title), x_(x), y_(y) {}

  // What stands at the ends of the axis below, instead of numbers.
  void NameEnds(std::string_view from, std::string_view to);
  // Colours are numbered: 0 to 5, then again.
  void Line(const Points& points, size_t colour, std::string_view name);
  // The area between two lines over the same places.
  void Band(const Points& low, const Points& high, size_t colour);
  void Dots(const Points& points, size_t colour);
  // From the axis below up to the value, each as wide as its share.
  void Bars(const std::vector<double>& values, size_t colour);
  // A dashed line across.
  void Level(double y, std::string_view name);
  void Diagonal();

  std::string Svg() const;

 private:
  double X(double x) const;
  double Y(double y) const;
  std::string Place(const std::pair<double, double>& point) const;

  std::string title_;
  Range x_;
  Range y_;
  std::string from_;
  std::string to_;
  std::string body_;
  std::string legend_;
};

// A number as people read it: four digits.
std::string ShortNumber(double number);

}  // namespace headrace::cli
