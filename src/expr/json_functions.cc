// Operators and functions that read json and jsonb.
#include <string>

#include "expr/function.h"
#include "expr/json_path.h"
#include "expr/json_value.h"
#include "row/array_text.h"
#include "row/json_text.h"

namespace headrace::expr {
namespace {

Value Found(std::optional<std::string_view> json) {
  return json ? Value::Text(*json) : Value::Null();
}

// The text of a scalar: strings decoded, JSON null as NULL.
Value FoundText(std::optional<std::string_view> json, EvalContext& context) {
  if (!json || KindOfJson(*json) == JsonKind::kNull) return Value::Null();
  if (json->front() != '"') return Value::Text(*json);
  if (json->find('\\') == std::string_view::npos) {
    return Value::Text(json->substr(1, json->size() - 2));
  }
  std::string text;
  row::AppendUnescaped(*json, text);
  return MakeText(context, text);
}

std::optional<std::string_view> ByKey(const Value* a) {
  const std::string_view json = a[0].text();
  if (KindOfJson(json) != JsonKind::kObject) return std::nullopt;
  return JsonMemberOf(json, a[1].text());
}

// A scalar counts as no array here.
std::optional<std::string_view> ByIndex(const Value* a) {
  const std::string_view json = a[0].text();
  if (KindOfJson(json) != JsonKind::kArray) return std::nullopt;
  return JsonElementOf(json, a[1].integer);
}

// jsonb keeps a bare scalar as an array of one: index 0 and -1 find it.
std::optional<std::string_view> ByIndexJsonb(const Value* a) {
  const std::string_view json = a[0].text();
  if (IsScalar(KindOfJson(json)) && (a[1].integer == 0 || a[1].integer == -1)) return json;
  return ByIndex(a);
}

// value[key]: the text of a number is an index in an array.
std::optional<std::string_view> BySubscript(const Value* a) {
  const std::string_view json = a[0].text();
  if (KindOfJson(json) != JsonKind::kArray) return ByKey(a);
  const std::optional<int64_t> index = ParseIndex(a[1].text());
  return index ? JsonElementOf(json, *index) : std::nullopt;
}

template <auto kFind>
Value Get(const Value* a, CallFrame&) {
  return Found(kFind(a));
}
template <auto kFind>
Value GetText(const Value* a, CallFrame& frame) {
  return FoundText(kFind(a), frame.context);
}

// The path of an array argument; false when it has a NULL, which finds nothing.
bool ReadPath(const Value& array, std::vector<std::string>* path) {
  Result<row::ArrayElements> elements = row::ParseArray(array.text());
  if (!elements.ok()) return false;
  for (auto& element : elements.value()) {
    if (!element) return false;
    path->push_back(std::move(*element));
  }
  return true;
}

std::optional<std::string_view> ByPath(const Value* a) {
  std::vector<std::string> path;
  return ReadPath(a[1], &path) ? JsonAt(a[0].text(), path) : std::nullopt;
}

// jsonb_extract_path(json, VARIADIC path)
std::optional<std::string_view> ByArguments(const Value* a, const CallFrame& frame) {
  std::vector<std::string> path;
  for (size_t i = 1; i < frame.types.size(); ++i)
    path.emplace_back(a[i].text());
  return JsonAt(a[0].text(), path);
}
Value ExtractPath(const Value* a, CallFrame& frame) {
  return Found(ByArguments(a, frame));
}
Value ExtractPathText(const Value* a, CallFrame& frame) {
  return FoundText(ByArguments(a, frame), frame.context);
}

Value Contains(const Value* a, CallFrame&) {
  return Value::Boolean(JsonContains(a[0].text(), a[1].text()));
}
Value ContainedIn(const Value* a, CallFrame&) {
  return Value::Boolean(JsonContains(a[1].text(), a[0].text()));
}
Value HasKey(const Value* a, CallFrame&) {
  return Value::Boolean(JsonHas(a[0].text(), a[1].text()));
}

// ?| and ?&: NULL elements are passed over.
template <bool kAll>
Value HasKeys(const Value* a, CallFrame&) {
  Result<row::ArrayElements> keys = row::ParseArray(a[1].text());
  for (const auto& key : keys.ok() ? keys.value() : row::ArrayElements{}) {
    if (key && JsonHas(a[0].text(), *key) != kAll) return Value::Boolean(!kAll);
  }
  return Value::Boolean(kAll);
}

Value TypeOf(const Value* a, CallFrame&) {
  return Value::Text(NameOfJson(KindOfJson(a[0].text())));
}

Value ArrayLength(const Value* a, CallFrame& frame) {
  const JsonKind kind = KindOfJson(a[0].text());
  if (kind != JsonKind::kArray) {
    return Fail(frame.context, "HR2103",
                IsScalar(kind) ? "cannot get array length of a scalar"
                               : "cannot get array length of a non-array");
  }
  return Value::Integer(static_cast<int64_t>(row::JsonElements(a[0].text()).size()));
}

// A compiled path.
class PreparedPath final : public Prepared {
 public:
  explicit PreparedPath(JsonPath path) : path_(std::move(path)) {}
  const JsonPath& path() const { return path_; }

 private:
  JsonPath path_;
};

Result<std::unique_ptr<Prepared>> PreparePath(KnownArguments arguments) {
  if (arguments[1] == nullptr) return std::unique_ptr<Prepared>();
  HR_ASSIGN(JsonPath path, JsonPath::Parse(arguments[1]->text()));
  return std::unique_ptr<Prepared>(std::make_unique<PreparedPath>(std::move(path)));
}

// The items a path selects; false when the row has failed.
bool SelectByPath(const Value* a, CallFrame& frame, std::vector<std::string_view>* items) {
  if (frame.prepared != nullptr) {
    *items = static_cast<const PreparedPath*>(frame.prepared)->path().Select(a[0].text());
    return true;
  }
  Result<JsonPath> path = JsonPath::Parse(a[1].text());
  if (!path.ok()) {
    Fail(frame.context, path.error().code(), path.error().message());
    return false;
  }
  *items = path->Select(a[0].text());
  return true;
}

Value PathQueryFirst(const Value* a, CallFrame& frame) {
  std::vector<std::string_view> items;
  if (!SelectByPath(a, frame, &items) || items.empty()) return Value::Null();
  return Value::Text(items.front());
}

Value PathQueryArray(const Value* a, CallFrame& frame) {
  std::vector<std::string_view> items;
  if (!SelectByPath(a, frame, &items)) return Value::Null();
  std::string out;
  AppendList(std::vector<std::string>(items.begin(), items.end()), out);
  return MakeText(frame.context, out);
}

Value PathExists(const Value* a, CallFrame& frame) {
  std::vector<std::string_view> items;
  if (!SelectByPath(a, frame, &items)) return Value::Null();
  return Value::Boolean(!items.empty());
}

constexpr Type J = kJson;
constexpr Type B = kJsonb;

constexpr FunctionEntry kFunctions[] = {
    Define("->", {J, kText}, J, &Get<&ByKey>),
    Define("->", {J, kInteger}, J, &Get<&ByIndex>),
    Define("subscript", {B, kText}, B, &Get<&BySubscript>),
    Define("subscript", {B, kInteger}, B, &Get<&ByIndexJsonb>),
    Define("->", {B, kText}, B, &Get<&ByKey>),
    Define("->", {B, kInteger}, B, &Get<&ByIndexJsonb>),
    Define("->>", {J, kText}, kText, &GetText<&ByKey>),
    Define("->>", {J, kInteger}, kText, &GetText<&ByIndex>),
    Define("->>", {B, kText}, kText, &GetText<&ByKey>),
    Define("->>", {B, kInteger}, kText, &GetText<&ByIndexJsonb>),
    Define("#>", {J, kTextArray}, J, &Get<&ByPath>),
    Define("#>", {B, kTextArray}, B, &Get<&ByPath>),
    Define("#>>", {J, kTextArray}, kText, &GetText<&ByPath>),
    Define("#>>", {B, kTextArray}, kText, &GetText<&ByPath>),
    Define("@>", {B, B}, kBoolean, &Contains),
    Define("<@", {B, B}, kBoolean, &ContainedIn),
    Define("?", {B, kText}, kBoolean, &HasKey),
    Define("?|", {B, kTextArray}, kBoolean, &HasKeys<false>),
    Define("?&", {B, kTextArray}, kBoolean, &HasKeys<true>),
    Define("json_extract_path", {J, kText}, J, &ExtractPath, kVariadic),
    Define("jsonb_extract_path", {B, kText}, B, &ExtractPath, kVariadic),
    Define("json_extract_path_text", {J, kText}, kText, &ExtractPathText, kVariadic),
    Define("jsonb_extract_path_text", {B, kText}, kText, &ExtractPathText, kVariadic),
    Define("json_typeof", {J}, kText, &TypeOf),
    Define("jsonb_typeof", {B}, kText, &TypeOf),
    Define("json_array_length", {J}, kInteger, &ArrayLength),
    Define("jsonb_array_length", {B}, kInteger, &ArrayLength),
    Define("jsonb_path_query_first", {B, kText}, B, &PathQueryFirst, kPlain, &PreparePath),
    Define("jsonb_path_query_array", {B, kText}, B, &PathQueryArray, kPlain, &PreparePath),
    Define("jsonb_path_exists", {B, kText}, kBoolean, &PathExists, kPlain, &PreparePath),
    Define("@?", {B, kText}, kBoolean, &PathExists, kPlain, &PreparePath),
};

}  // namespace

std::span<const FunctionEntry> JsonFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
