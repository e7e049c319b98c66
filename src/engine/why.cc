#include "engine/why.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <optional>

#include "engine/fork.h"
#include "engine/past.h"
#include "engine/replay.h"
#include "engine/row_cursor.h"
#include "engine/what_if.h"
#include "engine/why_story.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

template <typename T>
bool ParseNumber(std::string_view text, T* value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && *value >= 0;
}

std::optional<RowId> ParseId(std::string_view id) {
  size_t last = id.rfind(':');
  if (last == std::string_view::npos || last == 0) return {};
  size_t middle = id.rfind(':', last - 1);
  if (middle == std::string_view::npos) return {};
  RowId parsed;
  parsed.stream = std::string(id.substr(0, middle));
  if (!ParseNumber(id.substr(middle + 1, last - middle - 1), &parsed.partition) ||
      !ParseNumber(id.substr(last + 1), &parsed.offset)) {
    return {};
  }
  return parsed;
}

// Copies of the statements with a counter slot behind the others for every frame.
std::shared_ptr<const flow::StatementPlan> WithCounters(const flow::StatementPlan& plan) {
  auto counted = std::make_shared<flow::StatementPlan>(plan);
  if (!counted->select) return counted;
  for (flow::Stage& stage : counted->select->stages) {
    for (state::KeyBlockSpec& block : stage.key_blocks) {
      for (state::FrameSpec& frame : block.frames)
        frame.count_slot = counted->select->slots++;
    }
  }
  return counted;
}

std::shared_ptr<const Deployment> WithCounters(const Deployment& deployment) {
  auto counted = std::make_shared<Deployment>(deployment);
  for (Deployed& item : counted->items) {
    if (item.statement) item.statement = WithCounters(*item.statement);
    for (StatementPtr& revision : item.former)
      revision = WithCounters(*revision);
  }
  return counted;
}

Error NoSuchRow(std::string_view id) {
  return Error(ErrorKind::kNotFound, "HR4101", "no row " + std::string(id.substr(0, 200)))
      .WithHint("an ID is STREAM:PARTITION:OFFSET of a derived stream, e.g. decisions:0:12");
}

// The event that caused the row, as received, and its ID.
Status FindEvent(const log::Log& log, const Deployment& deployment, row::Place cause,
                 std::string* event, std::string* event_id) {
  HR_ASSIGN(auto cursor, log.Scan(cause.lsn));
  log::Entry entry;
  HR_ASSIGN(bool more, cursor->Next(&entry));
  if (!more || entry.lsn != cause.lsn || entry.kind != log::EntryKind::kBatch) return Ok();
  const int64_t offset = entry.base_offset + cause.index;
  if (offset < log.start_offset(entry.topic, entry.partition)) return Ok();  // it is gone
  HR_ASSIGN(auto reader, log::RecordReader::Open(entry.bytes));
  log::Record record;
  for (uint32_t i = 0; i <= cause.index; ++i) {
    HR_ASSIGN(bool found, reader.Next(&record));
    if (!found) return Ok();
  }
  const Deployed* item = deployment.FindByTopic(entry.topic);
  *event = std::string(record.value);
  *event_id = (item != nullptr ? item->name : entry.topic) + ":" + std::to_string(entry.partition) +
              ":" + std::to_string(offset);
  return Ok();
}

// The parts of the document that stories tell, the last statement's first.
struct Telling {
  std::string features, rules, model = "null", score = "null", contributions = "null",
                               reasons = "null", decision = "null", instead = "null", late_for,
                               recomputed_row;
  bool instead_complete = true;
  std::optional<GroupStory> group;
  std::optional<row::Place> event;  // of a row that had waited

  void Add(const Story& story) {
    const bool both = !features.empty() && !story.features().empty();
    features = story.features() + (both ? "," : "") + features;
    rules = story.rules() + (!rules.empty() && !story.rules().empty() ? "," : "") + rules;
    if (model == "null") {
      model = story.model();
      score = story.score();
      contributions = story.contributions();
      reasons = story.reasons();
    }
    if (decision == "null") decision = story.decision();
    if (instead == "null") {
      instead = story.instead();
      instead_complete = story.instead_complete();
    }
    if (late_for.empty()) late_for = story.late_for();
    if (story.group()) group = story.group();
    if (story.waited()) event = story.waited();
  }

  // Members of a JSON object.
  std::string Document() const {
    std::string out = "\"features\":{" + features + "},\"model\":" + model + ",\"score\":" + score +
                      ",\"contributions\":" + contributions + ",\"reasons\":" + reasons +
                      ",\"decision\":" + decision + ",\"rules\":[" + rules +
                      "],\"instead\":" + instead;
    if (!instead_complete) out += ",\"instead_complete\":false";
    return out;
  }
};

// Several stories of one replay. Confined.
class StoryTellers final : public flow::Probe {
 public:
  void Add(Story* story) { stories_.push_back(story); }
  void Selected(const flow::StatementPlan& plan, const row::Row& working,
                const row::Row& emitted) override {
    for (Story* story : stories_)
      story->Selected(plan, working, emitted);
  }
  void Grouped(const flow::StatementPlan&, const row::Row&, const row::Value*) override {}
  void Closed(const flow::StatementPlan& plan, const row::Value* keys,
              const row::Row& emitted) override {
    for (Story* story : stories_)
      story->Closed(plan, keys, emitted);
  }

 private:
  std::vector<Story*> stories_;
};

// Gives the rows of every stream their offsets, and keeps nothing. Confined.
class OffsetCounter : public Emission {
 public:
  OffsetCounter(std::shared_ptr<const Deployment> deployment, const Past& past)
      : Emission(std::move(deployment)) {
    GoOnAt(past.state.next_offsets);
    for (const catalog::Loss& loss : this->deployment().catalog.losses()) {
      if (loss.lsn > past.lsn) losses_.push_back(&loss);
    }
    StartBehind(past.lsn);
  }

 protected:
  int64_t OnRow(size_t stream, const EmittedRow& row) override {
    for (; !losses_.empty() && losses_.front()->lsn < row.cause.lsn; losses_.pop_front())
      GoOnAt(losses_.front()->next_offsets);
    int64_t& next_offset = next_offsets_[{stream, row.partition}];
    if (auto next = Cross(stream, row.partition, row.cause.lsn)) next_offset = *next;
    return next_offset++;
  }
  bool WantsBytes(size_t) const override { return false; }
  size_t IndexOf(const Deployed& item) const {
    return static_cast<size_t>(&item - deployment().items.data());
  }

 private:
  void GoOnAt(const std::map<std::pair<std::string, int32_t>, int64_t>& offsets) {
    for (const auto& [of, offset] : offsets) {
      const Deployed* item = deployment().FindByTopic(of.first);
      if (item != nullptr) next_offsets_[{IndexOf(*item), of.second}] = offset;
    }
  }

  std::deque<const catalog::Loss*> losses_;  // that are ahead, ascending
  std::map<std::pair<size_t, int32_t>, int64_t> next_offsets_;
};

// A logged row that is looked for among the recomputed ones.
struct Sought {
  RowId id;
  row::Place cause;
  std::string logged;
};

// Catches the recomputed bytes of one row: that with its offset, or, where rows before it may be
// lost, the one of its cause that is like the logged one. Counts the rows of every stream.
class RowCatcher final : public OffsetCounter {
 public:
  RowCatcher(std::shared_ptr<const Deployment> deployment, Sought sought, const Past& past)
      : OffsetCounter(std::move(deployment), past), sought_(std::move(sought)) {
    const Deployed* item = this->deployment().Find(sought_.id.stream);
    stream_ = IndexOf(*item);
  }
  const std::optional<std::string>& row() const { return row_; }

 protected:
  bool WantsBytes(size_t stream) const override { return stream == stream_; }
  int64_t OnRow(size_t stream, const EmittedRow& row) override {
    const int64_t offset = OffsetCounter::OnRow(stream, row);
    if (stream != stream_ || row.partition != sought_.id.partition) return offset;
    const bool dense = deployment().catalog.losses().empty();
    const bool meant = dense ? offset == sought_.id.offset
                             : row.cause == sought_.cause && row.value == sought_.logged;
    if (meant) row_ = std::string(row.value);
    return offset;
  }

 private:
  Sought sought_;
  size_t stream_ = 0;
  std::optional<std::string> row_;
};

// Explains one row; see why.h.
class Explanation {
 public:
  Explanation(const log::Log& log, const SnapshotStore& store,
              std::shared_ptr<const Deployment> deployment)
      : log_(log),
        store_(store),
        deployment_(std::move(deployment)),
        counted_(WithCounters(*deployment_)) {}

  Result<std::string> Of(std::string_view id) {
    std::optional<RowId> parsed = ParseId(id);
    if (parsed && IsDropped(*parsed)) return Dropped(*parsed);
    if (const catalog::Trimmed* trimmed = parsed ? TrimOf(*parsed) : nullptr)
      return Gone(*parsed, *trimmed);
    const Deployed* item = parsed ? deployment_->Find(parsed->stream) : nullptr;
    if (item == nullptr || !item->statement || parsed->partition >= item->partitions ||
        parsed->offset >= log_.end_offset(item->topic(), parsed->partition)) {
      return NoSuchRow(id);
    }
    Telling telling;
    std::string logged;
    HR_ASSIGN(row::Place cause, Follow(*parsed, telling, &logged));
    std::string out = "{\"id\":";
    row::AppendJsonString(id, out);
    out += ",\"lsn\":" + std::to_string(cause.lsn);
    HR_TRY(AddEvents(cause, telling, out));
    out += ",\"row\":" + logged + "," + telling.Document();
    if (telling.group) HR_TRY(AddGroup(*telling.group, cause, out));
    out += ",\"recomputed\":";
    out += telling.recomputed_row == logged ? "true}" : "false}";
    return out;
  }

 private:
  bool IsDropped(const RowId& id) const {
    const catalog::Catalog& catalog = deployment_->catalog;
    auto begins = catalog.begins().find({id.stream, id.partition});
    if (begins != catalog.begins().end() && id.offset < begins->second) return true;
    return deployment_->Find(id.stream) == nullptr && catalog.DropOf(id.stream) != nullptr;
  }

  Error Dropped(const RowId& id) const {
    const catalog::Drop* drop = deployment_->catalog.DropOf(id.stream);
    const std::string how =
        drop == nullptr ? ": its statement was dropped"
                        : ": `" + id.stream + "` was dropped at LSN " + std::to_string(drop->lsn);
    return Error(ErrorKind::kNotFound, "HR4104", "row " + id.Text() + " is gone" + how)
        .WithHint("a backup of before still explains it");
  }

  // That took the row; null: none did.
  const catalog::Trimmed* TrimOf(const RowId& id) const {
    const auto& trims = deployment_->catalog.trims();
    auto trimmed = trims.find({id.stream, id.partition});
    const bool gone = trimmed != trims.end() && id.offset < trimmed->second.begins;
    return gone ? &trimmed->second : nullptr;
  }

  static Error Gone(const RowId& id, const catalog::Trimmed& trimmed) {
    return Error(ErrorKind::kNotFound, "HR4105",
                 "row " + id.Text() + " is gone: what was before offset " +
                     std::to_string(trimmed.begins) + " was trimmed at LSN " +
                     std::to_string(trimmed.lsn))
        .WithHint("a backup of before still explains it");
  }

  // Tells of the row and, where it or one that it was made from had waited, of what came before.
  // Returns the row's cause.
  Result<row::Place> Follow(RowId id, Telling& telling, std::string* logged) {
    std::optional<row::Place> first;
    while (true) {
      StoredRow stored;
      const Deployed* item = deployment_->Find(id.stream);
      HR_ASSIGN(auto cursor, RowCursor::Open(log_, *item, id.partition, id.offset));
      HR_ASSIGN(bool found, cursor->Next(&stored));
      const bool there = found && stored.offset == id.offset;
      if (!there && first) return *first;  // retention removed it
      if (!there) return NoSuchRow(id.Text());
      const row::Place cause = stored.cause;
      const Sought sought{id, cause, std::string(stored.value)};
      if (!first) *logged = sought.logged;
      Story story(*counted_, id, cause);
      std::optional<std::string> recomputed;
      HR_ASSIGN(uint64_t event_lsn, EventOf(cause));
      Status run = Run(sought, event_lsn - 1, story, &recomputed);
      // The event may be before the beginning, its answer not.
      if (!run.ok() && run.error().kind() == ErrorKind::kNotFound && event_lsn < cause.lsn) {
        run = Run(sought, cause.lsn - 1, story, &recomputed);
      }
      // A row that had waited may stem from before the beginning.
      if (!run.ok() && first && run.error().kind() == ErrorKind::kNotFound) return *first;
      HR_TRY(std::move(run));
      if (!first) telling.recomputed_row = recomputed.value_or("");
      if (!first) first = cause;
      telling.Add(story);
      if (!story.waited_row() || !deployment_->Find(story.waited_row()->stream)->statement) {
        return *first;
      }
      id = *story.waited_row();
    }
  }

  // The LSN of the event of the row that this caused: what a remote model answered caused it later.
  Result<uint64_t> EventOf(row::Place cause) {
    HR_ASSIGN(auto cursor, log_.Scan(cause.lsn));
    log::Entry entry;
    HR_ASSIGN(bool more, cursor->Next(&entry));
    if (!more || entry.topic != flow::kRemoteAnswersTopic) return cause.lsn;
    std::vector<flow::RemoteAnswer> answers;
    HR_TRY(ReplayReader::ReadAnswers(entry, answers));
    if (cause.index >= answers.size()) return cause.lsn;
    return std::min(cause.lsn, answers[cause.index].event.lsn);
  }

  Result<Past> Load(uint64_t until) {
    return LoadPast({store_, log_, deployment_->catalog}, until,
                    [this] { return BuildGraph(*counted_, ModelsOf(counted_)); });
  }

  // Runs what is behind the newest snapshot up to `known`, to the cause's end.
  Status Run(const Sought& sought, uint64_t known, flow::Probe& probe,
             std::optional<std::string>* recomputed) {
    HR_ASSIGN(Past past, Load(known));
    return RunBehind(past, sought, probe, recomputed);
  }

  Status RunBehind(Past& past, const Sought& sought, flow::Probe& probe,
                   std::optional<std::string>* recomputed) {
    past.graph->SetProbe(&probe);
    RowCatcher catcher(counted_, sought, past);
    ReplayOptions options;
    options.from_lsn = past.lsn + 1;
    options.until_lsn = sought.cause.lsn;
    HR_ASSIGN(uint64_t events, Replay(log_, *past.graph, catcher, options));
    static_cast<void>(events);
    *recomputed = catcher.row();
    return Ok();
  }

  // The event, and where that is another what closed the window or ended the waiting.
  Status AddEvents(row::Place cause, const Telling& telling, std::string& out) {
    std::string event = "null", event_id, caused_by, caused_by_id;
    HR_TRY(FindEvent(log_, *deployment_, telling.event.value_or(cause), &event, &event_id));
    HR_TRY(FindEvent(log_, *deployment_, cause, &caused_by, &caused_by_id));
    out += ",\"event\":" + event + ",\"event_id\":";
    row::AppendJsonString(event_id, out);
    const auto add = [&out](const char* name, const std::string& text) {
      out += name;
      if (text.empty()) {
        out += "null";  // the end of the input did
      } else {
        row::AppendJsonString(text, out);
      }
    };
    if (telling.group) add(",\"closed_by\":", caused_by_id);
    if (telling.event) add(",\"released_by\":", caused_by_id);
    if (!telling.late_for.empty()) add(",\"late_for\":", telling.late_for);
    return Ok();
  }

  // Its rows came before the cause: what no snapshot can tell is run again from where none of them
  // had come.
  Status AddGroup(const GroupStory& group, row::Place cause, std::string& out) {
    const Deployed* source = counted_->Find(group.plan->input());
    while (source->statement)
      source = counted_->Find(source->RevisionAt(cause.lsn).input());
    HR_ASSIGN(Past past, Load(cause.lsn - 1));
    const auto begun = [&] {
      return past.lsn > 0 && past.graph->FindSource(source->topic())->newest() >= group.start;
    };
    while (begun()) {
      Result<Past> earlier = Load(past.lsn - 1);
      if (!earlier.ok() && earlier.error().kind() == ErrorKind::kNotFound) break;
      if (!earlier.ok()) return std::move(earlier).error();
      past = std::move(*earlier);
    }
    const bool complete = !begun();
    GroupRows rows(group);
    std::optional<std::string> unused;
    HR_TRY(RunBehind(past, {{group.plan->name, 0, 0}, cause, ""}, rows, &unused));
    out += ",\"window\":" + group.window + ",\"key\":" + group.key +
           ",\"events\":" + std::to_string(rows.events()) + ",\"sample\":[";
    for (size_t i = 0; i < rows.sample().size(); ++i) {
      if (i > 0) out += ",";
      row::AppendJsonString(rows.sample()[i], out);
    }
    out += complete ? "]" : "],\"complete\":false";
    return Ok();
  }

  const log::Log& log_;
  const SnapshotStore& store_;
  std::shared_ptr<const Deployment> deployment_;
  std::shared_ptr<const Deployment> counted_;
};

// Explains the rows of a sample on one side; see ExplainSample.
class SampleExplanation {
 public:
  SampleExplanation(const log::Log& log, const SnapshotStore& store,
                    const std::shared_ptr<const Deployment>& deployment,
                    const catalog::Catalog& catalog)
      : log_(log), store_(store), counted_(WithCounters(*deployment)), catalog_(catalog) {}

  Status Run(WhatIfReport& report, bool logged) {
    uint64_t last = 0;
    StoryTellers tellers;
    std::vector<std::pair<std::unique_ptr<Story>, std::string*>> stories;
    for (ChangedRow& row : report.sample) {
      const std::optional<RowId> logged_id = ParseId(row.id);
      if (logged ? !logged_id : row.fork_offset < 0) continue;
      const RowId id = logged ? *logged_id : RowId{report.stream, row.partition, row.fork_offset};
      stories.emplace_back(std::make_unique<Story>(*counted_, id, row.cause),
                           logged ? &row.why_before : &row.why_after);
      tellers.Add(stories.back().first.get());
      last = std::max(last, row.cause.lsn);
    }
    if (stories.empty()) return Ok();
    // Where the replay began: there its offsets did.
    const PastSource source{store_, log_, catalog_};
    const MakeGraph make = [this] { return BuildGraph(*counted_, ModelsOf(counted_)); };
    const uint64_t begun = report.from_lsn - 1;
    HR_ASSIGN(Past past, begun == 0 ? LoadBeginning(source, make)
                                    : LoadPast(source, begun, make, flow::Graph::Match::kState));
    past.graph->SetProbe(&tellers);
    OffsetCounter counter(counted_, past);
    ReplayOptions options;
    options.from_lsn = past.lsn + 1;
    options.until_lsn = last;
    options.goes_on = false;
    HR_ASSIGN(uint64_t events, Replay(log_, *past.graph, counter, options));
    static_cast<void>(events);
    for (auto& [story, out] : stories) {
      Telling telling;
      telling.Add(*story);
      *out = "{" + telling.Document() + "}";
    }
    return Ok();
  }

 private:
  const log::Log& log_;
  const SnapshotStore& store_;
  std::shared_ptr<const Deployment> counted_;
  const catalog::Catalog& catalog_;
};

}  // namespace

Status ExplainSample(const log::Log& log, const SnapshotStore& store, const Deployment& before,
                     const Fork& fork, WhatIfReport& report) {
  const auto logged = std::make_shared<const Deployment>(before);
  HR_TRY(SampleExplanation(log, store, logged, before.catalog).Run(report, true));
  return SampleExplanation(log, store, fork.deployment, before.catalog).Run(report, false);
}

Result<std::string> ExplainRow(std::string_view id, const log::Log& log, const SnapshotStore& store,
                               std::shared_ptr<const Deployment> deployment) {
  return ReadPast(store, [&] { return Explanation(log, store, deployment).Of(id); });
}

}  // namespace headrace::engine
