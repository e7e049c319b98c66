// Functions that make json and jsonb or change it.
#include <algorithm>
#include <string>

#include "expr/function.h"
#include "expr/json_value.h"
#include "row/array_text.h"
#include "row/json_text.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

template <bool kCanonical>
Value ToJson(const Value* a, CallFrame& frame) {
  std::string out;
  AppendAsJson(a[0], frame.types[0], kCanonical, out);
  return MakeText(frame.context, out);
}

Value BuildArray(const Value* a, CallFrame& frame, bool canonical) {
  std::vector<std::string> elements(frame.types.size());
  for (size_t i = 0; i < elements.size(); ++i) {
    AppendAsJson(a[i], frame.types[i], canonical, elements[i]);
  }
  std::string out;
  AppendList(elements, out);
  return MakeText(frame.context, out);
}

template <bool kCanonical>
Value BuildArrayOf(const Value* a, CallFrame& frame) {
  return BuildArray(a, frame, kCanonical);
}

// Keys and values by turns. False when the row has failed.
bool ReadEntries(const Value* a, CallFrame& frame, bool canonical,
                 std::vector<JsonEntry>* entries) {
  if (frame.types.size() % 2 != 0) {
    Fail(frame.context, "HR2103", "argument list must have even number of elements");
    return false;
  }
  for (size_t i = 0; i < frame.types.size(); i += 2) {
    if (a[i].null) {
      Fail(frame.context, "HR2103", "argument " + std::to_string(i + 1) + ": key must not be null");
      return false;
    }
    JsonEntry& entry = entries->emplace_back();
    row::AppendText(a[i], frame.types[i], entry.key);
    AppendAsJson(a[i + 1], frame.types[i + 1], canonical, entry.value);
  }
  return true;
}

Value BuildObjectJsonb(const Value* a, CallFrame& frame) {
  std::vector<JsonEntry> entries;
  if (!ReadEntries(a, frame, true, &entries)) return Value::Null();
  std::string out;
  AppendObject(std::move(entries), out);
  return MakeText(frame.context, out);
}

// json keeps the order and writes blanks around the colon.
Value BuildObjectJson(const Value* a, CallFrame& frame) {
  std::vector<JsonEntry> entries;
  if (!ReadEntries(a, frame, false, &entries)) return Value::Null();
  std::string out = "{";
  for (const JsonEntry& entry : entries) {
    if (out.size() > 1) out += ", ";
    row::AppendJsonbString(entry.key, out);
    out += " : ";
    out += entry.value;
  }
  out += '}';
  return MakeText(frame.context, out);
}

template <const char* kText>
Value Fixed(const Value*, CallFrame&) {
  return Value::Text(kText);
}
constexpr char kEmptyObject[] = "{}";
constexpr char kEmptyArray[] = "[]";

void StripNulls(std::string_view json, bool canonical, std::string& out) {
  const std::string_view separator = canonical ? ", " : ",";
  const JsonKind kind = KindOfJson(json);
  bool first = true;
  if (kind == JsonKind::kObject) {
    out += '{';
    for (const row::JsonMember& member : row::JsonMembers(json)) {
      if (KindOfJson(member.value) == JsonKind::kNull) continue;
      if (!first) out += separator;
      first = false;
      out += member.key;
      out += canonical ? ": " : ":";
      StripNulls(member.value, canonical, out);
    }
    out += '}';
  } else if (kind == JsonKind::kArray) {
    out += '[';
    for (std::string_view element : row::JsonElements(json)) {
      if (!first) out += separator;
      first = false;
      StripNulls(element, canonical, out);
    }
    out += ']';
  } else {
    out += TrimJson(json);
  }
}

template <bool kCanonical>
Value StripNullsOf(const Value* a, CallFrame& frame) {
  std::string out;
  StripNulls(a[0].text(), kCanonical, out);
  return MakeText(frame.context, out);
}

std::vector<std::string> ElementsOf(std::string_view json) {
  if (KindOfJson(json) != JsonKind::kArray) return {std::string(json)};
  const auto elements = row::JsonElements(json);
  return {elements.begin(), elements.end()};
}

Value Concat(const Value* a, CallFrame& frame) {
  std::string out;
  if (KindOfJson(a[0].text()) == JsonKind::kObject &&
      KindOfJson(a[1].text()) == JsonKind::kObject) {
    std::vector<JsonEntry> entries = JsonEntries(a[0].text());
    for (JsonEntry& entry : JsonEntries(a[1].text()))
      entries.push_back(std::move(entry));
    AppendObject(std::move(entries), out);
  } else {
    std::vector<std::string> elements = ElementsOf(a[0].text());
    for (std::string& element : ElementsOf(a[1].text()))
      elements.push_back(std::move(element));
    AppendList(elements, out);
  }
  return MakeText(frame.context, out);
}

// The value without these keys (of an object) or strings (of an array).
Value Delete(const Value& json, const std::vector<std::string>& keys, EvalContext& context) {
  const auto is_key = [&](std::string_view key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  std::string out;
  switch (KindOfJson(json.text())) {
    case JsonKind::kObject: {
      std::vector<JsonEntry> entries = JsonEntries(json.text());
      std::erase_if(entries, [&](const JsonEntry& entry) { return is_key(entry.key); });
      AppendObject(std::move(entries), out);
      break;
    }
    case JsonKind::kArray: {
      std::vector<std::string> elements = ElementsOf(json.text());
      std::erase_if(elements, [&](const std::string& element) {
        if (element.front() != '"') return false;
        std::string text;
        row::AppendUnescaped(element, text);
        return is_key(text);
      });
      AppendList(elements, out);
      break;
    }
    default:
      return Fail(context, "HR2103", "cannot delete from scalar");
  }
  return MakeText(context, out);
}

Value DeleteKey(const Value* a, CallFrame& frame) {
  return Delete(a[0], {std::string(a[1].text())}, frame.context);
}

Value DeleteKeys(const Value* a, CallFrame& frame) {
  Result<row::ArrayElements> elements = row::ParseArray(a[1].text());
  std::vector<std::string> keys;
  for (const auto& element : elements.ok() ? elements.value() : row::ArrayElements{}) {
    if (element) keys.push_back(*element);
  }
  return Delete(a[0], keys, frame.context);
}

Value DeleteIndex(const Value* a, CallFrame& frame) {
  const JsonKind kind = KindOfJson(a[0].text());
  if (kind != JsonKind::kArray) {
    return Fail(frame.context, "HR2103",
                kind == JsonKind::kObject ? "cannot delete from object using integer index"
                                          : "cannot delete from scalar");
  }
  std::vector<std::string> elements = ElementsOf(a[0].text());
  const auto size = static_cast<int64_t>(elements.size());
  const int64_t index = a[1].integer < 0 ? a[1].integer + size : a[1].integer;
  if (index < 0 || index >= size) return a[0];
  elements.erase(elements.begin() + index);
  std::string out;
  AppendList(elements, out);
  return MakeText(frame.context, out);
}

// Puts a value at a path, or deletes what is there. Confined to one call.
class PathEdit {
 public:
  PathEdit(std::vector<std::string> path, std::optional<std::string> value, bool create)
      : path_(std::move(path)), value_(std::move(value)), create_(create) {}

  // Empty `failure` afterwards when it went well.
  std::string Apply(std::string_view json, size_t level) {
    switch (KindOfJson(json)) {
      case JsonKind::kObject:
        return Object(json, level);
      case JsonKind::kArray:
        return Array(json, level);
      default:
        return std::string(json);
    }
  }
  const std::string& failure() const { return failure_; }

 private:
  bool last(size_t level) const { return level + 1 == path_.size(); }

  std::string Object(std::string_view json, size_t level) {
    std::vector<JsonEntry> entries = JsonEntries(json);
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const JsonEntry& entry) {
      return entry.key == path_[level];
    });
    if (found == entries.end()) {
      if (last(level) && create_ && value_) entries.push_back({path_[level], *value_});
    } else if (!last(level)) {
      found->value = Apply(found->value, level + 1);
    } else if (value_) {
      found->value = *value_;
    } else {
      entries.erase(found);
    }
    std::string out;
    AppendObject(std::move(entries), out);
    return out;
  }

  std::string Array(std::string_view json, size_t level) {
    const auto parsed = ParseIndex(path_[level]);
    if (!parsed) {
      failure_ = "path element at position " + std::to_string(level + 1) +
                 " is not an integer: \"" + path_[level] + "\"";
      return std::string(json);
    }
    std::vector<std::string> elements = ElementsOf(json);
    const auto size = static_cast<int64_t>(elements.size());
    const int64_t index = *parsed < 0 ? *parsed + size : *parsed;
    if (index < 0 || index >= size) {
      if (!last(level) || !create_ || !value_) return std::string(json);
      elements.insert(index < 0 ? elements.begin() : elements.end(), *value_);
    } else if (!last(level)) {
      std::string& element = elements[static_cast<size_t>(index)];
      element = Apply(element, level + 1);
    } else if (value_) {
      elements[static_cast<size_t>(index)] = *value_;
    } else {
      elements.erase(elements.begin() + index);
    }
    std::string out;
    AppendList(elements, out);
    return out;
  }

  std::vector<std::string> path_;
  std::optional<std::string> value_;
  bool create_;
  std::string failure_;
};

Value Edit(const Value* a, std::optional<std::string> value, bool create, EvalContext& context) {
  const bool deletes = !value.has_value();
  if (IsScalar(KindOfJson(a[0].text()))) {
    return Fail(context, "HR2103",
                deletes ? "cannot delete path in scalar" : "cannot set path in scalar");
  }
  Result<row::ArrayElements> elements = row::ParseArray(a[1].text());
  std::vector<std::string> path;
  for (const auto& element : elements.ok() ? elements.value() : row::ArrayElements{}) {
    if (!element) {
      return Fail(context, "HR2103",
                  "path element at position " + std::to_string(path.size() + 1) + " is null");
    }
    path.push_back(*element);
  }
  if (path.empty()) return a[0];
  PathEdit edit(std::move(path), std::move(value), create);
  const std::string edited = edit.Apply(a[0].text(), 0);
  if (!edit.failure().empty()) return Fail(context, "HR2103", edit.failure());
  return MakeText(context, edited);
}

Value Set(const Value* a, CallFrame& frame) {
  const bool create = frame.types.size() < 4 || a[3].boolean;
  return Edit(a, std::string(a[2].text()), create, frame.context);
}

Value DeletePath(const Value* a, CallFrame& frame) {
  return Edit(a, std::nullopt, false, frame.context);
}

constexpr uint8_t kList = kTakesNull | kVariadic;

constexpr FunctionEntry kFunctions[] = {
    Define("to_json", {kUnknown}, kJson, &ToJson<false>),
    Define("to_jsonb", {kUnknown}, kJsonb, &ToJson<true>),
    Define("array_to_json", {kTextArray}, kJson, &ToJson<false>),
    Define("array_to_json", {kBigintArray}, kJson, &ToJson<false>),
    Define("json_build_array", {}, kJson, &Fixed<kEmptyArray>),
    Define("json_build_array", {kUnknown}, kJson, &BuildArrayOf<false>, kList),
    Define("jsonb_build_array", {}, kJsonb, &Fixed<kEmptyArray>),
    Define("jsonb_build_array", {kUnknown}, kJsonb, &BuildArrayOf<true>, kList),
    Define("json_build_object", {}, kJson, &Fixed<kEmptyObject>),
    Define("json_build_object", {kUnknown}, kJson, &BuildObjectJson, kList),
    Define("jsonb_build_object", {}, kJsonb, &Fixed<kEmptyObject>),
    Define("jsonb_build_object", {kUnknown}, kJsonb, &BuildObjectJsonb, kList),
    Define("json_strip_nulls", {kJson}, kJson, &StripNullsOf<false>),
    Define("jsonb_strip_nulls", {kJsonb}, kJsonb, &StripNullsOf<true>),
    Define("||", {kJsonb, kJsonb}, kJsonb, &Concat),
    Define("-", {kJsonb, kText}, kJsonb, &DeleteKey),
    Define("-", {kJsonb, kInteger}, kJsonb, &DeleteIndex),
    Define("-", {kJsonb, kTextArray}, kJsonb, &DeleteKeys),
    Define("#-", {kJsonb, kTextArray}, kJsonb, &DeletePath),
    Define("jsonb_set", {kJsonb, kTextArray, kJsonb}, kJsonb, &Set),
    Define("jsonb_set", {kJsonb, kTextArray, kJsonb, kBoolean}, kJsonb, &Set),
};

}  // namespace

std::span<const FunctionEntry> JsonBuildFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
