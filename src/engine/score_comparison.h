#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/deployment.h"
#include "engine/label_table.h"
#include "flow/probe.h"

namespace headrace::engine {

// Of many scores so many as are needed to tell how they lie: all up to kKept, then every second,
// every fourth. Which are kept depends on their order alone. Value type.
class ScoreSample {
 public:
  static constexpr size_t kKept = 1 << 17;

  void Add(double score);
  uint64_t count() const { return count_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  // Of the kept ones, rising.
  std::vector<double> Sorted() const;

 private:
  std::vector<double> kept_;
  uint64_t step_ = 1;  // every so manieth is kept
  uint64_t count_ = 0;
  double sum_ = 0;
};

// The population stability index: how far scores have moved, over ten bins that hold a tenth of
// `before` each. Below 0.1 is little, above 0.25 much (Siddiqi 2006). Both rise; 0 when one is
// empty.
double StabilityIndex(const std::vector<double>& before, const std::vector<double>& after);

// Sees a fork in which one version of a model decides, and sets beside each of its scores that of
// the version that decided for all others then. Of the first statement that asks the model; of
// models with one number as their answer. Confined; the labels must outlive it.
class ScoreComparison final : public flow::Probe {
 public:
  ScoreComparison(const Deployment& before, std::string model, int32_t version);

  // Labels to measure both by. Error: HR1104 when the rows lack the column they are joined on.
  Status Use(const LabelTable& labels, const LabelRequest& request);
  // Rows of causes from `lsn` on are compared; `before` says which versions decided.
  void GoOn(const Deployment& before, uint64_t lsn);
  // Rows that the version has decided, as a canary.
  uint64_t decided() const { return decided_; }

  void Selected(const flow::StatementPlan& plan, const row::Row& working,
                const row::Row& emitted) override;
  void Grouped(const flow::StatementPlan&, const row::Row&, const row::Value*) override {}
  void Closed(const flow::StatementPlan&, const row::Value*, const row::Row&) override {}

  // Members of a JSON object, with a comma before each: "scores" and, with labels, "metrics".
  void Append(std::string& out) const;

 private:
  double ScoreBefore(const flow::Prediction& prediction, const row::Row& working);
  void TakeLabel(const flow::StatementPlan& plan, const row::Row& emitted, double was, double is);
  void AppendMetrics(std::string& out) const;

  std::string model_;
  int32_t version_;
  std::shared_ptr<const flow::ModelVersions> versions_;
  const LabelTable* labels_ = nullptr;
  std::string label_key_;  // the column that labels are joined on, or kRowId
  uint64_t since_ = 0;
  StatementPtr asks_;  // the first statement that asks the model
  uint64_t decided_ = 0;
  ScoreSample before_;
  ScoreSample after_;
  // Of rows whose label is 0 or 1.
  std::vector<double> labelled_;
  std::vector<double> labelled_before_;
  std::vector<double> labelled_after_;
  std::vector<double> inputs_;
  std::vector<double> raw_;
};

}  // namespace headrace::engine
