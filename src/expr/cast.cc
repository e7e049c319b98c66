#include <cmath>
#include <limits>
#include <string>

#include "expr/function.h"
#include "expr/node.h"
#include "row/array_text.h"
#include "row/calendar.h"
#include "row/decimal.h"
#include "row/interval.h"
#include "row/json_text.h"
#include "row/number_text.h"
#include "row/text.h"
#include "row/wide_decimal.h"

namespace headrace::expr {
namespace {

struct CastFrame {
  EvalContext& context;
  Type from;
  Type to;
};
using Converter = Value (*)(const Value& value, const CastFrame& frame);

Value Keep(const Value& value, const CastFrame&) {
  return value;
}

Value FromResult(Result<Value> result, const CastFrame& frame) {
  if (result.ok()) return *result;
  if (!frame.context.error) {
    frame.context.error = std::move(result).error();
    const bool silent = frame.context.error->hint().empty();
    if (silent) frame.context.error->WithHint(HintFor(frame.context.error->code()));
  }
  return Value::Null();
}

Value IntegerToInteger(const Value& value, const CastFrame& frame) {
  if (row::FitsInteger(value.integer, frame.to)) return value;
  return FailOutOfRange(frame.context, row::PostgresName(frame.to));
}

Value IntegerToDecimal(const Value& value, const CastFrame& frame) {
  Value result = Value::Decimal(value.integer, 0);
  if (row::FitDecimal(&result, frame.to.precision, frame.to.scale)) return result;
  return Fail(frame.context, "HR2102", "numeric field overflow");
}

Value IntegerToDouble(const Value& value, const CastFrame& frame) {
  if (row::IsReal(frame.to)) {
    return Value::Double(static_cast<double>(static_cast<float>(value.integer)));
  }
  return Value::Double(static_cast<double>(value.integer));
}

Value IntegerToBoolean(const Value& value, const CastFrame&) {
  return Value::Boolean(value.integer != 0);
}

Value BooleanToInteger(const Value& value, const CastFrame&) {
  return Value::Integer(value.boolean ? 1 : 0);
}

Value DecimalToDecimal(const Value& value, const CastFrame& frame) {
  Value result = value;
  if (row::FitDecimal(&result, frame.to.precision, frame.to.scale)) return result;
  return Fail(frame.context, "HR2102", "numeric field overflow");
}

Value DecimalToInteger(const Value& value, const CastFrame& frame) {
  if (!row::IsFinite(value)) {
    return Fail(frame.context, "HR2103",
                std::string("cannot convert ") + (value.special == row::kNaN ? "NaN" : "infinity") +
                    " to " + row::PostgresName(frame.to));
  }
  Value rounded = value;
  if (!row::Rescale(&rounded, 0)) {
    return FailOutOfRange(frame.context, row::PostgresName(frame.to));
  }
  const row::Int128 number = rounded.unscaled();
  const auto narrow = static_cast<int64_t>(number);
  if (number != narrow || !row::FitsInteger(narrow, frame.to)) {
    return FailOutOfRange(frame.context, row::PostgresName(frame.to));
  }
  return Value::Integer(narrow);
}

Value NarrowToReal(double number, EvalContext& context) {
  const auto narrow = static_cast<float>(number);
  if (std::isinf(narrow) && !std::isinf(number)) {
    return Fail(context, "HR2102", "value out of range: overflow");
  }
  if (narrow == 0 && number != 0) return Fail(context, "HR2102", "value out of range: underflow");
  return Value::Double(static_cast<double>(narrow));
}

Value DecimalToNumber(const Value& value, const CastFrame& frame) {
  const double number = row::DecimalToDouble(value);
  if (value.special == row::kWide && (std::isinf(number) || number == 0)) {
    return FailOutOfRange(frame.context, "decimal as double precision");
  }
  return row::IsReal(frame.to) ? NarrowToReal(number, frame.context) : Value::Double(number);
}

Value DoubleToDouble(const Value& value, const CastFrame& frame) {
  return row::IsReal(frame.to) ? NarrowToReal(value.number, frame.context) : value;
}

Value DoubleToInteger(const Value& value, const CastFrame& frame) {
  const double rounded = std::nearbyint(value.number);  // half to even
  if (!(rounded >= -0x1p63 && rounded < 0x1p63) ||
      !row::FitsInteger(static_cast<int64_t>(rounded), frame.to)) {
    return FailOutOfRange(frame.context, row::PostgresName(frame.to));
  }
  return Value::Integer(static_cast<int64_t>(rounded));
}

Value DoubleToDecimal(const Value& value, const CastFrame& frame) {
  Value result;
  const int digits = row::IsReal(frame.from) ? 6 : 15;
  row::WideDecimal wide;
  if (!row::DecimalFromDouble(value.number, digits, &result) &&
      !(row::WideFromDouble(value.number, digits, &wide) &&
        row::StoreDecimal(wide, frame.context.arena, &result))) {
    return Fail(frame.context, "HR2102", "value overflows numeric format");
  }
  return DecimalToDecimal(result, frame);
}

// Text to any type; decimals may have more digits than a row holds.
Result<Value> ReadText(std::string_view text, Type type, base::Arena& arena) {
  Result<Value> value = row::ParseText(text, type, arena);
  const bool decimal = type.kind == TypeKind::kDecimal;
  if (value.ok() || !decimal || value.error().code() != "HR2002") return value;
  row::WideDecimal number;
  Value stored;
  const bool read = row::ParseWideDecimal(row::TrimSpace(text), &number) &&
                    row::StoreDecimal(number, arena, &stored) &&
                    row::FitDecimal(&stored, type.precision, type.scale);
  return read ? Result<Value>(stored) : std::move(value);
}

Value TextToAny(const Value& value, const CastFrame& frame) {
  return FromResult(ReadText(value.text(), frame.to, frame.context.arena), frame);
}

Value AnyToText(const Value& value, const CastFrame& frame) {
  std::string text;
  row::AppendText(value, frame.from, text);
  return MakeText(frame.context, text);
}

Value BooleanToText(const Value& value, const CastFrame&) {
  return Value::Text(value.boolean ? "true" : "false");
}

Value DropPadding(const Value& value, const CastFrame&) {
  const std::string_view text = value.text();
  return Value::Text(text.substr(0, text.find_last_not_of(' ') + 1));
}

bool IsInfinite(int64_t moment) {
  return moment == row::kTimeInfinity || moment == row::kTimeMinusInfinity;
}

Value DateToTimestamp(const Value& value, const CastFrame& frame) {
  if (IsInfinite(value.integer)) return value;
  if (value.integer > row::kMaxTimestampDay) {
    return Fail(frame.context, "HR2102", "date out of range for timestamp");
  }
  return Value::Integer(value.integer * row::kMicrosPerDay);
}

Value TimestampToDate(const Value& value, const CastFrame&) {
  if (IsInfinite(value.integer)) return value;
  return Value::Integer(row::FloorDivide(value.integer, row::kMicrosPerDay));
}

Value TimestampToTime(const Value& value, const CastFrame&) {
  if (IsInfinite(value.integer)) return Value::Null();
  const int64_t day = row::FloorDivide(value.integer, row::kMicrosPerDay);
  return Value::Integer(value.integer - day * row::kMicrosPerDay);
}

Value TimeToInterval(const Value& value, const CastFrame&) {
  return Value::Of(row::Interval{value.integer, 0, 0});
}

Value IntervalToTime(const Value& value, const CastFrame&) {
  const int64_t day = row::FloorDivide(value.micros, row::kMicrosPerDay);
  return Value::Integer(value.micros - day * row::kMicrosPerDay);
}

Value JsonToJsonb(const Value& value, const CastFrame& frame) {
  return TextToAny(value, frame);
}

std::string_view JsonKind(std::string_view json) {
  switch (json.front()) {
    case '{':
      return "object";
    case '[':
      return "array";
    case '"':
      return "string";
    case 'n':
      return "null";
    default:
      return json.front() == 't' || json.front() == 'f' ? "boolean" : "numeric";
  }
}

Value JsonbToScalar(const Value& value, const CastFrame& frame) {
  const std::string_view kind = JsonKind(value.text());
  const bool wants_boolean = frame.to.kind == TypeKind::kBoolean;
  if (kind != (wants_boolean ? "boolean" : "numeric")) {
    return Fail(
        frame.context, "HR2103",
        "cannot cast jsonb " + std::string(kind) + " to type " + row::PostgresName(frame.to));
  }
  if (wants_boolean) return Value::Boolean(value.text().front() == 't');
  const Result<Value> read = ReadText(value.text(), kDecimal, frame.context.arena);
  if (!read.ok()) return Fail(frame.context, "HR2102", "value overflows numeric format");
  const Value number = *read;
  if (IsInteger(frame.to)) return DecimalToInteger(number, frame);
  return frame.to.kind == TypeKind::kDouble ? DecimalToNumber(number, frame)
                                            : DecimalToDecimal(number, frame);
}

bool IsArray(TypeKind kind) {
  return kind == TypeKind::kTextArray || kind == TypeKind::kBigintArray;
}
bool IsTimestamp(TypeKind kind) {
  return kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampTz;
}

Converter FindIntegerCast(Type from, Type to) {
  switch (to.kind) {
    case TypeKind::kBoolean:
      return row::IsSmallint(from) || from.kind == TypeKind::kBigint ? nullptr : &IntegerToBoolean;
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return &IntegerToInteger;
    case TypeKind::kDouble:
      return &IntegerToDouble;
    case TypeKind::kDecimal:
      return &IntegerToDecimal;
    default:
      return nullptr;
  }
}

Converter FindNumberCast(Type from, Type to) {
  const bool decimal = from.kind == TypeKind::kDecimal;
  switch (to.kind) {
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return decimal ? &DecimalToInteger : &DoubleToInteger;
    case TypeKind::kDouble:
      return decimal ? &DecimalToNumber : &DoubleToDouble;
    case TypeKind::kDecimal:
      return decimal ? &DecimalToDecimal : &DoubleToDecimal;
    default:
      return nullptr;
  }
}

Converter FindMomentCast(Type from, Type to) {
  if (from.kind == TypeKind::kDate) return IsTimestamp(to.kind) ? &DateToTimestamp : nullptr;
  if (from.kind == TypeKind::kTime)
    return to.kind == TypeKind::kInterval ? &TimeToInterval : nullptr;
  if (from.kind == TypeKind::kInterval)
    return to.kind == TypeKind::kTime ? &IntervalToTime : nullptr;
  if (IsTimestamp(to.kind)) return &Keep;
  if (to.kind == TypeKind::kDate) return &TimestampToDate;
  return to.kind == TypeKind::kTime ? &TimestampToTime : nullptr;
}

Converter FindJsonCast(Type from, Type to) {
  if (to.kind == TypeKind::kJsonb) return &JsonToJsonb;
  if (to.kind == TypeKind::kJson) return &Keep;
  const bool scalar = IsNumber(to) || to.kind == TypeKind::kBoolean;
  return from.kind == TypeKind::kJsonb && scalar ? &JsonbToScalar : nullptr;
}

Converter FindCast(Type from, Type to) {
  if (to.kind == TypeKind::kText) {
    if (from.kind == TypeKind::kText) return from == kPaddedText ? &DropPadding : &Keep;
    return from.kind == TypeKind::kBoolean ? &BooleanToText : &AnyToText;
  }
  switch (from.kind) {
    case TypeKind::kText:
    case TypeKind::kUnknown:
      return &TextToAny;
    case TypeKind::kBoolean:
      return to == kInteger ? &BooleanToInteger : nullptr;
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return FindIntegerCast(from, to);
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
      return FindNumberCast(from, to);
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kInterval:
      return FindMomentCast(from, to);
    case TypeKind::kJson:
    case TypeKind::kJsonb:
      return FindJsonCast(from, to);
    case TypeKind::kTextArray:
    case TypeKind::kBigintArray:
      return IsArray(to.kind) ? &TextToAny : nullptr;
    case TypeKind::kBytea:
      return nullptr;
  }
  return nullptr;
}

class CastNode final : public ParentNode {
 public:
  CastNode(ExprPtr argument, Type to, Converter converter)
      : ParentNode(List(std::move(argument)), to), from_(child(0).type()), converter_(converter) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    const Value value = child(0).Evaluate(row, context);
    if (value.null) return value;
    return converter_(value, {context, from_, type()});
  }

 private:
  Type from_;
  Converter converter_;
};

Result<ExprPtr> CastUnknown(const Expr& literal, Type target) {
  base::Arena arena;
  HR_ASSIGN(const Value text, EvaluateConstant(literal, arena));
  if (text.null) return Literal(text, target);
  HR_ASSIGN(const Value value, ReadText(text.text(), target, arena));
  return Literal(value, target);
}

}  // namespace

Result<ExprPtr> Cast(ExprPtr argument, row::Type target) {
  const Type from = argument->type();
  if (from == target) return argument;
  if (from.kind == TypeKind::kDecimal && target == kDecimal) return argument;
  if (from.kind == TypeKind::kUnknown && argument->constant())
    return CastUnknown(*argument, target);
  const Converter converter = FindCast(from, target);
  if (converter == nullptr) {
    return Error(ErrorKind::kInvalidArgument, "HR1103",
                 "cannot cast type " + row::ToString(from) + " to " + row::ToString(target));
  }
  return ExprPtr(std::make_unique<CastNode>(std::move(argument), target, converter));
}

}  // namespace headrace::expr
