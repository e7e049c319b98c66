#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "row/value.h"
#include "sql/source_span.h"

namespace headrace::sql {

// A name as written: folded to lower case unless it was quoted. Value type.
struct Identifier {
  std::string name;
  SourceSpan span;

  bool empty() const { return name.empty(); }
};

// A type as written, under PostgreSQL's canonical name: "smallint", "integer", "bigint", "real",
// "double precision", "numeric", "boolean", "text", "varchar", "char", "bytea", "date", "time",
// "timestamp", "timestamptz", "timetz", "interval", "json", "jsonb", "uuid", or any other name in
// lower case.
struct TypeName {
  std::string name;
  std::vector<int> modifiers;  // numeric(12,2) -> {12, 2}
  int array_dimensions = 0;    // int[] -> 1
  std::string fields;          // interval only: "hour", "day to second", ... or empty
  SourceSpan span;
};

// The engine's type; none when the engine has no type that behaves the same (smallint, real,
// char(n), varchar(n), timestamp(n), ...): never a type that would give another value.
std::optional<row::Type> ToRowType(const TypeName& type);
// "numeric(12,2)", "interval day to second", "bigint[]".
std::string ToString(const TypeName& type);

// Of the tree of an expression: chains such as `a OR b OR c ...` grow by one with each term.
constexpr int kMaxHeight = 1000;

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;
struct WindowSpec;

// What an Expression is, and which of its members then have a meaning. Members not named are empty.
enum class ExpressionKind {
  kNull,
  kBoolean,  // `flag`
  // `name`: the digits as written ("12", "1.50", "1e-3"); a minus in front of a literal belongs to
  // it ("-12"), as in PostgreSQL: so -2147483648 is an integer.
  kNumber,
  kString,        // `name`: the decoded text of '...', E'...', U&'...' or $$...$$: type unknown
  kBitString,     // `name`: "b1010" or "x1f"
  kTypedLiteral,  // `type` 'name': timestamptz '...', interval '...' hour
  kColumn,        // [qualifier.]name
  kStar,          // [qualifier.]*, only as an item of a SELECT list
  kUnary,         // name: "not" "-" "+" "~" "@" "|/" ...; children: operand
  // name: the operator, "<>" for "!=", words in lower case: "and" "or" "=" "+" "||" "->>" "~*" ...;
  // children: left, right. A chain of AND or OR is nested to the left.
  kBinary,
  // name(children...). Functions, aggregates, and SQL's special forms under the names that
  // expr::Call knows (flag is then set, and only the formatter looks at it):
  //   extract('field', x)            EXTRACT(field FROM x)
  //   substring(x, from[, for])      SUBSTRING(x FROM a FOR b); substring(x, 1, n) for FOR alone
  //   substring(x, pattern)          SUBSTRING(x FROM 'pattern')
  //   position(needle, text)         POSITION(needle IN text)
  //   btrim/ltrim/rtrim(x[, set])    TRIM([BOTH|LEADING|TRAILING] [set FROM] x)
  //   overlay(x, new, from[, for])   OVERLAY(x PLACING new FROM a FOR b)
  //   timezone(zone, x)              x AT TIME ZONE zone
  //   like, not like, ilike, not ilike, similar, not similar (x, pattern[, escape])
  //   overlaps(a, b, c, d)           (a, b) OVERLAPS (c, d)
  //   is_[not_]{true,false,unknown}(x), is_[not_]distinct_from(x, y)
  //   greatest(...), least(...), current_timestamp() (flag clear for greatest and least)
  kCall,     // also: star, distinct, argument_order, filter, over, over_name
  kPredict,  // PREDICT(name, children...); flag: REASONS(name, children...)
  kCast,     // children: operand; `type`; flag: written x::type
  kCase,  // operand (simple CASE) or null; children: when, then, when, then...; otherwise or null
  kCoalesce,    // children
  kNullIf,      // children: two
  kIn,          // children: needle, then the list; negated
  kBetween,     // children: x, low, high; negated; flag: SYMMETRIC
  kIsNull,      // children: operand; negated
  kTuple,       // (a, b) or ROW(a, b): children
  kArray,       // ARRAY[...]: children
  kSubscript,   // children: array, index
  kQuantified,  // children: left, array; name: the operator; flag: ALL, otherwise ANY
  kCollate,     // children: operand; name: the collation
};

// One item of an ORDER BY.
struct OrderItem {
  ExpressionPtr expression;
  bool descending = false;
  std::optional<bool> nulls_first;  // as written
  SourceSpan span;
};

// A scalar expression as parsed: a tree, names not yet resolved. Movable, not copyable (Clone).
// Its height is at most kMaxHeight, so that recursion over it is safe. Immutable in practice once
// parsed; unsynchronized.
struct Expression {
  Expression() = default;
  Expression(ExpressionKind the_kind, const SourceSpan& the_span)
      : kind(the_kind), span(the_span) {}

  ExpressionKind kind = ExpressionKind::kNull;
  SourceSpan span;       // the whole expression
  SourceSpan name_span;  // kCall, kPredict (the model), kUnary, kBinary (the operator), kColumn
  std::string name;
  std::string qualifier;  // kColumn, kStar
  std::vector<ExpressionPtr> children;
  int height = 1;  // 1 + that of the highest part
  bool negated = false;
  bool flag = false;
  TypeName type;            // kTypedLiteral, kCast
  ExpressionPtr operand;    // kCase
  ExpressionPtr otherwise;  // kCase

  // kCall only.
  bool star = false;                        // count(*)
  bool distinct = false;                    // count(DISTINCT x)
  std::vector<std::string> argument_names;  // f(days => 1): one a child, "" by position; or none
  std::vector<OrderItem> argument_order;    // array_agg(x ORDER BY y)
  ExpressionPtr filter;                     // FILTER (WHERE ...)
  std::string over_name;                    // OVER name
  SourceSpan over_span;                     // of the name or of the parenthesis
  std::unique_ptr<WindowSpec> over;         // OVER (...)

  bool windowed() const { return over != nullptr || !over_name.empty(); }
};

enum class FrameMode { kRange, kRows, kGroups };
enum class FrameBoundKind {
  kUnboundedPreceding,
  kPreceding,
  kCurrentRow,
  kFollowing,
  kUnboundedFollowing,
};

struct FrameBound {
  FrameBoundKind kind = FrameBoundKind::kUnboundedPreceding;
  ExpressionPtr offset;  // kPreceding and kFollowing
  SourceSpan span;
};

// `RANGE x PRECEDING` has the end CURRENT ROW, as SQL defines it.
struct Frame {
  FrameMode mode = FrameMode::kRange;
  FrameBound start;
  FrameBound end;
  SourceSpan span;
};

// The inside of OVER (...) and of WINDOW name AS (...).
struct WindowSpec {
  Identifier base;  // OVER (base ...): the window it extends, or empty
  std::vector<ExpressionPtr> partition_by;
  std::vector<OrderItem> order_by;
  std::optional<Frame> frame;  // none: RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  SourceSpan span;
};

ExpressionPtr Clone(const Expression& expression);
WindowSpec Clone(const WindowSpec& window);
// Equal up to places and up to how a special form or a cast was spelled.
bool Same(const Expression& a, const Expression& b);

}  // namespace headrace::sql
