#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/deployment.h"
#include "engine/label_table.h"
#include "engine/score_times.h"
#include "engine/what_if.h"
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
// models with one number as their answer.
//
// Where the log has that score, as a column of the rows that are compared, it is taken from there;
// otherwise, and while a canary decides for some keys, the version is asked again. Some rows are
// scored by both once more, alone, to say how long a score takes: nothing else depends on that.
//
// Confined, but for Take, which may run beside Selected; the labels and times must outlive it.
class ScoreComparison final : public flow::Probe, public PairTaker {
 public:
  static constexpr uint64_t kTimedEvery = 64;  // rows

  ScoreComparison(const Deployment& before, std::string model, int32_t version, ScoreTimes& times);

  // Labels to measure both by. Error: HR1104 when the rows lack the column they are joined on.
  Status Use(const LabelTable& labels, const LabelRequest& request);
  // Rows of causes from `lsn` on are compared, with those of `stream` in the log; `before` says
  // which versions decided.
  void GoOn(const Deployment& before, const std::string& stream, uint64_t lsn);
  // Rows that the version has decided, as a canary.
  uint64_t decided() const { return decided_; }

  void Selected(const flow::StatementPlan& plan, const row::Row& working,
                const row::Row& emitted) override;
  void Grouped(const flow::StatementPlan&, const row::Row&, const row::Value*) override {}
  void Closed(const flow::StatementPlan&, const row::Value*, const row::Row&) override {}

  void Take(const RowPair& pair) override;

  // Members of a JSON object, with a comma before each: "scores", "latency" (microseconds) and,
  // with labels, "metrics".
  void Append(std::string& out) const;

 private:
  // The column of the statement that is the score, when the log may be asked for it; else -1.
  int ScoreColumn(const std::string& stream) const;
  double ScoreAlone(const flow::Prediction& prediction, const row::Row& working, int32_t version,
                    base::Histogram* time);
  void Add(double was, double is);
  // `id` is that of the row, `values` are of its schema.
  void TakeLabel(std::string_view id, const row::Schema& schema, const row::Value* values,
                 double was, double is);
  void AppendMetrics(std::string& out) const;
  void AppendLatency(std::string& out) const;

  std::string model_;
  int32_t version_;
  ScoreTimes& times_;
  std::shared_ptr<const flow::ModelVersions> versions_;
  const LabelTable* labels_ = nullptr;
  std::string label_key_;  // the column that labels are joined on, or kRowId
  uint64_t since_ = 0;
  int score_column_ = -1;  // of rows in the log; -1: scores are made anew
  StatementPtr asks_;      // the first statement that asks the model
  uint64_t decided_ = 0;
  uint64_t seen_ = 0;
  base::Histogram alone_before_;  // the times of one row
  base::Histogram alone_after_;
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
