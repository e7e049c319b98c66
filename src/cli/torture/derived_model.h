#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "cli/torture/history.h"

namespace headrace::cli::torture {

inline constexpr int64_t kWindowMicros = 5'000'000;

// What the statements of the script must give, by the plainest means: each key keeps all its
// events sorted by time, and a window is walked through. Shares nothing with the engine. Confined.
class DerivedModel {
 public:
  struct Answer {
    Numbers numbers{};
    bool odd = false;  // it has a row in kOdd, with numbers.running
  };
  // The events of a key in the order in which the log has them.
  Answer Take(const Event& event);

 private:
  struct Key {
    std::vector<std::pair<int64_t, int64_t>> events;  // (at, amount), by at, then arrival
    std::vector<int64_t> odd;                         // at of the rows of kOdd, sorted
  };
  std::map<int64_t, Key> keys_;
};

}  // namespace headrace::cli::torture
