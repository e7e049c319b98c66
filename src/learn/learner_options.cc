#include "learn/learner_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "headrace/check.h"

namespace headrace::learn {
namespace {

std::string ShortText(double number) {
  char digits[32];
  return {digits,
          std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed).ptr};
}

std::optional<double> ReadWord(std::string_view words, std::string_view text) {
  for (double index = 0;; index += 1) {
    const size_t end = words.find('|');
    if (words.substr(0, end) == text) return index;
    if (end == std::string_view::npos) return {};
    words.remove_prefix(end + 1);
  }
}

std::optional<double> ReadNumber(const OptionRule& rule, std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  if (!(number >= rule.least && number <= rule.most)) return {};
  if (rule.whole && number != std::floor(number)) return {};
  return number;
}

Error OutOfRange(const OptionRule& rule, std::string_view text) {
  Error error(ErrorKind::kInvalidArgument, "HR3082",
              "option `" + std::string(rule.name) + "` cannot be '" + std::string(text) + "'");
  if (!rule.words.empty()) {
    std::string list(rule.words);
    std::replace(list.begin(), list.end(), '|', ' ');
    return std::move(error).WithHint("it is one of: " + list);
  }
  return std::move(error).WithHint("it is a " + std::string(rule.whole ? "whole " : "") +
                                   "number from " + ShortText(rule.least) + " to " +
                                   ShortText(rule.most));
}

}  // namespace

Result<OptionValues> OptionValues::Read(
    const std::vector<OptionRule>& rules,
    const std::vector<std::pair<std::string, std::string>>& given) {
  OptionValues values;
  for (const OptionRule& rule : rules)
    values.values_.emplace_back(rule.name, rule.standard);
  for (const auto& option : given) {
    const std::string& name = option.first;
    const std::string& text = option.second;
    const auto rule = std::find_if(rules.begin(), rules.end(),
                                   [&](const OptionRule& known) { return known.name == name; });
    if (rule == rules.end()) {
      std::string list;
      for (const OptionRule& known : rules)
        list += (list.empty() ? "" : ", ") + std::string(known.name);
      return Error(ErrorKind::kInvalidArgument, "HR3081", "there is no option `" + name + "`")
          .WithHint("its options: " + list);
    }
    const std::optional<double> value =
        rule->words.empty() ? ReadNumber(*rule, text) : ReadWord(rule->words, text);
    if (!value) return OutOfRange(*rule, text);
    values.values_[static_cast<size_t>(rule - rules.begin())].second = *value;
  }
  return values;
}

double OptionValues::Number(std::string_view name) const {
  const auto found = std::find_if(values_.begin(), values_.end(),
                                  [&](const auto& value) { return value.first == name; });
  HR_CHECK(found != values_.end());
  return found->second;
}

}  // namespace headrace::learn
