#include "engine/promotion_gate.h"

#include <algorithm>
#include <cstdio>

namespace headrace::engine {

std::string ObjectionOf(const PromotionGate& gate, const PromotionEvidence& seen) {
  if (seen.compared < gate.rows_min) {
    return std::to_string(seen.compared) + " rows compared as a shadow or canary, at least " +
           std::to_string(gate.rows_min) + " are wanted";
  }
  char text[160];
  const double percent = 100 * static_cast<double>(seen.flips) /
                         static_cast<double>(std::max<uint64_t>(seen.compared, 1));
  if (percent > gate.flips_max) {
    std::snprintf(text, sizeof text,
                  "%.2f %% of the decisions would have been others, at most %g %% may", percent,
                  gate.flips_max);
    return text;
  }
  if (gate.psi_max > 0 && !(seen.psi <= gate.psi_max)) {
    std::snprintf(text, sizeof text, "scores moved by a PSI of %.4f, at most %g is allowed",
                  seen.psi, gate.psi_max);
    return text;
  }
  const bool worse = seen.less_is_better ? seen.after > seen.before : seen.after < seen.before;
  if (worse) {
    std::snprintf(text, sizeof text, "its %s over %llu labels is %.4f, that of what decides %.4f",
                  seen.measure.c_str(), static_cast<unsigned long long>(seen.labelled), seen.after,
                  seen.before);
    return text;
  }
  return "";
}

std::string ReasonOf(const PromotionEvidence& seen) {
  return std::to_string(seen.flips) + " of " + std::to_string(seen.compared) +
         " decisions would have been others";
}

}  // namespace headrace::engine
