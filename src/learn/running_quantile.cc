#include "learn/running_quantile.h"

#include <algorithm>

#include "headrace/check.h"

namespace headrace::learn {

RunningQuantile::RunningQuantile(const Options& options) : options_(options), sketch_(options.k) {
  HR_CHECK(options.share >= 0 && options.share <= 1);
}

double RunningQuantile::Add(double value) {
  sketch_.Add(value);
  if (options_.share == 0) return sketch_.min();
  if (options_.share == 1) return sketch_.max();
  if (sketch_.count() >= next_) {
    quantile_ = QuantileOf(sketch_.Values(), options_.share);
    next_ = sketch_.count() + std::max<uint64_t>(1, sketch_.count() / 100);
  }
  return quantile_;
}

void RunningQuantile::Save(base::ByteWriter& writer) const {
  sketch_.Save(writer);
  writer.Varint(next_);
  SaveNumber(quantile_, writer);
}

bool RunningQuantile::Load(base::ByteReader& reader) {
  if (!sketch_.Load(reader)) return false;
  next_ = reader.Varint();
  quantile_ = LoadNumber(reader);
  return reader.ok();
}

}  // namespace headrace::learn
