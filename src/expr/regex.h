#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "expr/function.h"
#include "headrace/result.h"

namespace re2 {
class RE2;
}

namespace headrace::expr {

// Options of PostgreSQL's regular expressions: 'i' ignore case, 'g' every match, 'n' newlines
// matter, and so on.
struct RegexFlags {
  bool ignore_case = false;
  bool global = false;
  bool newline = false;   // . and [^x] do not match line ends
  bool lines = false;     // ^ and $ match at lines
  bool literal = false;   // 'q'
  bool expanded = false;  // 'x'
};
Result<RegexFlags> ParseRegexFlags(std::string_view text, RegexFlags flags = {});

// A match: spans of the whole and of the groups; data() is null for a group that took no part.
using RegexMatch = std::vector<std::string_view>;

// A PostgreSQL (ARE) pattern, translated for RE2: linear time whatever the text, the longest match
// unless the pattern is non-greedy. Lookahead and back references are refused. Immutable,
// thread-safe.
class Regex final : public Prepared {
 public:
  static Result<std::unique_ptr<Regex>> Compile(std::string_view pattern, const RegexFlags& given);
  // SIMILAR TO. An empty escape means none.
  static Result<std::unique_ptr<Regex>> CompileSimilar(std::string_view pattern,
                                                       std::string_view escape);
  ~Regex() override;

  bool Matches(std::string_view text) const;
  // The first match at or behind byte `from`. False when there is none.
  bool Find(std::string_view text, size_t from, RegexMatch* match) const;
  const RegexFlags& flags() const { return flags_; }
  size_t groups() const { return groups_; }

 private:
  Regex(std::unique_ptr<re2::RE2> compiled, const RegexFlags& flags);

  std::unique_ptr<re2::RE2> compiled_;
  RegexFlags flags_;
  size_t groups_;
};

}  // namespace headrace::expr
