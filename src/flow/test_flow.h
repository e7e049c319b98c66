#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flow/graph.h"
#include "row/text.h"

namespace headrace::flow {

inline constexpr row::Type kTextType{row::TypeKind::kText, 0, 0};
inline constexpr row::Type kBigintType{row::TypeKind::kBigint, 0, 0};
inline constexpr row::Type kBooleanType{row::TypeKind::kBoolean, 0, 0};
inline constexpr row::Type kTimeType{row::TypeKind::kTimestampTz, 0, 0};
inline constexpr int64_t kArrival = 2'000'000'000'000'000;  // when every event comes

// For tests: writes down what a flow emits. Rows as `value,value`, NULL as nothing.
class Notebook final : public Collector {
 public:
  void Emit(const StatementPlan& statement, row::Row& row) override {
    std::vector<std::string>& rows = rows_[statement.name];
    row.offset = std::ssize(rows);
    std::string text;
    for (size_t i = 0; i < statement.schema.columns.size(); ++i) {
      if (i > 0) text += ",";
      if (row.values[i].null) continue;
      row::AppendText(row.values[i], statement.schema.columns[i].type, text);
    }
    rows.push_back(std::move(text));
    causes_[statement.name].push_back(row.cause);
  }
  void Refuse(const std::string& stream, const row::Row& row, const Refusal& refusal) override {
    refused_[stream].push_back(std::to_string(row.offset) + " " + std::string(refusal.code));
  }
  void TakeLate(const StatementPlan& statement, const row::Row&) override {
    ++late_[statement.name];
  }

  std::vector<std::string>& rows(const std::string& stream) { return rows_[stream]; }
  std::vector<row::Place>& causes(const std::string& stream) { return causes_[stream]; }
  std::vector<std::string>& refused(const std::string& stream) { return refused_[stream]; }
  int late(const std::string& statement) { return late_[statement]; }

 private:
  std::map<std::string, std::vector<std::string>> rows_;
  std::map<std::string, std::vector<row::Place>> causes_;
  std::map<std::string, std::vector<std::string>> refused_;
  std::map<std::string, int> late_;
};

enum TestColumn : int { kKeyColumn, kQuantityColumn, kFlagColumn, kTimeColumn, kTestColumns };

// Stream `s` of (k text, q bigint, f boolean, ts timestamptz); the watermark runs `delay` behind.
inline std::shared_ptr<SourcePlan> TestSource(int64_t delay, int32_t partitions = 1) {
  auto plan = std::make_shared<SourcePlan>();
  plan->name = "s";
  plan->topic = "s";
  plan->partitions = partitions;
  plan->schema.columns = {{"k", kTextType, false},
                          {"q", kBigintType, false},
                          {"f", kBooleanType, false},
                          {"ts", kTimeType, true}};
  plan->decoded = plan->schema;
  plan->json.timestamp_unit = schema::TimestampUnit::kMicroseconds;
  plan->schema_slots = {0, 1, 2, 3};
  plan->time_slot = kTimeColumn;
  plan->watermark_delay = delay;
  plan->partition_slots = {kKeyColumn};
  plan->partition_types = {kTextType};
  plan->slots = kTestColumns;
  return plan;
}

// A graph over one source, fed frame by frame.
class TestFlow {
 public:
  explicit TestFlow(std::shared_ptr<const SourcePlan> source)
      : graph_([](const std::string&) { return nullptr; }), partitions_(source->partitions) {
    graph_.AddSource(std::move(source));
  }
  void Add(std::shared_ptr<const StatementPlan> plan) { graph_.AddStatement(std::move(plan)); }

  // One frame of events. Those that are not fit, and repeats, are counted and left out.
  void Feed(const std::vector<std::string>& payloads, int64_t arrival = kArrival) {
    SourceNode& source = *graph_.FindSource("s");
    row::Batch admitted;
    std::map<int32_t, row::Batch> lanes;
    for (const std::string& payload : payloads) {
      Status fit = source.Admit(payload, false, arrival, admitted);
      const row::Row& row = admitted.rows().back();
      if (!fit.ok()) {
        unfit_.push_back(fit.error().code() + fit.error().place());
      } else if (source.IsRepeat(row)) {
        ++repeats_;
      } else {
        lanes[source.PartitionOf(row)].rows().push_back(row);
      }
    }
    for (auto& [partition, lane] : lanes) {
      ++lsn_;
      uint32_t index = 0;
      for (row::Row& row : lane.rows()) {
        row.cause = {lsn_, index++};
        row.partition = partition;
        row.offset = offset_++;
      }
      graph_.Run(source, lane, {arrival, false}, notes_);
    }
  }
  void Finish() { graph_.Finish(*graph_.FindSource("s"), {++lsn_, 0}, notes_); }

  Graph& graph() { return graph_; }
  Notebook& notes() { return notes_; }
  uint64_t lsn() const { return lsn_; }
  int repeats() const { return repeats_; }
  const std::vector<std::string>& unfit() const { return unfit_; }

 private:
  Graph graph_;
  Notebook notes_;
  int32_t partitions_;
  uint64_t lsn_ = 0;
  int64_t offset_ = 0;
  int repeats_ = 0;
  std::vector<std::string> unfit_;
};

// SELECT of all columns of `input` and `computed` slots behind them, without anything computed yet.
inline std::shared_ptr<StatementPlan> TestSelect(const std::string& name, const std::string& input,
                                                 const row::Schema& columns) {
  auto plan = std::make_shared<StatementPlan>();
  plan->name = name;
  plan->schema = columns;
  plan->select.emplace();
  plan->select->input = input;
  plan->select->stages.emplace_back();
  for (int i = 0; i < static_cast<int>(columns.columns.size()); ++i) {
    plan->select->copied_columns.push_back(i);
    plan->select->output_slots.push_back(i);
    if (columns.columns[static_cast<size_t>(i)].name == "ts") plan->time_column = i;
  }
  plan->select->slots = static_cast<int>(columns.columns.size());
  return plan;
}

}  // namespace headrace::flow
