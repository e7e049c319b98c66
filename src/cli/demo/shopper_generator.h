#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace headrace::cli {

// A visit to the shop of the demo, and how likely each shelf is to be bought from, which nobody but
// the demo knows.
struct Visit {
  static constexpr size_t kItems = 6;
  static constexpr std::array<std::string_view, kItems> kNames = {"books",   "garden", "games",
                                                                  "kitchen", "shoes",  "tools"};

  uint64_t number = 0;
  int64_t ts_micros = 0;
  bool young = false;
  bool evening = false;
  bool known = false;
  int spent = 0;                      // tenths of what the best customers spend
  std::array<int, kItems> chances{};  // of a purchase, in thousandths

  std::string Json() const;  // the event as it is sent
  int best() const;          // of the chances
};

// Visits in a fixed order for a seed, one a second. In the last third of them another fashion has
// come: what shelves are worth has moved on by one. Integers only, so a seed gives the same bytes
// on every machine. Confined.
class ShopperGenerator {
 public:
  ShopperGenerator(uint64_t seed, int64_t start_micros, uint64_t visits);

  Visit Next();
  // Whether the visitor buys from the shelf; at most one draw a visit.
  bool Buys(const Visit& visit, size_t item);
  // Seconds until that is known.
  int64_t Delay() { return static_cast<int64_t>(5 + Below(240)); }

 private:
  uint64_t Below(uint64_t bound);

  uint64_t state_;
  int64_t start_micros_;
  uint64_t visits_;
  uint64_t number_ = 0;
};

}  // namespace headrace::cli
