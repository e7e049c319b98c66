#pragma once

#include <cstddef>

namespace headrace::sql {

// A stretch of a script. Value type. `file` is an index into a SourceMap; line and column count
// from 1, columns in Unicode code points; [begin, end) are byte offsets into the file's text.
// Two nodes that differ only in their spans are the same node.
struct SourceSpan {
  int file = 0;
  int line = 1;
  int column = 1;
  size_t begin = 0;
  size_t end = 0;
};

// From the beginning of `first` to the end of `last`.
inline SourceSpan Join(const SourceSpan& first, const SourceSpan& last) {
  SourceSpan span = first;
  if (last.end > span.end) span.end = last.end;
  return span;
}

}  // namespace headrace::sql
