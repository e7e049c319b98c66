// CREATE MODEL ... LEARNER, and calls of LEARN in a streaming SELECT.

#include <algorithm>
#include <set>

#include "flow/learning.h"
#include "sql/format.h"
#include "sql/plan_support.h"
#include "sql/select_scope.h"

namespace headrace::sql {
namespace {

bool IsNumber(row::Type type) {
  using enum row::TypeKind;
  return type.kind == kBoolean || type.kind == kInteger || type.kind == kBigint ||
         type.kind == kDouble || type.kind == kDecimal;
}

std::optional<learn::LabelKind> LabelKindOf(row::Type type) {
  using enum row::TypeKind;
  if (type.kind == kText) return learn::LabelKind::kText;
  if (type.kind == kBoolean || type.kind == kInteger || type.kind == kBigint)
    return learn::LabelKind::kInteger;
  if (type.kind == kDouble) return learn::LabelKind::kNumber;
  return {};
}

// Where in the statement an error of the learner belongs: its option if it names one.
SourceSpan PlaceOfError(const Error& error, const CreateModel& create) {
  for (const Option& option : create.options) {
    const bool named = error.message().find("`" + option.key.name + "`") != std::string::npos;
    if (error.code() == "HR3081" && named) return option.key.span;
    if (error.code() == "HR3082" && named) return option.value_span;
  }
  if (error.code() == "HR3083" && create.learner->label) return create.learner->label->name.span;
  return create.learner->kind.span;
}

class LearnerPlanner {
 public:
  LearnerPlanner(const CreateModel& create, std::vector<Diagnostic>& diagnostics)
      : create_(create), diagnostics_(diagnostics), plan_(std::make_shared<flow::LearnerPlan>()) {}

  std::shared_ptr<const flow::LearnerPlan> Run() {
    const size_t before = diagnostics_.size();
    plan_->name = create_.name.name;
    for (const ModelColumn& input : create_.learner->inputs)
      AddInput(input);
    plan_->spec.label = learn::LabelKind::kNone;
    if (create_.learner->label) SetLabel(*create_.learner->label);
    if (diagnostics_.size() != before) return nullptr;
    learn::LearnerSpec& spec = plan_->spec;
    spec.kind = create_.learner->kind.name;
    spec.features = plan_->inputs.size();
    for (const Option& option : create_.options)
      spec.options.emplace_back(option.key.name, option.value);
    const auto learner = learn::Learner::Make(spec);
    if (!learner.ok()) {
      const Error& error = learner.error();
      Complain(diagnostics_, error.code(), error.message(), PlaceOfError(error, create_)).hint =
          error.hint();
      return nullptr;
    }
    SetAnswer((*learner)->answers());
    return plan_;
  }

 private:
  void SetAnswer(learn::LabelKind answers) {
    using enum row::TypeKind;
    if (answers == learn::LabelKind::kNumber) {
      plan_->answer = {kDouble, 0, 0};
    } else {
      plan_->answer = plan_->labelled() ? plan_->label.type : row::Type{kBigint, 0, 0};
    }
  }

  void AddInput(const ModelColumn& column) {
    const std::optional<row::Type> type = TypeOf(column);
    if (!type) return;
    if (!IsNumber(*type)) {
      Complain(diagnostics_, "HR1110",
               "input `" + column.name.name + "` of a learner must be a number, not " +
                   row::ToString(*type),
               column.type.span)
          .hint = "DOUBLE PRECISION takes integers and decimals, too";
    }
    plan_->inputs.push_back({column.name.name, *type, false});
  }

  void SetLabel(const ModelColumn& column) {
    const std::optional<row::Type> type = TypeOf(column);
    if (!type) return;
    const std::optional<learn::LabelKind> kind = LabelKindOf(*type);
    if (!kind) {
      Complain(diagnostics_, "HR1180",
               "a label is a class or a number, not " + row::ToString(*type), column.type.span)
          .hint = "BIGINT, TEXT and BOOLEAN are classes, DOUBLE PRECISION is a number";
      return;
    }
    plan_->label = {column.name.name, *type, false};
    plan_->spec.label = *kind;
  }

  std::optional<row::Type> TypeOf(const ModelColumn& column) {
    if (!names_.insert(column.name.name).second) {
      Complain(diagnostics_, "HR1117", "`" + column.name.name + "` stands twice", column.name.span);
      return {};
    }
    std::optional<row::Type> type = ToRowType(column.type);
    if (!type) {
      Complain(diagnostics_, "HR1113", "type " + ToString(column.type) + " is not supported here",
               column.type.span);
    }
    return type;
  }

  const CreateModel& create_;
  std::vector<Diagnostic>& diagnostics_;
  std::shared_ptr<flow::LearnerPlan> plan_;
  std::set<std::string> names_;
};

}  // namespace

std::shared_ptr<const flow::LearnerPlan> Planner::PlanLearner(const CreateModel& create) const {
  return LearnerPlanner(create, diagnostics_).Run();
}

// LEARN(model, inputs..., label), without the label where there is none: the model is written like
// a column.
std::shared_ptr<const flow::LearnerPlan> SelectScope::LearnerOf(const Expression& call) {
  const bool named = !call.children.empty() && call.children[0]->kind == ExpressionKind::kColumn &&
                     call.children[0]->qualifier.empty();
  if (!named) {
    Complain(diagnostics_, "HR1107", "LEARN begins with the name of a model", call.span).hint =
        "write LEARN(model, input, ..., label)";
    return nullptr;
  }
  const Expression& name = *call.children[0];
  const std::optional<KnownName> known = names_.Find(name.name);
  if (known && known->learner) return known->learner;
  if (known && known->models) {
    Complain(diagnostics_, "HR1181",
             "model `" + name.name + "` comes from a file: it does not learn", name.span)
        .hint = "PREDICT asks it; CREATE MODEL ... LEARNER makes one that learns";
    return nullptr;
  }
  Complain(diagnostics_, "HR1107", "unknown model `" + name.name + "`", name.span).candidates =
      expr::CloseNames(name.name, names_.model_names());
  return nullptr;
}

Interception SelectScope::BindLearn(const Expression& call, Binding* binding) {
  if (call.star || call.distinct || call.filter || !call.argument_order.empty() ||
      !call.argument_names.empty()) {
    Complain(diagnostics_, "HR1185", "LEARN takes no *, names, DISTINCT, ORDER BY or FILTER",
             call.span)
        .hint = "a row whose label is NULL is asked about and not learned";
    return Interception::kFailed;
  }
  const std::shared_ptr<const flow::LearnerPlan> learner = LearnerOf(call);
  if (!learner) return Interception::kFailed;
  const size_t inputs = learner->inputs.size();
  const size_t wanted = learner->labelled() ? inputs + 1 : inputs;
  if (call.children.size() != wanted + 1) {
    std::string list;
    for (const row::Column& input : learner->inputs)
      list += (list.empty() ? "" : ", ") + input.name;
    if (learner->labelled()) list += ", " + learner->label.name;
    Complain(diagnostics_, "HR1108",
             "LEARN of `" + learner->name + "` takes " + std::to_string(wanted) +
                 " values behind the model, not " + std::to_string(call.children.size() - 1),
             call.span)
        .hint = "they are: " + list;
    return Interception::kFailed;
  }
  RunningPlace place;
  std::vector<int> slots;
  std::vector<row::Type> types;
  bool good = !call.windowed() || ResolveRunning(call, &place);
  for (size_t i = 1; i < call.children.size(); ++i) {
    const Binding value = SlotOf(*call.children[i]);
    good = value.slot >= 0 && good;
    if (value.slot < 0) continue;
    const bool is_label = i > inputs;
    good = CheckLearned(*learner, is_label ? nullptr : &learner->inputs[i - 1], *call.children[i],
                        value.type) &&
           good;
    slots.push_back(value.slot);
    types.push_back(value.type);
  }
  if (!good) return Interception::kFailed;
  state::RunningCall made = flow::MakeLearnCall(*learner, std::move(types));
  made.argument_slots = std::move(slots);
  *binding = AddRunning(place, std::move(made));
  NoteLearnCall(learner->name, binding->slot);
  Window window;
  window.text = place.text;
  NoteFeature(call, window, *binding, 0, 0, -1);
  return Interception::kBound;
}

void SelectScope::NoteLearnCall(const std::string& model, int result_slot) {
  for (size_t stage = 0; stage < stages_.size(); ++stage) {
    for (size_t spec = 0; spec < stages_[stage].running.size(); ++spec) {
      const std::vector<state::RunningCall>& calls = stages_[stage].running[spec].calls;
      for (size_t call = 0; call < calls.size(); ++call) {
        if (calls[call].result_slot == result_slot)
          learn_calls_.push_back({model, stage, spec, call});
      }
    }
  }
}

Interception SelectScope::BindAsk(const Expression& call, const flow::LearnerPlan& learner,
                                  Binding* binding) {
  const auto taught =
      std::find_if(learn_calls_.begin(), learn_calls_.end(),
                   [&](const LearnCall& known) { return known.model == learner.name; });
  if (taught == learn_calls_.end()) {
    Complain(
        diagnostics_, "HR1182",
        "`" + learner.name + "` is a learner, and no LEARN before this in the SELECT teaches it",
        call.span)
        .hint = "what was learned belongs to the statement that learns: write LEARN(" +
                learner.name + ", ...) there first; with a NULL label it only asks";
    return Interception::kFailed;
  }
  state::RunningCall::Question question;
  if (!BindAskedInputs(call, learner, &question)) return Interception::kFailed;
  for (int slot : question.argument_slots) {
    if (stage_of_slot_[static_cast<size_t>(slot)] <= taught->stage) continue;
    Complain(
        diagnostics_, "HR1183",
        "an input of this PREDICT is known only when `" + learner.name + "` has learned the row",
        call.span)
        .hint = "it asks what was known before: take inputs that do not depend on LEARN";
    return Interception::kFailed;
  }
  question.result_slot = NewSlot(taught->stage + 1, learner.answer);
  *binding = {question.result_slot, learner.answer};
  stages_[taught->stage].running[taught->spec].calls[taught->call].questions.push_back(
      std::move(question));
  return Interception::kBound;
}

bool SelectScope::BindAskedInputs(const Expression& call, const flow::LearnerPlan& learner,
                                  state::RunningCall::Question* question) {
  if (!call.children.empty() && call.children.size() != learner.inputs.size()) {
    Complain(diagnostics_, "HR1108",
             "model `" + learner.name + "` takes " + std::to_string(learner.inputs.size()) +
                 " inputs, not " + std::to_string(call.children.size()),
             call.span);
    return false;
  }
  bool good = true;
  for (size_t i = 0; i < learner.inputs.size(); ++i) {
    const std::string& name = learner.inputs[i].name;
    Binding input;
    if (!call.children.empty()) {
      input = SlotOf(*call.children[i]);
    } else if (const std::optional<Binding> found = Resolve("", name)) {
      input = *found;
    } else {
      Complain(diagnostics_, "HR1109",
               "model `" + learner.name + "` wants an input `" + name +
                   "` that is no column or earlier alias here",
               call.span)
          .candidates = expr::CloseNames(name, names());
    }
    const Expression& given = call.children.empty() ? call : *call.children[i];
    good = input.slot >= 0 && good;
    good = input.slot >= 0 && CheckLearned(learner, &learner.inputs[i], given, input.type) && good;
    question->argument_slots.push_back(input.slot);
    question->argument_types.push_back(input.type);
  }
  return good;
}

// `input` null: the label.
bool SelectScope::CheckLearned(const flow::LearnerPlan& learner, const row::Column* input,
                               const Expression& given, row::Type type) {
  using enum row::TypeKind;
  if (type.kind == kUnknown) return true;  // NULL
  const row::Type label = learner.label.type;
  const bool fits = input != nullptr        ? IsNumber(type)
                    : label.kind == kDouble ? IsNumber(type)
                                            : type.kind == label.kind ||
                                                  (label.kind == kBigint && type.kind == kInteger);
  if (fits) return true;
  Complain(diagnostics_, input != nullptr ? "HR1110" : "HR1180",
           input != nullptr ? "input `" + input->name + "` of model `" + learner.name +
                                  "` must be a number, not " + row::ToString(type)
                            : "label `" + learner.label.name + "` of model `" + learner.name +
                                  "` is " + row::ToString(label) + ", not " + row::ToString(type),
           given.span)
      .hint = "cast it";
  return false;
}

}  // namespace headrace::sql
