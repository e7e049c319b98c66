#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/result.h"

namespace headrace::learn {

// An option that a learner takes: a number within [least, most], or one of the words.
struct OptionRule {
  std::string_view name;
  double standard = 0;  // when it is not given; of words: the index
  double least = 0;
  double most = 0;
  bool whole = false;
  std::string_view words{};  // "class|probability"
};

// The values of a learner's options: given, or as the rule says. Value type.
class OptionValues {
 public:
  // Errors: HR3081, HR3082.
  static Result<OptionValues> Read(const std::vector<OptionRule>& rules,
                                   const std::vector<std::pair<std::string, std::string>>& given);

  // There must be a rule of that name.
  double Number(std::string_view name) const;
  size_t Count(std::string_view name) const { return static_cast<size_t>(Number(name)); }

 private:
  std::vector<std::pair<std::string_view, double>> values_;
};

}  // namespace headrace::learn
