#include "learn/eddm.h"

#include <cmath>

#include "headrace/check.h"

namespace headrace::learn {

Eddm::Eddm(const Options& options) : options_(options) {
  HR_CHECK(options.warm_start >= 1 && options.alpha >= options.beta);
}

bool Eddm::Add(double error) {
  if (state_.changed) state_ = {};
  ++state_.values;
  if (error == 1) AddError();
  return state_.changed;
}

void Eddm::AddError() {
  const auto distance = static_cast<double>(state_.values - state_.last_error);
  state_.last_error = state_.values;
  const double before = state_.distances.mean();
  state_.distances.Add(distance);
  state_.deviations += (distance - before) * (distance - state_.distances.mean());
  const auto warm_start = static_cast<uint64_t>(options_.warm_start);
  if (state_.values <= warm_start) return;
  const uint64_t errors = state_.distances.count();
  const double variance = errors > 1 ? state_.deviations / static_cast<double>(errors - 1) : 0;
  const double reach = state_.distances.mean() + 2 * std::sqrt(variance);
  if (reach > state_.largest) {
    state_.largest = reach;
  } else if (errors > warm_start) {
    const double level = reach / state_.largest;
    state_.changed = level < options_.beta;
    state_.warned = !state_.changed && level < options_.alpha;
  }
}

void Eddm::Save(base::ByteWriter& writer) const {
  writer.U8(static_cast<uint8_t>((state_.changed ? 1 : 0) | (state_.warned ? 2 : 0)));
  writer.Varint(state_.values);
  writer.Varint(state_.last_error);
  state_.distances.Save(writer);
  SaveNumber(state_.deviations, writer);
  SaveNumber(state_.largest, writer);
}

bool Eddm::Load(base::ByteReader& reader) {
  const uint8_t flags = reader.U8();
  state_.changed = (flags & 1) != 0;
  state_.warned = (flags & 2) != 0;
  state_.values = reader.Varint();
  state_.last_error = reader.Varint();
  state_.distances.Load(reader);
  state_.deviations = LoadNumber(reader);
  state_.largest = LoadNumber(reader);
  return reader.ok() && flags <= 3 && state_.last_error <= state_.values;
}

}  // namespace headrace::learn
