#pragma once

#include <cstdint>
#include <queue>
#include <string>
#include <vector>

namespace headrace::cli {

// What a payment of the demo really was. Never part of the payment itself.
enum class Pattern : uint8_t { kHonest, kCardTesting, kLargeAmount, kTakenTerminal };
std::string_view ToString(Pattern pattern);

struct Payment {
  uint64_t number = 0;
  int64_t ts_micros = 0;
  uint32_t card = 0;
  uint32_t terminal = 0;
  int64_t cents = 0;
  Pattern pattern = Pattern::kHonest;

  std::string Json() const;          // the event as it is sent
  std::string LabelledJson() const;  // with "is_fraud" and "pattern", for training
};

struct PaymentOptions {
  uint64_t seed = 42;
  int64_t start_micros = 0;  // UTC, of the first payment
  int64_t step_micros = 0;   // between payments, on average
};

// Payments of a small town of cards and terminals, with three kinds of fraud among them:
// card testing (a run of small payments at terminals the card never saw, then a large one), single
// large amounts, and terminals that are in the wrong hands for some hours. Integers only, so a seed
// gives the same bytes on every machine. Confined.
class PaymentGenerator {
 public:
  static constexpr uint32_t kCards = 1500;
  static constexpr uint32_t kTerminals = 250;

  explicit PaymentGenerator(PaymentOptions options);

  Payment Next();

 private:
  struct Planned {
    int64_t ts_micros;
    uint64_t order;
    uint32_t card;
    int64_t cents;
    bool operator>(const Planned& other) const {
      return ts_micros != other.ts_micros ? ts_micros > other.ts_micros : order > other.order;
    }
  };

  uint64_t Draw();
  uint64_t Below(uint64_t bound) { return Draw() % bound; }
  uint32_t PickCard();
  uint32_t HomeTerminal(uint32_t card, uint64_t which) const;
  int64_t UsualCents(uint32_t card);
  bool IsTaken(uint32_t terminal, int64_t ts_micros) const;
  void PlanCardTesting(uint32_t card, int64_t ts_micros);

  PaymentOptions options_;
  uint64_t state_;
  uint64_t number_ = 0;
  uint64_t order_ = 0;
  std::priority_queue<Planned, std::vector<Planned>, std::greater<>> planned_;
};

}  // namespace headrace::cli
