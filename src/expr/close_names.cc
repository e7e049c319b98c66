#include <algorithm>
#include <tuple>

#include "expr/expr.h"

namespace headrace::expr {
namespace {

constexpr size_t kMaxWord = 64;  // longer names are not typing mistakes of one another
constexpr size_t kMaxCandidates = 3;

// Edit distance where exchanging two neighbours costs one.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> now(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({replaced, last[j] + 1, now[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

}  // namespace

std::vector<std::string> CloseNames(std::string_view word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > kMaxWord) return {};
  const size_t allowed = word.size() <= 2 ? 1 : word.size() <= 5 ? 2 : 3;
  std::vector<std::tuple<size_t, std::string>> near;
  for (const std::string& name : known) {
    if (name.empty() || name.size() > kMaxWord) continue;
    const size_t distance = Distance(word, name);
    // A word that has to change more than half its letters is another word.
    if (distance <= allowed && distance * 2 < std::max(word.size(), name.size()) + 1) {
      near.emplace_back(distance, name);
    }
  }
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  std::vector<std::string> names;
  for (auto& [distance, name] : near) {
    // Only the best ones: something twice as far as the first is noise.
    if (names.size() == kMaxCandidates || distance > std::get<0>(near.front()) + 1) break;
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace headrace::expr
