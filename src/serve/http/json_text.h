#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::serve {

// Nesting that a body may have at most.
inline constexpr size_t kJsonDepthMax = 512;

// Reads JSON text (RFC 8259) from front to back without building a tree: finds where values begin
// and end and checks their grammar on the way. UTF-8 is not checked here. Linear, without
// recursion, takes no memory. Unsynchronized; the text must outlive it.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}

  size_t position() const { return at_; }
  bool at_end();             // after white space
  bool Take(char expected);  // after white space
  char Peek();               // after white space; '\0' at the end
  // One whole value, without the white space around it. Empty: malformed, see problem().
  std::string_view Value();
  // What is wrong at position().
  const char* problem() const { return problem_; }
  Error ToError() const;

 private:
  bool Fail(const char* problem);
  void SkipSpace();
  bool Scalar(char first);
  bool String();
  bool Escape();
  bool Number();
  bool Word(std::string_view word);
  bool Digits();
  bool BeforeValue(size_t depth, bool* is_object);

  std::string_view text_;
  size_t at_ = 0;
  const char* problem_ = "";
};

// One member of an object. `key` is decoded, `value` is raw text.
struct JsonMember {
  std::string key;
  std::string_view value;
};

// The elements of a text that is one array; at most `elements_max` (kTooManyEvents beyond).
Result<std::vector<std::string_view>> SplitJsonArray(std::string_view text, size_t elements_max);
// The members of a text that is one object; at most 1024. A repeated key is an error.
Result<std::vector<JsonMember>> SplitJsonObject(std::string_view text);
// One value and nothing else.
Status CheckJson(std::string_view text);
// The text of a raw JSON string, quotes included; nothing when it is no string or a lone surrogate.
std::optional<std::string> DecodeJsonString(std::string_view raw);

}  // namespace headrace::serve
