#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::row {

// Nesting beyond this is refused, so that hostile text cannot exhaust the stack.
inline constexpr int kMaxJsonDepth = 256;

// Checks that `text` is one JSON document. Errors are PostgreSQL's (HR2001).
Status CheckJson(std::string_view text);

// True when `text` is a JSON number and nothing else. Stricter than ParseDecimal.
bool IsJsonNumber(std::string_view text);

// Appends the canonical form of jsonb: one blank behind ':' and ',', keys by length then bytes, the
// last of equal keys, numbers with their scale (`1.50`, `1e2` becomes `100`), strings unescaped as
// far as possible.
Status AppendJsonb(std::string_view text, std::string& out);

// Decodes a JSON string literal, quotes included. It must have passed CheckJson.
void AppendUnescaped(std::string_view literal, std::string& out);

// As PostgreSQL writes a string into jsonb: only quotes, backslashes and control bytes are escaped.
void AppendJsonbString(std::string_view text, std::string& out);

// The order of jsonb's keys: shorter first, then by bytes.
bool JsonbKeyLess(std::string_view a, std::string_view b);

// The members of a valid JSON object, or elements of an array, as spans of its text, in the order
// written. Keys come with their quotes.
struct JsonMember {
  std::string_view key;
  std::string_view value;
};
std::vector<JsonMember> JsonMembers(std::string_view object);
std::vector<std::string_view> JsonElements(std::string_view array);

}  // namespace headrace::row
