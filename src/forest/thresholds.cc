#include "forest/thresholds.h"

#include <limits>

namespace headrace::forest {
namespace {

// A topmost level of more eights than this gets another one above it.
constexpr size_t kTopEightsMax = 3;

std::vector<double> LastOfEveryEight(const std::vector<double>& numbers) {
  std::vector<double> last;
  for (size_t i = 7; i < numbers.size(); i += 8) {
    last.push_back(numbers[i]);
  }
  return last;
}

}  // namespace

Thresholds::Thresholds(const std::vector<double>& rising) {
  for (double number : rising) {
    keys_.push_back(KeyOf(number));
  }
  half_ = static_cast<uint32_t>(std::bit_ceil(rising.size() + 1) / 2);
  keys_.resize(half_ == 0 ? 0 : size_t{half_} * 2 - 1, INT64_MAX);

  std::vector<double> above = LastOfEveryEight(rising);
  std::vector<double> middle;
  if (above.size() >= kTopEightsMax * 8) {
    middle = above;
    above = LastOfEveryEight(middle);
  }
  if (!above.empty()) top_ = AppendLevel(above);
  if (!middle.empty()) middle_ = AppendLevel(middle);
  AppendLevel(rising);
}

uint32_t Thresholds::AppendLevel(const std::vector<double>& numbers) {
  const size_t count = numbers.size() / 8 + 1;
  const size_t first = eights_.size();
  eights_.resize(first + count);
  for (size_t i = 0; i < count * 8; ++i) {
    eights_[first + i / 8].numbers[i % 8] =
        i < numbers.size() ? numbers[i] : std::numeric_limits<double>::infinity();
  }
  return static_cast<uint32_t>(count);
}

}  // namespace headrace::forest
