#include "flow/learning.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>

#include "flow/select_node.h"
#include "headrace/check.h"

namespace headrace::flow {
namespace {

constexpr double kLargest = 1e150;

class LearnFunction final : public state::RunningFunction {
 public:
  LearnFunction(std::unique_ptr<learn::Learner> learner, learn::LabelKind label, row::Type answer,
                std::vector<row::Type> types)
      : learner_(std::move(learner)),
        label_(label),
        answer_(answer),
        types_(std::move(types)),
        x_(types_.size() - (label == learn::LabelKind::kNone ? 0 : 1)) {}

  row::Value Step(const row::Value* arguments, base::Arena& arena) override {
    Read(arguments, types_);
    if (label_ == learn::LabelKind::kNone) return Answer(Learn(), arena);
    const row::Value& label = arguments[x_.size()];
    return Answer(label.null ? learner_->Ask(x_) : learner_->Learn(x_, LabelOf(label)), arena);
  }
  row::Value Ask(const row::Value* arguments, std::span<const row::Type> types,
                 base::Arena& arena) override {
    Read(arguments, types);
    return Answer(learner_->Ask(x_), arena);
  }
  void Save(base::ByteWriter& writer) const override { learner_->Save(writer); }
  bool Load(base::ByteReader& reader) override { return learner_->Load(reader); }
  size_t bytes() const override { return sizeof *this + learner_->memory(); }

 private:
  // An example of which nothing is known only asks.
  std::optional<learn::Label> Learn() {
    const bool empty = std::all_of(x_.begin(), x_.end(), [](double x) { return std::isnan(x); });
    return empty ? learner_->Ask(x_) : learner_->Learn(x_, {});
  }

  void Read(const row::Value* arguments, std::span<const row::Type> types) {
    for (size_t i = 0; i < x_.size(); ++i) {
      const double number = FeatureOf(arguments[i], types[i], kNoCategories);
      x_[i] = std::abs(number) < kLargest ? number : std::nan("");
    }
  }

  learn::Label LabelOf(const row::Value& value) const {
    const row::Type type = types_.back();
    if (label_ == learn::LabelKind::kText) return {0, 0, value.text()};
    if (label_ == learn::LabelKind::kNumber) return {0, FeatureOf(value, type, kNoCategories), {}};
    if (type.kind == row::TypeKind::kBoolean) return {value.boolean ? 1 : 0, 0, {}};
    return {value.integer, 0, {}};
  }

  row::Value Answer(const std::optional<learn::Label>& answer, base::Arena& arena) const {
    if (!answer) return row::Value::Null();
    switch (answer_.kind) {
      case row::TypeKind::kDouble:
        return row::Value::Double(answer->number);
      case row::TypeKind::kBoolean:
        return row::Value::Boolean(answer->integer != 0);
      case row::TypeKind::kText:
        return row::Value::Text(arena.Copy(answer->text));
      default:
        return row::Value::Integer(answer->integer);
    }
  }

  inline static const std::vector<std::string> kNoCategories;

  std::unique_ptr<learn::Learner> learner_;
  learn::LabelKind label_;
  row::Type answer_;
  std::vector<row::Type> types_;
  std::vector<double> x_;
};

}  // namespace

state::RunningCall MakeLearnCall(const LearnerPlan& plan, std::vector<row::Type> types) {
  HR_CHECK(types.size() == plan.inputs.size() + (plan.labelled() ? 1 : 0));
  state::RunningCall call;
  // The options as they are written: spelt otherwise, the learner is another one.
  call.definition = "learn " + plan.spec.kind + "(" + std::to_string(plan.spec.features) + ")";
  for (const auto& [name, value] : plan.spec.options)
    call.definition += " " + name + "=" + value;
  if (plan.labelled()) call.definition += " " + row::ToString(plan.label.type);
  call.definition += " as " + plan.name;
  call.argument_types = types;
  call.result_type = plan.answer;
  call.make = [spec = plan.spec, answer = plan.answer, types = std::move(types)] {
    Result<std::unique_ptr<learn::Learner>> learner = learn::Learner::Make(spec);
    HR_CHECK(learner.ok());
    return std::make_unique<LearnFunction>(std::move(learner).value(), spec.label, answer, types);
  };
  return call;
}

}  // namespace headrace::flow
