#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "engine/counterfactual.h"
#include "engine/deployment.h"
#include "flow/probe.h"
#include "row/batch.h"

namespace headrace::engine {

// A row of a stream: what its ID says.
struct RowId {
  std::string stream;
  int32_t partition = 0;
  int64_t offset = 0;

  std::string Text() const {
    return stream + ":" + std::to_string(partition) + ":" + std::to_string(offset);
  }
  auto operator<=>(const RowId&) const = default;
};

// A group of a windowed GROUP BY, as it was emitted.
struct GroupStory {
  const flow::StatementPlan* plan = nullptr;
  int64_t start = 0;     // of the window
  std::string identity;  // of the keys, to compare
  std::string window;    // JSON
  std::string key;       // JSON: the keys by name
};

// Writes down what made one row, while the event that caused it runs through the flow again: of the
// row itself and, through the statements that emitted a row for the same cause, of what it was made
// from. There ends what one moment can tell: at a source, at a window, whose rows came before, or
// at a row that had waited. Confined.
class Story final : public flow::Probe {
 public:
  // The deployment must outlive it.
  Story(const Deployment& deployment, RowId row, row::Place cause);

  void Selected(const flow::StatementPlan& plan, const row::Row& working,
                const row::Row& emitted) override;
  void Grouped(const flow::StatementPlan&, const row::Row&, const row::Value*) override {}
  void Closed(const flow::StatementPlan& plan, const row::Value* keys,
              const row::Row& emitted) override;

  // Parts of the document: members of an object, elements of an array, or JSON; "null" where there
  // is nothing to tell.
  const std::string& features() const { return features_; }
  const std::string& rules() const { return rules_; }
  const std::string& model() const { return model_; }
  const std::string& score() const { return score_; }
  // The nearest changes of inputs that would have led to other decisions, and whether all were
  // looked at.
  const std::string& instead() const { return instead_; }
  bool instead_complete() const { return instead_complete_; }
  const std::string& reasons() const { return reasons_; }
  const std::string& contributions() const { return contributions_; }
  const std::string& decision() const { return decision_; }
  // The group that the row comes from, if it does.
  const std::optional<GroupStory>& group() const { return group_; }
  // The place of the event of a row that had waited, and the row of the input that it was.
  const std::optional<row::Place>& waited() const { return waited_; }
  const std::optional<RowId>& waited_row() const { return waited_row_; }
  // The statement that the row was too late for, where it is of a side output.
  const std::string& late_for() const { return late_for_; }

 private:
  struct Passed {
    const flow::StatementPlan* plan = nullptr;
    row::Row working;
  };

  bool IsOfInterest(const flow::StatementPlan& plan, const row::Row& emitted) const;
  // Of the statement's row, behind those it was made from.
  void Tell(const flow::StatementPlan& plan, const row::Row& working);
  void AddFeature(const flow::StatementPlan& plan, const flow::FeatureNote& feature,
                  const row::Row& row);
  void AddModel(const flow::StatementPlan& plan, const flow::Prediction& prediction,
                const row::Row& row);
  void AddRemote(const flow::RemoteQuestion& question, const row::Row& row);
  void AddInstead();
  void AddRule(const flow::RuleNote& rule, const row::Row& row);

  const Deployment& deployment_;
  RowId row_;
  row::Place cause_;
  std::set<std::string> chain_;  // the stream and those that it is made from
  std::map<RowId, Passed> passed_;
  std::map<RowId, GroupStory> closed_;
  std::string features_, rules_, model_ = "null", score_ = "null", contributions_ = "null",
                                 reasons_ = "null", decision_ = "null", late_for_;
  DecisionPath path_;
  std::string instead_ = "null";
  bool instead_complete_ = true;
  std::optional<GroupStory> group_;
  std::optional<row::Place> waited_;
  std::optional<RowId> waited_row_;
};

// Counts the rows of one group as they come, and keeps the IDs of the first. Confined.
class GroupRows final : public flow::Probe {
 public:
  static constexpr size_t kSampleRows = 10;

  explicit GroupRows(const GroupStory& group) : group_(group) {}

  void Selected(const flow::StatementPlan&, const row::Row&, const row::Row&) override {}
  void Grouped(const flow::StatementPlan& plan, const row::Row& row,
               const row::Value* keys) override;
  // The first one is emitted: what comes then is of no group that was.
  void Closed(const flow::StatementPlan& plan, const row::Value* keys,
              const row::Row& emitted) override;

  uint64_t events() const { return events_; }
  const std::vector<std::string>& sample() const { return sample_; }

 private:
  const GroupStory& group_;
  uint64_t events_ = 0;
  bool closed_ = false;
  std::vector<std::string> sample_;
};

}  // namespace headrace::engine
