#include "learn/ddm.h"

#include <cmath>
#include <limits>

#include "headrace/check.h"

namespace headrace::learn {

Ddm::Ddm(const Options& options) : options_(options) {
  HR_CHECK(options.warm_start >= 1);
}

Ddm::State Ddm::Fresh() {
  State state;
  state.sum_min = std::numeric_limits<double>::infinity();
  return state;
}

bool Ddm::Add(double error) {
  if (state_.changed) state_ = Fresh();
  state_.errors.Add(error);
  if (state_.errors.count() <= static_cast<uint64_t>(options_.warm_start)) return false;
  const double p = state_.errors.mean();
  const double s = std::sqrt(p * (1 - p) / state_.errors.n());
  if (p + s <= state_.sum_min) {
    state_.p_min = p;
    state_.s_min = s;
    state_.sum_min = p + s;
  }
  state_.changed = p + s > state_.p_min + options_.drift_threshold * state_.s_min;
  state_.warned =
      !state_.changed && p + s > state_.p_min + options_.warning_threshold * state_.s_min;
  return state_.changed;
}

void Ddm::Save(base::ByteWriter& writer) const {
  writer.U8(static_cast<uint8_t>((state_.changed ? 1 : 0) | (state_.warned ? 2 : 0)));
  state_.errors.Save(writer);
  for (double number : {state_.p_min, state_.s_min, state_.sum_min})
    SaveNumber(number, writer);
}

bool Ddm::Load(base::ByteReader& reader) {
  const uint8_t flags = reader.U8();
  state_.changed = (flags & 1) != 0;
  state_.warned = (flags & 2) != 0;
  state_.errors.Load(reader);
  for (double* number : {&state_.p_min, &state_.s_min, &state_.sum_min})
    *number = LoadNumber(reader);
  return reader.ok() && flags <= 3;
}

}  // namespace headrace::learn
