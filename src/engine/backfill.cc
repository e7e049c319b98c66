#include "engine/backfill.h"

#include <algorithm>
#include <set>

#include "engine/past.h"
#include "engine/replay.h"
#include "engine/row_cursor.h"
#include "os/thread_priority.h"

namespace headrace::engine {
namespace {

Error Stopped() {
  return Error(ErrorKind::kUnavailable, "HR5001", "the program is stopping");
}

// Adds the relation and all that any revision of it is made from: a side output stems from the
// statement that it is of, and what a policy chooses from all that use the policy.
void AddInputs(const Deployment& whole, const std::string& name, std::set<std::string>& needed) {
  if (!needed.insert(name).second) return;
  const Deployed* item = whole.Find(name);
  HR_CHECK(item != nullptr);
  for (const StatementPtr& plan : item->plans())
    AddInputs(whole, plan->input(), needed);
  // What a policy chose depends on all that went through it.
  for (const std::string& policy : PoliciesOf(*item)) {
    for (const Deployed& other : whole.items) {
      if (PoliciesOf(other).contains(policy)) AddInputs(whole, other.name, needed);
    }
  }
  if (item->statement && !item->statement->side_of.empty())
    AddInputs(whole, item->statement->side_of, needed);
}

}  // namespace

std::shared_ptr<const Deployment> PartFor(const Deployment& whole,
                                          const std::vector<std::string>& names) {
  std::set<std::string> needed;
  for (const std::string& name : names)
    AddInputs(whole, whole.Find(name)->newest()->input(), needed);
  auto part = std::make_shared<Deployment>();
  part->catalog = whole.catalog;
  for (const Deployed& item : whole.items) {
    const std::string& name = item.dead_of.empty() ? item.name : item.dead_of;
    const bool wanted = std::find(names.begin(), names.end(), name) != names.end();
    if (!wanted && !needed.contains(name)) continue;
    Deployed& taken = part->items.emplace_back(item);
    if (taken.pending) {
      taken.former.push_back(std::move(taken.statement));
      taken.statement = std::exchange(taken.pending, nullptr);
    }
    if (!needed.contains(name)) taken.former.clear();
  }
  return part;
}

// Rows of the new statements, collected into entries; of what they are made from, the offsets. What
// stands in the log already, because it was computed before and not to the end, is compared with
// that instead.
class Backfill::Rows final : public Emission {
 public:
  Rows(const log::Log& log, std::shared_ptr<const Deployment> part,
       const std::vector<std::string>& emitting)
      : Emission(std::move(part)), log_(log) {
    for (const Deployed& item : deployment().items) {
      Output& output = outputs_.emplace_back();
      output.wanted = std::find(emitting.begin(), emitting.end(), item.name) != emitting.end();
      output.lanes.resize(static_cast<size_t>(item.partitions));
      for (int32_t p = 0; output.wanted && p < item.partitions; ++p)
        output.lanes[static_cast<size_t>(p)].logged_end = log.end_offset(item.topic(), p);
    }
  }

  void Resume(const std::string& topic, int32_t partition, int64_t offset) {
    const Deployed* item = deployment().FindByTopic(topic);
    if (item == nullptr || partition < 0 || partition >= item->partitions) return;
    outputs_[static_cast<size_t>(item - deployment().items.data())]
        .lanes[static_cast<size_t>(partition)]
        .next_offset = offset;
  }
  // From now on it is dead letters that are wanted.
  void TurnToLetters() {
    for (size_t i = 0; i < outputs_.size(); ++i)
      outputs_[i].wanted = !deployment().items[i].dead_of.empty();
  }
  size_t bytes() const { return bytes_; }
  // Of reading what is logged; kCorruption when that is not what is computed.
  const std::optional<Error>& failure() const { return failure_; }
  bool differs() const { return differs_; }
  // All is computed: are there rows in the log that are not?
  void FinishComparing() {
    for (size_t i = 0; i < outputs_.size() && !failure_; ++i) {
      for (const Lane& lane : outputs_[i].lanes) {
        if (outputs_[i].wanted && lane.next_offset < lane.logged_end) Differ(i, lane.next_offset);
      }
    }
  }
  Chunk Take() {
    Chunk chunk;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      for (size_t p = 0; p < outputs_[i].lanes.size(); ++p) {
        Lane& lane = outputs_[i].lanes[p];
        if (lane.builder.count() == 0) continue;
        log::Entry& entry = chunk.entries.emplace_back();
        entry.topic = deployment().items[i].topic();
        entry.partition = static_cast<int32_t>(p);
        entry.record_count = lane.builder.count();
        entry.note = lane.causes.Finish();
        chunk.rows += static_cast<size_t>(entry.record_count);
        entry.bytes = lane.builder.Finish();
      }
    }
    bytes_ = 0;
    return chunk;
  }

 protected:
  int64_t OnRow(size_t stream, const EmittedRow& row) override {
    Output& output = outputs_[stream];
    Lane& lane = output.lanes[static_cast<size_t>(row.partition)];
    if (auto next = Cross(stream, row.partition, row.cause.lsn)) lane.next_offset = *next;
    if (!output.wanted) return lane.next_offset++;
    if (lane.next_offset < lane.logged_end) {
      Compare(stream, lane, row);
      return lane.next_offset++;
    }
    log::Record record;
    record.timestamp_ms = row.event_time < 0 ? 0 : row.event_time / 1000;
    record.value = row.value;
    if (row.headers != nullptr) record.headers = *row.headers;
    if (lane.builder.count() == 0) lane.builder.Begin(record.timestamp_ms);
    lane.builder.Add(record);
    lane.causes.Add(row.cause);
    bytes_ += row.value.size();
    return lane.next_offset++;
  }

 private:
  struct Lane {
    int64_t next_offset = 0;
    int64_t logged_end = 0;
    std::unique_ptr<RowCursor> logged;  // from the first row that is compared
    log::RecordBatchBuilder builder;
    CauseEncoder causes;
  };
  struct Output {
    bool wanted = false;
    std::vector<Lane> lanes;
  };

  void Compare(size_t stream, Lane& lane, const EmittedRow& row) {
    if (failure_) return;
    if (!lane.logged) {
      auto opened =
          RowCursor::Open(log_, deployment().items[stream], row.partition, lane.next_offset);
      if (!opened.ok()) {
        failure_ = opened.error();
        return;
      }
      lane.logged = *std::move(opened);
    }
    StoredRow stored;
    Result<bool> found = lane.logged->Next(&stored);
    if (!found.ok()) {
      failure_ = found.error();
    } else if (!*found || stored.offset != lane.next_offset || stored.value != row.value) {
      Differ(stream, lane.next_offset);
    }
  }
  void Differ(size_t stream, int64_t offset) {
    differs_ = true;
    failure_ = Error(ErrorKind::kCorruption, "HR5401",
                     "row " + std::to_string(offset) + " of `" + deployment().items[stream].name +
                         "` is computed otherwise than it was logged");
  }

  const log::Log& log_;
  std::vector<Output> outputs_;  // by item
  size_t bytes_ = 0;
  std::optional<Error> failure_;
  bool differs_ = false;
};

Backfill::Backfill(const log::Log& log, SnapshotStore store, Job job, base::Counter& events)
    : log_(log), store_(std::move(store)), job_(std::move(job)), events_metric_(events) {
  thread_ = std::thread([this] { Run(); });
}

Backfill::~Backfill() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Backfill::State Backfill::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

uint64_t Backfill::events() const {
  std::lock_guard lock(mutex_);
  return events_;
}

std::optional<Backfill::Chunk> Backfill::TakeChunk() {
  std::optional<Chunk> chunk;
  {
    std::lock_guard lock(mutex_);
    if (chunks_.empty()) return chunk;
    chunk = std::move(chunks_.front());
    chunks_.pop_front();
  }
  changed_.notify_all();
  return chunk;
}

void Backfill::GoOn() {
  {
    std::lock_guard lock(mutex_);
    go_on_ = true;
  }
  changed_.notify_all();
}

void Backfill::FinishAt(log::Lsn lsn) {
  {
    std::lock_guard lock(mutex_);
    end_ = lsn;
  }
  changed_.notify_all();
}

void Backfill::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    const bool ended = state_ == State::kDone || state_ == State::kFailed;
    return !chunks_.empty() || ended || (state_ == State::kNear && !end_);
  });
}

bool Backfill::differs() const {
  return rows_ && rows_->differs();
}

std::vector<log::Entry> Backfill::Letters(
    const std::vector<std::pair<std::string, log::Lsn>>& joins) {
  rows_->TurnToLetters();
  for (const auto& [statement, lsn] : joins)
    rows_->Join(statement, lsn);
  return rows_->Take().entries;
}

void Backfill::Run() {
  os::LowerThreadPriority();
  Status done = Compute();
  if (!done.ok()) failure_ = done.error();
  {
    std::lock_guard lock(mutex_);
    state_ = done.ok() ? State::kDone : State::kFailed;
  }
  changed_.notify_all();
  if (job_.wake) job_.wake();
}

Status Backfill::Compute() {
  HR_ASSIGN(Past past, LoadBeginning({store_, log_, job_.part->catalog}, [this] {
              return BuildGraph(*job_.part, job_.models, {nullptr, job_.spill, false});
            }));
  graph_ = std::move(past.graph);
  rows_ = std::make_unique<Rows>(log_, job_.part, job_.emitting);
  for (const auto& [of, offset] : past.state.next_offsets)
    rows_->Resume(of.first, of.second, offset);
  rows_->StartBehind(past.lsn);
  log::Lsn at = past.lsn;
  for (size_t round = 0;; ++round) {
    const std::optional<log::Lsn> end = NextEnd(at, round);
    if (!end) return Stopped();
    if (*end > at) HR_TRY(RunUpTo(at + 1, *end));
    at = std::max(at, *end);
    HR_TRY(HandOver(1));
    std::unique_lock lock(mutex_);
    if (!end_ || *end_ > at) continue;
    lock.unlock();
    rows_->FinishComparing();
    return rows_->failure() ? Status(*rows_->failure()) : Ok();
  }
}

std::optional<log::Lsn> Backfill::NextEnd(log::Lsn at, size_t round) {
  const log::Lsn durable = log_.durable_lsn();
  std::unique_lock lock(mutex_);
  if (stop_) return {};
  if (end_) return *end_;
  if (state_ == State::kBehind && durable > at + kNearLsns && round < kRoundsMax) return durable;
  if (state_ == State::kBehind) {
    state_ = State::kNear;
    lock.unlock();
    changed_.notify_all();
    if (job_.wake) job_.wake();
    lock.lock();
  }
  changed_.wait(lock, [this] { return stop_ || end_ || go_on_; });
  if (stop_) return {};
  go_on_ = false;
  return end_ ? *end_ : log_.durable_lsn();
}

Status Backfill::RunUpTo(log::Lsn from, log::Lsn until) {
  ReplayOptions options;
  options.from_lsn = from;
  options.until_lsn = until;
  options.goes_on = false;
  uint64_t before = 0;
  options.progress = [&](uint64_t events) {
    events_metric_.Add(events - before);
    std::lock_guard lock(mutex_);
    events_ += events - before;
    before = events;
  };
  options.frame_done = [this] { return HandOver(kChunkBytes); };
  HR_ASSIGN(uint64_t events, Replay(log_, *graph_, *rows_, options));
  static_cast<void>(events);
  return Ok();
}

Status Backfill::HandOver(size_t at_least) {
  if (rows_->failure()) return *rows_->failure();
  const bool due = rows_->bytes() >= at_least;
  std::unique_lock lock(mutex_);
  if (!due) return stop_ ? Status(Stopped()) : Ok();
  // When the worker waits for the end it takes them one by one: there is always room again.
  changed_.wait(lock, [this] { return stop_ || chunks_.size() < kChunksMax; });
  if (stop_) return Stopped();
  chunks_.push_back(rows_->Take());
  lock.unlock();
  changed_.notify_all();
  if (job_.wake) job_.wake();
  return Ok();
}

}  // namespace headrace::engine
