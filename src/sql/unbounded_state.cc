#include "sql/unbounded_state.h"

#include <set>
#include <string>
#include <utility>

namespace headrace::sql {
namespace {

// A window as a call uses it: with what it takes from those it extends.
struct UsedWindow {
  bool known = false;
  bool by_key = false;
  const Frame* frame = nullptr;  // null: what SQL means then, from the beginning
  SourceSpan span;
};

// Looks through one SELECT and those in its FROM. What is wrong with names is not its concern.
class Finder {
 public:
  explicit Finder(std::vector<Diagnostic>& found) : found_(found) {}

  void Look(const Select& select) {
    select_ = &select;
    told_.clear();
    for (const SelectItem& item : select.items)
      Look(item.expression.get());
    Look(select.qualify.get());
    if (select.from.query) Finder(found_).Look(*select.from.query);
  }

 private:
  void Look(const Expression* expression) {
    if (expression == nullptr) return;
    if (expression->kind == ExpressionKind::kCall && expression->windowed())
      LookAtCall(*expression);
    for (const ExpressionPtr& child : expression->children)
      Look(child.get());
    Look(expression->operand.get());
    Look(expression->otherwise.get());
    Look(expression->filter.get());
  }

  const WindowSpec* Named(const std::string& name) const {
    for (const NamedWindow& window : select_->windows) {
      if (window.name.name == name) return &window.window;
    }
    return nullptr;
  }

  UsedWindow Resolve(const Expression& call) const {
    UsedWindow used;
    const WindowSpec* at = call.over ? call.over.get() : Named(call.over_name);
    // A window that extends itself is an error that the planner tells of.
    for (size_t depth = 0; at != nullptr && depth <= select_->windows.size(); ++depth) {
      used.by_key = used.by_key || !at->partition_by.empty();
      if (used.frame == nullptr && at->frame) used.frame = &*at->frame;
      if (!used.known) used.span = at->span;
      used.known = true;
      at = at->base.empty() ? nullptr : Named(at->base.name);
    }
    return used;
  }

  void LookAtCall(const Expression& call) {
    const UsedWindow window = Resolve(call);
    if (!window.known) return;
    const bool one_back = call.name == "lag";
    const bool unbounded =
        !one_back && (window.frame == nullptr ||
                      window.frame->start.kind == FrameBoundKind::kUnboundedPreceding);
    if (unbounded && call.distinct) {
      Tell("HR1167", call.span,
           call.name + "(DISTINCT ...) over all rows keeps every value for ever",
           "RANGE BETWEEN INTERVAL '30 days' PRECEDING AND CURRENT ROW keeps those of 30 days");
    }
    if (!window.by_key) return;
    const SourceSpan& span =
        window.frame != nullptr && !one_back ? window.frame->span : window.span;
    if (unbounded) {
      Tell(
          "HR1165", span, "every key is kept for ever: its frame begins at its first row",
          "RANGE BETWEEN INTERVAL '30 days' PRECEDING AND CURRENT ROW lets keys go that are quiet");
    } else if (one_back || window.frame->mode == FrameMode::kRows) {
      Tell("HR1166", span,
           "every key is kept for ever: the last rows of a key count, however old they are",
           "a RANGE frame lets keys go that are quiet; with few keys this is no matter");
    }
  }

  // A window once, however many calls use it.
  void Tell(const char* code, const SourceSpan& span, std::string message, const char* hint) {
    if (!told_.emplace(code, span.begin).second) return;
    found_.push_back({code, std::move(message), span, hint, {}});
  }

  std::vector<Diagnostic>& found_;
  const Select* select_ = nullptr;
  std::set<std::pair<std::string, size_t>> told_;
};

}  // namespace

std::vector<Diagnostic> FindUnboundedState(const std::vector<Statement>& statements) {
  std::vector<Diagnostic> found;
  for (const Statement& statement : statements) {
    const auto* create = std::get_if<CreateRelation>(&statement.body);
    if (create != nullptr && create->query) Finder(found).Look(*create->query);
  }
  return found;
}

}  // namespace headrace::sql
