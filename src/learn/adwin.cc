#include "learn/adwin.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/portable_math.h"
#include "headrace/check.h"

namespace headrace::learn {
namespace {

double BucketSize(size_t level) {
  return static_cast<double>(uint64_t{1} << level);
}

}  // namespace

Adwin::Adwin(const Options& options) : options_(options) {
  HR_CHECK(options.delta > 0 && options.delta < 1 && options.clock >= 1 &&
           options.min_window >= 1 && options.grace_period >= 1);
}

void Adwin::Level::DropOldest(size_t n) {
  std::copy(buckets.begin() + n, buckets.begin() + count, buckets.begin());
  count -= n;
}

bool Adwin::Add(double value) {
  if (changed_) Reset();
  Insert(value);
  ++ticks_;
  if (ticks_ % static_cast<uint64_t>(options_.clock) == 0 &&
      width_ > static_cast<uint64_t>(options_.grace_period))
    while (Cut())
      changed_ = true;
  return changed_;
}

void Adwin::Reset() {
  levels_.clear();
  width_ = ticks_ = 0;
  total_ = deviations_ = 0;
  changed_ = false;
}

void Adwin::Insert(double value) {
  if (levels_.empty()) levels_.emplace_back();
  Level& newest = levels_.front();
  newest.buckets[newest.count++] = {value, 0};
  ++width_;
  if (width_ > 1) {
    const auto width = static_cast<double>(width_);
    const double off = value - total_ / (width - 1);
    deviations_ += (width - 1) * off * off / width;
  }
  total_ += value;
  Compress();
}

// A level that is full gives its two oldest buckets to the next one, as one.
void Adwin::Compress() {
  for (size_t i = 0; levels_[i].count == kBuckets + 1; ++i) {
    if (i + 1 == levels_.size()) levels_.emplace_back();
    Level& full = levels_[i];
    const double size = BucketSize(i);
    const Bucket& a = full.buckets[0];
    const Bucket& b = full.buckets[1];
    const double off = a.total / size - b.total / size;
    const double between = size * 0.5 * off * off;
    Level& next = levels_[i + 1];
    next.buckets[next.count++] = {a.total + b.total, a.deviations + b.deviations + between};
    full.DropOldest(2);
  }
}

// Whether the mean of the older values differs from that of the newer ones at some cut between two
// buckets; the oldest bucket is dropped then.
bool Adwin::Cut() {
  const auto width = static_cast<double>(width_);
  const double min_window = options_.min_window;
  const double log_term = base::Log(2 * base::Log(width) / options_.delta);
  const double variance = deviations_ / width;
  double older = 0;
  double older_total = 0;
  double newer = width;
  double newer_total = total_;
  for (size_t i = levels_.size(); i-- > 0;) {
    const double size = BucketSize(i);
    for (size_t k = 0; k < levels_[i].count; ++k) {
      older += size;
      newer -= size;
      older_total += levels_[i].buckets[k].total;
      newer_total -= levels_[i].buckets[k].total;
      if (newer < min_window) return false;
      if (older < min_window) continue;
      const double off = older_total / older - newer_total / newer;
      const double m = 1 / (older - min_window + 1) + 1 / (newer - min_window + 1);
      const double bound = std::sqrt(2 * m * variance * log_term) + 2.0 / 3.0 * log_term * m;
      if (std::abs(off) > bound) return DropOldest(), true;
    }
  }
  return false;
}

void Adwin::DropOldest() {
  Level& oldest = levels_.back();
  const double size = BucketSize(levels_.size() - 1);
  const Bucket bucket = oldest.buckets[0];
  width_ -= uint64_t{1} << (levels_.size() - 1);
  total_ -= bucket.total;
  const auto width = static_cast<double>(width_);
  const double off = bucket.total / size - total_ / width;
  deviations_ -= bucket.deviations + size * width * off * off / (size + width);
  oldest.DropOldest(1);
  if (oldest.count == 0) levels_.pop_back();
}

void Adwin::Save(base::ByteWriter& writer) const {
  writer.U8(changed_ ? 1 : 0);
  writer.Varint(ticks_);
  writer.U64Le(std::bit_cast<uint64_t>(total_));
  writer.U64Le(std::bit_cast<uint64_t>(deviations_));
  writer.Varint(levels_.size());
  for (const Level& level : levels_) {
    writer.U8(static_cast<uint8_t>(level.count));
    for (size_t k = 0; k < level.count; ++k) {
      writer.U64Le(std::bit_cast<uint64_t>(level.buckets[k].total));
      writer.U64Le(std::bit_cast<uint64_t>(level.buckets[k].deviations));
    }
  }
}

bool Adwin::Load(base::ByteReader& reader) {
  Reset();
  const uint8_t changed = reader.U8();
  const uint64_t ticks = reader.Varint();
  const auto total = std::bit_cast<double>(reader.U64Le());
  const auto deviations = std::bit_cast<double>(reader.U64Le());
  if (changed > 1 || !LoadLevels(reader) || ticks < width_) return Reset(), false;
  changed_ = changed == 1;
  ticks_ = ticks;
  total_ = total;
  deviations_ = deviations;
  return true;
}

bool Adwin::LoadLevels(base::ByteReader& reader) {
  const uint64_t levels = reader.Varint();
  if (levels > kLevelsMax) return false;
  for (uint64_t i = 0; i < levels; ++i) {
    Level level;
    level.count = reader.U8();
    if (level.count == 0 || level.count > kBuckets) return false;
    for (size_t k = 0; k < level.count; ++k) {
      level.buckets[k].total = std::bit_cast<double>(reader.U64Le());
      level.buckets[k].deviations = std::bit_cast<double>(reader.U64Le());
    }
    width_ += uint64_t{level.count} << i;
    levels_.push_back(level);
  }
  return reader.ok();
}

}  // namespace headrace::learn
