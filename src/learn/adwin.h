#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace headrace::learn {

// ADWIN2: a window over a series that grows while its mean holds and is cut where it has changed.
// Bifet and Gavaldà, "Learning from Time-Changing Data with Adaptive Windowing", SIAM Data Mining
// 2007; the bound is that of section 4.1 in the variant with variance, the order of the arithmetic
// that of River 0.26, so that both report a change at the same value.
//
// The window is kept as buckets of 1, 2, 4, … values with sum and sum of squared deviations, at
// most six of each size, so its memory is logarithmic in its width (below 7 kB). A value costs
// constant time; every `clock` values all cuts between two buckets are tried. After a change was
// reported the next value begins a new window. State is a function of the values added. Confined.
class Adwin {
 public:
  struct Options {
    double delta = 0.002;       // of a false alarm, in (0, 1)
    int32_t clock = 32;         // values from one look for a change to the next, at least 1
    int32_t min_window = 5;     // a part of the window with fewer values is not compared
    int32_t grace_period = 10;  // no look while the window has no more values than this
  };

  Adwin() : Adwin(Options{}) {}
  explicit Adwin(const Options& options);

  // True when the mean has changed. `value` is finite and below 1e150 in size, or its square is
  // lost to infinity and no change is found until the window is new.
  bool Add(double value);

  uint64_t width() const { return width_; }  // values in the window
  double total() const { return total_; }
  double mean() const { return width_ == 0 ? 0 : total_ / static_cast<double>(width_); }
  double variance() const { return width_ == 0 ? 0 : deviations_ / static_cast<double>(width_); }
  // Whether the last value showed a change.
  bool changed() const { return changed_; }
  const Options& options() const { return options_; }
  // Bytes beyond the object itself.
  size_t memory() const { return levels_.capacity() * sizeof(Level); }

  void Reset();
  // The state without the options. Load gives false, and an empty window, for bytes that Save did
  // not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  static constexpr size_t kBuckets = 5;     // of one size; one more makes two of them one
  static constexpr size_t kLevelsMax = 58;  // 2^60 values

  struct Bucket {
    double total = 0;
    double deviations = 0;  // sum of squared deviations from the bucket's mean
  };
  // Buckets of 2^level values each, oldest first.
  struct Level {
    size_t count = 0;
    std::array<Bucket, kBuckets + 1> buckets;

    void DropOldest(size_t n);
  };

  void Insert(double value);
  void Compress();
  bool Cut();
  void DropOldest();
  bool LoadLevels(base::ByteReader& reader);

  Options options_;
  std::vector<Level> levels_;
  uint64_t width_ = 0;
  uint64_t ticks_ = 0;
  double total_ = 0;
  double deviations_ = 0;
  bool changed_ = false;
};

}  // namespace headrace::learn
