// PREDICT of a remote model, and ML_PREDICT, in a streaming SELECT.

#include <algorithm>

#include "sql/format.h"
#include "sql/select_scope.h"

namespace headrace::sql {
namespace {

ExpressionPtr Literal(bool value, const SourceSpan& span) {
  auto literal = std::make_unique<Expression>(ExpressionKind::kBoolean, span);
  literal->flag = value;
  return literal;
}

// CASE WHEN outer THEN inner ELSE false END.
ExpressionPtr Within(const Expression* outer, ExpressionPtr inner) {
  if (outer == nullptr) return inner;
  auto both = std::make_unique<Expression>(ExpressionKind::kCase, inner->span);
  both->height = std::max(outer->height, inner->height) + 1;
  both->children.push_back(Clone(*outer));
  both->children.push_back(std::move(inner));
  both->otherwise = Literal(false, both->span);
  return both;
}

// Whether a row comes to the branch: its WHEN, or (`then`) its THEN. The branch behind the last is
// ELSE.
ExpressionPtr Reaches(const Expression& node, size_t branch, bool then) {
  auto guard = std::make_unique<Expression>(ExpressionKind::kCase, node.span);
  guard->height = node.height + 1;
  if (node.operand) guard->operand = Clone(*node.operand);
  const size_t branches = node.children.size() / 2;
  const size_t tested = then && branch < branches ? branch + 1 : branch;
  for (size_t i = 0; i < tested; ++i) {
    guard->children.push_back(Clone(*node.children[2 * i]));
    guard->children.push_back(Literal(then && i == branch, node.span));
  }
  guard->otherwise = Literal(tested == branch, node.span);
  return tested == 0 ? nullptr : std::move(guard);
}

}  // namespace

void SelectScope::NoteGuards(const Expression& expression, const Expression* guard) {
  if (expression.kind == ExpressionKind::kPredict) {
    const std::optional<KnownName> known = names_.Find(expression.name);
    if (known && known->remote) {
      auto [call, is_new] = remote_calls_.try_emplace(Format(expression));
      RemoteCall& noted = call->second;
      if (is_new) {
        noted.guard = guard != nullptr ? Clone(*guard) : nullptr;
      } else if (!noted.binding) {
        const bool same = (guard == nullptr) == (noted.guard == nullptr) &&
                          (guard == nullptr || Format(*guard) == Format(*noted.guard));
        noted.guarded_twice = noted.guarded_twice || !same;
      }
    }
  }
  if (expression.kind == ExpressionKind::kCase) return NoteGuardsOfCase(expression, guard);
  for (const ExpressionPtr& child : expression.children)
    NoteGuards(*child, guard);
}

void SelectScope::NoteGuardsOfCase(const Expression& node, const Expression* guard) {
  if (node.operand) NoteGuards(*node.operand, guard);
  const size_t branches = node.children.size() / 2;
  for (size_t i = 0; i <= branches; ++i) {
    const ExpressionPtr tests = Reaches(node, i, false);
    const ExpressionPtr within = tests ? Within(guard, Clone(*tests)) : nullptr;
    const Expression* reached = within ? within.get() : guard;
    if (i == branches) {
      if (node.otherwise) NoteGuards(*node.otherwise, reached);
      return;
    }
    NoteGuards(*node.children[2 * i], reached);
    const ExpressionPtr taken = Within(guard, Reaches(node, i, true));
    NoteGuards(*node.children[2 * i + 1], taken.get());
  }
}

Interception SelectScope::BindRemote(const Expression& call,
                                     const std::shared_ptr<const flow::RemotePlan>& model,
                                     Binding* binding) {
  if (call.flag) {
    Complain(diagnostics_, "HR1196", "remote model `" + call.name + "` gives no reasons",
             call.span);
    return Interception::kFailed;
  }
  const std::string text = Format(call);
  const auto noted = remote_calls_.find(text);
  if (noted != remote_calls_.end() && noted->second.binding) {
    *binding = *noted->second.binding;
    return Interception::kBound;
  }
  flow::RemoteQuestion question;
  question.model = model;
  if (!BindRemoteInputs(call, &question)) return Interception::kFailed;
  if (noted != remote_calls_.end() && noted->second.guard && !noted->second.guarded_twice) {
    const Binding when = SlotOf(*noted->second.guard);
    if (when.slot < 0) return Interception::kFailed;
    question.when_slot = when.slot;
  }
  const bool several = model->outputs.size() > 1;
  const flow::RemoteQuestion& added = AddQuestion(std::move(question), several);
  binding->slot = several ? added.json_slot : added.output_slots.front();
  binding->type = several ? row::Type{row::TypeKind::kJsonb, 0, 0} : model->outputs.front().type;
  // The guard may have noted calls of its own.
  remote_calls_[text].binding = *binding;
  return Interception::kBound;
}

bool SelectScope::BindRemoteInputs(const Expression& call, flow::RemoteQuestion* question) {
  const flow::RemotePlan& model = *question->model;
  if (!call.children.empty() && call.children.size() != model.inputs.size()) {
    std::string list;
    for (const row::Column& input : model.inputs)
      list += (list.empty() ? "" : ", ") + input.name;
    Complain(diagnostics_, "HR1108",
             "model `" + call.name + "` takes " + std::to_string(model.inputs.size()) +
                 " inputs, not " + std::to_string(call.children.size()),
             call.span)
        .hint = "its inputs: " + list;
    return false;
  }
  bool good = true;
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    Binding input;
    if (!call.children.empty()) {
      input = SlotOf(*call.children[i]);
    } else if (std::optional<Binding> found = Resolve("", model.inputs[i].name)) {
      input = *found;
    } else {
      Diagnostic& diagnostic =
          Complain(diagnostics_, "HR1109",
                   "model `" + call.name + "` wants an input `" + model.inputs[i].name +
                       "` that is no column or earlier alias here",
                   call.span);
      diagnostic.candidates = expr::CloseNames(model.inputs[i].name, names());
      diagnostic.hint = "name it with AS, or pass the inputs by position";
    }
    if (input.slot < 0 || !CheckRemoteInput(call, model, i, input.type)) {
      good = false;
      continue;
    }
    question->input_slots.push_back(input.slot);
    question->input_types.push_back(input.type);
  }
  return good;
}

bool SelectScope::CheckRemoteInput(const Expression& call, const flow::RemotePlan& model,
                                   size_t input, row::Type given) {
  using enum row::TypeKind;
  const row::Type wanted = model.inputs[input].type;
  const bool integer = given.kind == kInteger || given.kind == kBigint;
  bool fits = false;
  if (wanted.kind == kDouble) fits = integer || given.kind == kDouble || given.kind == kDecimal;
  if (wanted.kind == kInteger || wanted.kind == kBigint) fits = integer;
  if (wanted.kind == kText) fits = given.kind == kText || given.kind == kUnknown;
  if (wanted.kind == kBoolean) fits = given.kind == kBoolean;
  if (fits) return true;
  Complain(diagnostics_, "HR1110",
           "input `" + model.inputs[input].name + "` of model `" + call.name + "` must be a " +
               row::ToString(wanted) + ", not " + row::ToString(given),
           call.span)
      .hint = "cast it";
  return false;
}

flow::RemoteQuestion& SelectScope::AddQuestion(flow::RemoteQuestion question, bool json) {
  size_t stage = 0;
  std::vector<int> read = question.input_slots;
  if (question.when_slot >= 0) read.push_back(question.when_slot);
  for (int slot : read)
    stage = std::max(stage, stage_of_slot_[static_cast<size_t>(slot)]);
  for (const row::Column& output : question.model->outputs)
    question.output_slots.push_back(NewSlot(stage + 1, output.type));
  if (json) question.json_slot = NewSlot(stage + 1, {row::TypeKind::kJsonb, 0, 0});
  question.status_slot = NewSlot(stage + 1, {row::TypeKind::kText, 0, 0});
  question.detail_slot = NewSlot(stage + 1, {row::TypeKind::kText, 0, 0});
  std::vector<flow::RemoteQuestion>& questions = StageAt(stage).questions;
  questions.push_back(std::move(question));
  return questions.back();
}

void SelectScope::BindModelTable(const TableReference& table) {
  Expression call(ExpressionKind::kPredict, table.span);
  call.name = table.model.name;
  call.name_span = table.model.span;
  for (const Identifier& column : table.columns) {
    auto input = std::make_unique<Expression>(ExpressionKind::kColumn, column.span);
    input->name = column.name;
    input->name_span = column.span;
    call.children.push_back(std::move(input));
  }
  const std::optional<KnownName> known = names_.Find(table.model.name);
  if (known && known->learner) {
    Complain(diagnostics_, "HR1234", "`" + table.model.name + "` is a learner", table.model.span)
        .hint = "LEARN(" + table.model.name + ", ...) in the SELECT list asks and teaches it";
    return;
  }
  if (known && known->remote) {
    flow::RemoteQuestion question;
    question.model = known->remote;
    if (!BindRemoteInputs(call, &question)) return;
    const flow::RemoteQuestion added = AddQuestion(std::move(question), false);
    for (size_t i = 0; i < added.output_slots.size(); ++i) {
      const row::Column& output = known->remote->outputs[i];
      model_columns_.push_back({output.name, {added.output_slots[i], output.type}});
    }
  } else if (known && known->models) {
    flow::Prediction prediction;
    prediction.model = table.model.name;
    if (!BindInputs(call, *known->models, &prediction)) return;
    AddModelColumns(prediction, known->models->versions.back()->info());
  } else {
    Complain(diagnostics_, "HR1107", "unknown model `" + table.model.name + "`", table.model.span)
        .candidates = expr::CloseNames(table.model.name, names_.model_names());
    return;
  }
  for (const Column& column : model_columns_) {
    if (columns_.Resolve("", column.name)) {
      Complain(diagnostics_, "HR1234",
               "`" + table.model.name + "` gives `" + column.name + "`, and `" + table.name.name +
                   "` has a column of that name",
               table.span)
          .hint = "write PREDICT(" + table.model.name + ", ...) AS another_name in the SELECT list";
      return model_columns_.clear();
    }
    AddAlias(column.name, column.binding);
  }
}

// A score of its own is called `score`; several are called as the file calls them, or score_0 and
// so on.
void SelectScope::AddModelColumns(const flow::Prediction& prediction,
                                  const model::ModelInfo& info) {
  flow::Prediction made = prediction;
  const auto outputs = static_cast<size_t>(info.predictions);
  const row::Type number{row::TypeKind::kDouble, 0, 0};
  const row::Type text{row::TypeKind::kText, 0, 0};
  made.result_type = outputs > 1            ? row::Type{row::TypeKind::kJsonb, 0, 0}
                     : info.text_prediction ? text
                                            : number;
  size_t stage = 0;
  for (int slot : made.input_slots)
    stage = std::max(stage, stage_of_slot_[static_cast<size_t>(slot)]);
  for (size_t i = 0; i < outputs && outputs > 1; ++i) {
    const bool named = info.output_names.size() == outputs;
    const bool of_text = info.text_outputs.size() == outputs && info.text_outputs[i];
    const row::Type type = of_text ? text : number;
    made.output_slots.push_back(NewSlot(stage + 1, type));
    model_columns_.push_back({named ? info.output_names[i] : "score_" + std::to_string(i),
                              {made.output_slots.back(), type}});
  }
  const std::string only = info.output_names.size() == 1 ? info.output_names[0] : "score";
  const Binding whole = AddPrediction(std::move(made));
  if (outputs == 1) model_columns_.push_back({only, whole});
}

}  // namespace headrace::sql
