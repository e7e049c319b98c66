#include "learn/page_hinkley.h"

#include <limits>

#include "headrace/check.h"

namespace headrace::learn {

PageHinkley::PageHinkley(const Options& options) : options_(options) {
  HR_CHECK(options.min_instances >= 1 && options.threshold > 0 && options.alpha > 0 &&
           options.alpha <= 1);
}

PageHinkley::State PageHinkley::Fresh() {
  State state;
  state.lowest = std::numeric_limits<double>::infinity();
  return state;
}

bool PageHinkley::Add(double value) {
  if (state_.changed) state_ = Fresh();
  state_.mean.Add(value);
  const double off = value - state_.mean.mean();
  state_.increase = options_.alpha * state_.increase + off - options_.delta;
  state_.decrease = options_.alpha * state_.decrease + off + options_.delta;
  if (state_.increase < state_.lowest) state_.lowest = state_.increase;
  if (state_.decrease > state_.highest) state_.highest = state_.decrease;
  if (state_.mean.count() < static_cast<uint64_t>(options_.min_instances)) return false;
  const bool up = state_.increase - state_.lowest > options_.threshold;
  const bool down = state_.highest - state_.decrease > options_.threshold;
  state_.changed = (up && options_.mode != Mode::kDown) || (down && options_.mode != Mode::kUp);
  return state_.changed;
}

void PageHinkley::Save(base::ByteWriter& writer) const {
  writer.U8(state_.changed ? 1 : 0);
  state_.mean.Save(writer);
  for (double number : {state_.increase, state_.decrease, state_.lowest, state_.highest})
    SaveNumber(number, writer);
}

bool PageHinkley::Load(base::ByteReader& reader) {
  const uint8_t changed = reader.U8();
  state_.changed = changed == 1;
  state_.mean.Load(reader);
  for (double* number : {&state_.increase, &state_.decrease, &state_.lowest, &state_.highest})
    *number = LoadNumber(reader);
  return reader.ok() && changed <= 1;
}

}  // namespace headrace::learn
