#pragma once

#include <map>
#include <string>
#include <vector>

#include "sql/plan_support.h"

namespace headrace::sql {

// Lays out the slots of one streaming SELECT: input columns first, then whatever items, windows and
// predictions compute, each at the earliest stage where what it reads is there.
//
// It is the scope its own expressions are bound in: OVER calls and PREDICT become slots.
// Unsynchronized; lives for one statement.
class SelectScope final : public NameScope {
 public:
  SelectScope(const NameLookup& names, const Select& select, const KnownName& input,
              std::vector<Diagnostic>& diagnostics);

  std::optional<Binding> Resolve(const std::string& qualifier, const std::string& name) override;
  std::vector<std::string> names() const override;
  Interception Intercept(const Expression& node, Binding* binding) override;
  std::vector<std::string> call_names() const override;

  // From now on items may use `alias`.
  void AddAlias(const std::string& alias, Binding binding) { aliases_[alias] = binding; }
  // The slot of an expression: a column's own, else a new one that a stage evaluates. -1 after a
  // diagnostic.
  Binding SlotOf(const Expression& expression);

  // The slot of the explanation of the one score that is asked for, where `when` holds. -1 after a
  // diagnostic.
  Binding BindExplanation(const Expression& when);

  // ML_PREDICT: what the model says of the columns, by the names of its outputs, which are aliases
  // from now on.
  void BindModelTable(const TableReference& table);
  // Columns beside those of the input that `*` stands for.
  struct Column {
    std::string name;
    Binding binding;
  };
  const std::vector<Column>& model_columns() const { return model_columns_; }
  // CHOOSE or REWARD, which are items of their own: the slot of the arm, or of what became of the
  // reward; of CHOOSE, that of the propensity. False after a diagnostic.
  bool BindPolicyCall(const Expression& call, Binding* result, Binding* propensity);

  // Moves what was laid out into the plan.
  void Finish(flow::SelectPlan& plan);
  const std::vector<flow::FeatureNote>& features() const { return features_; }
  // Names the windows of the item at hand in `why`: the alias when the item is just the call.
  void BeginItem(const Expression& item, const std::string& alias);
  const row::Schema& input_schema() const { return input_.schema(); }

 private:
  struct Window {
    state::FrameSpec frame;
    std::vector<int> key_slots;
    std::vector<row::Type> key_types;
    size_t stage = 0;  // at least: where its keys are there
    std::string text;
  };

  Interception BindWindowCall(const Expression& call, Binding* binding);
  bool BindArguments(const Expression& call, state::AggregateSpec* aggregate);
  // Of functions with a memory: where one stands, its keys, its place in the plan.
  struct RunningPlace {
    std::vector<int> key_slots;
    std::vector<row::Type> key_types;
    size_t stage = 0;  // at least: where its keys are there
    std::string text = "all rows so far";
  };
  Interception BindRunning(const Expression& call, Binding* binding);
  bool ResolveRunning(const Expression& call, RunningPlace* place);
  Binding AddRunning(const RunningPlace& place, state::RunningCall call);

  Interception BindLearn(const Expression& call, Binding* binding);
  // Null after a diagnostic.
  std::shared_ptr<const flow::LearnerPlan> LearnerOf(const Expression& call);
  void NoteLearnCall(const std::string& model, int result_slot);
  // PREDICT of a learner: asks the LEARN call of the same SELECT.
  Interception BindAsk(const Expression& call, const flow::LearnerPlan& learner, Binding* binding);
  bool BindAskedInputs(const Expression& call, const flow::LearnerPlan& learner,
                       state::RunningCall::Question* question);
  bool CheckLearned(const flow::LearnerPlan& learner, const row::Column* input,
                    const Expression& given, row::Type type);

  // Null after a diagnostic.
  std::shared_ptr<const flow::PolicyPlan> PolicyOf(const Expression& call);
  bool BindPolicyValues(const Expression& call, flow::PolicyCall* made);
  Interception RefusePolicyCall(const Expression& call);

  Interception BindPredict(const Expression& call, Binding* binding);
  // PREDICT of a remote model.
  Interception BindRemote(const Expression& call,
                          const std::shared_ptr<const flow::RemotePlan>& model, Binding* binding);
  bool BindRemoteInputs(const Expression& call, flow::RemoteQuestion* question);
  bool CheckRemoteInput(const Expression& call, const flow::RemotePlan& model, size_t input,
                        row::Type given);
  flow::RemoteQuestion& AddQuestion(flow::RemoteQuestion question, bool json);
  // Under what condition each call of PREDICT in the expression is reached: branches of CASE are
  // asked for only where they are taken.
  void NoteGuards(const Expression& expression, const Expression* guard);
  void NoteGuardsOfCase(const Expression& node, const Expression* guard);
  void AddModelColumns(const flow::Prediction& prediction, const model::ModelInfo& info);
  bool CheckReasons(const Expression& call, const flow::ModelVersions& versions);
  Binding AddPrediction(flow::Prediction prediction);
  bool BindInputs(const Expression& call, const flow::ModelVersions& versions,
                  flow::Prediction* prediction);
  std::optional<Window> ResolveWindow(const Expression& call);
  bool ResolveSpec(const WindowSpec& spec, Window* window);
  bool ResolveFrame(const WindowSpec& spec, state::FrameSpec* frame);
  std::optional<int64_t> BoundOffset(const FrameBound& bound, bool rows);
  Binding AddAggregate(const Window& window, state::AggregateSpec aggregate);
  void NoteFeature(const Expression& call, const Window& window, const Binding& binding,
                   size_t stage, size_t block, int frame);
  int NewSlot(size_t stage, row::Type type);
  size_t StageOf(const expr::Expr& expression) const;
  flow::Stage& StageAt(size_t stage);
  bool CheckInputType(const Expression& call, const model::ModelInfo& info, size_t feature,
                      row::Type type);

  const NameLookup& names_;
  const Select& select_;
  KnownName input_;
  std::string qualifier_;
  std::vector<Diagnostic>& diagnostics_;
  ColumnScope columns_;
  std::map<std::string, Binding> aliases_;
  std::vector<size_t> stage_of_slot_;
  std::vector<row::Type> type_of_slot_;
  std::vector<flow::Stage> stages_;
  std::vector<flow::FeatureNote> features_;
  // The LEARN calls so far: of which model, where among the stages.
  struct LearnCall {
    std::string model;
    size_t stage = 0;
    size_t spec = 0;
    size_t call = 0;
  };
  std::vector<LearnCall> learn_calls_;
  // Calls of PREDICT of remote models, by their text: one that stands twice is asked once.
  struct RemoteCall {
    ExpressionPtr guard;         // where it is reached; null: everywhere
    bool guarded_twice = false;  // under other conditions: it is asked everywhere
    std::optional<Binding> binding;
  };
  std::map<std::string, RemoteCall> remote_calls_;
  std::vector<Column> model_columns_;
  std::vector<flow::PolicyCall> policy_calls_;
  const Expression* item_ = nullptr;
  std::string item_alias_;
};

// Whether it is CHOOSE(...) or REWARD(...).
bool IsPolicyCall(const Expression& expression);

// Reads the arguments of an aggregate call (`count(*)`, `sum(x)`, `count(DISTINCT x)`): its kind,
// or nothing with a diagnostic. The argument's type is checked by state::ResultType.
std::optional<state::AggregateKind> KindOfCall(const Expression& call,
                                               std::vector<Diagnostic>& diagnostics);

}  // namespace headrace::sql
