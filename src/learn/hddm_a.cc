#include "learn/hddm_a.h"

#include <cmath>

#include "base/portable_math.h"
#include "headrace/check.h"

namespace headrace::learn {

HddmA::HddmA(const Options& options)
    : options_(options),
      drift_log_(base::Log(1 / options.drift_confidence)),
      drift_log2_(base::Log(2 / options.drift_confidence)),
      warning_log2_(base::Log(2 / options.warning_confidence)) {
  HR_CHECK(options.drift_confidence > 0 && options.drift_confidence < 1 &&
           options.warning_confidence > 0 && options.warning_confidence < 1);
}

double HddmA::Bound(double n) const {
  return std::sqrt(1 / (2 * n) * drift_log_);
}

bool HddmA::IsFar(const RunningMean& cut, double distance, double log_term) const {
  if (cut.count() == state_.all.count()) return false;
  const double m = (state_.all.n() - cut.n()) / cut.n() * (1 / state_.all.n());
  return distance >= std::sqrt(m / 2 * log_term);
}

bool HddmA::Add(double value) {
  if (state_.changed) state_ = {};
  RunningMean& all = state_.all;
  all.Add(value);
  if (state_.lowest.count() == 0) state_.lowest = all;
  if (state_.highest.count() == 0) state_.highest = all;
  const double bound = Bound(all.n());
  if (state_.lowest.mean() + Bound(state_.lowest.n()) >= all.mean() + bound) state_.lowest = all;
  if (state_.highest.mean() - Bound(state_.highest.n()) <= all.mean() - bound) state_.highest = all;

  const double rise = all.mean() - state_.lowest.mean();
  state_.changed = IsFar(state_.lowest, rise, drift_log2_);
  state_.warned = !state_.changed && IsFar(state_.lowest, rise, warning_log2_);
  if (!options_.two_sided) return state_.changed;
  const double fall = state_.highest.mean() - all.mean();
  if (IsFar(state_.highest, fall, drift_log2_)) {
    state_.changed = true;
  } else if (IsFar(state_.highest, fall, warning_log2_)) {
    state_.warned = true;
  }
  state_.warned = state_.warned && !state_.changed;
  return state_.changed;
}

void HddmA::Save(base::ByteWriter& writer) const {
  writer.U8(static_cast<uint8_t>((state_.changed ? 1 : 0) | (state_.warned ? 2 : 0)));
  state_.all.Save(writer);
  state_.lowest.Save(writer);
  state_.highest.Save(writer);
}

bool HddmA::Load(base::ByteReader& reader) {
  const uint8_t flags = reader.U8();
  state_.changed = (flags & 1) != 0;
  state_.warned = (flags & 2) != 0;
  state_.all.Load(reader);
  state_.lowest.Load(reader);
  state_.highest.Load(reader);
  return reader.ok() && flags <= 3 && state_.lowest.count() <= state_.all.count() &&
         state_.highest.count() <= state_.all.count();
}

}  // namespace headrace::learn
