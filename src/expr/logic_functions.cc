// Functions of truth values and of NULL.
#include "expr/function.h"

namespace headrace::expr {
namespace {

Value Not(const Value* a, CallFrame&) {
  return Value::Boolean(!a[0].boolean);
}

// IS [NOT] TRUE and IS [NOT] FALSE.
template <bool kWanted, bool kNegated>
Value Is(const Value* a, CallFrame&) {
  return Value::Boolean((!a[0].null && a[0].boolean == kWanted) != kNegated);
}

template <bool kNegated>
Value IsUnknown(const Value* a, CallFrame&) {
  return Value::Boolean(a[0].null != kNegated);
}

// num_nulls and num_nonnulls.
template <bool kNulls>
Value CountNulls(const Value* a, CallFrame& frame) {
  int64_t count = 0;
  for (size_t i = 0; i < frame.types.size(); ++i)
    count += a[i].null == kNulls ? 1 : 0;
  return Value::Integer(count);
}

constexpr FunctionEntry kFunctions[] = {
    Define("not", {kBoolean}, kBoolean, &Not),
    Define("is_true", {kBoolean}, kBoolean, &Is<true, false>, kTakesNull),
    Define("is_not_true", {kBoolean}, kBoolean, &Is<true, true>, kTakesNull),
    Define("is_false", {kBoolean}, kBoolean, &Is<false, false>, kTakesNull),
    Define("is_not_false", {kBoolean}, kBoolean, &Is<false, true>, kTakesNull),
    Define("is_unknown", {kBoolean}, kBoolean, &IsUnknown<false>, kTakesNull),
    Define("is_not_unknown", {kBoolean}, kBoolean, &IsUnknown<true>, kTakesNull),
    Define("num_nulls", {kUnknown}, kInteger, &CountNulls<true>, kTakesNull | kVariadic),
    Define("num_nonnulls", {kUnknown}, kInteger, &CountNulls<false>, kTakesNull | kVariadic),
};

}  // namespace

std::span<const FunctionEntry> LogicFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
