#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::train {

// What the labels are, and with it what can be measured.
enum class Task : uint8_t {
  kBinary,      // 0 or 1, or false and true
  kRegression,  // finite numbers
  kMulticlass,  // whole numbers from 0
};

inline constexpr size_t kClassesMax = 1000;

// The place of the column called `label`. Error: HR3005 with the closest candidates' names.
Result<size_t> LabelColumn(const std::vector<std::string>& header, std::string_view label);

// Reads one label; `classes` bounds those of kMulticlass. Error: HR3008 at `line N`.
Result<double> ReadLabel(Task task, size_t classes, std::string_view cell, size_t line);

}  // namespace headrace::train
