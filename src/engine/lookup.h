#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/deployment.h"
#include "engine/health_rows.h"
#include "engine/model_watch.h"
#include "sql/planner.h"

namespace headrace::engine {

// Lets the planner see a deployment that is still growing.
class DeploymentLookup final : public sql::NameLookup {
 public:
  explicit DeploymentLookup(const Deployment& deployment) : deployment_(deployment) {}

  std::optional<sql::KnownName> Find(const std::string& name) const override {
    const Deployed* item = deployment_.Find(name);
    if (item == nullptr && name == kModelHealth) {
      return sql::KnownName{
          nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, &ModelHealthSchema()};
    }
    if (item == nullptr) return {};
    sql::KnownName known{item->source, item->newest(), item->models, item->learner,
                         item->remote, item->policy,   nullptr};
    if (!item->dead_of.empty()) known.plain = &DeadSchema();
    return known;
  }
  std::vector<std::string> relation_names() const override {
    std::vector<std::string> names;
    for (const Deployed& item : deployment_.items) {
      if (!item.is_model()) names.push_back(item.name);
    }
    return names;
  }
  std::vector<std::string> model_names() const override {
    std::vector<std::string> names;
    for (const Deployed& item : deployment_.items) {
      if (item.models || item.learner) names.push_back(item.name);
    }
    return names;
  }
  std::vector<std::string> policy_names() const override {
    std::vector<std::string> names;
    for (const Deployed& item : deployment_.items) {
      if (item.policy) names.push_back(item.name);
    }
    return names;
  }

 private:
  const Deployment& deployment_;
};

}  // namespace headrace::engine
