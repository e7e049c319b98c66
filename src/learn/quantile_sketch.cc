#include "learn/quantile_sketch.h"

#include <algorithm>
#include <cmath>

#include "headrace/check.h"

namespace headrace::learn {

QuantileSketch::QuantileSketch(int32_t k, uint64_t seed) : k_(k), draws_(seed) {
  HR_CHECK(k >= kLeastK && k <= kMostK);
  AddLevel();
}

// Two thirds of that above it; the highest has k.
size_t QuantileSketch::CapacityOf(size_t level) const {
  double capacity = k_;
  for (size_t above = level + 1; above < levels_.size(); ++above)
    capacity = capacity * 2 / 3;
  return std::max<size_t>(2, static_cast<size_t>(std::ceil(capacity)));
}

void QuantileSketch::AddLevel() {
  levels_.emplace_back();
  capacity_ = 0;
  for (size_t level = 0; level < levels_.size(); ++level)
    capacity_ += CapacityOf(level);
}

void QuantileSketch::Add(double value) {
  AddAt(0, value);
}

void QuantileSketch::AddAt(size_t level, double value) {
  HR_CHECK(level < kLevelsMax);
  while (levels_.size() <= level)
    AddLevel();
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  count_ += uint64_t{1} << level;
  levels_[level].push_back(value);
  if (++kept_ >= capacity_) Compress();
}

void QuantileSketch::Merge(const QuantileSketch& other) {
  if (other.count_ == 0) return;
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
  count_ += other.count_;
  while (levels_.size() < other.levels_.size())
    AddLevel();
  for (size_t level = 0; level < other.levels_.size(); ++level) {
    const std::vector<double>& values = other.levels_[level];
    levels_[level].insert(levels_[level].end(), values.begin(), values.end());
    kept_ += values.size();
  }
  while (kept_ >= capacity_)
    Compress();
  Measure();
}

// Makes room at the lowest level that is full.
void QuantileSketch::Compress() {
  for (size_t level = 0; level < levels_.size(); ++level) {
    if (levels_[level].size() < CapacityOf(level)) continue;
    if (level + 1 == levels_.size()) AddLevel();
    Compact(level);
    return Measure();
  }
}

// Of each two neighbours one goes up, for both: the left ones or the right ones, as the coin says.
void QuantileSketch::Compact(size_t level) {
  std::vector<double>& values = levels_[level];
  std::sort(values.begin(), values.end());
  const size_t pairs = values.size() / 2;
  const size_t side = draws_.Next() >> 63;
  for (size_t i = 0; i < pairs; ++i)
    levels_[level + 1].push_back(values[2 * i + side]);
  values.erase(values.begin(), values.begin() + static_cast<ptrdiff_t>(2 * pairs));
  kept_ -= pairs;
}

void QuantileSketch::Measure() {
  memory_ = levels_.capacity() * sizeof(levels_[0]);
  for (const std::vector<double>& values : levels_)
    memory_ += values.capacity() * sizeof(double);
}

WeightedValues QuantileSketch::Values() const {
  WeightedValues all;
  all.reserve(kept_);
  for (size_t level = 0; level < levels_.size(); ++level) {
    for (double value : levels_[level])
      all.push_back({value, uint64_t{1} << level});
  }
  std::sort(all.begin(), all.end(),
            [](const WeightedValue& a, const WeightedValue& b) { return a.value < b.value; });
  size_t kept = 0;
  for (const WeightedValue& value : all) {
    if (kept > 0 && all[kept - 1].value == value.value) {
      all[kept - 1].weight += value.weight;
    } else {
      all[kept++] = value;
    }
  }
  all.resize(kept);
  return all;
}

void QuantileSketch::Clear() {
  levels_.clear();
  kept_ = 0;
  count_ = 0;
  min_ = max_ = 0;
  AddLevel();
  Measure();
}

void QuantileSketch::Save(base::ByteWriter& writer) const {
  draws_.Save(writer);
  writer.Varint(count_);
  SaveNumber(min_, writer);
  SaveNumber(max_, writer);
  writer.Varint(levels_.size());
  for (const std::vector<double>& values : levels_) {
    writer.Varint(values.size());
    for (double value : values)
      SaveNumber(value, writer);
  }
}

bool QuantileSketch::Load(base::ByteReader& reader) {
  Clear();
  draws_.Load(reader);
  count_ = reader.Varint();
  min_ = LoadNumber(reader);
  max_ = LoadNumber(reader);
  const uint64_t levels = reader.Varint();
  if (!reader.ok() || levels == 0 || levels > kLevelsMax) return false;
  while (levels_.size() < levels)
    AddLevel();
  uint64_t weight = 0;
  for (size_t level = 0; level < levels; ++level) {
    const uint64_t count = reader.Varint();
    if (count > capacity_ || kept_ + count >= capacity_) return false;
    kept_ += count;
    weight += count << level;
    for (uint64_t i = 0; i < count; ++i) {
      const double value = LoadNumber(reader);
      if (!(value >= min_ && value <= max_) || !std::isfinite(value)) return false;
      levels_[level].push_back(value);
    }
  }
  Measure();
  return reader.ok() && weight == count_;
}

double QuantileOf(const WeightedValues& values, double share) {
  uint64_t count = 0;
  for (const WeightedValue& value : values)
    count += value.weight;
  const double rank = share * static_cast<double>(count - 1);
  const auto below = static_cast<uint64_t>(rank);
  const double rest = rank - static_cast<double>(below);
  uint64_t seen = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    seen += values[i].weight;
    if (seen <= below) continue;
    // The value of the next rank is this one again, unless it was its last.
    const bool last = seen == below + 1 && i + 1 < values.size();
    return last ? values[i].value + (values[i + 1].value - values[i].value) * rest
                : values[i].value;
  }
  return values.back().value;
}

}  // namespace headrace::learn
