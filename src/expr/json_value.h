#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "expr/types.h"

namespace headrace::expr {

// Operations on the text of json and jsonb values. The text is valid: it went through a cast. What
// they return points into it or is built into a string.

enum class JsonKind : uint8_t { kObject, kArray, kString, kNumber, kTruth, kNull };
JsonKind KindOfJson(std::string_view json);
// As jsonb_typeof says.
std::string_view NameOfJson(JsonKind kind);
inline bool IsScalar(JsonKind kind) {
  return kind != JsonKind::kObject && kind != JsonKind::kArray;
}

// Without blanks around.
std::string_view TrimJson(std::string_view json);
// The last member of that name.
std::optional<std::string_view> JsonMemberOf(std::string_view object, std::string_view key);
// Counted from the end when negative.
std::optional<std::string_view> JsonElementOf(std::string_view array, int64_t index);
// Follows keys and indexes.
std::optional<std::string_view> JsonAt(std::string_view json, const std::vector<std::string>& path);
// Whether a jsonb has the key as member, or as string element.
bool JsonHas(std::string_view json, std::string_view key);
bool JsonContains(std::string_view outer, std::string_view inner);

// The JSON of an SQL value; `canonical` writes it as jsonb does.
void AppendAsJson(const Value& value, Type type, bool canonical, std::string& out);

// Members of a jsonb being changed: sorted on output, the last of equal keys wins.
struct JsonEntry {
  std::string key;  // decoded
  std::string value;
};
std::vector<JsonEntry> JsonEntries(std::string_view object);
void AppendObject(std::vector<JsonEntry> entries, std::string& out);
void AppendList(const std::vector<std::string>& elements, std::string& out);

// An integer that is all of `text`.
std::optional<int64_t> ParseIndex(std::string_view text);

}  // namespace headrace::expr
