#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expr/expr.h"
#include "expr/types.h"

namespace headrace::expr {

// What a function worked out once from its constant arguments: a compiled pattern, a zone.
// Immutable.
class Prepared {
 public:
  virtual ~Prepared() = default;
};

// What a call knows besides its arguments. `prepared` may be null; `types` are the arguments'
// types after conversion.
struct CallFrame {
  EvalContext& context;
  std::span<const Type> types;
  const Prepared* prepared;
};

// A pure function of its arguments. Unless declared kTakesNull, no argument is NULL.
using Function = Value (*)(const Value* arguments, CallFrame& frame);

// Arguments that are known when a statement is bound; null where they are not constant.
using KnownArguments = std::span<const Value* const>;
// Runs once per call in a statement. Answers null when there is nothing to prepare.
using Prepare = Result<std::unique_ptr<Prepared>> (*)(KnownArguments arguments);

enum FunctionFlags : uint8_t {
  kPlain = 0,
  kTakesNull = 1,  // the function sees NULL arguments; otherwise one makes the result NULL
  kVariadic = 2,   // the last parameter may be repeated, at least once
};

inline constexpr size_t kMaxParameters = 7;

// One overload. A parameter of type unknown takes any type. Immutable, static.
struct FunctionEntry {
  std::string_view name;
  uint8_t arity = 0;
  uint8_t flags = kPlain;
  Type parameters[kMaxParameters];
  Type result;
  Function function = nullptr;
  Prepare prepare = nullptr;
};

constexpr FunctionEntry Define(std::string_view name, std::initializer_list<Type> parameters,
                               Type result, Function function, uint8_t flags = kPlain,
                               Prepare prepare = nullptr) {
  FunctionEntry entry;
  entry.name = name;
  for (Type type : parameters)
    entry.parameters[entry.arity++] = type;
  entry.flags = flags;
  entry.result = result;
  entry.function = function;
  entry.prepare = prepare;
  return entry;
}

// A node that calls `entry`. The arguments have its parameters' types.
Result<ExprPtr> MakeCall(const FunctionEntry& entry, std::vector<ExprPtr> arguments);

// Reports the failure of a row (the first one counts) and answers NULL.
Value Fail(EvalContext& context, std::string_view code, std::string message);
Value FailDivisionByZero(EvalContext& context);
Value FailOutOfRange(EvalContext& context, std::string_view what);  // "integer out of range"

// A text larger than this is refused (HR2105): no row may take that much.
inline constexpr size_t kMaxTextResult = size_t{16} << 20;
Value FailTooLong(EvalContext& context);

// Puts text where results live, unless it is too long.
Value MakeText(EvalContext& context, std::string_view text);

// The tables of all functions, by topic.
std::span<const FunctionEntry> ArithmeticFunctions();
std::span<const FunctionEntry> DecimalFunctions();
std::span<const FunctionEntry> DoubleFunctions();
std::span<const FunctionEntry> TextFunctions();
std::span<const FunctionEntry> TextSearchFunctions();
std::span<const FunctionEntry> EncodingFunctions();
std::span<const FunctionEntry> FormatFunctions();
std::span<const FunctionEntry> LikeFunctions();
std::span<const FunctionEntry> RegexFunctions();
std::span<const FunctionEntry> DateTimeFunctions();
std::span<const FunctionEntry> MomentFunctions();
std::span<const FunctionEntry> IntervalFunctions();
std::span<const FunctionEntry> DateFormatFunctions();
std::span<const FunctionEntry> JsonFunctions();
std::span<const FunctionEntry> JsonBuildFunctions();
std::span<const FunctionEntry> ArrayFunctions();
std::span<const FunctionEntry> LogicFunctions();

}  // namespace headrace::expr
