#include "learn/ewma_score.h"

#include <cmath>

#include "headrace/check.h"

namespace headrace::learn {

EwmaScore::EwmaScore(const Options& options) : options_(options) {
  HR_CHECK(options.alpha > 0 && options.alpha < 1 && options.warm_start >= 1);
}

std::optional<double> EwmaScore::Add(double value) {
  std::optional<double> score;
  const double off = value - mean_;
  if (count_ >= static_cast<uint64_t>(options_.warm_start)) {
    score = off == 0 ? 0 : off / std::sqrt(variance_);
  }
  if (count_++ == 0) {
    mean_ = value;
    return score;
  }
  const double step = options_.alpha * off;
  mean_ += step;
  variance_ = (1 - options_.alpha) * (variance_ + off * step);
  return score;
}

void EwmaScore::Save(base::ByteWriter& writer) const {
  writer.Varint(count_);
  SaveNumber(mean_, writer);
  SaveNumber(variance_, writer);
}

bool EwmaScore::Load(base::ByteReader& reader) {
  count_ = reader.Varint();
  mean_ = LoadNumber(reader);
  variance_ = LoadNumber(reader);
  return reader.ok();
}

}  // namespace headrace::learn
