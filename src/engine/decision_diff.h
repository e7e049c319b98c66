#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/row_cursor.h"
#include "engine/what_if.h"
#include "schema/codec.h"
#include "state/group_table.h"

namespace headrace::engine {

// The columns by which a statement decides: `decision`, or the texts and booleans that a CASE
// makes.
std::vector<std::string> DecisionColumns(const flow::StatementPlan& plan);

// Joins the rows that a fork makes of one stream with those in the log, by cause, and counts what
// changed. Rows of one cause are joined by the key of a view, or as they come. Confined; the log
// and the items must outlive it.
class DecisionDiff {
 public:
  // Errors: HR1104 for a column that is not in both, HR1103 for one that cannot be added up.
  static Result<std::unique_ptr<DecisionDiff>> Open(const log::Log& log, const Deployment& before,
                                                    const Deployment& after,
                                                    const WhatIfRequest& request,
                                                    const std::string& stream);

  // Rows of the log before these offsets are passed over: what they stem from is not run.
  Status BeginBehind(const std::map<std::pair<std::string, int32_t>, int64_t>& offsets);
  // Rows that both sides have are handed on, too; null: to nobody.
  void GiveTo(PairTaker* pairs) { pairs_ = pairs; }
  // Where a row of the fork stands.
  struct Standing {
    int64_t event_time = INT64_MIN;
    int32_t partition = 0;
    int64_t offset = -1;
  };
  // Rows come in the order of their causes.
  Status Take(row::Place cause, const Standing& standing, std::string_view json);
  // Everything up to the LSN was run: what is only in the log up to there is missing here.
  Status Finish(uint64_t last_lsn, WhatIfReport* report);

 private:
  struct Side {
    row::Schema schema;
    std::unique_ptr<schema::JsonDecoder> decoder;
    std::vector<int> decisions;  // columns
    std::vector<int> common;     // columns that both have, in the same order
    std::vector<int> key;        // of a view
    int time = -1;
    int label_key = -1;  // column that labels are looked up by; -1: the row's ID
  };
  struct Row {
    std::string id;
    std::string json;
    Standing standing;
  };

  DecisionDiff(const log::Log& log, const WhatIfRequest& request) : log_(log), request_(request) {}
  Status Prepare(const Deployed& before, const Deployed& after);
  Status PrepareLabels(const Deployment& deployment);
  Status FindColumns(const Deployed& after);
  Status PrepareFlips();
  Result<bool> HasLogged();
  Row TakeLogged();
  Status TakeAlone(row::Place before);
  Status Settle();
  Status JoinInOrder(const std::vector<Row>& before, const std::vector<Row>& after);
  Status JoinByKey(const std::vector<Row>& before, const std::vector<Row>& after);
  Result<std::vector<row::Value>> Decode(const Side& side, const Row& row);
  std::string Cells(const Side& side, const std::vector<int>& columns,
                    const std::vector<row::Value>& values) const;
  Status Compare(row::Place cause, const Row* before, const Row* after);
  Status CountFlip(const std::string& from, const std::string& to,
                   const std::vector<row::Value>& before, const std::vector<row::Value>& after);
  void Sample(row::Place cause, const Row* before, const Row* after);
  void Confuse(const std::string& id, const std::vector<row::Value>& before,
               const std::vector<row::Value>& after);

  const log::Log& log_;
  const WhatIfRequest& request_;
  const Deployed* logged_item_ = nullptr;
  PairTaker* pairs_ = nullptr;
  std::unique_ptr<LabelTable> labels_;
  std::map<std::pair<std::string, std::string>, Confusion> confusion_;  // by decision and label
  Side before_;
  Side after_;
  std::unique_ptr<RowCursor> cursor_;
  StoredRow stored_;
  bool logged_ = false;       // stored_ is the next row of the log
  row::Place cause_;          // of the rows that wait to be joined
  std::vector<Row> waiting_;  // the fork's
  std::string stream_;
  bool whole_rows_ = false;   // nothing is a decision: any difference counts
  bool same_layout_ = false;  // both sides have the same columns in the same order
  base::Arena arena_;
  std::unique_ptr<state::GroupTable> flips_;
  row::Type sum_type_{};
  int sum_before_ = -1;
  int sum_after_ = -1;
  int by_before_ = -1;
  int by_after_ = -1;
  WhatIfReport counted_;
};

}  // namespace headrace::engine
