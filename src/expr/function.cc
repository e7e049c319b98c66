#include "expr/function.h"

#include "expr/node.h"

namespace headrace::expr {
namespace {

// Calls a function of the tables. kCount arguments live on the stack; 0 means any number.
template <size_t kCount>
class CallNode final : public ParentNode {
 public:
  CallNode(const FunctionEntry& entry, std::vector<ExprPtr> arguments, std::vector<Type> types,
           std::unique_ptr<Prepared> prepared)
      : ParentNode(std::move(arguments), entry.result),
        function_(entry.function),
        takes_null_((entry.flags & kTakesNull) != 0),
        types_(std::move(types)),
        prepared_(std::move(prepared)) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    if constexpr (kCount > 0) {
      Value arguments[kCount];
      return Run(row, context, arguments, kCount);
    } else {
      return Run(row, context, context.arena.AllocateArray<Value>(size()), size());
    }
  }

 private:
  Value Run(const Value* row, EvalContext& context, Value* arguments, size_t count) const {
    bool null = false;
    for (size_t i = 0; i < count; ++i) {
      arguments[i] = child(i).Evaluate(row, context);
      null |= arguments[i].null;
    }
    if (null && !takes_null_) return Value::Null();
    CallFrame frame{context, types_, prepared_.get()};
    return function_(arguments, frame);
  }

  Function function_;
  bool takes_null_;
  std::vector<Type> types_;
  std::unique_ptr<Prepared> prepared_;
};

template <size_t kCount>
ExprPtr MakeNode(const FunctionEntry& entry, std::vector<ExprPtr> arguments,
                 std::unique_ptr<Prepared> prepared) {
  std::vector<Type> types;
  for (const ExprPtr& argument : arguments)
    types.push_back(argument->type());
  return std::make_unique<CallNode<kCount>>(entry, std::move(arguments), std::move(types),
                                            std::move(prepared));
}

Result<std::unique_ptr<Prepared>> PrepareCall(const FunctionEntry& entry,
                                              const std::vector<ExprPtr>& arguments) {
  if (entry.prepare == nullptr) return std::unique_ptr<Prepared>();
  base::Arena arena;
  std::vector<Value> values(arguments.size());
  std::vector<const Value*> known(arguments.size(), nullptr);
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments[i]->constant()) continue;
    Result<Value> value = EvaluateConstant(*arguments[i], arena);
    // A constant that fails does so again for each row.
    // With NULL for one argument the function is never called: nothing to prepare, nothing wrong.
    if (value.ok() && value->null && (entry.flags & kTakesNull) == 0) {
      return std::unique_ptr<Prepared>();
    }
    if (!value.ok() || value->null) continue;
    values[i] = *value;
    known[i] = &values[i];
  }
  return entry.prepare(known);
}

}  // namespace

Result<ExprPtr> MakeCall(const FunctionEntry& entry, std::vector<ExprPtr> arguments) {
  HR_ASSIGN(std::unique_ptr<Prepared> prepared, PrepareCall(entry, arguments));
  switch (arguments.size()) {
    case 1:
      return MakeNode<1>(entry, std::move(arguments), std::move(prepared));
    case 2:
      return MakeNode<2>(entry, std::move(arguments), std::move(prepared));
    case 3:
      return MakeNode<3>(entry, std::move(arguments), std::move(prepared));
    case 4:
      return MakeNode<4>(entry, std::move(arguments), std::move(prepared));
    default:
      return MakeNode<0>(entry, std::move(arguments), std::move(prepared));
  }
}

std::string HintFor(std::string_view code) {
  struct Entry {
    std::string_view code;
    std::string_view hint;
  };
  static constexpr Entry kHints[] = {
      {"HR1102", "convert an argument with a cast: x::type"},
      {"HR1103", "cast through another type, such as text"},
      {"HR2001", "spell the text as a literal of the type, or test it before the cast with CASE"},
      {"HR2002", "take a type with a larger range, or test the text before the cast with CASE"},
      {"HR2003", "give the type more digits: decimal(precision, scale)"},
      {"HR2101", "guard the divisor: x / nullif(y, 0)"},
      {"HR2102", "cast an operand to a wider type, or keep such rows out with CASE or WHERE"},
      {"HR2103", "keep such arguments out with CASE or WHERE"},
      {"HR2104", "correct the pattern"},
      {"HR2105", "ask for a shorter text"},
      {"HR2106", "use ->, ->> and #> with the keys one by one"},
  };
  for (const Entry& entry : kHints) {
    if (entry.code == code) return std::string(entry.hint);
  }
  return "";
}

Value Fail(EvalContext& context, std::string_view code, std::string message) {
  if (!context.error) {
    context.error.emplace(ErrorKind::kInvalidArgument, std::string(code), std::move(message));
    context.error->WithHint(HintFor(code));
  }
  return Value::Null();
}

Value FailDivisionByZero(EvalContext& context) {
  return Fail(context, "HR2101", "division by zero");
}

Value FailOutOfRange(EvalContext& context, std::string_view what) {
  return Fail(context, "HR2102", std::string(what) + " out of range");
}

Value FailTooLong(EvalContext& context) {
  return Fail(context, "HR2105", "requested length too large");
}

Value MakeText(EvalContext& context, std::string_view text) {
  if (text.size() > kMaxTextResult) return FailTooLong(context);
  return Value::Text(context.arena.Copy(text));
}

}  // namespace headrace::expr
