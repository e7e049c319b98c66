#include "sql/select_scope.h"

#include <algorithm>

#include "flow/running_functions.h"
#include "sql/format.h"

namespace headrace::sql {

SelectScope::SelectScope(const NameLookup& names, const Select& select, const KnownName& input,
                         std::vector<Diagnostic>& diagnostics)
    : names_(names),
      select_(select),
      input_(input),
      qualifier_(select.from.alias.empty() ? select.from.name.name : select.from.alias.name),
      diagnostics_(diagnostics),
      columns_(input_.schema(), qualifier_),
      stage_of_slot_(input_.schema().columns.size(), 0) {
  for (const row::Column& column : input_.schema().columns)
    type_of_slot_.push_back(column.type);
}

std::optional<Binding> SelectScope::Resolve(const std::string& qualifier, const std::string& name) {
  if (std::optional<Binding> column = columns_.Resolve(qualifier, name)) return column;
  if (!qualifier.empty()) return {};
  auto alias = aliases_.find(name);
  if (alias == aliases_.end()) return {};
  return alias->second;
}

std::vector<std::string> SelectScope::names() const {
  std::vector<std::string> names = columns_.names();
  for (const auto& [alias, binding] : aliases_)
    names.push_back(alias);
  return names;
}

std::vector<std::string> SelectScope::call_names() const {
  std::vector<std::string> names = flow::RunningFunctionNames();
  for (const char* name :
       {"avg",        "bool_and",   "bool_or",     "choose", "count",   "first_value", "lag",
        "last_value", "learn",      "max",         "min",    "predict", "reasons",     "reward",
        "stddev",     "stddev_pop", "stddev_samp", "sum",    "var_pop", "var_samp",    "variance"})
    names.emplace_back(name);
  return names;
}

Interception SelectScope::Intercept(const Expression& node, Binding* binding) {
  if (node.kind == ExpressionKind::kPredict) return BindPredict(node, binding);
  if (node.kind != ExpressionKind::kCall) return Interception::kNone;
  if (flow::FindRunningFunction(node.name) != nullptr) return BindRunning(node, binding);
  if (node.name == "learn") return BindLearn(node, binding);
  if (IsPolicyCall(node)) return RefusePolicyCall(node);
  if (node.windowed()) return BindWindowCall(node, binding);
  if (!state::FindAggregate(node.name) || node.flag) return Interception::kNone;
  Complain(diagnostics_, "HR1120", "aggregate `" + node.name + "` needs a window here", node.span)
      .hint = "write " + node.name +
              "(...) OVER (PARTITION BY ... ORDER BY ... RANGE ...), or GROUP "
              "BY a TUMBLE or HOP window";
  return Interception::kFailed;
}

void SelectScope::BeginItem(const Expression& item, const std::string& alias) {
  item_ = &item;
  item_alias_ = alias;
  NoteGuards(item, nullptr);
}

int SelectScope::NewSlot(size_t stage, row::Type type) {
  stage_of_slot_.push_back(stage);
  type_of_slot_.push_back(type);
  return static_cast<int>(stage_of_slot_.size()) - 1;
}

size_t SelectScope::StageOf(const expr::Expr& expression) const {
  std::vector<int> slots;
  expression.CollectSlots(slots);
  size_t stage = 0;
  for (int slot : slots)
    stage = std::max(stage, stage_of_slot_[static_cast<size_t>(slot)]);
  return stage;
}

flow::Stage& SelectScope::StageAt(size_t stage) {
  if (stages_.size() <= stage) stages_.resize(stage + 1);
  return stages_[stage];
}

Binding SelectScope::SlotOf(const Expression& expression) {
  if (expression.kind == ExpressionKind::kColumn) {
    if (auto known = Resolve(expression.qualifier, expression.name)) return *known;
  }
  Binding intercepted;
  Interception interception = Intercept(expression, &intercepted);
  if (interception == Interception::kBound) return intercepted;
  if (interception == Interception::kFailed) return {};
  ExpressionBinder binder(*this, diagnostics_);
  expr::ExprPtr bound = binder.BindResolved(expression);
  if (!bound) return {};
  size_t stage = StageOf(*bound);
  Binding binding{NewSlot(stage, bound->type()), bound->type()};
  StageAt(stage).evaluations.push_back({binding.slot, std::move(bound)});
  return binding;
}

std::optional<state::AggregateKind> KindOfCall(const Expression& call,
                                               std::vector<Diagnostic>& diagnostics) {
  std::optional<state::AggregateKind> kind = state::FindAggregate(call.name);
  if (!kind) {
    Diagnostic& diagnostic =
        Complain(diagnostics, "HR1101", "unknown aggregate `" + call.name + "`", call.name_span);
    diagnostic.candidates = expr::CloseNames(
        call.name, {"avg", "count", "first_value", "lag", "last_value", "max", "min", "stddev_pop",
                    "stddev_samp", "sum", "var_pop", "var_samp"});
    return {};
  }
  if (*kind == state::AggregateKind::kCount && call.star) return state::AggregateKind::kCountRows;
  size_t most = *kind == state::AggregateKind::kLag ? 2 : 1;
  if (call.star || call.children.empty() || call.children.size() > most) {
    Complain(diagnostics, "HR1102", call.name + " takes one argument", call.span);
    return {};
  }
  if (call.distinct && *kind != state::AggregateKind::kCount &&
      *kind != state::AggregateKind::kMin && *kind != state::AggregateKind::kMax) {
    Complain(diagnostics, "HR1127", "DISTINCT is supported in count, min and max only", call.span);
    return {};
  }
  if (call.distinct && *kind == state::AggregateKind::kCount) {
    return state::AggregateKind::kCountDistinct;
  }
  return kind;
}

Interception SelectScope::BindWindowCall(const Expression& call, Binding* binding) {
  std::optional<state::AggregateKind> kind = KindOfCall(call, diagnostics_);
  std::optional<Window> window = ResolveWindow(call);
  if (!kind || !window) return Interception::kFailed;
  state::AggregateSpec aggregate;
  aggregate.kind = *kind;
  if (!BindArguments(call, &aggregate)) return Interception::kFailed;
  *binding = AddAggregate(*window, aggregate);
  const flow::Stage* found = nullptr;
  for (size_t s = 0; s < stages_.size(); ++s) {
    for (size_t b = 0; b < stages_[s].key_blocks.size(); ++b) {
      for (const state::AggregateSpec& made : stages_[s].key_blocks[b].aggregates) {
        if (made.result_slot != binding->slot) continue;
        found = &stages_[s];
        bool framed = *kind != state::AggregateKind::kLag;
        NoteFeature(call, *window, *binding, s, b, framed ? made.frame : -1);
      }
    }
  }
  HR_CHECK(found != nullptr);
  return Interception::kBound;
}

bool SelectScope::BindArguments(const Expression& call, state::AggregateSpec* aggregate) {
  if (!call.children.empty()) {
    Binding argument = SlotOf(*call.children[0]);
    if (argument.slot < 0) return false;
    aggregate->argument_slot = argument.slot;
    aggregate->argument_type = argument.type;
  }
  if (aggregate->kind == state::AggregateKind::kLag && call.children.size() > 1) {
    std::optional<int64_t> back =
        ConstantInteger(*call.children[1], "lag's distance", diagnostics_);
    if (!back) return false;
    if (*back < 0) {
      Complain(diagnostics_, "HR1122", "lag must look back", call.children[1]->span);
      return false;
    }
    aggregate->lag = *back;
  }
  if (call.filter) {
    Binding filter = SlotOf(*call.filter);
    if (filter.slot < 0) return false;
    if (filter.type.kind != row::TypeKind::kBoolean) {
      Complain(diagnostics_, "HR1102", "FILTER must be boolean, not " + row::ToString(filter.type),
               call.filter->span);
      return false;
    }
    aggregate->filter_slot = filter.slot;
  }
  Result<row::Type> type = state::ResultType(aggregate->kind, aggregate->argument_type);
  if (!type.ok()) {
    Complain(diagnostics_, type.error().code(), type.error().message(), call.span).hint =
        type.error().hint();
    return false;
  }
  aggregate->result_type = *type;
  return true;
}

std::optional<SelectScope::Window> SelectScope::ResolveWindow(const Expression& call) {
  Window window;
  if (!call.over_name.empty()) {
    for (const NamedWindow& named : select_.windows) {
      if (named.name.name != call.over_name) continue;
      if (!ResolveSpec(named.window, &window)) return {};
      return window;
    }
    std::vector<std::string> known;
    for (const NamedWindow& named : select_.windows)
      known.push_back(named.name.name);
    Complain(diagnostics_, "HR1106", "unknown window `" + call.over_name + "`", call.over_span)
        .candidates = expr::CloseNames(call.over_name, known);
    return {};
  }
  if (!ResolveSpec(*call.over, &window)) return {};
  return window;
}

bool SelectScope::ResolveSpec(const WindowSpec& spec, Window* window) {
  if (!spec.base.empty()) {
    auto base = std::find_if(select_.windows.begin(), select_.windows.end(),
                             [&](const NamedWindow& w) { return w.name.name == spec.base.name; });
    if (base == select_.windows.end() || &base->window == &spec) {
      Complain(diagnostics_, "HR1106", "unknown window `" + spec.base.name + "`", spec.base.span);
      return false;
    }
    Complain(diagnostics_, "HR1128", "a window that extends another is not supported",
             spec.base.span)
        .hint = "write PARTITION BY and ORDER BY out";
    return false;
  }
  for (const ExpressionPtr& key : spec.partition_by) {
    Binding binding = SlotOf(*key);
    if (binding.slot < 0) return false;
    window->key_slots.push_back(binding.slot);
    window->key_types.push_back(binding.type);
    window->stage = std::max(window->stage, stage_of_slot_[static_cast<size_t>(binding.slot)]);
  }
  int time = input_.time_column();
  if (time < 0) {
    Complain(diagnostics_, "HR1129",
             "`" + select_.from.name.name + "` has no event time to order by", spec.span)
        .hint = "declare WATERMARK FOR a column of the stream, and select that column along";
    return false;
  }
  const std::string& time_name = input_.schema().columns[static_cast<size_t>(time)].name;
  bool ordered = spec.order_by.size() == 1 && !spec.order_by[0].descending &&
                 spec.order_by[0].expression->kind == ExpressionKind::kColumn &&
                 spec.order_by[0].expression->name == time_name;
  if (!ordered) {
    Complain(diagnostics_, "HR1121", "a window over a stream is ordered by its event time",
             spec.span)
        .hint = "write ORDER BY " + time_name;
    return false;
  }
  window->text = Format(spec);
  return ResolveFrame(spec, &window->frame);
}

bool SelectScope::ResolveFrame(const WindowSpec& spec, state::FrameSpec* frame) {
  frame->unbounded = true;
  if (!spec.frame) return true;
  const Frame& written = *spec.frame;
  if (written.mode == FrameMode::kGroups) {
    Complain(diagnostics_, "HR1128", "GROUPS frames are not supported", written.span).hint =
        "use RANGE or ROWS";
    return false;
  }
  frame->rows = written.mode == FrameMode::kRows;
  for (const FrameBound* bound : {&written.start, &written.end}) {
    if (bound->kind != FrameBoundKind::kFollowing &&
        bound->kind != FrameBoundKind::kUnboundedFollowing) {
      continue;
    }
    Complain(diagnostics_, "HR1122", "a frame over a stream cannot reach into the future",
             bound->span)
        .hint = "end it with CURRENT ROW or ... PRECEDING";
    return false;
  }
  frame->unbounded = written.start.kind == FrameBoundKind::kUnboundedPreceding;
  if (!frame->unbounded) {
    std::optional<int64_t> start = BoundOffset(written.start, frame->rows);
    if (!start) return false;
    frame->start = *start;
  }
  std::optional<int64_t> end = BoundOffset(written.end, frame->rows);
  if (!end) return false;
  frame->end = *end;
  if (!frame->unbounded && frame->start < frame->end) {
    Complain(diagnostics_, "HR1122", "the frame ends before it starts", written.span);
    return false;
  }
  return true;
}

std::optional<int64_t> SelectScope::BoundOffset(const FrameBound& bound, bool rows) {
  if (bound.kind == FrameBoundKind::kCurrentRow) return 0;
  if (bound.kind == FrameBoundKind::kUnboundedPreceding) {
    Complain(diagnostics_, "HR1122", "a frame cannot end at UNBOUNDED PRECEDING", bound.span);
    return {};
  }
  std::optional<int64_t> offset =
      rows ? ConstantInteger(*bound.offset, "a ROWS bound", diagnostics_)
           : ConstantMicros(*bound.offset, "a RANGE bound", diagnostics_);
  if (offset && *offset < 0) {
    Complain(diagnostics_, "HR1122", "a frame bound must not be negative", bound.span);
    return {};
  }
  return offset;
}

Binding SelectScope::AddAggregate(const Window& window, state::AggregateSpec aggregate) {
  size_t stage = window.stage;
  for (int slot : {aggregate.argument_slot, aggregate.filter_slot}) {
    if (slot >= 0) stage = std::max(stage, stage_of_slot_[static_cast<size_t>(slot)]);
  }
  auto& blocks = StageAt(stage).key_blocks;
  auto block = std::find_if(blocks.begin(), blocks.end(), [&](const state::KeyBlockSpec& spec) {
    return spec.key_slots == window.key_slots;
  });
  if (block == blocks.end()) {
    block = blocks.insert(blocks.end(), {window.key_slots, window.key_types, {}, {}, 0});
  }
  auto frame = std::find(block->frames.begin(), block->frames.end(), window.frame);
  aggregate.frame = static_cast<int>(frame - block->frames.begin());
  if (frame == block->frames.end()) block->frames.push_back(window.frame);
  for (const state::AggregateSpec& known : block->aggregates) {
    if (known.kind == aggregate.kind && known.argument_slot == aggregate.argument_slot &&
        known.filter_slot == aggregate.filter_slot && known.frame == aggregate.frame &&
        known.lag == aggregate.lag) {
      return {known.result_slot, known.result_type};
    }
  }
  aggregate.result_slot = NewSlot(stage + 1, aggregate.result_type);
  block->aggregates.push_back(aggregate);
  return {aggregate.result_slot, aggregate.result_type};
}

void SelectScope::NoteFeature(const Expression& call, const Window& window, const Binding& binding,
                              size_t stage, size_t block, int frame) {
  bool whole_item = item_ == &call && !item_alias_.empty();
  std::string name = whole_item ? item_alias_ : Format(call);
  for (const flow::FeatureNote& known : features_) {
    if (known.name == name) return;
  }
  // The window stands beside it, the same whether it was named or written out.
  ExpressionPtr bare = Clone(call);
  bare->over.reset();
  bare->over_name = {};
  features_.push_back(
      {name, Format(*bare), window.text, binding.slot, binding.type, stage, block, frame});
}

Interception SelectScope::BindPredict(const Expression& call, Binding* binding) {
  std::optional<KnownName> known = names_.Find(call.name);
  if (known && known->learner) return BindAsk(call, *known->learner, binding);
  if (known && known->remote) return BindRemote(call, known->remote, binding);
  if (!known || !known->models) {
    Complain(diagnostics_, "HR1107", "unknown model `" + call.name + "`", call.name_span)
        .candidates = expr::CloseNames(call.name, names_.model_names());
    return Interception::kFailed;
  }
  flow::Prediction prediction;
  prediction.model = call.name;
  if (!BindInputs(call, *known->models, &prediction)) return Interception::kFailed;
  const model::ModelInfo& info = known->models->versions.back()->info();
  prediction.result_type.kind = info.predictions > 1   ? row::TypeKind::kJsonb
                                : info.text_prediction ? row::TypeKind::kText
                                                       : row::TypeKind::kDouble;
  if (call.flag) {
    if (!CheckReasons(call, *known->models)) return Interception::kFailed;
    prediction.answer = flow::Prediction::Answer::kReasons;
    prediction.result_type.kind = row::TypeKind::kText;
  }
  *binding = AddPrediction(std::move(prediction));
  return Interception::kBound;
}

Binding SelectScope::AddPrediction(flow::Prediction prediction) {
  size_t stage = 0;
  std::vector<int> read = prediction.input_slots;
  if (prediction.when_slot >= 0) read.push_back(prediction.when_slot);
  for (int slot : read)
    stage = std::max(stage, stage_of_slot_[static_cast<size_t>(slot)]);
  prediction.result_slot = NewSlot(stage + 1, prediction.result_type);
  const Binding binding{prediction.result_slot, prediction.result_type};
  StageAt(stage).predictions.push_back(std::move(prediction));
  return binding;
}

bool SelectScope::CheckReasons(const Expression& call, const flow::ModelVersions& versions) {
  const model::ModelInfo& info = versions.versions.back()->info();
  const bool declared = std::any_of(versions.reasons.begin(), versions.reasons.end(),
                                    [](const auto& texts) { return !texts.empty(); });
  if (info.outputs == 1 && declared) return true;
  Complain(diagnostics_, "HR1196",
           info.outputs > 1 ? "model `" + call.name + "` gives several scores: reasons are of one"
                            : "model `" + call.name + "` declares no reasons",
           call.span)
      .hint = info.outputs > 1 ? "`headrace why` tells the contributions to each"
                               : "CREATE MODEL ... WITH (...) REASONS (feature 'text', ...)";
  return false;
}

Binding SelectScope::BindExplanation(const Expression& when) {
  const Binding condition = SlotOf(when);
  if (condition.slot < 0) return {};
  if (condition.type.kind != row::TypeKind::kBoolean) {
    Complain(diagnostics_, "HR1114",
             "EXPLAIN WHEN must be boolean, not " + row::ToString(condition.type), when.span);
    return {};
  }
  std::vector<flow::Prediction> scores;
  for (const flow::Stage& stage : stages_) {
    for (const flow::Prediction& prediction : stage.predictions) {
      if (prediction.answer == flow::Prediction::Answer::kScore) scores.push_back(prediction);
    }
  }
  if (scores.size() != 1) {
    Complain(diagnostics_, "HR1196",
             scores.empty() ? "this statement asks no model: there is nothing to explain"
                            : "this statement asks for several scores: which is to be explained?",
             when.span)
        .hint = scores.empty() ? "EXPLAIN WHEN belongs to the statement that has PREDICT"
                               : "REASONS(model, ...) explains one of them";
    return {};
  }
  flow::Prediction explanation = scores.front();
  explanation.answer = flow::Prediction::Answer::kExplanation;
  explanation.when_slot = condition.slot;
  explanation.result_type = {row::TypeKind::kJsonb, 0, 0};
  return AddPrediction(std::move(explanation));
}

bool SelectScope::BindInputs(const Expression& call, const flow::ModelVersions& versions,
                             flow::Prediction* prediction) {
  const model::ModelInfo& info = versions.versions.back()->info();
  if (!call.children.empty() && call.children.size() != info.features.size()) {
    std::string list;
    for (const std::string& name : info.features)
      list += (list.empty() ? "" : ", ") + name;
    Complain(diagnostics_, "HR1108",
             "model `" + call.name + "` takes " + std::to_string(info.features.size()) +
                 " inputs, not " + std::to_string(call.children.size()),
             call.span)
        .hint = "its inputs: " + list;
    return false;
  }
  bool good = true;
  for (size_t i = 0; i < info.features.size(); ++i) {
    Binding input;
    if (call.children.empty()) {
      std::optional<Binding> found = Resolve("", info.features[i]);
      if (!found) {
        Diagnostic& diagnostic =
            Complain(diagnostics_, "HR1109",
                     "model `" + call.name + "` wants an input `" + info.features[i] +
                         "` that is no column or earlier alias here",
                     call.span);
        diagnostic.candidates = expr::CloseNames(info.features[i], names());
        diagnostic.hint = "name it with AS, or pass the inputs by position";
        good = false;
        continue;
      }
      input = *found;
    } else {
      input = SlotOf(*call.children[i]);
      if (input.slot < 0) {
        good = false;
        continue;
      }
    }
    good = CheckInputType(call, info, i, input.type) && good;
    prediction->input_slots.push_back(input.slot);
    prediction->input_types.push_back(input.type);
  }
  return good;
}

bool SelectScope::CheckInputType(const Expression& call, const model::ModelInfo& info,
                                 size_t feature, row::Type type) {
  using enum row::TypeKind;
  const bool categorical = !info.categories[feature].empty();
  const bool text_only = categorical && info.exact_categories;
  if (type.kind == kText && categorical) return true;
  for (row::TypeKind kind : {kBoolean, kInteger, kBigint, kDouble, kDecimal}) {
    if (type.kind == kind && !text_only) return true;
  }
  Complain(diagnostics_, "HR1110",
           "input `" + info.features[feature] + "` of model `" + call.name + "` must be a " +
               (text_only ? "text" : "number") + ", not " + row::ToString(type),
           call.span);
  return false;
}

void SelectScope::Finish(flow::SelectPlan& plan) {
  plan.stages = std::move(stages_);
  plan.features = std::move(features_);
  plan.policy_calls = std::move(policy_calls_);
  for (const LearnCall& call : learn_calls_)
    plan.learners.push_back(call.model);
  plan.slots = static_cast<int>(stage_of_slot_.size());
  plan.slot_types = std::move(type_of_slot_);
}

}  // namespace headrace::sql
