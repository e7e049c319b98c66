// Casts to types with modifiers: what is beyond row::Type is applied to the value.
#include <string>

#include "expr/node.h"
#include "expr/utf8.h"
#include "row/interval.h"

namespace headrace::expr {
namespace {

// varchar(n) cuts; char(n) also fills with blanks.
class LengthNode final : public ParentNode {
 public:
  LengthNode(ExprPtr text, int length, Type type)
      : ParentNode(List(std::move(text)), type), length_(static_cast<size_t>(length)) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    const Value value = child(0).Evaluate(row, context);
    if (value.null) return value;
    const std::string_view kept = value.text().substr(0, OffsetOf(value.text(), length_));
    if (type() != kPaddedText) return Value::Text(kept);
    const size_t missing = length_ - CountCharacters(kept);
    if (missing == 0) return Value::Text(kept);
    char* const padded = context.arena.Allocate(kept.size() + missing);
    std::fill_n(std::copy(kept.begin(), kept.end(), padded), missing, ' ');
    return Value::Text({padded, kept.size() + missing});
  }

 private:
  size_t length_;
};

int64_t RoundTo(int64_t micros, int digits) {
  int64_t unit = 1;
  for (int i = digits; i < 6; ++i)
    unit *= 10;
  const int64_t half = unit / 2;
  // Half away from zero, without leaving 64 bits.
  if (micros > INT64_MAX - half || micros < INT64_MIN + half) return micros;
  return (micros < 0 ? micros - half : micros + half) / unit * unit;
}

// A time of fewer digits, or an interval without its smaller parts.
class PrecisionNode final : public ParentNode {
 public:
  PrecisionNode(ExprPtr value, const CastTarget& target)
      : ParentNode(List(std::move(value)), target.type), target_(target) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    Value value = child(0).Evaluate(row, context);
    if (value.null) return value;
    const int digits = target_.precision;
    if (type().kind != TypeKind::kInterval) {
      if (digits >= 0) value.integer = RoundTo(value.integer, digits);
      return value;
    }
    row::Interval interval = value.interval();
    row::CutInterval(target_.fields, &interval);
    if (digits >= 0) interval.micros = RoundTo(interval.micros, digits);
    return Value::Of(interval);
  }

 private:
  CastTarget target_;
};

Result<ExprPtr> ReadInterval(const Expr& literal, const std::string& fields) {
  base::Arena arena;
  HR_ASSIGN(const Value text, EvaluateConstant(literal, arena));
  if (text.null) return Literal(text, kInterval);
  HR_ASSIGN(const row::Interval interval, row::ParseInterval(text.text(), fields));
  return Literal(Value::Of(interval), kInterval);
}

}  // namespace

Result<ExprPtr> CastTo(ExprPtr argument, const CastTarget& target) {
  // The unit of a bare number in a literal is the last field: interval '15' second.
  if (argument->type() == kUnknown && !target.fields.empty()) {
    HR_ASSIGN(argument, ReadInterval(*argument, target.fields));
  }
  if (target.length >= 0) {
    HR_ASSIGN(argument, Cast(std::move(argument), kText));
    return ExprPtr(std::make_unique<LengthNode>(std::move(argument), target.length, target.type));
  }
  HR_ASSIGN(argument, Cast(std::move(argument), target.type));
  if (target.precision < 0 && target.fields.empty()) return argument;
  return ExprPtr(std::make_unique<PrecisionNode>(std::move(argument), target));
}

}  // namespace headrace::expr
