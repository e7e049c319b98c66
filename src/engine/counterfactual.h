#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flow/plan.h"
#include "row/batch.h"

namespace headrace::engine {

// A statement that made a row, with the slots it made it from.
struct Step {
  const flow::StatementPlan* plan = nullptr;
  row::Row working;
};

// The score of a row and the statements from the one that asks for it to the one that decides, each
// reading the row of the one before. Values live as long as the flow's.
struct DecisionPath {
  std::vector<Step> steps;
  const flow::Prediction* prediction = nullptr;  // of the first step
  size_t stage = 0;                              // that it stands in
  const model::Model* model = nullptr;           // the version that decided
  std::vector<double> inputs;                    // as the model took them
  std::string decision;                          // as it was: JSON
};

// The nearest change of inputs that leads to another decision.
struct Counterfactual {
  struct Change {
    size_t feature = 0;
    double value = 0;
    // "<=", ">=" or ">" when that is so for all values on that side, otherwise "=".
    std::string_view relation;
    double bound = 0;  // of the relation
  };
  std::string decision;  // JSON
  double score = 0;
  std::vector<Change> changes;
};

struct Counterfactuals {
  std::vector<Counterfactual> found;  // one a decision, the nearest first
  bool complete = true;               // false: more pairs of inputs than kCounterfactualScores
};

// Changed rows that are scored at most for one explanation.
inline constexpr size_t kCounterfactualScores = 20'000;

// For tree models: which change of one input, or else of two, would have led to which other
// decision. Inputs are changed to the nearest value beyond a split, rows are scored and decided
// again, so what is told is so. Distances are in the width of the input's splits. Nothing for other
// models, for several scores, and where a window or another model behind reads the score. Pure.
std::optional<Counterfactuals> FindCounterfactuals(const DecisionPath& path);

// As a JSON array: decision, score, changes (feature, from, relation, bound, value).
void AppendCounterfactuals(const DecisionPath& path, const Counterfactuals& all, std::string& out);

}  // namespace headrace::engine
