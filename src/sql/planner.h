#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/plan.h"
#include "sql/ast.h"
#include "sql/bind_expression.h"
#include "sql/diagnostics.h"
#include "sql/query_plan.h"
#include "sql/trainer_plan.h"

namespace headrace::sql {

// A relation, model or policy that a statement may name.
struct KnownName {
  std::shared_ptr<const flow::SourcePlan> source;
  std::shared_ptr<const flow::StatementPlan> statement;
  std::shared_ptr<const flow::ModelVersions> models;
  std::shared_ptr<const flow::LearnerPlan> learner;
  std::shared_ptr<const flow::RemotePlan> remote;
  std::shared_ptr<const flow::PolicyPlan> policy;
  const row::Schema* plain = nullptr;  // a stream that only queries read, such as dead letters

  const row::Schema& schema() const {
    return source ? source->schema : statement ? statement->schema : *plain;
  }
  bool relation() const { return source || statement || plain != nullptr; }
  // Column of the event time, or -1.
  int time_column() const;
  // Columns that carry the partition key of the source; empty: not all of it is there.
  std::vector<int> partition_columns() const;
};

class NameLookup {
 public:
  virtual ~NameLookup() = default;
  virtual std::optional<KnownName> Find(const std::string& name) const = 0;
  virtual std::vector<std::string> relation_names() const = 0;
  virtual std::vector<std::string> model_names() const = 0;
  virtual std::vector<std::string> policy_names() const = 0;
};

// Binds statements to plans: resolves names and types, lays out slots, groups windows into key
// blocks. Adds a Diagnostic for every mistake and then returns null. Unsynchronized; the arguments
// outlive it.
class Planner {
 public:
  Planner(const NameLookup& names, const SourceMap& sources, std::vector<Diagnostic>& diagnostics)
      : names_(names), sources_(sources), diagnostics_(diagnostics) {}

  // CREATE STREAM with columns.
  std::shared_ptr<const flow::SourcePlan> PlanSource(const CreateRelation& create);
  // CREATE STREAM or MATERIALIZED VIEW ... AS SELECT.
  std::shared_ptr<const flow::StatementPlan> PlanStatement(const CreateRelation& create);
  // The side output that the statement asks for: `side_output` takes the late rows of its input.
  std::shared_ptr<const flow::StatementPlan> PlanSideOutput(const flow::StatementPlan& of) const;
  // CREATE MODEL ... LEARNER.
  std::shared_ptr<const flow::LearnerPlan> PlanLearner(const CreateModel& create) const;
  // CREATE MODEL ... INPUT ... OUTPUT.
  std::shared_ptr<const flow::RemotePlan> PlanRemote(const CreateModel& create) const;
  // CREATE MODEL ... TRAIN.
  std::shared_ptr<const TrainerPlan> PlanTrainer(const CreateModel& create) const;
  // CREATE POLICY.
  std::shared_ptr<const flow::PolicyPlan> PlanPolicy(const CreatePolicy& create) const;
  // A SELECT over what is stored.
  std::shared_ptr<const QueryPlan> PlanQuery(const Select& select);

 private:
  const NameLookup& names_;
  const SourceMap& sources_;
  std::vector<Diagnostic>& diagnostics_;
};

}  // namespace headrace::sql
