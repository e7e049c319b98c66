// Calls of functions with a memory in a streaming SELECT.

#include <algorithm>

#include "flow/running_functions.h"
#include "row/text.h"
#include "sql/format.h"
#include "sql/select_scope.h"

namespace headrace::sql {
namespace {

std::string NumberText(double number) {
  std::string text;
  row::AppendText(row::Value::Double(number), {row::TypeKind::kDouble, 0, 0}, text);
  return text;
}

std::string RangeText(const flow::RunningParameter& parameter) {
  if (parameter.inside) {
    return "above " + NumberText(parameter.least) + " and below " + NumberText(parameter.most);
  }
  return std::string(parameter.whole ? "a whole number " : "") + "from " +
         NumberText(parameter.least) + " to " + NumberText(parameter.most);
}

std::vector<std::string> WordsOf(const flow::RunningParameter& parameter) {
  std::vector<std::string> words(1);
  for (char c : parameter.words) {
    if (c == '|') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

// The constants of a call, in the order of the function's parameters.
class ConstantReader {
 public:
  ConstantReader(const flow::RunningEntry& entry, std::vector<Diagnostic>& diagnostics)
      : entry_(entry), diagnostics_(diagnostics) {
    for (const flow::RunningParameter& parameter : entry.parameters)
      constants_.push_back(parameter.standard);
    given_.resize(constants_.size());
  }

  bool Read(const Expression& written, const std::string& name, size_t place) {
    size_t at = place;
    if (!name.empty()) {
      const auto found = std::find_if(entry_.parameters.begin(), entry_.parameters.end(),
                                      [&](const auto& p) { return p.name == name; });
      at = static_cast<size_t>(found - entry_.parameters.begin());
    }
    if (at == entry_.parameters.size() || given_[at]) {
      Diagnostic& diagnostic = Complain(
          diagnostics_, "HR1186",
          "`" + std::string(entry_.name) + "` " +
              (at == entry_.parameters.size() ? "has no constant `" : "has twice `") + name + "`",
          written.span);
      diagnostic.hint = "it is " + entry_.Signature();
      return false;
    }
    given_[at] = true;
    return ReadInto(written, entry_.parameters[at], &constants_[at]);
  }
  std::vector<double> Take() { return std::move(constants_); }

 private:
  bool ReadInto(const Expression& written, const flow::RunningParameter& parameter, double* to) {
    const std::string what = "`" + std::string(parameter.name) + "` of " + std::string(entry_.name);
    if (!parameter.words.empty()) return ReadWord(written, parameter, what, to);
    const std::optional<double> number = ConstantNumber(written, what, diagnostics_);
    if (!number) return false;
    const bool good = parameter.inside ? *number > parameter.least && *number < parameter.most
                                       : *number >= parameter.least && *number <= parameter.most;
    *to = *number;
    if (good && (!parameter.whole || *number == static_cast<double>(static_cast<int64_t>(*number))))
      return true;
    Complain(diagnostics_, "HR1186",
             what + " must be " + RangeText(parameter) + ", not " + NumberText(*number),
             written.span);
    return false;
  }

  bool ReadWord(const Expression& written, const flow::RunningParameter& parameter,
                const std::string& what, double* to) {
    const std::optional<std::string> word = ConstantText(written, what, diagnostics_);
    if (!word) return false;
    const std::vector<std::string> words = WordsOf(parameter);
    const auto found = std::find(words.begin(), words.end(), *word);
    *to = static_cast<double>(found - words.begin());
    if (found != words.end()) return true;
    std::string list;
    for (const std::string& known : words)
      list += (list.empty() ? "'" : ", '") + known + "'";
    Complain(diagnostics_, "HR1186", what + " must be one of " + list + ", not '" + *word + "'",
             written.span);
    return false;
  }

  const flow::RunningEntry& entry_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<double> constants_;
  std::vector<bool> given_;
};

bool IsNumber(row::Type type) {
  using enum row::TypeKind;
  return type.kind == kBoolean || type.kind == kInteger || type.kind == kBigint ||
         type.kind == kDouble || type.kind == kDecimal;
}

}  // namespace

Interception SelectScope::BindRunning(const Expression& call, Binding* binding) {
  const flow::RunningEntry& entry = *flow::FindRunningFunction(call.name);
  if (call.star || call.distinct || call.filter || !call.argument_order.empty()) {
    Complain(diagnostics_, "HR1185",
             "`" + call.name + "` has a memory: it takes no *, DISTINCT, ORDER BY or FILTER",
             call.span)
        .hint = "a row is left out by giving NULL: " + call.name + "(CASE WHEN ... THEN x END)";
    return Interception::kFailed;
  }
  if (call.children.size() < entry.values ||
      call.children.size() > entry.values + entry.parameters.size()) {
    Complain(diagnostics_, "HR1102", "wrong number of arguments for `" + call.name + "`", call.span)
        .hint = "it is " + entry.Signature();
    return Interception::kFailed;
  }
  RunningPlace place;
  std::vector<int> slots;
  std::vector<row::Type> types;
  ConstantReader constants(entry, diagnostics_);
  bool good = !call.windowed() || ResolveRunning(call, &place);
  for (size_t i = 0; i < call.children.size(); ++i) {
    const std::string name = call.argument_names.empty() ? "" : call.argument_names[i];
    if (i >= entry.values || !name.empty()) {
      good = constants.Read(*call.children[i], name, i - entry.values) && good;
      continue;
    }
    const Binding value = SlotOf(*call.children[i]);
    good = value.slot >= 0 && good;
    if (value.slot < 0) continue;
    if (!entry.any_type && !IsNumber(value.type)) {
      Complain(diagnostics_, "HR1102",
               "`" + call.name + "` takes a number or a boolean, not " + row::ToString(value.type),
               call.children[i]->span);
      good = false;
    }
    slots.push_back(value.slot);
    types.push_back(value.type);
  }
  if (good && slots.size() != entry.values) {
    Complain(diagnostics_, "HR1102", "`" + call.name + "` needs its value by position", call.span)
        .hint = "it is " + entry.Signature();
    good = false;
  }
  if (!good) return Interception::kFailed;
  std::vector<double> given = constants.Take();
  if (const char* reason = entry.refuse == nullptr ? nullptr : entry.refuse(given)) {
    Complain(diagnostics_, "HR1186", reason, call.span).hint = "it is " + entry.Signature();
    return Interception::kFailed;
  }
  state::RunningCall made = flow::MakeRunningCall(entry, std::move(given), std::move(types));
  made.argument_slots = std::move(slots);
  *binding = AddRunning(place, std::move(made));
  Window window;
  window.text = place.text;
  NoteFeature(call, window, *binding, 0, 0, -1);
  return Interception::kBound;
}

bool SelectScope::ResolveRunning(const Expression& call, RunningPlace* place) {
  const WindowSpec* spec = call.over.get();
  for (const NamedWindow& named : select_.windows) {
    if (spec == nullptr && named.name.name == call.over_name) spec = &named.window;
  }
  if (spec == nullptr) {
    std::vector<std::string> known;
    for (const NamedWindow& named : select_.windows)
      known.push_back(named.name.name);
    Complain(diagnostics_, "HR1106", "unknown window `" + call.over_name + "`", call.over_span)
        .candidates = expr::CloseNames(call.over_name, known);
    return false;
  }
  if (!spec->base.empty() || !spec->order_by.empty() || spec->frame) {
    Complain(diagnostics_, "HR1185",
             "`" + call.name +
                 "` has a memory over all rows as they come: it has no ORDER BY and "
                 "no frame",
             call.over_span)
        .hint = "write OVER (PARTITION BY ...) for a memory of each key, or no OVER";
    return false;
  }
  for (const ExpressionPtr& key : spec->partition_by) {
    const Binding binding = SlotOf(*key);
    if (binding.slot < 0) return false;
    place->key_slots.push_back(binding.slot);
    place->key_types.push_back(binding.type);
    place->stage = std::max(place->stage, stage_of_slot_[static_cast<size_t>(binding.slot)]);
  }
  if (!spec->partition_by.empty()) place->text = Format(*spec);
  return true;
}

Binding SelectScope::AddRunning(const RunningPlace& place, state::RunningCall call) {
  size_t stage = place.stage;
  for (int slot : call.argument_slots)
    stage = std::max(stage, stage_of_slot_[static_cast<size_t>(slot)]);
  std::vector<state::RunningSpec>& all = StageAt(stage).running;
  auto spec = std::find_if(all.begin(), all.end(), [&](const state::RunningSpec& known) {
    return known.key_slots == place.key_slots;
  });
  if (spec == all.end()) spec = all.insert(all.end(), {place.key_slots, place.key_types, {}});
  for (const state::RunningCall& known : spec->calls) {
    if (known.definition == call.definition && known.argument_slots == call.argument_slots) {
      return {known.result_slot, known.result_type};
    }
  }
  call.result_slot = NewSlot(stage + 1, call.result_type);
  const Binding binding{call.result_slot, call.result_type};
  spec->calls.push_back(std::move(call));
  return binding;
}

}  // namespace headrace::sql
