#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "row/value.h"
#include "state/running_function.h"

// The functions with a memory that SQL knows by name: `adwin(x, 0.002)`. What they compute stands
// in the module learn; here they get their names, their constants and their rule for NULL.
//
// They take numbers and booleans (true is 1), some of them values of any type. A value that is
// NULL, NaN, beyond 1e150 in size or, for functions of errors, outside of 0 to 1 is passed over:
// the memory does not change, the answer is NULL.

namespace headrace::flow {

// A constant of such a function: by position behind the values, or by name.
struct RunningParameter {
  std::string_view name;
  double standard = 0;  // when it is not given
  double least = 0;
  double most = 0;
  bool inside = false;  // `least` and `most` themselves are out
  bool whole = false;
  // "both|up|down": its values, as text, or "false|true"; the number is the word's index.
  std::string_view words{};
};

struct RunningEntry {
  std::string_view name;
  size_t values = 1;  // that it takes of each row, in front of the constants
  std::span<const RunningParameter> parameters;
  row::Type result{};
  // `constants`: one a parameter, checked.
  std::unique_ptr<state::RunningFunction> (*make)(std::span<const double> constants,
                                                  std::span<const row::Type> types) = nullptr;

  // What is wrong with constants that are each in their range; null, or a null function: nothing.
  const char* (*refuse)(std::span<const double> constants) = nullptr;
  bool any_type = false;  // takes not numbers alone

  // As a user writes it, for errors: `adwin(value, delta, clock)`.
  std::string Signature() const;
};

// Null when there is none of that name.
const RunningEntry* FindRunningFunction(std::string_view name);
std::vector<std::string> RunningFunctionNames();

// A call with its constants; slots and the type of the result are left to the planner.
state::RunningCall MakeRunningCall(const RunningEntry& entry, std::vector<double> constants,
                                   std::vector<row::Type> types);

}  // namespace headrace::flow
