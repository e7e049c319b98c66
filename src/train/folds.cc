#include "train/folds.h"

#include <algorithm>
#include <numeric>
#include <string>

namespace headrace::train {
namespace {

Error TooFew(const char* what, size_t there, size_t folds) {
  return Error(ErrorKind::kInvalidArgument, "HR3072",
               std::to_string(there) + " " + what + " are too few for " + std::to_string(folds) +
                   " folds")
      .WithHint("fewer --folds");
}

}  // namespace

Result<std::vector<Fold>> FoldsByTime(std::span<const double> times, size_t folds) {
  const size_t rows = times.size();
  std::vector<uint32_t> order(rows);
  std::iota(order.begin(), order.end(), uint32_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return times[a] < times[b]; });
  std::vector<size_t> ends = {0};
  for (size_t part = 1; part <= folds + 1; ++part) {
    size_t end = std::max(rows * part / (folds + 1), ends.back());
    // Rows of one moment stay together.
    while (end > 0 && end < rows && times[order[end]] == times[order[end - 1]])
      ++end;
    ends.push_back(end);
  }
  std::vector<Fold> made;
  for (size_t part = 1; part <= folds; ++part) {
    if (ends[part] == 0 || ends[part] == ends[part + 1]) {
      return TooFew("rows with their times", rows, folds);
    }
    Fold& fold = made.emplace_back();
    const auto at = [&](size_t i) { return order.begin() + static_cast<int64_t>(i); };
    fold.learned.assign(order.begin(), at(ends[part]));
    fold.tested.assign(at(ends[part]), at(ends[part + 1]));
    std::sort(fold.learned.begin(), fold.learned.end());
    std::sort(fold.tested.begin(), fold.tested.end());
  }
  return made;
}

Result<std::vector<Fold>> FoldsByGroup(std::span<const double> groups, size_t folds) {
  size_t count = 0;
  for (double group : groups)
    count = std::max(count, static_cast<size_t>(group) + 1);
  if (count < folds) return TooFew("groups", count, folds);
  std::vector<size_t> rows(count);
  for (double group : groups)
    ++rows[static_cast<size_t>(group)];
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rows[a] > rows[b]; });
  std::vector<size_t> filled(folds);
  std::vector<size_t> fold_of(count);
  for (size_t group : order) {
    const auto least = std::min_element(filled.begin(), filled.end());
    *least += rows[group];
    fold_of[group] = static_cast<size_t>(least - filled.begin());
  }
  std::vector<Fold> made(folds);
  for (size_t row = 0; row < groups.size(); ++row) {
    for (size_t fold = 0; fold < folds; ++fold) {
      const bool tested = fold_of[static_cast<size_t>(groups[row])] == fold;
      (tested ? made[fold].tested : made[fold].learned).push_back(static_cast<uint32_t>(row));
    }
  }
  return made;
}

}  // namespace headrace::train
