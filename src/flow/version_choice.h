#pragma once

#include <cstdint>
#include <vector>

#include "flow/plan.h"
#include "row/batch.h"

namespace headrace::flow {

// The columns of the plan's input whose values are the key of a canary: the named one, or those of
// the partition key. Empty: the plan has no such key, and the canary does not touch its rows.
std::vector<int> CanaryKey(const StatementPlan& plan, const std::string& key);

// Says which version of a model decides for a row of a statement. A canary takes a row when the
// hash of the row's key, seeded with the canary's salt, falls into its share of a hundred: a key
// that is in stays in when the share grows, and the answer is the same on every machine. Immutable;
// the versions and the plan must outlive it.
class VersionChoice {
 public:
  VersionChoice(const ModelVersions& versions, const StatementPlan& plan);

  // `row` has the columns of the plan's input at their places.
  int32_t For(const row::Row& row) const;
  // Of the input, for all canaries.
  const std::vector<int>& columns() const { return columns_; }

 private:
  bool Takes(size_t canary, const row::Row& row) const;

  const ModelVersions& versions_;
  const StatementPlan& plan_;
  std::vector<std::vector<int>> keys_;  // by canary
  std::vector<int> columns_;
};

}  // namespace headrace::flow
