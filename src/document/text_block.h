#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::document {

// HR3002 at `line N`.
Error MalformedLine(size_t line, std::string message);

// The lines of a text, with their numbers. A view: the text must outlive it. Confined.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}

  // The next line without its end, or nothing behind the last.
  std::optional<std::string_view> Next();
  // The line that Next() will return, not consumed.
  std::optional<std::string_view> Peek() const;
  size_t line() const { return line_; }  // of the last line returned, from 1

 private:
  std::string_view text_;
  size_t at_ = 0;
  size_t line_ = 0;
};

// A run of `key=value` lines up to an empty line or a line that starts another block: the header or
// one tree of a LightGBM text model. A view of the text. Immutable after Read.
class TextBlock {
 public:
  // Reads on while lines are `key=value`, bare words or empty, and stops in front of a line that
  // starts with "Tree=" or "end of trees". Errors: HR3002 (a key twice).
  static Result<TextBlock> Read(LineReader* reader);

  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  size_t first_line() const { return first_line_; }

  // The text of a key, or HR3002 when it is missing.
  Result<std::string_view> Text(std::string_view key) const;
  Result<int32_t> Integer(std::string_view key) const;
  Result<int32_t> IntegerOr(std::string_view key, int32_t otherwise) const;

  // Exactly `count` numbers divided by blanks. Memory grows with the text, not with `count`.
  // Errors: HR3002 (missing, too few, too many, not a number).
  template <typename T>
  Result<std::vector<T>> Numbers(std::string_view key, size_t count) const;

 private:
  struct Entry {
    std::string_view key;
    std::string_view value;
    size_t line;
  };

  const Entry* Find(std::string_view key) const;
  Result<const Entry*> Get(std::string_view key) const;

  std::vector<Entry> entries_;
  size_t first_line_ = 0;
};

// The next word of `text`, cut off its front; empty at the end.
std::string_view TakeWord(std::string_view* text);

template <typename T>
Result<std::vector<T>> TextBlock::Numbers(std::string_view key, size_t count) const {
  HR_ASSIGN(const Entry* entry, Get(key));
  std::string_view rest = entry->value;
  std::vector<T> numbers;
  for (std::string_view word = TakeWord(&rest); !word.empty(); word = TakeWord(&rest)) {
    T number{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size()) {
      return MalformedLine(entry->line, std::string(key) + ": value " +
                                            std::to_string(numbers.size() + 1) +
                                            " is not a number in range");
    }
    numbers.push_back(number);
    if (numbers.size() > count) break;
  }
  if (numbers.size() != count) {
    return MalformedLine(
        entry->line,
        std::string(key) + " needs " + std::to_string(count) + " values and has " +
            (numbers.size() > count ? std::string("more") : std::to_string(numbers.size())));
  }
  return numbers;
}

}  // namespace headrace::document
