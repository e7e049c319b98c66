#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/result.h"

namespace headrace::cli {

// A row of a model's health, of one column and window.
struct HealthPoint {
  std::string statement;
  int64_t version = 0;
  std::string column;  // an input, or "(score)"
  double at = 0;       // end of the window, seconds since 1970
  double psi = 0;      // NaN: not known, as the others
  double p05 = 0;
  double p50 = 0;
  double p95 = 0;
  double null_share = 0;
};

// What a page tells of.
struct ModelPageData {
  std::string name;
  std::string report;      // of Engine::ModelReport
  std::string importance;  // of Engine::Importance; empty: there is none
  std::vector<HealthPoint> health;
};

// One HTML page with everything in it: plots as inline SVG, no script, nothing from elsewhere.
// Names are text, whatever is in them. Limit: kColumnsShown inputs are plotted, those that moved
// most. Error: HR9021 for a document that is none.
inline constexpr size_t kColumnsShown = 64;
Result<std::string> ModelPage(const ModelPageData& data);

}  // namespace headrace::cli
