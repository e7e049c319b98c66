#include "engine/why.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "engine/past.h"
#include "engine/replay.h"
#include "engine/row_cursor.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

struct RowId {
  std::string stream;
  int32_t partition = 0;
  int64_t offset = 0;
};

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

// Writes one statement's part of the document as its row passes.
class Story {
 public:
  // Tells of `stream` and the statements it is made from.
  Story(const Deployment& deployment, const std::string& stream, row::Place cause)
      : deployment_(deployment), cause_(cause) {
    for (const Deployed* item = deployment.Find(stream); item != nullptr && item->statement;
         item = deployment.Find(item->RevisionAt(cause.lsn).input())) {
      chain_.insert(item->name);
    }
  }

  void Visit(const flow::StatementPlan& plan, const row::Row& row) {
    if (row.cause != cause_ || !plan.select || !plan.IsLive(cause_.lsn)) return;
    if (!chain_.contains(plan.name)) return;
    for (const flow::FeatureNote& feature : plan.select->features)
      AddFeature(plan, feature, row);
    for (const flow::Stage& stage : plan.select->stages) {
      for (const flow::Prediction& prediction : stage.predictions)
        AddModel(prediction, row);
    }
    for (const flow::RuleNote& rule : plan.select->rules)
      AddRule(rule, row);
    for (size_t i = 0; i < plan.schema.columns.size(); ++i) {
      if (plan.schema.columns[i].name != "decision") continue;
      decision_.clear();
      row::AppendJson(row.values[plan.select->output_slots[i]], plan.schema.columns[i].type,
                      decision_);
    }
  }

  std::string features() const { return "{" + features_ + "}"; }
  std::string rules() const { return "[" + rules_ + "]"; }
  const std::string& model() const { return model_; }
  const std::string& score() const { return score_; }
  const std::string& contributions() const { return contributions_; }
  const std::string& decision() const { return decision_; }

 private:
  static void Key(std::string_view name, std::string& out) {
    if (!out.empty() && out.back() != '{' && out.back() != '[') out += ",";
    row::AppendJsonString(name, out);
    out += ":";
  }

  void AddFeature(const flow::StatementPlan& plan, const flow::FeatureNote& feature,
                  const row::Row& row) {
    Key(feature.name, features_);
    features_ += "{\"value\":";
    row::AppendJson(row.values[feature.slot], feature.type, features_);
    features_ += ",\"window\":";
    row::AppendJsonString(feature.window, features_);
    if (feature.frame >= 0) {
      const auto& block = plan.select->stages[feature.stage].key_blocks[feature.block];
      int slot = block.frames[static_cast<size_t>(feature.frame)].count_slot;
      features_ += ",\"events\":";
      row::AppendJson(row.values[slot], {row::TypeKind::kBigint, 0, 0}, features_);
    }
    features_ += "}";
  }

  void AddModel(const flow::Prediction& prediction, const row::Row& row) {
    const Deployed* item = deployment_.Find(prediction.model);
    const model::Model& model = item->models->At(row.cause.lsn);
    const model::ModelInfo& info = model.info();
    model_ = "{\"name\":";
    row::AppendJsonString(prediction.model, model_);
    model_ += ",\"version\":\"" + info.sha256 +
              "\",\"number\":" + std::to_string(item->models->VersionAt(row.cause.lsn)) +
              ",\"format\":\"" + std::string(model::ToString(info.format)) + "\"}";
    score_.clear();
    row::AppendJson(row.values[prediction.result_slot], prediction.result_type, score_);
    std::vector<double> inputs;
    for (size_t i = 0; i < prediction.input_slots.size(); ++i) {
      inputs.push_back(flow::FeatureOf(row.values[prediction.input_slots[i]],
                                       prediction.input_types[i], info.categories[i]));
    }
    Result<std::vector<double>> parts = model.Contributions(inputs);
    if (!parts.ok()) {
      contributions_ = "{\"error\":";
      row::AppendJsonString(parts.error().message(), contributions_);
      contributions_ += "}";
      return;
    }
    AddContributions(info, *parts);
  }

  void AddContributions(const model::ModelInfo& info, const std::vector<double>& parts) {
    row::Type number{row::TypeKind::kDouble, 0, 0};
    size_t width = info.features.size() + 1;
    contributions_ = info.outputs > 1 ? "[" : "";
    for (size_t k = 0; k < static_cast<size_t>(info.outputs); ++k) {
      std::string one;
      for (size_t f = 0; f + 1 < width; ++f) {
        Key(info.features[f], one);
        row::AppendJson(row::Value::Double(parts[k * width + f]), number, one);
      }
      Key("base", one);
      row::AppendJson(row::Value::Double(parts[k * width + width - 1]), number, one);
      if (k > 0) contributions_ += ",";
      contributions_ += "{" + one + "}";
    }
    if (info.outputs > 1) contributions_ += "]";
  }

  void AddRule(const flow::RuleNote& rule, const row::Row& row) {
    base::Arena arena(1024);
    for (const flow::RuleNote::Branch& branch : rule.branches) {
      expr::EvalContext context{arena, std::nullopt};
      if (branch.when) {
        row::Value verdict = branch.when->Evaluate(row.values, context);
        if (context.error || verdict.null || !verdict.boolean) continue;
      }
      if (!rules_.empty()) rules_ += ",";
      rules_ += "{\"column\":";
      row::AppendJsonString(rule.column, rules_);
      rules_ += ",\"text\":";
      row::AppendJsonString(branch.text, rules_);
      rules_ += ",\"place\":";
      row::AppendJsonString(branch.place, rules_);
      rules_ += "}";
      return;
    }
  }

  const Deployment& deployment_;
  row::Place cause_;
  std::set<std::string> chain_;
  std::string features_, rules_, model_ = "null", score_ = "null", contributions_ = "null",
                                 decision_ = "null";
};

// Catches the recomputed bytes of one row: that with its offset, or, where rows before it may be
// lost, the one of its cause that is like the logged one.
class RowCatcher final : public Emission {
 public:
  RowCatcher(std::shared_ptr<const Deployment> deployment, RowId id, row::Place cause,
             std::string_view logged)
      : Emission(std::move(deployment)), id_(std::move(id)), cause_(cause), logged_(logged) {
    const Deployed* item = this->deployment().Find(id_.stream);
    stream_ = static_cast<size_t>(item - this->deployment().items.data());
  }
  // The next row of the partition has this offset.
  void Resume(const EngineState& state) {
    auto known = state.next_offsets.find({deployment().items[stream_].topic(), id_.partition});
    if (known != state.next_offsets.end()) next_offset_ = known->second;
  }
  const std::optional<std::string>& row() const { return row_; }

 protected:
  int64_t OnRow(size_t stream, const EmittedRow& row) override {
    // Only offsets of the wanted partition matter here.
    if (stream != stream_ || row.partition != id_.partition) return 0;
    const bool dense = deployment().catalog.losses().empty();
    const bool meant =
        dense ? next_offset_ == id_.offset : row.cause == cause_ && row.value == logged_;
    if (meant) row_ = std::string(row.value);
    return next_offset_++;
  }

 private:
  RowId id_;
  row::Place cause_;
  std::string_view logged_;
  size_t stream_ = 0;
  int64_t next_offset_ = 0;
  std::optional<std::string> row_;
};

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
  if (!more || entry.kind != log::EntryKind::kBatch) return Ok();
  HR_ASSIGN(auto reader, log::RecordReader::Open(entry.bytes));
  log::Record record;
  for (uint32_t i = 0; i <= cause.index; ++i) {
    HR_ASSIGN(bool found, reader.Next(&record));
    if (!found) return Ok();
  }
  const Deployed* item = deployment.FindByTopic(entry.topic);
  *event = std::string(record.value);
  *event_id = (item != nullptr ? item->name : entry.topic) + ":" + std::to_string(entry.partition) +
              ":" + std::to_string(entry.base_offset + cause.index);
  return Ok();
}

Result<std::string> Explain(std::string_view id, const log::Log& log, const SnapshotStore& store,
                            const std::shared_ptr<const Deployment>& deployment) {
  std::optional<RowId> parsed = ParseId(id);
  const Deployed* item = parsed ? deployment->Find(parsed->stream) : nullptr;
  if (item == nullptr || !item->statement || parsed->partition >= item->partitions ||
      parsed->offset >= log.end_offset(item->topic(), parsed->partition)) {
    return NoSuchRow(id);
  }
  HR_ASSIGN(auto cursor, RowCursor::Open(log, *item, parsed->partition, parsed->offset));
  StoredRow stored;
  HR_ASSIGN(bool found, cursor->Next(&stored));
  if (!found || stored.offset != parsed->offset) return NoSuchRow(id);
  std::string logged(stored.value);
  row::Place cause = stored.cause;

  std::shared_ptr<const Deployment> counted = WithCounters(*deployment);
  HR_ASSIGN(Past past, LoadPast({store, log, deployment->catalog}, cause.lsn - 1,
                                [&] { return BuildGraph(*counted, ModelsOf(counted)); }));
  Story story(*counted, parsed->stream, cause);
  past.graph->SetProbe(
      [&](const flow::StatementPlan& plan, const row::Row& row) { story.Visit(plan, row); });
  RowCatcher catcher(counted, *parsed, cause, logged);
  catcher.Resume(past.state);
  ReplayOptions options;
  options.from_lsn = past.lsn + 1;
  options.until_lsn = cause.lsn;
  HR_ASSIGN(uint64_t events, Replay(log, *past.graph, catcher, options));
  static_cast<void>(events);

  std::string event = "null";
  std::string event_id;
  HR_TRY(FindEvent(log, *deployment, cause, &event, &event_id));
  std::string out = "{\"id\":";
  row::AppendJsonString(id, out);
  out += ",\"lsn\":" + std::to_string(cause.lsn) + ",\"event\":" + event + ",\"event_id\":";
  row::AppendJsonString(event_id, out);
  out += ",\"row\":" + logged + ",\"features\":" + story.features() +
         ",\"model\":" + story.model() + ",\"score\":" + story.score() +
         ",\"contributions\":" + story.contributions() + ",\"decision\":" + story.decision() +
         ",\"rules\":" + story.rules() +
         ",\"recomputed\":" + (catcher.row() == logged ? "true" : "false") + "}";
  return out;
}

}  // namespace

Result<std::string> ExplainRow(std::string_view id, const log::Log& log, const SnapshotStore& store,
                               std::shared_ptr<const Deployment> deployment) {
  return ReadPast(store, [&] { return Explain(id, log, store, deployment); });
}

}  // namespace headrace::engine
