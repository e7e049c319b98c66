#include "model/reasons.h"

#include <algorithm>

namespace headrace::model {

std::vector<Reason> TopReasons(const ReasonTexts& texts, std::span<const double> contributions) {
  std::vector<Reason> reasons;
  for (const auto& [feature, text] : texts) {
    const double contribution = contributions[static_cast<size_t>(feature)];
    auto same = std::find_if(reasons.begin(), reasons.end(),
                             [&text = text](const Reason& reason) { return reason.text == text; });
    if (same == reasons.end()) same = reasons.insert(same, {text, 0});
    same->contribution += contribution;
  }
  std::erase_if(reasons, [](const Reason& reason) { return !(reason.contribution > 0); });
  std::stable_sort(reasons.begin(), reasons.end(), [](const Reason& one, const Reason& other) {
    return one.contribution > other.contribution;
  });
  if (reasons.size() > kReasonsMax) reasons.resize(kReasonsMax);
  return reasons;
}

}  // namespace headrace::model
