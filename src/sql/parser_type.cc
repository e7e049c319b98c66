#include "sql/parser_type.h"

#include <algorithm>
#include <array>
#include <utility>

namespace headrace::sql {
namespace {

using namespace std::string_view_literals;

struct Synonym {
  std::string_view word;
  std::string_view name;
};
constexpr auto kSynonyms = std::to_array<Synonym>({
    {"int", "integer"},
    {"int4", "integer"},
    {"int8", "bigint"},
    {"int2", "smallint"},
    {"float8", "double precision"},
    {"float4", "real"},
    {"decimal", "numeric"},
    {"dec", "numeric"},
    {"bool", "boolean"},
    {"character", "char"},
    {"bpchar", "char"},
    {"string", "text"},
    {"double", "double precision"},
});
// "timestamp_ltz" is not here: Flink's type has milliseconds and another cast.

constexpr auto kKnown = std::to_array<std::string_view>(
    {"smallint"sv, "integer"sv,  "bigint"sv, "real"sv,      "double precision"sv,
     "numeric"sv,  "boolean"sv,  "text"sv,   "varchar"sv,   "char"sv,
     "bytea"sv,    "date"sv,     "time"sv,   "timestamp"sv, "timestamptz"sv,
     "timetz"sv,   "interval"sv, "json"sv,   "jsonb"sv,     "uuid"sv});

constexpr int kMaxModifier = 10000;
constexpr int kMaxArrayDimensions = 6;
constexpr int kRealDigits = 24;
constexpr int kDoubleDigits = 53;

std::string Canonical(const std::string& word) {
  const auto* found = std::ranges::find(kSynonyms, word, &Synonym::word);
  return found == kSynonyms.end() ? word : std::string(found->name);
}

bool ParseModifiers(Cursor& cursor, TypeName& out) {
  const SourceSpan open = cursor.Peek().span;
  if (!cursor.AcceptSymbol("(")) return true;
  do {
    int value = 0;
    if (!cursor.ExpectNumber("a modifier of the type", 0, kMaxModifier, value)) return false;
    out.modifiers.push_back(value);
  } while (cursor.AcceptSymbol(","));
  return cursor.ExpectClose(open);
}

bool IsTimeField(std::string_view word) {
  return word == "year" || word == "month" || word == "day" || word == "hour" || word == "minute" ||
         word == "second";
}

// The fields behind INTERVAL: `hour`, `day to second`, `second(3)`.
bool ParseIntervalFields(Cursor& cursor, TypeName& out) {
  const Token& first = cursor.Peek();
  if (first.kind != TokenKind::kWord || !IsTimeField(first.text)) return true;
  out.fields = cursor.Take().text;
  std::string_view last = out.fields;
  if (cursor.AtWord("to") && cursor.Peek(1).kind == TokenKind::kWord &&
      IsTimeField(cursor.Peek(1).text)) {
    cursor.Take();
    last = cursor.Peek().text;
    out.fields += " to " + cursor.Take().text;
  }
  return last != "second" || !out.modifiers.empty() || ParseModifiers(cursor, out);
}

// FLOAT(n) chooses by its bits, as SQL says.
bool ResolveFloat(Cursor& cursor, TypeName& out) {
  int bits = kDoubleDigits;
  if (!out.modifiers.empty()) bits = out.modifiers.front();
  if (out.modifiers.size() > 1 || bits < 1 || bits > kDoubleDigits) {
    return cursor.FailAt(out.span, "HR1013", "the precision of FLOAT is 1 to 53 bits",
                         "write DOUBLE PRECISION");
  }
  out.name = bits <= kRealDigits ? "real" : "double precision";
  out.modifiers.clear();
  return true;
}

bool ParseZone(Cursor& cursor, TypeName& out) {
  const bool with = cursor.AtWord("with");
  const bool without = !with && cursor.AtWord("without");
  if (!(with || without) || !cursor.AtWord("time", 1)) return true;
  cursor.Take();
  cursor.Take();
  if (!cursor.ExpectWord("zone")) return false;
  if (with) out.name += "tz";
  return true;
}

bool ParseArraySuffix(Cursor& cursor, TypeName& out) {
  if (cursor.AcceptWord("array")) {
    out.array_dimensions = 1;
    if (!cursor.AtSymbol("[")) return true;
    out.array_dimensions = 0;
  }
  while (cursor.AcceptSymbol("[")) {
    // PostgreSQL reads a declared length and ignores it.
    if (cursor.Peek().kind == TokenKind::kNumber) cursor.Take();
    if (!cursor.ExpectSymbol("]")) return false;
    if (++out.array_dimensions > kMaxArrayDimensions) {
      return cursor.FailAt(cursor.Peek().span, "HR1013", "an array has at most 6 dimensions", "");
    }
  }
  return true;
}

bool ParseName(Cursor& cursor, TypeName& out) {
  if (!cursor.AtName()) return cursor.Fail("a type");
  const Token& token = cursor.Take();
  const std::string& word = token.text;
  out.name = Canonical(word);
  if (word == "double") cursor.AcceptWord("precision");
  if (out.name == "char" && cursor.AcceptWord("varying")) out.name = "varchar";
  if (out.name == "interval") {
    return ParseModifiers(cursor, out) && ParseIntervalFields(cursor, out);
  }
  if (!ParseModifiers(cursor, out)) return false;
  if (word == "float") return ResolveFloat(cursor, out);
  if (word == "time" || word == "timestamp") return ParseZone(cursor, out);
  return true;
}

// Index of the token behind a parenthesized list of numbers at `ahead`, or 0.
size_t BehindModifiers(Cursor& cursor, size_t ahead) {
  if (!cursor.AtSymbol("(", ahead)) return ahead;
  constexpr size_t kMost = 4;
  for (size_t i = ahead + 1; i <= ahead + kMost; ++i) {
    if (cursor.AtSymbol(")", i)) return i + 1;
    if (cursor.Peek(i).kind != TokenKind::kNumber && !cursor.AtSymbol(",", i)) return 0;
  }
  return 0;
}

}  // namespace

bool IsKnownType(std::string_view name) {
  return std::ranges::find(kKnown, name) != kKnown.end();
}

bool ParseTypeName(Cursor& cursor, TypeName& out) {
  const SourceSpan begin = cursor.Peek().span;
  out.span = begin;
  if (!ParseName(cursor, out) || !ParseArraySuffix(cursor, out)) return false;
  out.span = cursor.SpanFrom(begin);
  return true;
}

bool AtTypedLiteral(Cursor& cursor) {
  if (!cursor.AtName()) return false;
  const std::string& word = cursor.Peek().text;
  size_t next = 1;
  if (word == "double" && cursor.AtWord("precision", 1)) next = 2;
  if ((word == "char" || word == "character") && cursor.AtWord("varying", 1)) next = 2;
  next = BehindModifiers(cursor, next);
  if (next == 0) return false;
  const bool clock = word == "time" || word == "timestamp";
  if (clock && (cursor.AtWord("with", next) || cursor.AtWord("without", next)) &&
      cursor.AtWord("time", next + 1) && cursor.AtWord("zone", next + 2)) {
    next += 3;
  }
  return cursor.Peek(next).kind == TokenKind::kString;
}

ExpressionPtr ParseTypedLiteral(Cursor& cursor) {
  const SourceSpan begin = cursor.Peek().span;
  auto literal = std::make_unique<Expression>(ExpressionKind::kTypedLiteral, begin);
  literal->type.span = begin;
  if (!ParseName(cursor, literal->type)) return nullptr;
  literal->type.span = cursor.SpanFrom(begin);
  literal->name_span = cursor.Peek().span;
  literal->name = cursor.Take().text;
  if (literal->type.name == "interval" && literal->type.fields.empty() &&
      !ParseIntervalFields(cursor, literal->type)) {
    return nullptr;
  }
  literal->span = cursor.SpanFrom(begin);
  return literal;
}

std::optional<row::Type> ToRowType(const TypeName& type) {
  using row::TypeKind;
  struct Entry {
    std::string_view name;
    TypeKind kind;
  };
  static constexpr auto kPlain = std::to_array<Entry>({{"boolean", TypeKind::kBoolean},
                                                       {"integer", TypeKind::kInteger},
                                                       {"bigint", TypeKind::kBigint},
                                                       {"double precision", TypeKind::kDouble},
                                                       {"text", TypeKind::kText},
                                                       {"varchar", TypeKind::kText},
                                                       {"bytea", TypeKind::kBytea},
                                                       {"date", TypeKind::kDate},
                                                       {"time", TypeKind::kTime},
                                                       {"timestamp", TypeKind::kTimestamp},
                                                       {"timestamptz", TypeKind::kTimestampTz},
                                                       {"interval", TypeKind::kInterval},
                                                       {"json", TypeKind::kJson},
                                                       {"jsonb", TypeKind::kJsonb}});
  constexpr int kMicroseconds = 6;
  constexpr int kMaxPrecision = 38;
  const std::vector<int>& modifiers = type.modifiers;
  if (type.array_dimensions > 0) {
    if (type.array_dimensions > 1 || !modifiers.empty()) return std::nullopt;
    if (type.name == "text" || type.name == "varchar") return row::Type{TypeKind::kTextArray};
    if (type.name == "bigint") return row::Type{TypeKind::kBigintArray};
    return std::nullopt;
  }
  if (type.name == "numeric") {
    if (modifiers.empty()) return row::Type{TypeKind::kDecimal};
    const int scale = modifiers.size() > 1 ? modifiers[1] : 0;
    const bool valid = modifiers.size() <= 2 && modifiers[0] >= 1 &&
                       modifiers[0] <= kMaxPrecision && scale <= modifiers[0];
    if (!valid) return std::nullopt;
    return row::Type{TypeKind::kDecimal, static_cast<uint8_t>(modifiers[0]),
                     static_cast<uint8_t>(scale)};
  }
  const bool in_time = type.name.starts_with("time");
  const bool same =
      modifiers.empty() || (in_time && modifiers.size() == 1 && modifiers[0] == kMicroseconds);
  if (!same || !type.fields.empty()) return std::nullopt;
  const auto* found = std::ranges::find(kPlain, type.name, &Entry::name);
  if (found == kPlain.end()) return std::nullopt;
  return row::Type{found->kind};
}

std::string ToString(const TypeName& type) {
  std::string modifiers;
  for (size_t i = 0; i < type.modifiers.size(); ++i) {
    modifiers += (i == 0 ? "(" : ",") + std::to_string(type.modifiers[i]);
  }
  if (!modifiers.empty()) modifiers += ")";
  const bool behind = type.fields.ends_with("second");
  std::string text = type.name;
  if (!behind) text += modifiers;
  if (!type.fields.empty()) text += " " + type.fields;
  if (behind) text += modifiers;
  for (int i = 0; i < type.array_dimensions; ++i)
    text += "[]";
  return text;
}

}  // namespace headrace::sql
