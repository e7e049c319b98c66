#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace headrace::engine {

// What lets a shadow or canary decide.
struct PromotionGate {
  uint64_t rows_min = 100;  // decisions that must have been compared
  double flips_max = 5;     // percent of them that may be others
  double psi_max = 0;       // of the scores; 0: they may move
};

// What is known of one.
struct PromotionEvidence {
  uint64_t compared = 0;
  uint64_t flips = 0;
  double psi = std::numeric_limits<double>::quiet_NaN();
  // With labels: a measure of both; NaN: there is none.
  uint64_t labelled = 0;
  std::string measure = "ROC AUC";
  bool less_is_better = false;
  double before = std::numeric_limits<double>::quiet_NaN();
  double after = std::numeric_limits<double>::quiet_NaN();
};

// Why the gate is shut; empty: it is open.
std::string ObjectionOf(const PromotionGate& gate, const PromotionEvidence& seen);

// What an open gate says of it.
std::string ReasonOf(const PromotionEvidence& seen);

}  // namespace headrace::engine
