#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace headrace::flow {

// Is told how long models take. Nothing that is computed may depend on it: operators see no clock,
// they only hand on what this one read. Thread-safe.
class ScoreTimer {
 public:
  virtual ~ScoreTimer() = default;
  virtual int64_t Now() const = 0;  // monotonic nanoseconds
  // A version scored so many rows in one call.
  virtual void Scored(const std::string& model, int32_t version, size_t rows,
                      int64_t nanoseconds) = 0;
};

}  // namespace headrace::flow
