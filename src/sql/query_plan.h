#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/plan.h"
#include "row/schema.h"
#include "state/group_table.h"

namespace headrace::sql {

struct SortKey {
  size_t output = 0;  // index into QueryPlan::outputs
  bool descending = false;
  bool nulls_first = false;
};

// A SELECT over stored rows: scan, filter, group, project, sort, cut. Immutable.
struct QueryPlan {
  std::string input;  // empty: one row without columns
  // Rows of later causes are not there yet: behind an LSN, or behind what had come in by a time in
  // microseconds.
  std::optional<uint64_t> as_of_lsn;
  std::optional<int64_t> as_of_micros;
  std::shared_ptr<const expr::Expr> where;
  std::vector<flow::Evaluation> evaluations;  // group keys and aggregate arguments
  std::optional<state::GroupTableSpec> group;
  bool one_group = false;  // aggregates without GROUP BY: a row even over nothing
  std::shared_ptr<const expr::Expr> having;
  // Over the input's slots, or over [keys..., aggregates...] when grouped. The first
  // columns.columns.size() are the result, the rest only sort.
  std::vector<std::shared_ptr<const expr::Expr>> outputs;
  std::vector<row::Type> output_types;
  row::Schema columns;
  bool distinct = false;
  std::vector<SortKey> sort;
  std::optional<int64_t> limit;
  int64_t offset = 0;
  int slots = 0;
};

}  // namespace headrace::sql
