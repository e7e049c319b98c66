#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "flow/collector.h"
#include "flow/plan.h"
#include "row/batch.h"
#include "state/key_block.h"

namespace headrace::flow {

using ModelLookup = std::function<std::shared_ptr<const ModelVersions>(const std::string& name)>;
// Sees the working row (all slots of the plan) of each row that was emitted.
using Probe = std::function<void(const StatementPlan&, const row::Row& working)>;

// The value as a model takes it: NULL is NaN, text is its category's code.
double FeatureOf(const row::Value& value, row::Type type,
                 const std::vector<std::string>& categories);

// Runs a SELECT without GROUP BY over a batch: lateness, WHERE, then stage by stage expressions,
// windows and predictions. Emits one row per row that passes, in order. Confined.
class SelectNode {
 public:
  SelectNode(std::shared_ptr<const StatementPlan> plan, ModelLookup models);

  // Reads `input` (rows of the input stream), fills `output` with rows of the statement's schema.
  // Values of `output` point into `input` and into the node's own memory until the next Run.
  void Run(row::Batch& input, row::Batch& output, Collector& collector);

  void SetProbe(Probe probe) { probe_ = std::move(probe); }
  size_t state_bytes() const;
  // Every key block, in the order of the plan.
  std::vector<state::KeyBlock*> key_blocks() const;

 private:
  bool TakesLate(row::Row& row, Collector& collector) const;
  void CopyRows(row::Batch& input, Collector& collector);
  void Evaluate(const Stage& stage, Collector& collector);
  void UpdateWindows(size_t stage, Collector& collector);
  void Predict(const Prediction& prediction);
  void ScoreRange(const Prediction& prediction, const model::Model& model, size_t begin,
                  size_t end);
  void Fail(size_t index, const Error& error, Collector& collector);

  std::shared_ptr<const StatementPlan> plan_;
  ModelLookup models_;
  Probe probe_;
  std::vector<std::vector<std::unique_ptr<state::KeyBlock>>> key_blocks_;  // by stage
  row::Batch working_;
  std::vector<row::Row*> origins_;  // input row of each working row
  std::vector<uint8_t> failed_;
  std::vector<std::string> errors_;
  std::vector<double> features_;
  std::vector<double> scores_;
  std::vector<size_t> scored_;  // working rows that are scored together
};

}  // namespace headrace::flow
