#include "learn/kswin.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "headrace/check.h"

namespace headrace::learn {

double Kswin::ChanceOf(int32_t distance, int32_t n) {
  double chance = 0;
  for (int32_t j = 1; j * distance <= n; ++j) {
    // C(2n, n - j distance) / C(2n, n)
    double ratio = 1;
    for (int32_t i = 0; i < j * distance; ++i)
      ratio *= static_cast<double>(n - i) / static_cast<double>(n + i + 1);
    chance += j % 2 == 1 ? 2 * ratio : -2 * ratio;
  }
  return chance;
}

Kswin::Kswin(const Options& options) : options_(options), draws_(options.seed) {
  HR_CHECK(options.alpha > 0 && options.alpha < 1 && options.stat_size >= 1 &&
           options.window_size >= 2 * options.stat_size && options.window_size <= kWindowMax);
  far_ = 1;
  while (far_ <= options.stat_size && ChanceOf(far_, options.stat_size) > options.alpha)
    ++far_;
  // A distance of a tenth is none, however many values there are.
  far_ = std::max(far_, options.stat_size / 10 + 1);
  window_.resize(static_cast<size_t>(options.window_size));
  side_.resize(static_cast<size_t>(options.window_size));
  order_.reserve(static_cast<size_t>(options.window_size));
  sorted_.reserve(static_cast<size_t>(options.window_size));
}

bool Kswin::Add(double value) {
  if (changed_) {
    order_.clear();
    sorted_.clear();
    oldest_ = count_ = 0;
  }
  if (count_ == options_.window_size) DropOldest();
  Insert(value);
  changed_ = count_ == options_.window_size && Differs();
  return changed_;
}

void Kswin::Insert(double value) {
  const int32_t place = (oldest_ + count_) % options_.window_size;
  window_[static_cast<size_t>(place)] = value;
  ++count_;
  const auto at = std::upper_bound(sorted_.begin(), sorted_.end(), value);
  order_.insert(order_.begin() + (at - sorted_.begin()), place);
  sorted_.insert(at, value);
}

// Of equal values the oldest stands first.
void Kswin::DropOldest() {
  const auto at =
      std::lower_bound(sorted_.begin(), sorted_.end(), window_[static_cast<size_t>(oldest_)]);
  order_.erase(order_.begin() + (at - sorted_.begin()));
  sorted_.erase(at);
  oldest_ = (oldest_ + 1) % options_.window_size;
  --count_;
}

// A sample without replacement of those that are not among the newest (Floyd's algorithm, CACM
// 1987).
void Kswin::Draw() {
  std::fill(side_.begin(), side_.end(), int8_t{0});
  const int32_t size = options_.window_size;
  const int32_t older = size - options_.stat_size;
  const auto place = [&](int32_t age) {
    const int32_t at = oldest_ + age;
    return static_cast<size_t>(at < size ? at : at - size);
  };
  for (int32_t age = older - options_.stat_size; age < older; ++age) {
    const auto drawn = static_cast<int32_t>(draws_.Below(static_cast<uint64_t>(age) + 1));
    const size_t first = place(drawn);
    const size_t second = place(age);
    side_[side_[first] == 0 ? first : second] = 1;
  }
  for (int32_t age = older; age < size; ++age)
    side_[place(age)] = -1;
}

bool Kswin::Differs() {
  Draw();
  int32_t apart = 0;
  int32_t largest = 0;
  for (size_t i = 0; i < order_.size(); ++i) {
    apart += side_[static_cast<size_t>(order_[i])];
    const bool tied = i + 1 < order_.size() && sorted_[i] == sorted_[i + 1];
    if (!tied) largest = std::max(largest, std::abs(apart));
  }
  return largest >= far_;
}

void Kswin::Save(base::ByteWriter& writer) const {
  writer.U8(changed_ ? 1 : 0);
  draws_.Save(writer);
  writer.Varint(static_cast<uint64_t>(count_));
  for (int32_t age = 0; age < count_; ++age)
    SaveNumber(window_[static_cast<size_t>((oldest_ + age) % options_.window_size)], writer);
}

bool Kswin::Load(base::ByteReader& reader) {
  const uint8_t changed = reader.U8();
  draws_.Load(reader);
  const uint64_t count = reader.Varint();
  if (changed > 1 || count > static_cast<uint64_t>(options_.window_size)) return false;
  order_.clear();
  sorted_.clear();
  oldest_ = count_ = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const double value = LoadNumber(reader);
    if (!std::isfinite(value)) return false;
    Insert(value);
  }
  changed_ = changed == 1;
  return reader.ok();
}

}  // namespace headrace::learn
