#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flow/asking_rows.h"
#include "flow/collector.h"
#include "flow/plan.h"
#include "flow/policy_node.h"
#include "flow/probe.h"
#include "flow/score_timer.h"
#include "flow/watch_block.h"
#include "os/worker_team.h"
#include "row/batch.h"
#include "state/key_block.h"

namespace headrace::flow {

using ModelLookup = std::function<std::shared_ptr<const ModelVersions>(const std::string& name)>;

// The value as a model takes it: NULL is NaN, text is its category's code.
double FeatureOf(const row::Value& value, row::Type type,
                 const std::vector<std::string>& categories);

// Runs a SELECT without GROUP BY over a batch: lateness, WHERE, then stage by stage expressions,
// windows, functions with a memory and predictions; last what policies choose and are told. Emits
// one row per row that passes, in order.
// The team does together what a row needs nothing of another for; refusals are told in order.
// Confined.
class SelectNode {
 public:
  // The team, and the spill file of its windows if any, must outlive the node.
  SelectNode(std::shared_ptr<const StatementPlan> plan, ModelLookup models, os::WorkerTeam& team,
             os::SpillFile* spill);

  // Reads `input` (rows of the input stream), fills `output` with rows of the statement's schema.
  // Values of `output` point into `input` and into the node's own memory until the next Run.
  void Run(row::Batch& input, row::Batch& output, Collector& collector);
  // What its watches told, in the order of causes; whoever takes it clears it.
  row::Batch& health() { return health_; }
  // The same of the row that the answer was the last for, if it was; `output` is empty otherwise.
  void Answer(const RemoteAnswer& answer, row::Place at, row::Batch& output, Collector& collector);

  // The policies that its calls go through, one a call; they outlive the last Run.
  void SetPolicies(std::vector<PolicyNode*> policies) { policies_ = std::move(policies); }
  // Goes on under the plan of the same statement at other LSNs.
  void Redate(std::shared_ptr<const StatementPlan> plan) { plan_ = std::move(plan); }
  // Goes on in another graph: with its models and its team, which must outlive the node.
  void Use(ModelLookup models, os::WorkerTeam& team);

  // Where the rows wait that ask a remote model; it must outlive the node.
  void SetAsking(AskingRows* asking) { asking_ = asking; }

  void SetProbe(Probe* probe) { probe_ = probe; }
  void SetScoreTimer(ScoreTimer* timer) { timer_ = timer; }
  size_t state_bytes() const;
  // Every key block, in the order of the plan.
  std::vector<state::KeyBlock*> key_blocks() const;

 private:
  void CopyRows(row::Batch& input, Collector& collector);
  // The stages from this one on, and what comes out.
  void RunStages(size_t first, row::Batch& output, Collector& collector);
  void Evaluate(const Stage& stage, Collector& collector);
  void UpdateWindows(size_t stage, Collector& collector);
  void Predict(const Prediction& prediction);
  void Watch(size_t stage);
  void Score(const Prediction& prediction, const model::Model& model, std::span<const size_t> rows,
             size_t worker);
  void Explain(const Prediction& prediction, const ModelVersions& versions, int32_t version,
               std::span<const size_t> rows, size_t worker);
  void GatherFeatures(const Prediction& prediction, const model::Model& model, size_t index,
                      double* features) const;
  std::vector<int> CanaryColumns() const;
  // CHOOSE and REWARD of each row, in order.
  void RunPolicies();
  void Choose(const PolicyCall& call, PolicyNode& policy, row::Row& row);
  void Reward(const PolicyCall& call, PolicyNode& policy, row::Row& row);
  // Tells the policies where the rows stand that they drew arms for.
  void NameChoices(const row::Batch& output);
  void Fail(size_t index, const Error& error, Collector& collector);

  std::shared_ptr<const StatementPlan> plan_;
  ModelLookup models_;
  os::WorkerTeam* team_;
  AskingRows* asking_ = nullptr;
  Probe* probe_ = nullptr;
  ScoreTimer* timer_ = nullptr;
  std::vector<PolicyNode*> policies_;
  struct DrawnChoice {
    PolicyNode* policy = nullptr;
    uint64_t number = 0;
  };
  std::vector<DrawnChoice> drawn_;  // of the batch: those of its first row, of its second...
  size_t choices_a_row_ = 0;
  std::vector<double> context_;
  std::vector<std::vector<std::unique_ptr<state::KeyBlock>>>
      key_blocks_;  // by stage; those of windows first, those of watches last
  std::vector<std::vector<WatchBlock*>> watches_;  // by stage; owned by key_blocks_
  row::Batch health_;
  row::Batch working_;
  std::vector<row::Row*> origins_;  // input row of each working row
  state::KeyBlock::Failures failures_;
  std::vector<std::vector<std::pair<size_t, Error>>> broken_;  // by piece: rows and their errors
  std::map<int32_t, std::vector<size_t>> scored_;  // working rows, by the version that decides
  struct Scratch {
    std::vector<double> features;
    std::vector<double> scores;
  };
  std::vector<Scratch> scratch_;  // by worker
};

}  // namespace headrace::flow
