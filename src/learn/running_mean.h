#pragma once

#include <bit>
#include <cstdint>

#include "base/bytes.h"

namespace headrace::learn {

inline void SaveNumber(double number, base::ByteWriter& writer) {
  writer.U64Le(std::bit_cast<uint64_t>(number));
}
inline double LoadNumber(base::ByteReader& reader) {
  return std::bit_cast<double>(reader.U64Le());
}

// The mean of the values added, updated in place (Welford, Technometrics 1962). Value type.
class RunningMean {
 public:
  void Add(double value) {
    ++count_;
    mean_ += 1 / static_cast<double>(count_) * (value - mean_);
  }
  uint64_t count() const { return count_; }
  double n() const { return static_cast<double>(count_); }
  double mean() const { return mean_; }

  void Save(base::ByteWriter& writer) const {
    writer.Varint(count_);
    SaveNumber(mean_, writer);
  }
  void Load(base::ByteReader& reader) {
    count_ = reader.Varint();
    mean_ = LoadNumber(reader);
  }

 private:
  uint64_t count_ = 0;
  double mean_ = 0;
};

}  // namespace headrace::learn
