#include "engine/deployment.h"

#include <algorithm>

namespace headrace::engine {

std::string Deployed::topic() const {
  if (source) return source->topic;
  if (statement) return statement->name;
  return dead_of.empty() ? "" : name;
}

std::vector<StatementPtr> Deployed::revisions() const {
  std::vector<StatementPtr> all = former;
  if (statement) all.push_back(statement);
  return all;
}

bool Deployed::joined() const {
  return !statement || statement->joined_lsn != UINT64_MAX;
}

const flow::StatementPlan& Deployed::RevisionAt(uint64_t lsn) const {
  for (const StatementPtr& revision : former) {
    if (revision->IsLive(lsn)) return *revision;
  }
  return *statement;
}

const Deployed* Deployment::Find(const std::string& name) const {
  for (const Deployed& item : items) {
    if (item.name == name) return &item;
  }
  return nullptr;
}

const Deployed* Deployment::FindByTopic(const std::string& topic) const {
  for (const Deployed& item : items) {
    if (item.topic() == topic) return &item;
  }
  return nullptr;
}

row::Schema Deployment::SchemaOf(const Deployed& item) const {
  if (item.source) return item.source->schema;
  if (item.statement) return item.statement->schema;
  return DeadSchema();
}

bool AllJoined(const Deployment& deployment) {
  return std::all_of(deployment.items.begin(), deployment.items.end(),
                     [](const Deployed& item) { return item.joined(); });
}

std::string DeadTopic(const std::string& topic) {
  return topic + ".dead";
}

const row::Schema& DeadSchema() {
  using enum row::TypeKind;
  static const row::Schema kSchema = {{{"code", {kText, 0, 0}, true},
                                       {"reason", {kText, 0, 0}, true},
                                       {"topic", {kText, 0, 0}, true},
                                       {"partition", {kInteger, 0, 0}, true},
                                       {"offset", {kBigint, 0, 0}, true},
                                       {"pointer", {kText, 0, 0}, false},
                                       {"payload", {kText, 0, 0}, true}}};
  return kSchema;
}

}  // namespace headrace::engine
