#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "state/key_block.h"

namespace headrace::state {

// An event of the tests' stream, in the slots named below.
struct OracleEvent {
  std::optional<std::string> key;
  int64_t time = 0;
  int64_t watermark = 0;
  std::optional<int64_t> amount;  // cents
  std::optional<int64_t> quantity;
  std::optional<double> x;
  std::optional<std::string> terminal;
  std::optional<bool> ok;
  std::optional<std::pair<int64_t, int>> rate;  // unscaled, scale: a decimal of any scale
};

enum OracleSlot : int { kKey, kAmount, kQuantity, kX, kTerminal, kOk, kRate, kInputs };

// Events with ties, NULLs, extreme values, long texts, and event times out of order by up to
// `disorder`; the watermark runs `delay` behind, and what would be later than `lateness` is left
// out.
struct OracleStream {
  uint64_t seed = 1;
  int events = 2000;
  int keys = 5;
  int64_t disorder = 50;
  int64_t delay = 20;
  int64_t lateness = 30;
  int64_t step = 10;  // mean time between events

  std::vector<OracleEvent> Make() const;
};

// A specification with every kind of aggregate over many frames.
KeyBlockSpec OracleSpec(bool unbounded);

// The value of aggregate `index` of the specification at event `at` as text, by looking at all
// events before it. Nothing when it is only known approximately (see OracleSpread).
std::optional<std::string> OracleValue(const KeyBlockSpec& spec, size_t index,
                                       const std::vector<OracleEvent>& events, size_t at);
// Variance or deviation to about 15 digits; nothing for NULL.
std::optional<double> OracleSpread(const KeyBlockSpec& spec, size_t index,
                                   const std::vector<OracleEvent>& events, size_t at);

}  // namespace headrace::state
