#include "cli/torture/derived_model.h"

#include <algorithm>

namespace headrace::cli::torture {

DerivedModel::Answer DerivedModel::Take(const Event& event) {
  Key& key = keys_[event.key];
  auto behind = std::upper_bound(key.events.begin(), key.events.end(), event.at,
                                 [](int64_t at, const auto& other) { return at < other.first; });
  auto mine = key.events.insert(behind, {event.at, event.amount});
  Answer answer;
  for (auto walk = mine;; --walk) {
    if (walk->first < event.at - kWindowMicros) break;
    ++answer.numbers.count;
    answer.numbers.total += walk->second;
    if (walk == key.events.begin()) break;
  }
  answer.odd = answer.numbers.count % 2 == 1;
  if (answer.odd) {
    auto after = std::upper_bound(key.odd.begin(), key.odd.end(), event.at);
    answer.numbers.running = after - key.odd.begin() + 1;
    key.odd.insert(after, event.at);
  }
  return answer;
}

}  // namespace headrace::cli::torture
