#include "cli/arguments.h"

#include <charconv>

#include "expr/expr.h"

namespace headrace::cli {
namespace {

const Flag* FindFlag(const std::vector<Flag>& flags, std::string_view name) {
  for (const Flag& flag : flags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

Error UnknownFlag(const std::vector<Flag>& flags, std::string_view name) {
  std::vector<std::string_view> names = {"--help"};
  for (const Flag& flag : flags)
    names.push_back(flag.name);
  std::string message = "unknown flag " + std::string(name);
  if (std::string near = Closest(name, names); !near.empty()) {
    message += "; did you mean " + near + "?";
  }
  return BadUsage(message);
}

bool IsFlag(std::string_view word) {
  return word.size() > 1 && word[0] == '-';
}

}  // namespace

Error BadUsage(std::string message) {
  return Error(ErrorKind::kInvalidArgument, "HR9001", std::move(message));
}

std::string Closest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::vector<std::string> near =
      expr::CloseNames(word, std::vector<std::string>(candidates.begin(), candidates.end()));
  return near.empty() ? "" : near.front();
}

Result<Arguments> Arguments::Parse(const std::vector<Flag>& flags,
                                   const std::vector<std::string>& words) {
  Arguments parsed;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      parsed.positionals_.insert(parsed.positionals_.end(), words.begin() + i + 1, words.end());
      break;
    }
    if (!IsFlag(words[i])) {
      parsed.positionals_.push_back(words[i]);
      continue;
    }
    std::string name = words[i];
    std::optional<std::string> value;
    if (size_t equals = name.find('='); equals != std::string::npos && name.starts_with("--")) {
      value = name.substr(equals + 1);
      name.resize(equals);
    }
    const Flag* flag = FindFlag(flags, name);
    if (flag == nullptr) return UnknownFlag(flags, name);
    if (flag->value.empty()) {
      if (value) return BadUsage(name + " takes no value");
      value = "";
    } else if (!value) {
      if (i + 1 == words.size()) return BadUsage(name + " needs " + std::string(flag->value));
      value = words[++i];
    }
    std::vector<std::string>& given = parsed.values_[name];
    if (!given.empty() && !flag->repeated) return BadUsage(name + " is given twice");
    given.push_back(*std::move(value));
  }
  return parsed;
}

const std::string* Arguments::Find(std::string_view flag) const {
  auto found = values_.find(flag);
  return found == values_.end() ? nullptr : &found->second.front();
}

std::string Arguments::Get(std::string_view flag, std::string_view otherwise) const {
  const std::string* value = Find(flag);
  return value == nullptr ? std::string(otherwise) : *value;
}

std::vector<std::string> Arguments::All(std::string_view flag) const {
  auto found = values_.find(flag);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

Result<std::vector<std::pair<std::string, std::string>>> Arguments::Pairs(
    std::string_view flag) const {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : All(flag)) {
    size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
      return BadUsage(std::string(flag) + " takes STREAM=FILE, not `" + text + "`");
    }
    pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return pairs;
}

Result<int64_t> Arguments::Integer(std::string_view flag, int64_t otherwise, int64_t min,
                                   int64_t max) const {
  const std::string* text = Find(flag);
  if (text == nullptr) return otherwise;
  int64_t number = 0;
  auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (problem != std::errc() || end != text->data() + text->size() || number < min ||
      number > max) {
    return BadUsage(std::string(flag) + " takes a whole number from " + std::to_string(min) +
                    " to " + std::to_string(max) + ", not `" + *text + "`");
  }
  return number;
}

}  // namespace headrace::cli
