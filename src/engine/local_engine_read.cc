// The read side of LocalEngine: thread-safe, over what is durable.

#include "engine/comparison.h"
#include "engine/feature_report.h"
#include "engine/local_engine.h"
#include "engine/model_importance.h"
#include "engine/plan_changes.h"
#include "engine/query.h"
#include "engine/replay.h"
#include "engine/row_cursor.h"
#include "engine/row_decoder.h"
#include "engine/why.h"
#include "row/text.h"
#include "sql/parser.h"

namespace headrace::engine {

Result<QueryResult> LocalEngine::Query(std::string_view sql) const {
  const std::optional<size_t> script = ScriptToPlan(sql);
  if (!script) return RunQuery(sql, *log_, *deployment());
  HR_ASSIGN(auto changes, PlanScript(sql.substr(*script), ""));
  return TableOf(changes);
}

bool LocalEngine::IsDefinition(std::string_view sql) const {
  if (ScriptToPlan(sql)) return false;
  sql::ParseResult parsed = sql::Parse(sql, 0);
  for (const sql::Statement& statement : parsed.statements) {
    const auto& body = statement.body;
    if (std::holds_alternative<sql::CreateRelation>(body) ||
        std::holds_alternative<sql::CreateModel>(body) ||
        std::holds_alternative<sql::CreatePolicy>(body) ||
        std::holds_alternative<sql::AlterModel>(body) || std::holds_alternative<sql::Drop>(body)) {
      return true;
    }
  }
  return false;
}

namespace {

// What `read` gives of a deployment of which nothing was dropped meanwhile.
template <typename Read>
auto ReadWhole(const LocalEngine& engine, const Read& read) -> decltype(read(nullptr)) {
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    auto deployment = engine.deployment();
    auto result = read(deployment);
    const bool same = engine.deployment()->catalog.begins() == deployment->catalog.begins();
    if (same || attempt == kAttempts) return result;
  }
}

}  // namespace

Result<std::string> LocalEngine::Why(std::string_view id) const {
  return ReadWhole(*this, [&](const std::shared_ptr<const Deployment>& deployment) {
    return ExplainRow(id, *log_, snapshot_store(), deployment);
  });
}

Result<VerifyResult> LocalEngine::Verify(const std::vector<std::string>& streams) const {
  return ReadWhole(
      *this, [&](const std::shared_ptr<const Deployment>& deployment) -> Result<VerifyResult> {
        for (const std::string& stream : streams) {
          if (deployment->Find(stream) != nullptr) continue;
          return Error(ErrorKind::kNotFound, "HR1204", "no stream " + stream);
        }
        return ReadPast(snapshot_store(),
                        [&] { return VerifyBehindBeginning(deployment, streams); });
      });
}

Result<VerifyResult> LocalEngine::VerifyBehindBeginning(
    const std::shared_ptr<const Deployment>& deployment,
    const std::vector<std::string>& streams) const {
  const SnapshotStore store = snapshot_store();
  HR_ASSIGN(Past past, LoadBeginning({store, *log_, deployment->catalog}, [&] {
              return BuildGraph(*deployment, ModelsOf(deployment));
            }));
  // First: what is logged while this begins must not look like rows that are too many.
  const log::Lsn until = log_->durable_lsn();
  Comparison comparison(deployment, *log_, Comparison::Keep::kRows, nullptr);
  comparison.Restrict(streams);
  comparison.EndAt(until);
  comparison.CompareHalted();
  comparison.Resume(past.state, past.lsn);
  ReplayOptions options;
  options.from_lsn = past.lsn + 1;
  options.until_lsn = until;
  options.logged = [&](const log::Entry& entry, const LoggedRows& rows) {
    comparison.Logged(entry, rows);
  };
  VerifyResult result;
  result.from_lsn = options.from_lsn;
  HR_ASSIGN(result.events, Replay(*log_, *past.graph, comparison, options));
  comparison.Finish();
  result.rows = comparison.rows_compared();
  result.differences = comparison.differences();
  result.sample = comparison.sample();
  result.behind_loss = comparison.rows_hidden();
  result.behind_loss_differ = comparison.hidden_differences();
  return result;
}

Result<std::string> LocalEngine::ModelReport(const std::string& model,
                                             const std::optional<LabelRequest>& labels) const {
  auto deployment = this->deployment();
  const SnapshotStore store = snapshot_store();
  const WhatIfMeans means{files_, *log_, store, *deployment, 1, nullptr};
  return ReadPast(store, [&] { return model_reports_.Describe(means, model, labels); });
}

Result<std::string> LocalEngine::Importance(const std::string& model, const WhatIfRequest& range,
                                            const std::function<void(uint64_t)>& progress) const {
  auto deployment = this->deployment();
  const SnapshotStore store = snapshot_store();
  const WhatIfMeans means{files_, *log_, store, *deployment, options_.workers, nullptr};
  return ReadPast(store, [&] { return ModelImportance(means, model, range, progress); });
}

std::optional<ServedModel> LocalEngine::FindModel(const std::string& name) const {
  return ServedModelOf(*deployment(), name);
}

std::vector<ServedModel> LocalEngine::models() const {
  return ServedModels(*deployment());
}

Result<std::optional<FeatureAnswer>> LocalEngine::ReadFeatures(const FeatureRequest& request,
                                                               bool wait) const {
  return features_.Read(deployment(), request, wait);
}

Result<std::string> LocalEngine::FeatureReport(const std::string& only) const {
  return DescribeFeatures(*log_, *deployment(), clock_.NowMicros(), only);
}

Result<TrainingSetReport> LocalEngine::TrainingSet(const TrainingSetRequest& request,
                                                   const TrainingSetTaker& taker) const {
  return MakeTrainingSet(*log_, *deployment(), request, taker);
}

Result<WhatIfReport> LocalEngine::WhatIf(const WhatIfRequest& request, const TakeBytes& take,
                                         const std::function<void(uint64_t)>& progress) const {
  auto deployment = this->deployment();
  const SnapshotStore store = snapshot_store();
  return RunWhatIf({files_, *log_, store, *deployment, options_.workers, nullptr}, request, take,
                   progress);
}

Result<std::string> LocalEngine::ReadRows(const std::string& stream, const RowRange& range) const {
  auto deployment = this->deployment();
  const Deployed* item = deployment->Find(stream);
  if (item == nullptr || item->is_model()) {
    return Error(ErrorKind::kNotFound, "HR1204", "no stream " + stream);
  }
  if (range.partition >= item->partitions) {
    return Error(ErrorKind::kNotFound, "HR4102",
                 stream + " has " + std::to_string(item->partitions) + " partitions");
  }
  // The rows of one partition are counted by their offsets: some may be gone.
  const int32_t partition = item->partitions == 1 ? 0 : range.partition;
  const bool single = partition >= 0;
  int64_t skip = single ? 0 : range.from;
  int64_t from = single ? range.from : 0;
  if (range.latest) {
    int64_t end = 0;
    for (int32_t p = 0; p < item->partitions; ++p) {
      if (!single || p == partition) end += log_->end_offset(item->topic(), p);
    }
    int64_t start = std::max<int64_t>(0, end - static_cast<int64_t>(range.limit));
    skip = single ? 0 : start;
    from = single ? start : 0;
  }
  RowPosition next{single ? from : skip, range.partition};
  if (range.latest && item->partitions == 1) next.partition = 0;
  HR_ASSIGN(auto cursor, RowCursor::Open(*log_, *item, partition, from));
  RowDecoder decoder(*deployment, *item);
  schema::JsonEncoder encoder(deployment->SchemaOf(*item));
  std::string out;
  StoredRow stored;
  size_t taken = 0;
  while (taken < range.limit) {
    HR_ASSIGN(bool more, cursor->Next(&stored));
    if (!more) break;
    if (skip-- > 0) continue;
    next =
        single ? RowPosition{stored.offset + 1, stored.partition} : RowPosition{next.from + 1, -1};
    size_t begin = out.size();
    if (item->statement) {
      out += stored.value;
    } else {
      row::Value* values = nullptr;
      HR_ASSIGN(bool fits, decoder.Decode(stored, &values));
      if (!fits) continue;
      encoder.Append(values, out);
    }
    if (range.with_ids) {
      std::string id = "\"_id\":\"" + stream + ":" + std::to_string(stored.partition) + ":" +
                       std::to_string(stored.offset) + "\"";
      out.insert(begin + 1, id + (out[begin + 1] == '}' ? "" : ","));
    }
    out += "\n";
    ++taken;
  }
  if (range.next != nullptr) *range.next = next;
  return out;
}

Result<std::string> LocalEngine::ViewRows(const std::string& view,
                                          const std::optional<std::string>& key) const {
  auto deployment = this->deployment();
  const Deployed* item = deployment->Find(view);
  if (item == nullptr || !item->statement || !item->statement->view) {
    return Error(ErrorKind::kNotFound, "HR1204", "no materialized view " + view);
  }
  row::Schema schema = deployment->SchemaOf(*item);
  const std::vector<int>& keys = item->statement->view_key;
  auto key_column = static_cast<size_t>(keys.empty() ? 0 : keys.front());
  HR_ASSIGN(auto cursor, RowCursor::Open(*log_, *item, -1, 0));
  RowDecoder decoder(*deployment, *item);
  std::string out = "{\"rows\":[";
  StoredRow stored;
  bool first = true;
  while (true) {
    HR_ASSIGN(bool more, cursor->Next(&stored));
    if (!more) break;
    if (key) {
      row::Value* values = nullptr;
      HR_ASSIGN(bool fits, decoder.Decode(stored, &values));
      static_cast<void>(fits);
      const row::Value& value = values[key_column];
      std::string json;
      row::AppendJson(value, schema.columns[key_column].type, json);
      bool quoted = json.size() >= 2 && json.front() == '"';
      if ((quoted ? json.substr(1, json.size() - 2) : json) != *key) continue;
    }
    if (!first) out += ",";
    first = false;
    out += stored.value;
  }
  out += "]}";
  return out;
}

}  // namespace headrace::engine
