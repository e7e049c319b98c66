// CREATE POLICY, and CHOOSE and REWARD in a streaming SELECT.

#include <algorithm>
#include <charconv>
#include <set>

#include "row/interval.h"
#include "sql/format.h"
#include "sql/plan_support.h"
#include "sql/select_scope.h"

namespace headrace::sql {
namespace {

constexpr int64_t kStandardWithin = 86'400'000'000;  // a day
constexpr size_t kStandardOpen = 100'000;
constexpr size_t kLeastOpen = 1000;
constexpr size_t kMostOpen = 2'000'000;
constexpr size_t kOpenBytesMax = size_t{256} << 20;  // they are in every snapshot as a whole
constexpr size_t kArmBytesMax = 1000;

bool IsNumber(row::Type type) {
  using enum row::TypeKind;
  return type.kind == kBoolean || type.kind == kInteger || type.kind == kBigint ||
         type.kind == kDouble || type.kind == kDecimal || type.kind == kUnknown;
}

template <typename Number>
std::optional<Number> ReadNumber(const std::string& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

class PolicyPlanner {
 public:
  PolicyPlanner(const CreatePolicy& create, std::vector<Diagnostic>& diagnostics)
      : create_(create), diagnostics_(diagnostics), plan_(std::make_shared<flow::PolicyPlan>()) {}

  std::shared_ptr<const flow::PolicyPlan> Run() {
    const size_t before = diagnostics_.size();
    plan_->name = create_.name.name;
    plan_->reward_within = kStandardWithin;
    plan_->open_choices = kStandardOpen;
    for (const PolicyArm& arm : create_.arms)
      AddArm(arm);
    for (const ModelColumn& column : create_.context)
      AddContext(column);
    for (const Option& option : create_.options)
      ReadOption(option);
    if (FindOption(create_.options, "type") == nullptr) {
      Wrong(create_.name.span, "a policy needs WITH (type = '...')").hint =
          "there are: " + ListOf(learn::PolicyTypes());
    }
    CheckMemory();
    if (diagnostics_.size() != before) return nullptr;
    plan_->spec.arms = plan_->arms.size();
    plan_->spec.features = plan_->context.size();
    const auto policy = learn::Policy::Make(plan_->spec);
    if (!policy.ok()) {
      const Error& error = policy.error();
      Complain(diagnostics_, error.code(), error.message(), PlaceOfError(error)).hint =
          error.hint();
      return nullptr;
    }
    if (plan_->expired_reward && !(*policy)->Accepts(*plan_->expired_reward)) {
      Wrong(FindOption(create_.options, "expired_reward")->value_span,
            "a policy of type `" + plan_->spec.type + "` cannot learn this `expired_reward`")
          .hint = "thompson and exp3 take rewards from 0 to 1, others up to 1e9 in size";
      return nullptr;
    }
    Define();
    return plan_;
  }

 private:
  Diagnostic& Wrong(const SourceSpan& span, std::string message) {
    return Complain(diagnostics_, "HR1248", std::move(message), span);
  }

  static std::string ListOf(const std::vector<std::string>& words) {
    std::string list;
    for (const std::string& word : words)
      list += (list.empty() ? "" : ", ") + word;
    return list;
  }

  void AddArm(const PolicyArm& arm) {
    if (std::find(plan_->arms.begin(), plan_->arms.end(), arm.text) != plan_->arms.end()) {
      Wrong(arm.span, "arm '" + arm.text + "' stands twice");
    }
    if (arm.text.size() > kArmBytesMax) {
      Wrong(arm.span, "an arm has up to " + std::to_string(kArmBytesMax) + " bytes");
    }
    plan_->arms.push_back(arm.text);
  }

  void AddContext(const ModelColumn& column) {
    if (!names_.insert(column.name.name).second) {
      Complain(diagnostics_, "HR1117", "`" + column.name.name + "` stands twice", column.name.span);
    }
    const std::optional<row::Type> type = ToRowType(column.type);
    if (!type || !IsNumber(*type)) {
      Complain(diagnostics_, "HR1110",
               "`" + column.name.name + "` of a policy's context must be a number, not " +
                   ToString(column.type),
               column.type.span)
          .hint = "DOUBLE PRECISION takes integers and decimals, too";
      return;
    }
    plan_->context.push_back({column.name.name, *type, false});
  }

  void ReadOption(const Option& option) {
    const std::string& name = option.key.name;
    if (name == "type") {
      plan_->spec.type = option.value;
    } else if (name == "fallback") {
      const auto arm = std::find(plan_->arms.begin(), plan_->arms.end(), option.value);
      plan_->spec.fallback = static_cast<size_t>(arm - plan_->arms.begin());
      if (arm == plan_->arms.end()) {
        Wrong(option.value_span, "the fallback '" + option.value + "' is none of the arms")
            .candidates = expr::CloseNames(option.value, plan_->arms);
      }
    } else if (name == "reward_within") {
      const Result<row::Interval> interval = row::ParseInterval(option.value);
      const row::Int128 micros = interval.ok() ? row::IntervalSpan(*interval) : row::Int128(0);
      if (micros <= 0 || micros > INT64_MAX / 2) {
        Wrong(option.value_span, "`reward_within` is a length of time, not '" + option.value + "'")
            .hint = "reward_within = '2 hours'";
        return;
      }
      plan_->reward_within = static_cast<int64_t>(micros);
    } else if (name == "open_choices") {
      const auto count = ReadNumber<size_t>(option.value);
      if (!count || *count < kLeastOpen || *count > kMostOpen) {
        Wrong(option.value_span, "`open_choices` is a whole number from 1000 to 2000000");
        return;
      }
      plan_->open_choices = *count;
    } else if (name == "expired_reward") {
      plan_->expired_reward = ReadNumber<double>(option.value);
      if (!plan_->expired_reward) {
        Wrong(option.value_span, "`expired_reward` is a number, not '" + option.value + "'");
      }
    } else {
      plan_->spec.options.emplace_back(name, option.value);
    }
  }

  void CheckMemory() {
    const size_t bytes = plan_->open_choices * (120 + 8 * plan_->context.size());
    if (bytes <= kOpenBytesMax) return;
    Wrong(create_.name.span, "its open choices would take " + std::to_string(bytes >> 20) + " MB")
        .hint = "256 MB are the most: fewer `open_choices`, or less context";
  }

  SourceSpan PlaceOfError(const Error& error) const {
    for (const Option& option : create_.options) {
      if (error.message().find("`" + option.key.name + "`") != std::string::npos)
        return error.code() == "HR3082" ? option.value_span : option.key.span;
      if (error.code() == "HR3045" && option.key.name == "type") return option.value_span;
    }
    return create_.name.span;
  }

  void Define() {
    CreatePolicy bare;
    bare.name = create_.name;
    bare.arms = create_.arms;
    for (const ModelColumn& column : create_.context)
      bare.context.push_back({column.name, column.type});
    bare.options = create_.options;
    Statement statement;
    statement.body = std::move(bare);
    plan_->definition = Format(statement);
  }

  const CreatePolicy& create_;
  std::vector<Diagnostic>& diagnostics_;
  std::shared_ptr<flow::PolicyPlan> plan_;
  std::set<std::string> names_;
};

}  // namespace

std::shared_ptr<const flow::PolicyPlan> Planner::PlanPolicy(const CreatePolicy& create) const {
  return PolicyPlanner(create, diagnostics_).Run();
}

bool IsPolicyCall(const Expression& expression) {
  return expression.kind == ExpressionKind::kCall &&
         (expression.name == "choose" || expression.name == "reward");
}

std::shared_ptr<const flow::PolicyPlan> SelectScope::PolicyOf(const Expression& call) {
  const bool plain = !call.star && !call.distinct && !call.filter && !call.windowed() &&
                     call.argument_order.empty() && call.argument_names.empty();
  if (!plain) {
    Complain(diagnostics_, "HR1246",
             "`" + call.name + "` takes no *, names, DISTINCT, ORDER BY, FILTER or OVER", call.span)
        .hint = "rows are left out by WHERE";
    return nullptr;
  }
  const bool named = !call.children.empty() && call.children[0]->kind == ExpressionKind::kColumn &&
                     call.children[0]->qualifier.empty();
  const std::optional<KnownName> known =
      named ? names_.Find(call.children[0]->name) : std::optional<KnownName>();
  if (known && known->policy) return known->policy;
  Diagnostic& diagnostic = Complain(diagnostics_, "HR1245",
                                    named ? "unknown policy `" + call.children[0]->name + "`"
                                          : "`" + call.name + "` begins with the name of a policy",
                                    named ? call.children[0]->span : call.span);
  if (named)
    diagnostic.candidates = expr::CloseNames(call.children[0]->name, names_.policy_names());
  diagnostic.hint = "CREATE POLICY makes one";
  return nullptr;
}

bool SelectScope::BindPolicyValues(const Expression& call, flow::PolicyCall* made) {
  bool good = true;
  const auto take = [&](const Binding& value, const Expression& given, bool text) {
    const bool fits = text ? value.type.kind == row::TypeKind::kText : IsNumber(value.type);
    if (value.slot >= 0 && !fits) {
      Complain(diagnostics_, "HR1247",
               std::string("this must be a ") + (text ? "row's ID, a text" : "number") + ", not " +
                   row::ToString(value.type),
               given.span)
          .hint = "cast it";
    }
    good = good && value.slot >= 0 && fits;
    made->argument_slots.push_back(value.slot);
    made->argument_types.push_back(value.type);
  };
  const bool choose = made->kind == flow::PolicyCall::Kind::kChoose;
  for (size_t i = 1; i < call.children.size(); ++i)
    take(SlotOf(*call.children[i]), *call.children[i], !choose && i == 1);
  if (!choose || call.children.size() > 1) return good;
  // By name.
  for (const row::Column& wanted : made->policy->context) {
    const std::optional<Binding> found = Resolve("", wanted.name);
    if (!found) {
      Complain(diagnostics_, "HR1247",
               "policy `" + made->policy->name + "` wants `" + wanted.name +
                   "`, which is no column or earlier alias here",
               call.span)
          .candidates = expr::CloseNames(wanted.name, names());
      good = false;
      continue;
    }
    take(*found, call, false);
  }
  return good;
}

bool SelectScope::BindPolicyCall(const Expression& call, Binding* result, Binding* propensity) {
  flow::PolicyCall made;
  made.policy = PolicyOf(call);
  if (!made.policy) return false;
  const bool choose = call.name == "choose";
  made.kind = choose ? flow::PolicyCall::Kind::kChoose : flow::PolicyCall::Kind::kReward;
  const size_t given = call.children.size() - 1;
  const size_t wanted = made.policy->context.size();
  if (choose ? given != 0 && given != wanted : given != 2 && given != 3) {
    std::string list;
    for (const row::Column& column : made.policy->context)
      list += (list.empty() ? "" : ", ") + column.name;
    Complain(
        diagnostics_, "HR1247",
        choose ? "CHOOSE of `" + made.policy->name + "` takes " + std::to_string(wanted) +
                     " values behind the policy, or none, not " + std::to_string(given)
               : "REWARD takes two or three values behind the policy, not " + std::to_string(given),
        call.span)
        .hint = choose ? (list.empty() ? "the policy has no CONTEXT" : "they are: " + list)
                       : "the ID of the chosen row, the reward, and what the guardrail watches";
    return false;
  }
  const bool twice =
      std::any_of(policy_calls_.begin(), policy_calls_.end(), [&](const flow::PolicyCall& known) {
        return choose && known.kind == made.kind && known.policy->name == made.policy->name;
      });
  if (twice) {
    Complain(diagnostics_, "HR1250",
             "the row's ID can stand for one choice of `" + made.policy->name + "` only", call.span)
        .hint = "choose in two statements, or by two policies";
    return false;
  }
  if (!BindPolicyValues(call, &made)) return false;
  // They are there when all stages are done; nothing in this SELECT reads them.
  made.result_slot = NewSlot(0, {row::TypeKind::kText, 0, 0});
  *result = {made.result_slot, {row::TypeKind::kText, 0, 0}};
  if (choose) {
    made.propensity_slot = NewSlot(0, {row::TypeKind::kDouble, 0, 0});
    *propensity = {made.propensity_slot, {row::TypeKind::kDouble, 0, 0}};
  }
  policy_calls_.push_back(std::move(made));
  return true;
}

Interception SelectScope::RefusePolicyCall(const Expression& call) {
  Complain(diagnostics_, "HR1246", "`" + call.name + "` stands as a column of its own", call.span)
      .hint = "write " + std::string(call.name == "choose" ? "CHOOSE" : "REWARD") +
              "(...) AS name; compute with it in a statement that reads this one";
  return Interception::kFailed;
}

}  // namespace headrace::sql
