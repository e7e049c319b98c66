#include "flow/graph.h"

#include <algorithm>
#include <optional>

namespace headrace::flow {
namespace {

// A batch of so many rows may bring megabytes of what was put out back into memory in each
// statement: the limit is looked at between them, not behind the batch alone.
constexpr size_t kLookRows = 256;

// Takes nothing on: a revision that is not in force yet has its say in its state alone.
class MutedCollector final : public Collector {
 public:
  void Emit(const StatementPlan&, row::Row&) override {}
  void EmitAll(const StatementPlan&, row::Batch&, os::WorkerTeam&) override {}
  void Refuse(const std::string&, const row::Row&, const Refusal&) override {}
  void TakeLate(const StatementPlan&, const row::Row&) override {}
};

// Hands refusals of rows that were laid out anew on as those of the rows they were made from.
class MappedCollector final : public Collector {
 public:
  MappedCollector(Collector& inner, const row::Batch& mapped, row::Batch& original)
      : inner_(inner), mapped_(mapped), original_(original) {}
  void Emit(const StatementPlan& statement, row::Row& row) override { inner_.Emit(statement, row); }
  void EmitAll(const StatementPlan& statement, row::Batch& batch, os::WorkerTeam& team) override {
    inner_.EmitAll(statement, batch, team);
  }
  void Refuse(const std::string& stream, const row::Row& row, const Refusal& refusal) override {
    row::Row& from = original_.rows()[static_cast<size_t>(&row - mapped_.rows().data())];
    from.dead_lettered = true;
    inner_.Refuse(stream, from, refusal);
  }
  void TakeLate(const StatementPlan& statement, const row::Row& row) override {
    inner_.TakeLate(statement, row);
  }

 private:
  Collector& inner_;
  const row::Batch& mapped_;
  row::Batch& original_;
};

// Keeps the late rows of the one statement that is run with it.
class LateCollector final : public Collector {
 public:
  LateCollector(Collector& inner, row::Batch& late) : inner_(inner), late_(late) {}
  void Emit(const StatementPlan& statement, row::Row& row) override { inner_.Emit(statement, row); }
  void EmitAll(const StatementPlan& statement, row::Batch& batch, os::WorkerTeam& team) override {
    inner_.EmitAll(statement, batch, team);
  }
  void Refuse(const std::string& stream, const row::Row& row, const Refusal& refusal) override {
    inner_.Refuse(stream, row, refusal);
  }
  void TakeLate(const StatementPlan& statement, const row::Row& row) override {
    inner_.TakeLate(statement, row);
    late_.rows().push_back(row);
    // Whatever refused it, it stands in the dead letters of another stream.
    late_.rows().back().dead_lettered = false;
  }

 private:
  Collector& inner_;
  row::Batch& late_;
};

// Takes what a statement gives of rows that had waited.
class ReleasedCollector final : public Collector {
 public:
  ReleasedCollector(Collector& inner, const StatementPlan& plan) : inner_(inner), plan_(plan) {}
  void Emit(const StatementPlan& statement, row::Row& row) override { inner_.Emit(statement, row); }
  void EmitAll(const StatementPlan& statement, row::Batch& batch, os::WorkerTeam& team) override {
    inner_.EmitAll(statement, batch, team);
  }
  void Refuse(const std::string& stream, const row::Row& row, const Refusal& refusal) override {
    if (row.payload.data() != nullptr) return inner_.Refuse(stream, row, refusal);
    // A derived row: its stream may have been replaced since, here it is laid out as it was
    // planned.
    std::string json;
    schema::JsonEncoder(plan_.input_schema).Append(row.values, json);
    row::Row whole = row;
    whole.payload = json;
    inner_.Refuse(stream, whole, refusal);
  }
  void TakeLate(const StatementPlan& statement, const row::Row& row) override {
    inner_.TakeLate(statement, row);
  }

 private:
  Collector& inner_;
  const StatementPlan& plan_;
};

// Where each column of `wanted` stands in a row of `given`; empty when the layouts are the same.
std::vector<int> MapColumns(const row::Schema& given, const row::Schema& wanted) {
  std::vector<int> columns;
  bool same = given.columns.size() == wanted.columns.size();
  for (size_t w = 0; w < wanted.columns.size(); ++w) {
    int at = given.Find(wanted.columns[w].name);
    same = same && at == static_cast<int>(w);
    columns.push_back(at);
  }
  if (same) columns.clear();
  return columns;
}

}  // namespace

Graph::Graph(ModelLookup models, Means means)
    : models_(std::move(models)),
      team_(means.team != nullptr ? *means.team : alone_),
      spill_(means.spill),
      keeps_within_(means.keeps_within) {}

Graph::~Graph() {
  const auto hold = Hold();
  statements_.clear();
  sources_by_topic_.clear();
}

std::shared_lock<std::shared_mutex> Graph::Hold() const {
  return spill_ == nullptr || keeps_within_ ? std::shared_lock<std::shared_mutex>()
                                            : spill_->Hold();
}

void Graph::AddSource(std::shared_ptr<const SourcePlan> plan) {
  source_names_.push_back(plan->name);
  topic_of_source_[plan->name] = plan->topic;
  std::string topic = plan->topic;
  sources_by_topic_[topic] = std::make_unique<SourceNode>(std::move(plan), spill_);
}

void Graph::AddStatement(std::shared_ptr<const StatementPlan> plan) {
  auto statement = std::make_unique<Statement>();
  if (plan->select) {
    statement->select = std::make_unique<SelectNode>(plan, models_, team_, spill_);
    statement->select->SetScoreTimer(timer_);
  }
  if (plan->on_watermark) statement->waiting = std::make_unique<WaitingRows>(plan, spill_);
  if (plan->window) statement->window = std::make_unique<WindowNode>(plan, spill_);
  if (plan->asks()) {
    statement->asking = std::make_unique<AskingRows>(plan);
    statement->select->SetAsking(statement->asking.get());
  }
  if (statement->select) statement->select->SetPolicies(PoliciesOf(*plan));
  one_by_one_.clear();
  const auto topic = topic_of_source_.find(plan->input());
  statement->topic = topic != topic_of_source_.end()
                         ? topic->second
                         : statements_[revisions_.at(plan->input()).back()]->topic;
  std::vector<size_t>& revisions = revisions_[plan->name];
  if (!revisions.empty()) {
    for (const Reader& reader : statements_[revisions.back()]->readers) {
      const row::Schema& wanted = statements_[reader.statement]->plan->input_schema;
      statement->readers.push_back({reader.statement, MapColumns(plan->schema, wanted)});
    }
  }
  revisions.push_back(statements_.size());
  statement->plan = std::move(plan);
  statements_.push_back(std::move(statement));
  const StatementPlan& added = *statements_.back()->plan;
  if (added.side_of.empty()) return Connect(added.input(), statements_.size() - 1);
  Statement& of = *statements_[revisions_.at(added.side_of).back()];
  (added.of_health ? of.health : of.side) = statements_.back().get();
}

void Graph::Connect(const std::string& input, size_t reader) {
  auto revisions = revisions_.find(input);
  if (revisions == revisions_.end()) {
    HR_CHECK(topic_of_source_.contains(input));
    readers_of_source_[input].push_back({reader, {}});
    return;
  }
  for (size_t revision : revisions->second) {
    Statement& from = *statements_[revision];
    const row::Schema& wanted = statements_[reader]->plan->input_schema;
    from.readers.push_back({reader, MapColumns(from.plan->schema, wanted)});
  }
}

void Graph::Adopt(Graph& from, const StatementPlan& computed,
                  std::shared_ptr<const StatementPlan> plan) {
  auto given = std::find_if(from.statements_.begin(), from.statements_.end(),
                            [&](const auto& other) { return other->plan.get() == &computed; });
  HR_CHECK(given != from.statements_.end());
  AddStatement(plan);
  Statement& statement = *statements_.back();
  HR_CHECK(((*given)->select != nullptr) == (statement.select != nullptr));
  HR_CHECK(((*given)->waiting != nullptr) == (statement.waiting != nullptr));
  statement.select = std::move((*given)->select);
  statement.window = std::move((*given)->window);
  statement.waiting = std::move((*given)->waiting);
  statement.asking = std::move((*given)->asking);
  if (statement.select) {
    statement.select->Use(models_, team_);
    statement.select->SetScoreTimer(timer_);
    statement.select->SetPolicies(PoliciesOf(*plan));
  }
  Redate(std::move(plan));
}

Graph::Statement& Graph::RevisionOf(const StatementPlan& plan) {
  const std::vector<size_t>& revisions = revisions_.at(plan.name);
  auto found = std::find_if(revisions.begin(), revisions.end(), [&](size_t revision) {
    return statements_[revision]->plan->created_lsn == plan.created_lsn;
  });
  HR_CHECK(found != revisions.end());
  return *statements_[*found];
}

void Graph::Redate(std::shared_ptr<const StatementPlan> plan) {
  Statement& statement = RevisionOf(*plan);
  if (statement.select) statement.select->Redate(plan);
  if (statement.window) statement.window->Redate(plan);
  if (statement.waiting) statement.waiting->Redate(plan);
  if (statement.asking) statement.asking->Redate(plan);
  statement.plan = std::move(plan);
}

void Graph::RemoveStatement(const std::string& name) {
  const auto hold = Hold();
  for (const std::string& side : statements_[revisions_.at(name).back()]->plan->sides())
    RemoveRevisions(side);
  RemoveRevisions(name);
  DropUnusedPolicies();
}

// What a policy learned goes with the last statement that used it.
void Graph::DropUnusedPolicies() {
  std::set<std::string_view> used;
  for (const auto& statement : statements_) {
    if (!statement->plan->select) continue;
    for (const PolicyCall& call : statement->plan->select->policy_calls)
      used.insert(call.policy->name);
  }
  std::erase_if(policies_, [&](const auto& policy) { return !used.contains(policy.first); });
  one_by_one_.clear();
}

void Graph::RemoveRevisions(const std::string& name) {
  const std::vector<size_t> gone = std::move(revisions_.at(name));
  revisions_.erase(name);
  // By number before: the number after, or none.
  std::vector<std::optional<size_t>> numbers(statements_.size());
  std::vector<std::unique_ptr<Statement>> kept;
  for (size_t i = 0; i < statements_.size(); ++i) {
    if (std::find(gone.begin(), gone.end(), i) != gone.end()) {
      HR_CHECK(statements_[i]->readers.empty());
      continue;
    }
    numbers[i] = kept.size();
    kept.push_back(std::move(statements_[i]));
  }
  statements_ = std::move(kept);
  const auto renumber = [&numbers](std::vector<Reader>& readers) {
    std::erase_if(readers, [&](const Reader& reader) { return !numbers[reader.statement]; });
    for (Reader& reader : readers)
      reader.statement = *numbers[reader.statement];
  };
  for (auto& [source, readers] : readers_of_source_)
    renumber(readers);
  for (auto& statement : statements_)
    renumber(statement->readers);
  for (auto& [of, revisions] : revisions_) {
    for (size_t& revision : revisions)
      revision = *numbers[revision];
  }
}

void Graph::RemoveSource(const std::string& name) {
  const auto hold = Hold();
  HR_CHECK(readers_of_source_[name].empty());
  readers_of_source_.erase(name);
  sources_by_topic_.erase(topic_of_source_.at(name));
  topic_of_source_.erase(name);
  std::erase(source_names_, name);
}

SourceNode* Graph::FindSource(std::string_view topic) {
  auto found = sources_by_topic_.find(topic);
  return found == sources_by_topic_.end() ? nullptr : found->second.get();
}

std::set<std::string> Graph::topics() const {
  std::set<std::string> topics;
  for (const auto& [topic, source] : sources_by_topic_)
    topics.insert(topic);
  return topics;
}

void Graph::Run(SourceNode& source, row::Batch& batch, const Arrival& arrival,
                Collector& collector) {
  const auto hold = Hold();
  steps_.clear();
  source.Stamp(batch, arrival, steps_);
  if (batch.rows().empty()) return;
  const std::vector<Reader>& readers = readers_of_source_[source.plan().name];
  if (NeedsOneByOne(source)) return RunOneByOne(readers, batch, collector);
  RunReaders(readers, batch, {batch.rows().front().cause.lsn, steps_, collector});
}

void Graph::RunOneByOne(const std::vector<Reader>& readers, row::Batch& batch,
                        Collector& collector) {
  size_t step = 0;
  for (row::Row& row : batch.rows()) {
    one_.rows().assign(1, row);
    one_steps_.clear();
    for (; step < steps_.size() && steps_[step].at <= row.cause; ++step)
      one_steps_.push_back(steps_[step]);
    RunReaders(readers, one_, {row.cause.lsn, one_steps_, collector});
    row = one_.rows().front();
  }
}

std::vector<PolicyNode*> Graph::PoliciesOf(const StatementPlan& plan) {
  std::vector<PolicyNode*> nodes;
  if (!plan.select) return nodes;
  for (const PolicyCall& call : plan.select->policy_calls) {
    std::unique_ptr<PolicyNode>& node = policies_[call.policy->name];
    if (!node) node = std::make_unique<PolicyNode>(call.policy);
    nodes.push_back(node.get());
  }
  return nodes;
}

bool Graph::NeedsOneByOne(const SourceNode& source) {
  if (policies_.empty()) return false;
  const auto [known, is_new] = one_by_one_.try_emplace(&source, false);
  if (!is_new) return known->second;
  CallCounts calls;
  CountCalls(readers_of_source_[source.plan().name], calls);
  std::map<std::string, size_t> places;
  for (const auto& [of, count] : calls)
    places[of.first] += count;
  known->second =
      std::any_of(places.begin(), places.end(), [](const auto& place) { return place.second > 1; });
  return known->second;
}

void Graph::CountCalls(const std::vector<Reader>& readers, CallCounts& calls) const {
  for (const Reader& reader : readers)
    CountCalls(*statements_[reader.statement], calls);
}

// Of the revisions of a statement only one takes a row: what calls policies begins when it is made.
void Graph::CountCalls(const Statement& statement, CallCounts& calls) const {
  std::map<std::string, size_t> own;
  if (statement.plan->select) {
    for (const PolicyCall& call : statement.plan->select->policy_calls)
      ++own[call.policy->name];
  }
  for (const auto& [policy, count] : own) {
    size_t& most = calls[{policy, statement.plan->name}];
    most = std::max(most, count);
  }
  CountCalls(statement.readers, calls);
  if (statement.side != nullptr) CountCalls(*statement.side, calls);
}

void Graph::Finish(SourceNode& source, row::Place at, Collector& collector) {
  const auto hold = Hold();
  row::Batch none;
  steps_.assign(1, source.Finish(at));
  RunReaders(readers_of_source_[source.plan().name], none, {at.lsn, steps_, collector});
}

void Graph::RunReaders(const std::vector<Reader>& readers, row::Batch& batch,
                       const Passage& passage) {
  for (const Reader& reader : readers) {
    Statement& statement = *statements_[reader.statement];
    if (passage.lsn >= statement.plan->until_lsn) {
      End(statement);
    } else if (passage.lsn < statement.plan->joined_lsn) {
      RunApart(reader, batch, passage);
    } else {
      RunReader(reader, batch, passage);
    }
    if (batch.rows().size() >= kLookRows) KeepWithin();
  }
}

void Graph::End(Statement& statement) {
  statement.select.reset();
  statement.window.reset();
  statement.waiting.reset();
  statement.asking.reset();
}

void Graph::RunApart(const Reader& reader, row::Batch& batch, const Passage& passage) {
  std::vector<bool>& refused = statements_[reader.statement]->refused;
  refused.clear();
  for (row::Row& row : batch.rows()) {
    refused.push_back(row.dead_lettered);
    row.dead_lettered = false;
  }
  RunReader(reader, batch, passage);
  for (size_t i = 0; i < refused.size(); ++i)
    batch.rows()[i].dead_lettered = refused[i];
}

void Graph::RunReader(const Reader& reader, row::Batch& batch, const Passage& passage) {
  if (reader.columns.empty()) {
    RunStatement(*statements_[reader.statement], batch, passage, passage.collector);
  } else {
    RunMapped(reader, batch, passage);
  }
}

void Graph::RunMapped(const Reader& reader, row::Batch& batch, const Passage& passage) {
  Statement& statement = *statements_[reader.statement];
  row::Batch& mapped = statement.input;
  mapped.Clear();
  for (const row::Row& from : batch.rows()) {
    row::Row& to = mapped.Add(reader.columns.size());
    row::Value* values = to.values;
    to = from;
    to.values = values;
    for (size_t c = 0; c < reader.columns.size(); ++c) {
      if (reader.columns[c] >= 0) values[c] = from.values[reader.columns[c]];
    }
  }
  MappedCollector collector(passage.collector, mapped, batch);
  RunStatement(statement, mapped, passage, collector);
}

void Graph::RunStatement(Statement& statement, row::Batch& batch, const Passage& passage,
                         Collector& collector) {
  if (passage.lsn < statement.plan->from_lsn) {
    MutedCollector muted;
    RunNode(statement, batch, passage, muted);
    return RunHealth(statement, passage, false);
  }
  if (statement.side == nullptr) {
    RunNode(statement, batch, passage, collector);
  } else {
    statement.late.Clear();
    LateCollector late(collector, statement.late);
    RunNode(statement, batch, passage, late);
    RunStatement(*statement.side, statement.late, passage, passage.collector);
  }
  RunHealth(statement, passage, true);
}

void Graph::RunHealth(Statement& statement, const Passage& passage, bool told) {
  if (!statement.select || statement.select->health().rows().empty()) return;
  row::Batch& health = statement.select->health();
  if (told && statement.health != nullptr) {
    RunStatement(*statement.health, health, passage, passage.collector);
  }
  health.Clear();
}

void Graph::RunNode(Statement& statement, row::Batch& batch, const Passage& passage,
                    Collector& collector) {
  if (statement.waiting) return RunWaiting(statement, batch, passage, collector);
  if (statement.asking) return RunAsking(statement, batch, passage, collector);
  const bool read = passage.lsn >= statement.plan->from_lsn && !statement.readers.empty();
  if (statement.select) {
    statement.select->Run(batch, statement.output, collector);
    if (read) RunReaders(statement.readers, statement.output, passage);
    return;
  }
  statement.window->Run(batch, passage.steps, collector,
                        [&](row::Batch& rows, const std::vector<WatermarkStep>& steps) {
                          if (read)
                            RunReaders(statement.readers, rows,
                                       {passage.lsn, steps, passage.collector});
                          KeepWithin();
                        });
}

void Graph::RunWaiting(Statement& statement, row::Batch& batch, const Passage& passage,
                       Collector& collector) {
  const bool live = passage.lsn >= statement.plan->from_lsn;
  // Released rows are none of the batch.
  ReleasedCollector released(live ? passage.collector : collector, *statement.plan);
  statement.waiting->Run(batch, passage.steps, collector,
                         [&](row::Batch& rows, const std::vector<WatermarkStep>& steps) {
                           statement.select->Run(rows, statement.output, released);
                           if (live && !statement.readers.empty()) {
                             RunReaders(statement.readers, statement.output,
                                        {passage.lsn, steps, passage.collector});
                           }
                           if (rows.rows().size() >= kLookRows) KeepWithin();
                         });
}

void Graph::RunAsking(Statement& statement, row::Batch& batch, const Passage& passage,
                      Collector& collector) {
  statement.select->Run(batch, statement.output, collector);
  statement.passed.clear();
  statement.asking->Hold(statement.output, passage.steps, statement.passed);
  if (passage.lsn < statement.plan->from_lsn || statement.readers.empty()) return;
  RunReaders(statement.readers, statement.output,
             {passage.lsn, statement.passed, passage.collector});
}

void Graph::Answer(const std::vector<RemoteAnswer>& answers, row::Place first,
                   Collector& collector) {
  const auto hold = Hold();
  row::Place at = first;
  for (const RemoteAnswer& answer : answers) {
    const auto revisions = revisions_.find(answer.statement);
    for (size_t i = 0; revisions != revisions_.end() && i < revisions->second.size(); ++i) {
      Statement& statement = *statements_[revisions->second[i]];
      if (!statement.asking) continue;
      if (at.lsn >= statement.plan->until_lsn) {
        End(statement);
        continue;
      }
      statement.select->Answer(answer, at, statement.output, collector);
      statement.passed.clear();
      statement.asking->Lift(at, statement.passed);
      const Passage passage{at.lsn, statement.passed, collector};
      RunHealth(statement, passage, at.lsn >= statement.plan->from_lsn);
      if (!statement.readers.empty()) RunReaders(statement.readers, statement.output, passage);
    }
    ++at.index;
  }
}

std::vector<Ask> Graph::TakeAsks(bool again) {
  std::vector<Ask> asks;
  for (const auto& statement : statements_) {
    if (!statement->asking) continue;
    if (again) statement->asking->TakeAgain();
    statement->asking->TakeAsks(asks);
  }
  return asks;
}

bool Graph::HoldsBack(const SourceNode& source) const {
  return std::any_of(statements_.begin(), statements_.end(), [&](const auto& statement) {
    return statement->asking && statement->topic == source.plan().topic &&
           statement->asking->full();
  });
}

size_t Graph::asking() const {
  size_t rows = 0;
  for (const auto& statement : statements_)
    rows += statement->asking ? statement->asking->size() : 0;
  return rows;
}

bool Graph::asks() const {
  return std::any_of(statements_.begin(), statements_.end(),
                     [](const auto& statement) { return statement->plan->asks(); });
}

void Graph::SetProbe(Probe* probe) {
  for (auto& statement : statements_) {
    if (statement->select) statement->select->SetProbe(probe);
    if (statement->window) statement->window->SetProbe(probe);
  }
}

void Graph::SetScoreTimer(ScoreTimer* timer) {
  timer_ = timer;
  for (auto& statement : statements_)
    if (statement->select) statement->select->SetScoreTimer(timer);
}

size_t Graph::state_bytes() const {
  size_t bytes = 0;
  for (const auto& statement : statements_) {
    if (statement->select) bytes += statement->select->state_bytes();
    if (statement->window) bytes += statement->window->state_bytes();
    if (statement->waiting) bytes += statement->waiting->bytes();
    if (statement->asking) bytes += statement->asking->bytes();
  }
  for (const auto& [name, policy] : policies_)
    bytes += policy->bytes();
  return bytes;
}

}  // namespace headrace::flow
