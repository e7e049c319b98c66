// Arrays of text and of bigint, kept in their text form.
#include <algorithm>
#include <string>

#include "expr/function.h"
#include "expr/utf8.h"
#include "row/array_text.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

row::ArrayElements Elements(const Value& array) {
  Result<row::ArrayElements> elements = row::ParseArray(array.text());
  return elements.ok() ? std::move(elements).value() : row::ArrayElements{};
}

Value MakeArray(const row::ArrayElements& elements, EvalContext& context) {
  std::string out;
  row::AppendArray(elements, out);
  return MakeText(context, out);
}

std::optional<std::string> ElementOf(const Value& value, Type type) {
  if (value.null) return std::nullopt;
  std::string text;
  row::AppendText(value, type, text);
  return text;
}

// ARRAY[...]: the binder has given all elements one type.
Value Build(const Value* a, CallFrame& frame) {
  row::ArrayElements elements;
  for (size_t i = 0; i < frame.types.size(); ++i) {
    elements.push_back(ElementOf(a[i], frame.types[i]));
  }
  return MakeArray(elements, frame.context);
}

Value Empty(const Value*, CallFrame&) {
  return Value::Text("{}");
}

Value SubscriptText(const Value* a, CallFrame& frame) {
  const row::ArrayElements elements = Elements(a[0]);
  const int64_t index = a[1].integer;
  if (index < 1 || index > static_cast<int64_t>(elements.size())) return Value::Null();
  const auto& element = elements[static_cast<size_t>(index - 1)];
  return element ? MakeText(frame.context, *element) : Value::Null();
}

Value SubscriptBigint(const Value* a, CallFrame& frame) {
  const Value text = SubscriptText(a, frame);
  if (text.null) return text;
  const Result<Value> number = row::ParseText(text.text(), kBigint, frame.context.arena);
  return number.ok() ? number.value() : Value::Null();
}

Value Length(const Value* a, CallFrame&) {
  const size_t size = Elements(a[0]).size();
  return a[1].integer == 1 && size > 0 ? Value::Integer(static_cast<int64_t>(size)) : Value::Null();
}

Value Cardinality(const Value* a, CallFrame&) {
  return Value::Integer(static_cast<int64_t>(Elements(a[0]).size()));
}

Value ToText(const Value* a, CallFrame& frame) {
  if (a[0].null || a[1].null) return Value::Null();
  const bool show_nulls = frame.types.size() == 3 && !a[2].null;
  std::string out;
  bool first = true;
  for (const auto& element : Elements(a[0])) {
    if (!element && !show_nulls) continue;
    if (!first) out += a[1].text();
    first = false;
    out += element ? std::string_view(*element) : a[2].text();
    if (out.size() > kMaxTextResult) break;
  }
  return MakeText(frame.context, out);
}

Value FromText(const Value* a, CallFrame& frame) {
  if (a[0].null) return Value::Null();
  const std::string_view text = a[0].text();
  row::ArrayElements elements;
  const auto add = [&](std::string_view part) {
    const bool null = frame.types.size() == 3 && !a[2].null && part == a[2].text();
    elements.push_back(null ? std::nullopt : std::optional<std::string>(part));
  };
  if (text.empty()) return Value::Text("{}");
  if (a[1].null) {
    for (size_t at = 0; at < text.size(); at += CharacterSize(text, at)) {
      add(text.substr(at, CharacterSize(text, at)));
    }
  } else if (a[1].length == 0) {
    add(text);
  } else {
    size_t at = 0;
    for (size_t found = text.find(a[1].text()); found != std::string_view::npos;
         found = text.find(a[1].text(), at)) {
      add(text.substr(at, found - at));
      at = found + a[1].length;
    }
    add(text.substr(at));
  }
  return MakeArray(elements, frame.context);
}

Value Join(const Value* a, CallFrame& frame) {
  if (a[0].null || a[1].null) return a[0].null ? a[1] : a[0];
  row::ArrayElements elements = Elements(a[0]);
  for (auto& element : Elements(a[1]))
    elements.push_back(std::move(element));
  return MakeArray(elements, frame.context);
}

Value Append(const Value* a, CallFrame& frame) {
  row::ArrayElements elements = a[0].null ? row::ArrayElements{} : Elements(a[0]);
  elements.push_back(ElementOf(a[1], frame.types[1]));
  return MakeArray(elements, frame.context);
}

Value Prepend(const Value* a, CallFrame& frame) {
  row::ArrayElements elements = a[1].null ? row::ArrayElements{} : Elements(a[1]);
  elements.insert(elements.begin(), ElementOf(a[0], frame.types[0]));
  return MakeArray(elements, frame.context);
}

Value Position(const Value* a, CallFrame& frame) {
  if (a[0].null) return Value::Null();
  const row::ArrayElements elements = Elements(a[0]);
  const auto wanted = ElementOf(a[1], frame.types[1]);
  const auto found = std::find(elements.begin(), elements.end(), wanted);
  if (found == elements.end()) return Value::Null();
  return Value::Integer(found - elements.begin() + 1);
}

Value Lower(const Value* a, CallFrame&) {
  return a[1].integer == 1 && !Elements(a[0]).empty() ? Value::Integer(1) : Value::Null();
}

Value Dimensions(const Value* a, CallFrame&) {
  return Elements(a[0]).empty() ? Value::Null() : Value::Integer(1);
}

Value Remove(const Value* a, CallFrame& frame) {
  if (a[0].null) return Value::Null();
  row::ArrayElements elements = Elements(a[0]);
  std::erase(elements, ElementOf(a[1], frame.types[1]));
  return MakeArray(elements, frame.context);
}

Value Exchange(const Value* a, CallFrame& frame) {
  if (a[0].null) return Value::Null();
  row::ArrayElements elements = Elements(a[0]);
  std::replace(elements.begin(), elements.end(), ElementOf(a[1], frame.types[1]),
               ElementOf(a[2], frame.types[2]));
  return MakeArray(elements, frame.context);
}

bool ContainsAll(const Value& outer, const Value& inner) {
  const row::ArrayElements elements = Elements(outer);
  for (const auto& element : Elements(inner)) {
    if (!element || std::find(elements.begin(), elements.end(), element) == elements.end()) {
      return false;
    }
  }
  return true;
}

Value Contains(const Value* a, CallFrame&) {
  return Value::Boolean(ContainsAll(a[0], a[1]));
}
Value ContainedIn(const Value* a, CallFrame&) {
  return Value::Boolean(ContainsAll(a[1], a[0]));
}

Value Overlap(const Value* a, CallFrame&) {
  const row::ArrayElements elements = Elements(a[0]);
  for (const auto& element : Elements(a[1])) {
    if (element && std::find(elements.begin(), elements.end(), element) != elements.end()) {
      return Value::Boolean(true);
    }
  }
  return Value::Boolean(false);
}

constexpr Type T = kTextArray;
constexpr Type N = kBigintArray;

constexpr FunctionEntry kFunctions[] = {
    Define("array", {}, T, &Empty),
    Define("array", {kText}, T, &Build, kTakesNull | kVariadic),
    Define("array", {kBigint}, N, &Build, kTakesNull | kVariadic),
    Define("subscript", {T, kInteger}, kText, &SubscriptText),
    Define("subscript", {N, kInteger}, kBigint, &SubscriptBigint),
    Define("array_length", {T, kInteger}, kInteger, &Length),
    Define("array_length", {N, kInteger}, kInteger, &Length),
    Define("array_upper", {T, kInteger}, kInteger, &Length),
    Define("array_upper", {N, kInteger}, kInteger, &Length),
    Define("array_lower", {T, kInteger}, kInteger, &Lower),
    Define("array_lower", {N, kInteger}, kInteger, &Lower),
    Define("array_ndims", {T}, kInteger, &Dimensions),
    Define("array_ndims", {N}, kInteger, &Dimensions),
    Define("array_remove", {T, kText}, T, &Remove, kTakesNull),
    Define("array_remove", {N, kBigint}, N, &Remove, kTakesNull),
    Define("array_replace", {T, kText, kText}, T, &Exchange, kTakesNull),
    Define("array_replace", {N, kBigint, kBigint}, N, &Exchange, kTakesNull),
    Define("cardinality", {T}, kInteger, &Cardinality),
    Define("cardinality", {N}, kInteger, &Cardinality),
    Define("array_to_string", {T, kText}, kText, &ToText),
    Define("array_to_string", {N, kText}, kText, &ToText),
    Define("array_to_string", {T, kText, kText}, kText, &ToText, kTakesNull),
    Define("array_to_string", {N, kText, kText}, kText, &ToText, kTakesNull),
    Define("string_to_array", {kText, kText}, T, &FromText, kTakesNull),
    Define("string_to_array", {kText, kText, kText}, T, &FromText, kTakesNull),
    Define("||", {T, T}, T, &Join, kTakesNull),
    Define("||", {N, N}, N, &Join, kTakesNull),
    Define("||", {T, kText}, T, &Append, kTakesNull),
    Define("||", {N, kBigint}, N, &Append, kTakesNull),
    Define("array_cat", {T, T}, T, &Join, kTakesNull),
    Define("array_cat", {N, N}, N, &Join, kTakesNull),
    Define("array_append", {T, kText}, T, &Append, kTakesNull),
    Define("array_append", {N, kBigint}, N, &Append, kTakesNull),
    Define("array_prepend", {kText, T}, T, &Prepend, kTakesNull),
    Define("array_prepend", {kBigint, N}, N, &Prepend, kTakesNull),
    Define("array_position", {T, kText}, kInteger, &Position, kTakesNull),
    Define("array_position", {N, kBigint}, kInteger, &Position, kTakesNull),
    Define("@>", {T, T}, kBoolean, &Contains),
    Define("@>", {N, N}, kBoolean, &Contains),
    Define("<@", {T, T}, kBoolean, &ContainedIn),
    Define("<@", {N, N}, kBoolean, &ContainedIn),
    Define("&&", {T, T}, kBoolean, &Overlap),
    Define("&&", {N, N}, kBoolean, &Overlap),
};

}  // namespace

std::span<const FunctionEntry> ArrayFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
