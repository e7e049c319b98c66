#include "flow/graph.h"

namespace headrace::flow {

Graph::Graph(ModelLookup models) : models_(std::move(models)) {}

void Graph::AddSource(std::shared_ptr<const SourcePlan> plan) {
  source_names_.push_back(plan->name);
  topic_of_source_[plan->name] = plan->topic;
  std::string topic = plan->topic;
  sources_by_topic_[topic] = std::make_unique<SourceNode>(std::move(plan));
}

void Graph::AddStatement(std::shared_ptr<const StatementPlan> plan) {
  auto statement = std::make_unique<Statement>();
  size_t index = statements_.size();
  if (auto input = statement_by_name_.find(plan->input()); input != statement_by_name_.end()) {
    statements_[input->second]->readers.push_back(index);
  } else {
    HR_CHECK(topic_of_source_.contains(plan->input()));
    readers_of_source_[plan->input()].push_back(index);
  }
  if (plan->select) statement->select = std::make_unique<SelectNode>(plan, models_);
  if (plan->window) statement->window = std::make_unique<WindowNode>(plan);
  statement_by_name_[plan->name] = index;
  statement->plan = std::move(plan);
  statements_.push_back(std::move(statement));
}

SourceNode* Graph::FindSource(std::string_view topic) {
  auto found = sources_by_topic_.find(topic);
  return found == sources_by_topic_.end() ? nullptr : found->second.get();
}

void Graph::Run(SourceNode& source, row::Batch& batch, const Arrival& arrival,
                Collector& collector) {
  steps_.clear();
  source.Stamp(batch, arrival, steps_);
  RunReaders(readers_of_source_[source.plan().name], batch, steps_, collector);
}

void Graph::Finish(SourceNode& source, row::Place at, Collector& collector) {
  row::Batch none;
  RunReaders(readers_of_source_[source.plan().name], none, {source.Finish(at)}, collector);
}

void Graph::RunReaders(const std::vector<size_t>& readers, row::Batch& batch,
                       const std::vector<WatermarkStep>& steps, Collector& collector) {
  for (size_t index : readers) {
    Statement& statement = *statements_[index];
    if (statement.select) {
      statement.select->Run(batch, statement.output, collector);
    } else {
      statement.window->Run(batch, steps, statement.output, collector);
    }
    if (!statement.readers.empty()) {
      RunReaders(statement.readers, statement.output, steps, collector);
    }
  }
}

void Graph::SetProbe(const Probe& probe) {
  for (auto& statement : statements_) {
    if (statement->select) statement->select->SetProbe(probe);
  }
}

size_t Graph::state_bytes() const {
  size_t bytes = 0;
  for (const auto& statement : statements_) {
    bytes +=
        statement->select ? statement->select->state_bytes() : statement->window->state_bytes();
  }
  return bytes;
}

}  // namespace headrace::flow
