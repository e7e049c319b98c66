#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "flow/plan.h"
#include "sql/trainer_plan.h"

namespace headrace::engine {

using StatementPtr = std::shared_ptr<const flow::StatementPlan>;

// What one name stands for. Exactly one of `source`, `statement`, `models`, `learner`, `remote`,
// `policy`, `trainer`, `dead_of` is set.
struct Deployed {
  std::string name;
  std::shared_ptr<const flow::SourcePlan> source;
  StatementPtr statement;            // the newest revision
  std::vector<StatementPtr> former;  // the revisions it replaced, ascending
  StatementPtr pending;  // will replace it when it is computed; nothing emits or reads it before
  std::shared_ptr<const flow::ModelVersions> models;  // a model from a file
  std::shared_ptr<const flow::LearnerPlan> learner;   // a model that learns
  std::shared_ptr<const flow::RemotePlan> remote;     // a model that another program runs
  std::shared_ptr<const flow::PolicyPlan> policy;
  std::shared_ptr<const sql::TrainerPlan> trainer;  // makes versions of another model
  std::string dead_of;  // a dead-letter stream: the stream whose rows it takes

  // Whether it has no rows: a model or, in this alone like one, a policy.
  bool is_model() const { return models || learner || remote || policy || trainer; }
  // The log topic that holds its rows; empty for a model.
  std::string topic() const;
  int32_t partitions = 1;
  flow::Retention retention;  // dead letters are kept as long as their stream
  // All revisions of a statement that are or were in force, ascending.
  std::vector<StatementPtr> revisions() const;
  // Behind them what is pending: of this, too, depends what it reads, asks or chooses by.
  std::vector<StatementPtr> plans() const;
  // The newest, and if that is still computed what it will be.
  const StatementPtr& newest() const { return pending ? pending : statement; }
  // False of a statement whose rows of the past are still being computed.
  bool joined() const;
  // True of a statement that emits no more because it could not be computed again as it was.
  bool halted() const;
  // The one that emits for causes of this LSN. There must be a statement.
  const flow::StatementPlan& RevisionAt(uint64_t lsn) const;
};

// The catalogue with its plans, as one immutable snapshot: readers on any thread keep the one they
// took while the worker publishes the next.
class Deployment {
 public:
  catalog::Catalog catalog;
  // In the order of creation: behind a stream its dead letters, then its side outputs with those.
  std::vector<Deployed> items;

  // Behind what it is made from; its dead-letter stream comes with it.
  void Add(Deployed item);
  // Takes the item over from `base`, and its side outputs, without what is pending.
  void AddFrom(const Deployment& base, const std::string& name);
  // Takes the item out, with its dead letters and its side outputs. The catalogue stays.
  void Remove(const std::string& name);
  const Deployed* Find(const std::string& name) const;
  Deployed* FindMutable(const std::string& name);
  const Deployed* FindByTopic(const std::string& topic) const;
  // The object of the catalogue that made the item: a side output is made by its statement.
  const catalog::Object* ObjectOf(const Deployed& item) const;
  // The schema of a stream, view or dead-letter stream.
  row::Schema SchemaOf(const Deployed& item) const;
};

// Whether the statement asks the model for anything.
bool Asks(const flow::StatementPlan& plan, const std::string& model);

// Whether the statement chooses by the policy, or rewards it.
bool Uses(const flow::StatementPlan& plan, const std::string& policy);
// The policies that any revision of the statement goes through, or what is pending of it.
std::set<std::string> PoliciesOf(const Deployed& item);

// Whether no statement, and no revision of one, is still computed over the past.
bool AllJoined(const Deployment& deployment);
// Without the statements that are, and so without what reads them: what takes events now.
Deployment JoinedPart(const Deployment& deployment);
// As it will be when all of them have joined, but for the LSNs: what a script is planned over.
Deployment AsJoined(const Deployment& deployment);

// The dead letters of a topic, as a stream.
std::string DeadTopic(const std::string& topic);
const row::Schema& DeadSchema();

}  // namespace headrace::engine
