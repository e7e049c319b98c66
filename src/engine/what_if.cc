#include "engine/what_if.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/decision_diff.h"
#include "engine/diff_thread.h"
#include "engine/emission.h"
#include "engine/fork.h"
#include "engine/fork_state.h"
#include "engine/past.h"
#include "engine/replay.h"
#include "engine/why.h"
#include "os/worker_team.h"
#include "row/datetime_text.h"
#include "schema/codec.h"

namespace headrace::engine {
namespace {

constexpr size_t kTakeBytes = 1 << 18;  // rows that are handed on together

// Takes what a fork emits: counts offsets, hands the rows of one stream on. Confined.
class ForkRows final : public Emission {
 public:
  ForkRows(std::shared_ptr<const Deployment> deployment, const WhatIfRequest& request,
           const std::string& stream)
      : Emission(std::move(deployment)), request_(request) {
    const Deployed* item = this->deployment().Find(stream);
    stream_ = static_cast<size_t>(item - this->deployment().items.data());
    for (const Deployed& each : this->deployment().items)
      offsets_.emplace_back(static_cast<size_t>(each.partitions));
    schema_ = this->deployment().SchemaOf(*item);
    if (request.csv) {
      decoder_ = std::make_unique<schema::JsonDecoder>(schema_, schema::JsonOptions{});
      values_.resize(schema_.columns.size());
      bytes_ = schema::CsvHeader(schema_) + "\n";
    }
  }

  void Resume(const EngineState& state, log::Lsn lsn) {
    StartBehind(lsn);
    for (size_t i = 0; i < offsets_.size(); ++i) {
      for (size_t p = 0; p < offsets_[i].size(); ++p) {
        auto known =
            state.next_offsets.find({deployment().items[i].topic(), static_cast<int32_t>(p)});
        if (known != state.next_offsets.end()) offsets_[i][p] = known->second;
      }
    }
  }
  void CompareWith(DiffThread* diff) { diff_ = diff; }

  // Hands on what has come. The first thing that failed.
  Status HandOver(const TakeBytes& take, size_t at_least) {
    if (failure_) return *failure_;
    if (bytes_.size() < at_least || bytes_.empty()) return Ok();
    HR_TRY(take(bytes_));
    bytes_.clear();
    return Ok();
  }
  uint64_t told() const { return told_; }

 protected:
  bool WantsBytes(size_t stream) const override { return stream == stream_; }
  int64_t OnRow(size_t stream, const EmittedRow& row) override {
    int64_t& next_offset = offsets_[stream][static_cast<size_t>(row.partition)];
    if (auto next = Cross(stream, row.partition, row.cause.lsn)) next_offset = *next;
    const int64_t offset = next_offset++;
    if (stream != stream_ || failure_) return offset;
    if (diff_ != nullptr) {
      Keep(diff_->Take(row.cause, {row.event_time, row.partition, offset}, row.value));
    }
    if (!InRange(request_, row.cause, row.event_time)) return offset;
    ++told_;
    if (decoder_) {
      arena_.Reset();
      Keep(decoder_->Decode(row.value, false, arena_, values_.data()));
      schema::AppendCsvRow(schema_, values_.data(), bytes_);
    } else {
      bytes_ += row.value;
    }
    bytes_ += '\n';
    return offset;
  }

 private:
  void Keep(const Status& status) {
    if (!status.ok() && !failure_) failure_ = status.error();
  }
  const WhatIfRequest& request_;
  size_t stream_ = 0;
  std::vector<std::vector<int64_t>> offsets_;  // by item, by partition: of the next row
  row::Schema schema_;
  std::unique_ptr<schema::JsonDecoder> decoder_;  // with CSV
  std::vector<row::Value> values_;
  base::Arena arena_;
  std::string bytes_;
  DiffThread* diff_ = nullptr;
  std::optional<Error> failure_;
  uint64_t told_ = 0;
};

Status CheckStream(const Deployment& deployment, const std::string& stream) {
  const Deployed* item = deployment.Find(stream);
  if (item != nullptr && item->statement) return Ok();
  return Error(ErrorKind::kNotFound, "HR1204",
               stream.empty() ? "no stream is named to be replayed"
                              : "no statement makes `" + stream + "`")
      .WithHint("name a stream or view that is made AS SELECT, or a script that makes one");
}

// Whether all rows of events from a time on are caused behind the past: no source has seen one.
bool IsBefore(const Past& past, int64_t micros) {
  const std::set<std::string> topics = past.graph->topics();
  return std::all_of(topics.begin(), topics.end(), [&](const std::string& topic) {
    return past.graph->FindSource(topic)->newest() < micros;
  });
}

const std::string& StreamOf(const WhatIfRequest& request, const Fork& fork) {
  return request.stream.empty() ? fork.last : request.stream;
}

// Whether what a watch tells goes into the stream: the state of a watch is never that of the fork.
bool StemsFromHealth(const Deployment& deployment, const std::string& stream) {
  const Deployed* item = deployment.Find(stream);
  while (item != nullptr && item->statement && !item->statement->of_health)
    item = deployment.Find(item->statement->input());
  return item != nullptr && item->statement;
}

// Where the replay begins: with all of the past, or with the newest snapshot before what is asked
// for, when the state in it is that of the fork.
Result<Past> Begin(const WhatIfMeans& means, const WhatIfRequest& request, const Fork& fork,
                   const MakeGraph& make) {
  const PastSource source{means.store, means.log, means.deployment.catalog};
  const bool health = StemsFromHealth(*fork.deployment, StreamOf(request, fork));
  if (!request.from || health || !KeepsState(fork, request.fork.models)) {
    return LoadBeginning(source, make);
  }
  const Moment& from = *request.from;
  uint64_t until = means.log.durable_lsn();
  if (from.lsn) until = std::min(until, *from.lsn - std::min<uint64_t>(*from.lsn, 1));
  while (true) {
    Result<Past> past = LoadPast(source, until, make, flow::Graph::Match::kState);
    const bool before_all = !past.ok() && past.error().kind() == ErrorKind::kNotFound;
    if (before_all) return LoadBeginning(source, make);
    if (!past.ok() || from.lsn || past->lsn == 0 || IsBefore(*past, from.micros)) return past;
    until = past->lsn - 1;
  }
}

// Rows of statements that are otherwise, which ask what was never asked: nothing comes for them.
void EndAsking(const Fork& fork, uint64_t lsn, flow::Graph& graph, Emission& emission) {
  constexpr uint32_t kBehindAll = UINT32_C(1) << 31;  // what the last LSN caused itself
  std::vector<flow::RemoteAnswer> answers;
  for (const flow::Ask& ask : graph.TakeAsks(true)) {
    if (!fork.changed.contains(ask.statement)) continue;
    answers.push_back(flow::RemoteAnswer::To(ask, flow::RemoteStatus::kOtherInputs, ""));
  }
  if (answers.empty()) return;
  graph.Answer(answers, {lsn, kBehindAll}, emission);
  emission.FinishFrame();
}

}  // namespace

Result<Moment> Moment::Parse(std::string_view text) {
  Moment moment;
  uint64_t lsn = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lsn);
  if (error == std::errc() && end == text.data() + text.size()) {
    moment.lsn = lsn;
    return moment;
  }
  Result<int64_t> micros = row::ParseTimestampTz(text);
  if (!micros.ok()) {
    return Error(ErrorKind::kInvalidArgument, "HR1211",
                 "`" + std::string(text.substr(0, 100)) + "` is neither an LSN nor a time")
        .WithHint("an LSN is a number, a time is like 2026-01-31T23:59:59Z");
  }
  moment.micros = *micros;
  return moment;
}

bool InRange(const WhatIfRequest& request, row::Place cause, int64_t event_time) {
  if (request.from) {
    const Moment& from = *request.from;
    if (from.lsn ? cause.lsn < *from.lsn : event_time < from.micros) return false;
  }
  if (!request.to) return true;
  const Moment& to = *request.to;
  return to.lsn ? cause.lsn <= *to.lsn : event_time <= to.micros;
}

Result<WhatIfReport> RunWhatIf(const WhatIfMeans& means, const WhatIfRequest& request,
                               const TakeBytes& take,
                               const std::function<void(uint64_t events)>& progress) {
  HR_ASSIGN(Fork fork, MakeFork(means.deployment, means.files, request.fork));
  WhatIfReport report;
  report.stream = StreamOf(request, fork);
  HR_TRY(CheckStream(*fork.deployment, report.stream));
  report.changed_statements.assign(fork.changed.begin(), fork.changed.end());
  os::WorkerTeam team(means.workers);
  HR_ASSIGN(Past past, Begin(means, request, fork, [&] {
              return BuildGraph(*fork.deployment, ModelsOf(fork.deployment), {&team, nullptr});
            }));
  std::unique_ptr<DecisionDiff> diff;
  if (request.compare) {
    HR_ASSIGN(diff, DecisionDiff::Open(means.log, means.deployment, *fork.deployment, request,
                                       report.stream));
    HR_TRY(diff->BeginBehind(past.state.next_offsets));
    diff->GiveTo(means.pairs);
  }
  ForkRows rows(fork.deployment, request, report.stream);
  rows.Resume(past.state, past.lsn);
  std::optional<DiffThread> joining;
  if (diff) rows.CompareWith(&joining.emplace(*diff));
  ReplayOptions options;
  options.from_lsn = past.lsn + 1;
  options.until_lsn = means.log.durable_lsn();
  if (request.to && request.to->lsn) {
    options.until_lsn = std::min(options.until_lsn, *request.to->lsn);
  }
  options.frame_done = [&] { return rows.HandOver(take, kTakeBytes); };
  options.progress = progress;
  options.goes_on = false;
  past.graph->SetProbe(means.probe);
  past.graph->SetScoreTimer(means.timer);
  HR_ASSIGN(report.events, Replay(means.log, *past.graph, rows, options));
  EndAsking(fork, options.until_lsn, *past.graph, rows);
  HR_TRY(rows.HandOver(take, 0));
  if (joining) HR_TRY(joining->Finish(options.until_lsn, &report));
  report.from_lsn = options.from_lsn;
  report.last_lsn = options.until_lsn;
  report.rows = rows.told();
  if (request.why) {
    HR_TRY(ExplainSample(means.log, means.store, means.deployment, fork, report));
  }
  return report;
}

}  // namespace headrace::engine
