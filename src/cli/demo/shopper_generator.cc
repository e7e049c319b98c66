#include "cli/demo/shopper_generator.h"

#include <algorithm>

#include "row/text.h"

namespace headrace::cli {
namespace {

constexpr int64_t kSecond = 1'000'000;

// What a shelf is worth, in thousandths: to everybody, and besides to the young, in the evening, to
// known customers, and for each tenth spent before.
struct Worth {
  int base, young, evening, known, spent;
};
constexpr Worth kWorths[Visit::kItems] = {{120, -60, 90, 20, 2},  {60, -30, -30, 60, 9},
                                          {40, 210, 60, 0, -3},   {90, -20, 30, 50, 3},
                                          {100, 90, -20, -10, 5}, {70, 10, -40, 10, 12}};

}  // namespace

std::string Visit::Json() const {
  const auto flag = [](bool on) { return on ? "1" : "0"; };
  std::string out = "{\"visit\":" + std::to_string(number) + ",\"young\":" + flag(young) +
                    ",\"evening\":" + flag(evening) + ",\"known\":" + flag(known) +
                    ",\"spent\":0." + std::to_string(spent) + ",\"ts\":\"";
  row::AppendRfc3339(ts_micros, out);
  return out + "\"}";
}

int Visit::best() const {
  return *std::max_element(chances.begin(), chances.end());
}

ShopperGenerator::ShopperGenerator(uint64_t seed, int64_t start_micros, uint64_t visits)
    : state_(seed), start_micros_(start_micros), visits_(visits) {}

// Splitmix64.
uint64_t ShopperGenerator::Below(uint64_t bound) {
  uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return (z ^ (z >> 31)) % bound;
}

Visit ShopperGenerator::Next() {
  Visit visit;
  visit.number = number_++;
  visit.ts_micros = start_micros_ + static_cast<int64_t>(visit.number) * kSecond;
  visit.young = Below(100) < 45;
  visit.evening = Below(100) < 40;
  visit.known = Below(100) < 30;
  visit.spent = static_cast<int>(visit.known ? Below(10) : Below(3));
  const size_t moved = 3 * visit.number >= 2 * visits_ ? 1 : 0;
  for (size_t item = 0; item < Visit::kItems; ++item) {
    const Worth& worth = kWorths[(item + moved) % Visit::kItems];
    const int chance = worth.base + (visit.young ? worth.young : 0) +
                       (visit.evening ? worth.evening : 0) + (visit.known ? worth.known : 0) +
                       worth.spent * visit.spent;
    visit.chances[item] = std::clamp(chance, 5, 900);
  }
  return visit;
}

bool ShopperGenerator::Buys(const Visit& visit, size_t item) {
  return Below(1000) < static_cast<uint64_t>(visit.chances[item]);
}

}  // namespace headrace::cli
