#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/result.h"

namespace headrace::cli {

// How one flag is written. A flag without a value name is a switch.
struct Flag {
  std::string_view name;   // "--data" or "-c"
  std::string_view value;  // "DIR"; empty: a switch
  std::string_view help;
  bool repeated = false;
};

// The words of one command, sorted by its flags. Immutable after Parse.
class Arguments {
 public:
  // Takes `--flag value`, `--flag=value`, `-c value` and `--`. Errors: kInvalidArgument HR9001 for
  // an unknown flag (with the closest known one), a missing value, a switch with a value, a repeat.
  static Result<Arguments> Parse(const std::vector<Flag>& flags,
                                 const std::vector<std::string>& words);

  bool Has(std::string_view flag) const { return values_.contains(flag); }
  // The value given, or null.
  const std::string* Find(std::string_view flag) const;
  std::string Get(std::string_view flag, std::string_view otherwise) const;
  std::vector<std::string> All(std::string_view flag) const;
  // Values of the form NAME=VALUE. Error: HR9001.
  Result<std::vector<std::pair<std::string, std::string>>> Pairs(std::string_view flag) const;
  // Error: HR9001 when it is not a whole number within [min, max].
  Result<int64_t> Integer(std::string_view flag, int64_t otherwise, int64_t min, int64_t max) const;
  const std::vector<std::string>& positionals() const { return positionals_; }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> positionals_;
};

// A usage error.
Error BadUsage(std::string message);

// The candidate that `word` most likely meant, or empty when none is close.
std::string Closest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace headrace::cli
