#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/deployment.h"

namespace headrace::engine {

// How one column of a statement's rows comes about.
struct ColumnOrigin {
  // The window aggregates behind it, through expressions of the same statement: indices into
  // SelectPlan::features.
  std::vector<size_t> features;
  bool scored = false;  // a model's score is behind it
};

ColumnOrigin OriginOf(const flow::StatementPlan& plan, size_t column);

// Whether the slot is computed from the other, through expressions, aggregates or models of the
// same statement.
bool ComesFrom(const flow::SelectPlan& plan, int slot, int from);

// The columns of the item's rows whose values say of whom `column` tells, ascending: of a view its
// keys but for the window's bounds; of a window aggregate, and what is computed from such alone,
// its PARTITION BY; otherwise the PARTITION BY of the stream that all comes from. Empty when they
// are not among the item's columns.
std::vector<size_t> EntityOf(const Deployment& deployment, const Deployed& item, size_t column);

// Whether a column is a feature: computed from the past of a key, and no score.
bool IsFeature(const Deployed& item, size_t column);

}  // namespace headrace::engine
