#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "headrace/error.h"
#include "sql/source_span.h"

namespace headrace::sql {

// One thing wrong with a script: what, where, and what to do about it. Value type.
struct Diagnostic {
  std::string code;  // HR10xx: parser; HR11xx: binder and planner
  std::string message;
  SourceSpan span;
  std::string hint;                     // what to do next, or empty
  std::vector<std::string> candidates;  // names that are really close, best first
};

// The texts that spans refer to. A span's `file` is the number that Add answered. Confined to one
// thread while files are added, immutable afterwards. Keeps copies of the texts.
class SourceMap {
 public:
  int Add(std::string name, std::string text);

  size_t size() const { return files_.size(); }
  // Of an unknown file: "" and "".
  std::string_view name(int file) const;
  std::string_view text(int file) const;

 private:
  struct File {
    std::string name;
    std::string text;
  };
  std::vector<File> files_;
};

// For people, without colours, ending in a newline:
//
//   app.sql:7:27: error HR1104: unknown column `amuont`
//     7 | CREATE STREAM a AS SELECT amuont FROM payments;
//       |                           ^~~~~~
//   hint: did you mean `amount`?
//
// A line too long for a terminal is cut around the caret; control characters are not printed raw.
enum class Severity { kError, kWarning };
std::string Render(const Diagnostic& diagnostic, const SourceMap& sources,
                   Severity severity = Severity::kError);
// Each rendered, in the order of their places, an empty line between two.
std::string Render(const std::vector<Diagnostic>& diagnostics, const SourceMap& sources);

// The hint with its candidates: "did you mean `a` or `b`? <hint>".
std::string FullHint(const Diagnostic& diagnostic);
// For callers that carry one Error: kind kInvalidArgument, place `file:line:column`.
Error ToError(const Diagnostic& diagnostic, const SourceMap& sources);

// Edit distance in code units, an exchange of neighbours counting 1, case ignored; stops at
// `limit` + 1.
int EditDistance(std::string_view a, std::string_view b, int limit);

}  // namespace headrace::sql
