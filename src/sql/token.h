#pragma once

#include <string>
#include <string_view>

#include "sql/source_span.h"

namespace headrace::sql {

enum class TokenKind {
  kEnd,         // of the statement: its semicolon, or the end of the script
  kWord,        // keyword or name: `text` folded to lower case
  kQuotedName,  // "Name": `text` without the quotes
  kString,      // '...', E'...', U&'...', $$...$$: `text` decoded
  kBitString,   // B'10', X'1f': `text` is "b10", "x1f"
  kNumber,      // `text` as written
  kOperator,    // run of operator characters, by PostgreSQL's rule; "!=" is "<>"
  kSymbol,      // ( ) [ ] , . : :: =>
};

// A lexical unit of a script. Value type.
struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  SourceSpan span;
};

// Words that are never a name unless quoted.
bool IsReserved(std::string_view word);
// Words that name a function but neither a column nor an alias: LEFT, RIGHT, LIKE, JOIN ...
bool IsFunctionOnly(std::string_view word);

}  // namespace headrace::sql
