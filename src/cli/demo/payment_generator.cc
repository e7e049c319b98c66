#include "cli/demo/payment_generator.h"

#include "row/text.h"

namespace headrace::cli {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kTakenFor = 4 * 3600 * kSecond;  // a terminal stays in the wrong hands

// A permutation of 64 bits in which neighbours have nothing in common (Steele and others 2014).
uint64_t Scatter(uint64_t x) {
  x ^= x >> 30;
  x *= 0xBF58476D1CE4E5B9;
  x ^= x >> 27;
  x *= 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

void AppendDigits(uint64_t number, size_t width, std::string& out) {
  std::string digits = std::to_string(number);
  out.append(digits.size() < width ? width - digits.size() : 0, '0');
  out += digits;
}

}  // namespace

std::string_view ToString(Pattern pattern) {
  switch (pattern) {
    case Pattern::kHonest:
      return "honest";
    case Pattern::kCardTesting:
      return "card testing";
    case Pattern::kLargeAmount:
      return "large amount";
    case Pattern::kTakenTerminal:
      return "taken terminal";
  }
  return "";
}

std::string Payment::Json() const {
  std::string out = "{\"tx_id\":\"t";
  AppendDigits(number, 8, out);
  out += "\",\"card\":\"c";
  AppendDigits(card, 5, out);
  out += "\",\"terminal\":\"m";
  AppendDigits(terminal, 4, out);
  out += "\",\"amount\":" + std::to_string(cents / 100) + ".";
  AppendDigits(static_cast<uint64_t>(cents % 100), 2, out);
  out += ",\"ts\":\"";
  row::AppendRfc3339(ts_micros, out);
  return out + "\"}";
}

std::string Payment::LabelledJson() const {
  std::string out = Json();
  out.pop_back();
  out += pattern == Pattern::kHonest ? ",\"is_fraud\":0" : ",\"is_fraud\":1";
  out += ",\"pattern\":\"";
  out += ToString(pattern);
  return out + "\"}";
}

PaymentGenerator::PaymentGenerator(PaymentOptions options)
    : options_(options), state_(Scatter(options.seed + 0x68656164)) {}

uint64_t PaymentGenerator::Draw() {
  state_ += 0x9E3779B97F4A7C15;
  return Scatter(state_);
}

// Some cards pay much more often than others: the smallest of two draws.
uint32_t PaymentGenerator::PickCard() {
  const uint64_t a = Below(kCards);
  const uint64_t b = Below(kCards);
  return static_cast<uint32_t>(a < b ? a : b);
}

uint32_t PaymentGenerator::HomeTerminal(uint32_t card, uint64_t which) const {
  return static_cast<uint32_t>(Scatter(options_.seed * 31 + card * 8 + which) % kTerminals);
}

// Every card has its own level, from 6 to 80; single payments are mostly below it and seldom far
// above.
int64_t PaymentGenerator::UsualCents(uint32_t card) {
  const uint64_t level = 600 + Scatter(options_.seed * 17 + card) % 7400;
  const uint64_t u = Below(1000);
  const uint64_t factor = 25 + u * u * u / 5'000'000;  // 25 .. 224 percent
  return static_cast<int64_t>(level * factor / 100);
}

// About three terminals at any time, each for kTakenFor.
bool PaymentGenerator::IsTaken(uint32_t terminal, int64_t ts_micros) const {
  const auto period = static_cast<uint64_t>(ts_micros / kTakenFor);
  for (uint64_t i = 0; i < 3; ++i) {
    if (Scatter(options_.seed ^ (period * 3 + i) * 0x51ED) % kTerminals == terminal) return true;
  }
  return false;
}

void PaymentGenerator::PlanCardTesting(uint32_t card, int64_t ts_micros) {
  const uint64_t tries = 4 + Below(7);
  int64_t at = ts_micros;
  for (uint64_t i = 0; i < tries; ++i) {
    at += static_cast<int64_t>(8 + Below(50)) * kSecond;
    const bool last = i + 1 == tries;
    const auto cents = static_cast<int64_t>(last ? 30'000 + Below(90'000) : 100 + Below(900));
    planned_.push({at, order_++, card, cents});
  }
}

Payment PaymentGenerator::Next() {
  Payment payment;
  payment.number = number_;
  const int64_t now = options_.start_micros + static_cast<int64_t>(number_) * options_.step_micros;
  ++number_;
  payment.ts_micros = now;
  if (!planned_.empty() && planned_.top().ts_micros <= now) {
    payment.card = planned_.top().card;
    payment.cents = planned_.top().cents;
    payment.ts_micros = planned_.top().ts_micros;
    payment.terminal = static_cast<uint32_t>(Below(kTerminals));
    payment.pattern = Pattern::kCardTesting;
    planned_.pop();
    // A testing run that fell behind the others would be late; it is sent now and dated now.
    if (payment.ts_micros < now - 4 * kSecond) payment.ts_micros = now;
    return payment;
  }
  payment.card = PickCard();
  payment.terminal = Below(100) < 80 ? HomeTerminal(payment.card, Below(6))
                                     : static_cast<uint32_t>(Below(kTerminals));
  payment.cents = UsualCents(payment.card);
  const uint64_t kind = Below(3000);
  if (kind < 6) {
    PlanCardTesting(payment.card, now);
  } else if (kind < 14) {
    payment.cents = payment.cents * static_cast<int64_t>(8 + Below(15));
    payment.pattern = Pattern::kLargeAmount;
  } else if (IsTaken(payment.terminal, now) && Below(10) < 4) {
    payment.cents = payment.cents * static_cast<int64_t>(3 + Below(3));
    payment.pattern = Pattern::kTakenTerminal;
  }
  // One in ten comes out of order, within what the watermark waits for.
  if (Below(10) == 0) payment.ts_micros -= static_cast<int64_t>(Below(4000)) * 1000;
  return payment;
}

}  // namespace headrace::cli
