#include "engine/query.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "engine/frame_note.h"
#include "engine/health_rows.h"
#include "engine/model_watch.h"
#include "engine/row_cursor.h"
#include "engine/row_decoder.h"
#include "row/decimal.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

bool IsText(row::TypeKind kind) {
  using enum row::TypeKind;
  switch (kind) {
    case kText:
    case kBytea:
    case kJson:
    case kJsonb:
    case kTextArray:
    case kBigintArray:
    case kUnknown:
      return true;
    default:
      return false;
  }
}

// One run of one plan: rows go through Take, the result comes from Finish.
class QueryRun {
 public:
  explicit QueryRun(const sql::QueryPlan& plan)
      : plan_(plan), slots_(static_cast<size_t>(plan.slots)) {
    result_.columns = plan.columns;
    result_.arena = std::make_shared<base::Arena>();
    if (plan.group) table_ = state::GroupTable::Make(*plan.group);
  }

  // False when no more rows are needed.
  Result<bool> Take(const row::Value* values, size_t columns) {
    scratch_.Reset();
    expr::EvalContext context{scratch_, std::nullopt};
    std::copy_n(values, columns, slots_.begin());
    if (plan_.where) {
      row::Value verdict = plan_.where->Evaluate(slots_.data(), context);
      if (context.error) return std::move(*context.error);
      if (verdict.null || !verdict.boolean) return true;
    }
    for (const flow::Evaluation& e : plan_.evaluations) {
      slots_[static_cast<size_t>(e.slot)] = e.expression->Evaluate(slots_.data(), context);
      if (context.error) return std::move(*context.error);
    }
    if (table_) {
      HR_TRY(table_->Add(slots_.data()));
      return true;
    }
    HR_TRY(Project(slots_.data()));
    bool enough = plan_.sort.empty() && !plan_.distinct && plan_.limit &&
                  result_.rows.size() >= static_cast<size_t>(*plan_.limit + plan_.offset);
    return !enough;
  }

  Result<QueryResult> Finish() {
    if (table_) HR_TRY(ProjectGroups());
    if (plan_.distinct) RemoveRepeats();
    if (!plan_.sort.empty()) Sort();
    Cut();
    return std::move(result_);
  }

 private:
  Status Project(const row::Value* input) {
    if (result_.rows.size() >= kQueryRowsMax) {
      return Error(ErrorKind::kLimitExceeded, "HR4001", "the result has more than 5000000 rows")
          .WithHint("add WHERE, GROUP BY or LIMIT");
    }
    expr::EvalContext context{scratch_, std::nullopt};
    std::vector<row::Value> row;
    row.reserve(plan_.outputs.size());
    for (size_t i = 0; i < plan_.outputs.size(); ++i) {
      row::Value value = plan_.outputs[i]->Evaluate(input, context);
      if (context.error) return std::move(*context.error);
      if (!value.null && (IsText(plan_.output_types[i].kind) ||
                          (plan_.output_types[i].kind == row::TypeKind::kDecimal &&
                           value.special == row::kWide))) {
        std::string_view kept = result_.arena->Copy(value.text());
        value.data = kept.data();
      }
      row.push_back(value);
    }
    result_.rows.push_back(std::move(row));
    return Ok();
  }

  Status ProjectGroups() {
    Status failed = Ok();
    base::Arena arena;
    bool any = false;
    size_t keys = plan_.group->key_slots.size();
    std::vector<row::Value> group(keys + plan_.group->aggregates.size());
    auto take = [&](const row::Value* key_values, const row::Value* aggregates) {
      any = true;
      std::copy_n(key_values, keys, group.begin());
      std::copy_n(aggregates, plan_.group->aggregates.size(),
                  group.begin() + static_cast<ptrdiff_t>(keys));
      if (failed.ok()) failed = TakeGroup(group.data());
    };
    HR_TRY(table_->ForEach(arena, take));
    if (!any && plan_.one_group) {
      for (size_t i = 0; i < plan_.group->aggregates.size(); ++i) {
        auto kind = plan_.group->aggregates[i].kind;
        bool count = kind == state::AggregateKind::kCountRows ||
                     kind == state::AggregateKind::kCount ||
                     kind == state::AggregateKind::kCountDistinct;
        group[keys + i] = count ? row::Value::Integer(0) : row::Value::Null();
      }
      failed = TakeGroup(group.data());
    }
    return failed;
  }

  Status TakeGroup(const row::Value* group) {
    expr::EvalContext context{scratch_, std::nullopt};
    if (plan_.having) {
      row::Value verdict = plan_.having->Evaluate(group, context);
      if (context.error) return std::move(*context.error);
      if (verdict.null || !verdict.boolean) return Ok();
    }
    return Project(group);
  }

  void RemoveRepeats() {
    std::set<std::string> seen;
    std::erase_if(result_.rows, [&](const std::vector<row::Value>& row) {
      std::string key;
      for (size_t i = 0; i < plan_.columns.columns.size(); ++i) {
        row::AppendKey(row[i], plan_.output_types[i], key);
      }
      return !seen.insert(key).second;
    });
  }

  void Sort() {
    std::stable_sort(result_.rows.begin(), result_.rows.end(),
                     [&](const std::vector<row::Value>& a, const std::vector<row::Value>& b) {
                       return Before(a, b);
                     });
  }

  bool Before(const std::vector<row::Value>& a, const std::vector<row::Value>& b) const {
    for (const sql::SortKey& key : plan_.sort) {
      const row::Value& x = a[key.output];
      const row::Value& y = b[key.output];
      if (x.null || y.null) {
        if (x.null && y.null) continue;
        return x.null == key.nulls_first;
      }
      int order = row::Compare(x, y, plan_.output_types[key.output]);
      if (order != 0) return key.descending ? order > 0 : order < 0;
    }
    return false;
  }

  void Cut() {
    auto& rows = result_.rows;
    size_t skip = std::min(rows.size(), static_cast<size_t>(plan_.offset));
    rows.erase(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(skip));
    if (plan_.limit && rows.size() > static_cast<size_t>(*plan_.limit)) {
      rows.resize(static_cast<size_t>(*plan_.limit));
    }
    for (auto& row : rows)
      row.resize(plan_.columns.columns.size());
  }

  const sql::QueryPlan& plan_;
  std::vector<row::Value> slots_;
  base::Arena scratch_;
  std::unique_ptr<state::GroupTable> table_;
  QueryResult result_;
};

}  // namespace

namespace {

// The last LSN before the first batch of events that came in later than the moment.
Result<uint64_t> LsnAt(const log::Log& log, const Deployment& deployment, int64_t micros) {
  std::set<std::string> topics;
  for (const Deployed& item : deployment.items) {
    if (item.source) topics.insert(item.topic());
  }
  HR_ASSIGN(auto cursor, log.Scan(1, topics));
  log::Entry entry;
  while (true) {
    HR_ASSIGN(bool more, cursor->Next(&entry));
    if (!more) return log.durable_lsn();
    if (entry.kind != log::EntryKind::kBatch) continue;
    HR_ASSIGN(InputNote note, InputNote::Decode(entry.note));
    if (note.arrival_micros > micros) return entry.lsn - 1;
  }
}

// The last cause whose rows are seen; nothing: all that there are.
Result<std::optional<uint64_t>> LastCause(const sql::QueryPlan& plan, const log::Log& log,
                                          const Deployment& deployment) {
  std::optional<uint64_t> lsn = plan.as_of_lsn;
  if (plan.as_of_micros) {
    HR_ASSIGN(lsn, LsnAt(log, deployment, *plan.as_of_micros));
  }
  if (plan.as_of_lsn && *lsn > log.durable_lsn()) {
    return Error(ErrorKind::kNotFound, "HR4195",
                 "LSN " + std::to_string(*lsn) + " has not been written yet; the last one is " +
                     std::to_string(log.durable_lsn()));
  }
  return lsn;
}

Status TakeModelHealth(const sql::QueryPlan& plan, const log::Log& log,
                       const Deployment& deployment, QueryRun& run) {
  HR_ASSIGN(const std::optional<uint64_t> last_cause, LastCause(plan, log, deployment));
  HR_ASSIGN(const std::vector<HealthRow> rows, NewestHealth(log, deployment, "", last_cause));
  HealthDecoder decoder;
  for (const HealthRow& row : rows) {
    HR_ASSIGN(const row::Value* values, decoder.Decode(row));
    HR_ASSIGN(const bool more, run.Take(values, ModelHealthSchema().columns.size()));
    if (!more) break;
  }
  return Ok();
}

}  // namespace

Result<QueryResult> RunPlan(const sql::QueryPlan& plan, const log::Log& log,
                            const Deployment& deployment) {
  QueryRun run(plan);
  if (plan.input.empty()) {
    HR_ASSIGN(bool more, run.Take(nullptr, 0));
    static_cast<void>(more);
    return run.Finish();
  }
  const Deployed* item = deployment.Find(plan.input);
  if (item == nullptr && plan.input == kModelHealth) {
    HR_TRY(TakeModelHealth(plan, log, deployment, run));
    return run.Finish();
  }
  HR_CHECK(item != nullptr);
  size_t columns = deployment.SchemaOf(*item).columns.size();
  HR_ASSIGN(auto cursor, RowCursor::Open(log, *item, -1, 0));
  RowDecoder decoder(deployment, *item);
  HR_ASSIGN(std::optional<uint64_t> last_cause, LastCause(plan, log, deployment));
  StoredRow stored;
  while (true) {
    HR_ASSIGN(bool more, cursor->Next(&stored));
    if (!more || (last_cause && stored.cause.lsn > *last_cause)) break;
    row::Value* values = nullptr;
    HR_ASSIGN(bool fits, decoder.Decode(stored, &values));
    if (!fits) continue;
    HR_ASSIGN(bool wanted, run.Take(values, columns));
    if (!wanted) break;
  }
  return run.Finish();
}

}  // namespace headrace::engine
