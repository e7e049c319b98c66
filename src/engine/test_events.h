#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/test_program.h"

namespace headrace::engine {

// For tests: four events a second, of 23 keys, in an hour that is over: {"k", "q", "ts"}.
inline std::vector<std::string> KeyedEvents(int64_t from, int64_t to) {
  constexpr int64_t kSecond = 1'000'000;
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i) {
    events.push_back(
        R"({"k":"key)" + std::to_string(i * 7 % 23) + R"(","q":)" + std::to_string(i % 13) +
        ",\"ts\":" + std::to_string(TestProgram::kNow - 3600 * kSecond + i * kSecond / 4) + "}");
  }
  return events;
}

// For tests: one event a second, as it comes, of seven keys: {"id", "k", "q", "ts"}. Every tenth
// comes twice, so that ten make nine.
inline std::vector<std::string> RepeatedEvents(int64_t from, int64_t to) {
  constexpr int64_t kSecond = 1'000'000;
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i) {
    const int64_t number = i % 10 == 9 ? i - 1 : i;
    events.push_back(R"({"id":"i)" + std::to_string(number) + R"(","k":"key)" +
                     std::to_string(number % 7) + R"(","q":)" + std::to_string(number % 13) +
                     ",\"ts\":" + std::to_string(TestProgram::kNow + i * kSecond) + "}");
  }
  return events;
}

}  // namespace headrace::engine
