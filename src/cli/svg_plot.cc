#include "cli/svg_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace headrace::cli {
namespace {

constexpr double kWidth = 320;
constexpr double kHeight = 180;
constexpr double kLeft = 44;
constexpr double kRight = 8;
constexpr double kTop = 24;
constexpr double kBottom = 22;
constexpr std::array<const char*, 6> kColours = {"#1f6feb", "#d1242f", "#1a7f37",
                                                 "#9a6700", "#8250df", "#57606a"};

const char* Colour(size_t number) {
  return kColours[number % kColours.size()];
}

std::string Fixed(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

SvgPlot::Points Finite(const SvgPlot::Points& points) {
  SvgPlot::Points finite;
  std::copy_if(points.begin(), points.end(), std::back_inserter(finite), [](const auto& point) {
    return std::isfinite(point.first) && std::isfinite(point.second);
  });
  const size_t step = (finite.size() + SvgPlot::kPointsMax - 1) / SvgPlot::kPointsMax;
  if (step < 2) return finite;
  SvgPlot::Points some;
  for (size_t i = 0; i < finite.size(); i += step)
    some.push_back(finite[i]);
  return some;
}

std::string TextAt(double x, double y, std::string_view anchor, std::string_view text) {
  return "<text x=\"" + Fixed(x) + "\" y=\"" + Fixed(y) + "\" text-anchor=\"" +
         std::string(anchor) + "\">" + HtmlText(text) + "</text>";
}

}  // namespace

std::string HtmlText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += "\xEF\xBF\xBD";
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string ShortNumber(double number) {
  if (!std::isfinite(number)) return "";
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", number);
  return text;
}

double SvgPlot::X(double x) const {
  const double width = x_.to - x_.from;
  const double share = width > 0 ? std::clamp((x - x_.from) / width, 0.0, 1.0) : 0.5;
  return kLeft + share * (kWidth - kLeft - kRight);
}

double SvgPlot::Y(double y) const {
  const double height = y_.to - y_.from;
  const double share = height > 0 ? std::clamp((y - y_.from) / height, 0.0, 1.0) : 0.5;
  return kHeight - kBottom - share * (kHeight - kTop - kBottom);
}

std::string SvgPlot::Place(const std::pair<double, double>& point) const {
  return Fixed(X(point.first)) + "," + Fixed(Y(point.second));
}

void SvgPlot::NameEnds(std::string_view from, std::string_view to) {
  from_ = from;
  to_ = to;
}

void SvgPlot::Line(const Points& points, size_t colour, std::string_view name) {
  const Points finite = Finite(points);
  if (finite.empty()) return;
  body_ += "<polyline fill=\"none\" stroke-width=\"1.5\" stroke=\"";
  body_ += std::string(Colour(colour)) + "\" points=\"";
  for (const auto& point : finite)
    body_ += Place(point) + " ";
  body_ += "\"/>";
  if (finite.size() == 1) Dots(finite, colour);
  if (name.empty()) return;
  legend_ += "<span style=\"color:" + std::string(Colour(colour)) + "\">&#9644; " + HtmlText(name) +
             "</span> ";
}

void SvgPlot::Band(const Points& low, const Points& high, size_t colour) {
  const Points below = Finite(low);
  Points above = Finite(high);
  if (below.empty() || above.empty()) return;
  std::reverse(above.begin(), above.end());
  body_ += "<polygon stroke=\"none\" fill-opacity=\"0.15\" fill=\"";
  body_ += std::string(Colour(colour)) + "\" points=\"";
  for (const auto& point : below)
    body_ += Place(point) + " ";
  for (const auto& point : above)
    body_ += Place(point) + " ";
  body_ += "\"/>";
}

void SvgPlot::Dots(const Points& points, size_t colour) {
  for (const auto& point : Finite(points)) {
    body_ += "<circle r=\"2.5\" cx=\"" + Fixed(X(point.first)) + "\" cy=\"" +
             Fixed(Y(point.second)) + "\" fill=\"" + Colour(colour) + "\"/>";
  }
}

void SvgPlot::Bars(const std::vector<double>& values, size_t colour) {
  const double width =
      (kWidth - kLeft - kRight) / static_cast<double>(std::max<size_t>(values.size(), 1));
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    const double top = Y(values[i]);
    body_ += "<rect x=\"" + Fixed(kLeft + width * static_cast<double>(i)) + "\" y=\"" + Fixed(top) +
             "\" width=\"" + Fixed(std::max(width - 1, 1.0)) + "\" height=\"" +
             Fixed(kHeight - kBottom - top) + "\" fill=\"" + Colour(colour) + "\"/>";
  }
}

void SvgPlot::Level(double y, std::string_view name) {
  if (!(y >= y_.from && y <= y_.to)) return;
  const std::string at = Fixed(Y(y));
  body_ += "<line x1=\"" + Fixed(kLeft) + "\" x2=\"" + Fixed(kWidth - kRight) + "\" y1=\"" + at +
           "\" y2=\"" + at + "\" stroke=\"#d1242f\" stroke-dasharray=\"4 3\"/>" +
           TextAt(kWidth - kRight, Y(y) - 3, "end", name);
}

void SvgPlot::Diagonal() {
  body_ += "<line x1=\"" + Fixed(X(x_.from)) + "\" y1=\"" + Fixed(Y(x_.from)) + "\" x2=\"" +
           Fixed(X(x_.to)) + "\" y2=\"" + Fixed(Y(x_.to)) +
           "\" stroke=\"#8c959f\" stroke-dasharray=\"2 3\"/>";
}

std::string SvgPlot::Svg() const {
  const std::string bottom = Fixed(kHeight - kBottom);
  std::string out = "<figure><svg viewBox=\"0 0 " + Fixed(kWidth) + " " + Fixed(kHeight) +
                    "\" role=\"img\"><title>" + HtmlText(title_) + "</title>" +
                    TextAt(kLeft, 14, "start", title_);
  out += "<path fill=\"none\" stroke=\"#8c959f\" d=\"M" + Fixed(kLeft) + " " + Fixed(kTop) + "V" +
         bottom + "H" + Fixed(kWidth - kRight) + "\"/>";
  out += TextAt(kLeft - 3, kTop + 8, "end", ShortNumber(y_.to)) +
         TextAt(kLeft - 3, kHeight - kBottom, "end", ShortNumber(y_.from)) +
         TextAt(kLeft, kHeight - 8, "start", from_.empty() ? ShortNumber(x_.from) : from_) +
         TextAt(kWidth - kRight, kHeight - 8, "end", to_.empty() ? ShortNumber(x_.to) : to_);
  out += body_ + "</svg>";
  if (!legend_.empty()) out += "<figcaption>" + legend_ + "</figcaption>";
  return out + "</figure>";
}

}  // namespace headrace::cli
