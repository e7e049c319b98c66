#pragma once

#include <cstdint>
#include <mutex>

namespace headrace::os {

// The only way to random bits. Thread-safe. What it gave must be written to the journal before it
// may influence an output.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next() = 0;  // all 64 bits uniform
  // Uniform in [0, bound); 0 for bound 0.
  uint64_t Below(uint64_t bound);
};

// Unpredictable bits from the operating system, fit for tokens.
class SystemRandom final : public Random {
 public:
  uint64_t Next() override;
};

// The same bits for the same seed on every machine (splitmix64). For tests and simulation.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next() override;

 private:
  std::mutex mutex_;
  uint64_t state_;
};

}  // namespace headrace::os
