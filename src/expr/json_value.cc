#include "expr/json_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "expr/json_order.h"
#include "row/array_text.h"
#include "row/datetime_text.h"
#include "row/decimal.h"
#include "row/json_text.h"
#include "row/text.h"
#include "row/wide_decimal.h"

namespace headrace::expr {
namespace {

std::string Decoded(std::string_view literal) {
  std::string text;
  row::AppendUnescaped(literal, text);
  return text;
}

// The key of a member equals decoded text; most keys have no escapes.
bool IsKey(std::string_view literal, std::string_view key) {
  if (literal.find('\\') == std::string_view::npos) {
    return literal.substr(1, literal.size() - 2) == key;
  }
  return Decoded(literal) == key;
}

void AppendQuoted(std::string_view text, std::string& out) {
  row::AppendJsonbString(text, out);
}

void AppendArrayAsJson(const Value& value, Type type, bool canonical, std::string& out) {
  Result<row::ArrayElements> elements = row::ParseArray(value.text());
  out += '[';
  bool first = true;
  for (const auto& element : elements.ok() ? elements.value() : row::ArrayElements{}) {
    if (!first) out += canonical ? ", " : ",";
    first = false;
    if (!element) {
      out += "null";
    } else if (type.kind == TypeKind::kBigintArray) {
      out += *element;
    } else {
      AppendQuoted(*element, out);
    }
  }
  out += ']';
}

void AppendMoment(const Value& value, Type type, std::string& out) {
  std::string text;
  if (type.kind == TypeKind::kDate) {
    row::AppendDate(value.integer, text);
  } else {
    row::AppendTimestamp(value.integer, text, 'T');
    const bool finite = text.find("infinity") == std::string::npos;
    if (type.kind == TypeKind::kTimestampTz && finite) text += "+00:00";
  }
  AppendQuoted(text, out);
}

bool ContainsObject(std::string_view outer, std::string_view inner) {
  for (const row::JsonMember& member : row::JsonMembers(inner)) {
    const auto found = JsonMemberOf(outer, Decoded(member.key));
    if (!found || KindOfJson(*found) != KindOfJson(member.value)) return false;
    if (!JsonContains(*found, member.value)) return false;
  }
  return true;
}

bool ContainsElement(const std::vector<std::string_view>& elements, std::string_view wanted) {
  return std::any_of(elements.begin(), elements.end(), [&](std::string_view element) {
    if (KindOfJson(element) != KindOfJson(wanted)) return false;
    return JsonContains(element, wanted);
  });
}

}  // namespace

JsonKind KindOfJson(std::string_view json) {
  switch (TrimJson(json).front()) {
    case '{':
      return JsonKind::kObject;
    case '[':
      return JsonKind::kArray;
    case '"':
      return JsonKind::kString;
    case 't':
    case 'f':
      return JsonKind::kTruth;
    case 'n':
      return JsonKind::kNull;
    default:
      return JsonKind::kNumber;
  }
}

std::string_view NameOfJson(JsonKind kind) {
  constexpr std::string_view kNames[] = {"object", "array", "string", "number", "boolean", "null"};
  return kNames[static_cast<size_t>(kind)];
}

std::string_view TrimJson(std::string_view json) {
  constexpr std::string_view kBlank = " \t\n\r";
  const size_t begin = json.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return "null";
  return json.substr(begin, json.find_last_not_of(kBlank) - begin + 1);
}

std::optional<std::string_view> JsonMemberOf(std::string_view object, std::string_view key) {
  std::optional<std::string_view> found;
  for (const row::JsonMember& member : row::JsonMembers(object)) {
    if (IsKey(member.key, key)) found = member.value;
  }
  return found;
}

std::optional<std::string_view> JsonElementOf(std::string_view array, int64_t index) {
  const std::vector<std::string_view> elements = row::JsonElements(array);
  const auto size = static_cast<int64_t>(elements.size());
  if (index < 0) index += size;
  if (index < 0 || index >= size) return std::nullopt;
  return elements[static_cast<size_t>(index)];
}

std::optional<int64_t> ParseIndex(std::string_view text) {
  int32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::string_view> JsonAt(std::string_view json,
                                       const std::vector<std::string>& path) {
  std::optional<std::string_view> at = TrimJson(json);
  for (const std::string& step : path) {
    const JsonKind kind = KindOfJson(*at);
    if (kind == JsonKind::kObject) {
      at = JsonMemberOf(*at, step);
    } else if (kind == JsonKind::kArray) {
      const auto index = ParseIndex(step);
      at = index ? JsonElementOf(*at, *index) : std::nullopt;
    } else {
      return std::nullopt;
    }
    if (!at) return std::nullopt;
  }
  return at;
}

bool JsonHas(std::string_view json, std::string_view key) {
  switch (KindOfJson(json)) {
    case JsonKind::kObject:
      return JsonMemberOf(json, key).has_value();
    case JsonKind::kArray:
      for (std::string_view element : row::JsonElements(json)) {
        if (element.front() == '"' && IsKey(element, key)) return true;
      }
      return false;
    case JsonKind::kString:
      return IsKey(json, key);
    default:
      return false;
  }
}

bool JsonContains(std::string_view outer, std::string_view inner) {
  const JsonKind outer_kind = KindOfJson(outer);
  const JsonKind inner_kind = KindOfJson(inner);
  if (outer_kind == JsonKind::kArray) {
    const std::vector<std::string_view> elements = row::JsonElements(outer);
    // An array contains a bare scalar, though not the other way round.
    if (IsScalar(inner_kind)) return ContainsElement(elements, inner);
    if (inner_kind != JsonKind::kArray) return false;
    const std::vector<std::string_view> wanted = row::JsonElements(inner);
    return std::all_of(wanted.begin(), wanted.end(), [&](std::string_view element) {
      return ContainsElement(elements, element);
    });
  }
  if (outer_kind != inner_kind) return false;
  if (outer_kind == JsonKind::kObject) return ContainsObject(outer, inner);
  return CompareJsonb(outer, inner) == 0;
}

void AppendAsJson(const Value& value, Type type, bool canonical, std::string& out) {
  if (value.null) {
    out += "null";
    return;
  }
  switch (type.kind) {
    case TypeKind::kBoolean:
      out += value.boolean ? "true" : "false";
      return;
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      row::AppendText(value, type, out);
      return;
    case TypeKind::kDouble:
    case TypeKind::kDecimal: {
      const bool finite =
          type.kind == TypeKind::kDouble ? std::isfinite(value.number) : row::IsFinite(value);
      std::string text;
      row::AppendText(value, type, text);
      Value number;
      if (!finite) {
        AppendQuoted(text, out);
      } else if (canonical && row::ParseDecimal(text, &number)) {
        row::AppendDecimal(number, out);
      } else if (row::WideDecimal wide; canonical && row::ParseWideDecimal(text, &wide)) {
        row::AppendDecimal(wide, out);
      } else {
        out += text;
      }
      return;
    }
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return AppendMoment(value, type, out);
    case TypeKind::kJson:
      if (!canonical || !row::AppendJsonb(value.text(), out).ok()) out += value.text();
      return;
    case TypeKind::kJsonb:
      out += value.text();
      return;
    case TypeKind::kTextArray:
    case TypeKind::kBigintArray:
      return AppendArrayAsJson(value, type, canonical, out);
    default: {
      std::string text;
      row::AppendText(value, type, text);
      AppendQuoted(text, out);
    }
  }
}

std::vector<JsonEntry> JsonEntries(std::string_view object) {
  std::vector<JsonEntry> entries;
  for (const row::JsonMember& member : row::JsonMembers(object)) {
    entries.push_back({Decoded(member.key), std::string(member.value)});
  }
  return entries;
}

void AppendObject(std::vector<JsonEntry> entries, std::string& out) {
  std::stable_sort(entries.begin(), entries.end(), [](const JsonEntry& a, const JsonEntry& b) {
    return row::JsonbKeyLess(a.key, b.key);
  });
  out += '{';
  bool first = true;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i + 1 < entries.size() && entries[i].key == entries[i + 1].key) continue;
    if (!first) out += ", ";
    first = false;
    AppendQuoted(entries[i].key, out);
    out += ": ";
    out += entries[i].value;
  }
  out += '}';
}

void AppendList(const std::vector<std::string>& elements, std::string& out) {
  out += '[';
  for (size_t i = 0; i < elements.size(); ++i) {
    if (i > 0) out += ", ";
    out += elements[i];
  }
  out += ']';
}

}  // namespace headrace::expr
