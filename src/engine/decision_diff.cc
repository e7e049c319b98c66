#include "engine/decision_diff.h"

#include <algorithm>

#include "row/text.h"
#include "state/aggregate.h"

namespace headrace::engine {
namespace {

constexpr int kFromSlot = 0;
constexpr int kToSlot = 1;
constexpr int kBySlot = 2;
constexpr int kSumSlot = 3;
constexpr row::Type kText{row::TypeKind::kText, 0, 0};
constexpr std::string_view kNoRow = "\"no row\"";
constexpr std::string_view kRow = "\"row\"";
constexpr std::string_view kOtherRow = "\"another row\"";
constexpr std::string_view kOther = "\"other\"";
constexpr size_t kFlipsMax = 10'000;  // pairs of decisions told apart; the rest is one more

std::string Names(const row::Schema& schema) {
  std::string names;
  for (const row::Column& column : schema.columns)
    names += (names.empty() ? "" : ", ") + column.name;
  return names;
}

}  // namespace

std::vector<std::string> DecisionColumns(const flow::StatementPlan& plan) {
  if (plan.schema.Find("decision") >= 0) return {"decision"};
  std::vector<std::string> names;
  if (!plan.select) return names;
  for (const flow::RuleNote& rule : plan.select->rules) {
    const int column = plan.schema.Find(rule.column);
    if (column < 0) continue;
    const row::TypeKind kind = plan.schema.columns[static_cast<size_t>(column)].type.kind;
    // A CASE that makes a number is a feature more often than a decision.
    const bool decides = kind == row::TypeKind::kText || kind == row::TypeKind::kBoolean;
    if (decides) names.push_back(rule.column);
  }
  return names;
}

Result<std::unique_ptr<DecisionDiff>> DecisionDiff::Open(const log::Log& log,
                                                         const Deployment& before,
                                                         const Deployment& after,
                                                         const WhatIfRequest& request,
                                                         const std::string& stream) {
  const Deployed* was = before.Find(stream);
  if (was == nullptr || !was->statement) {
    return Error(ErrorKind::kNotFound, "HR1204", "the log has no rows of " + stream)
        .WithHint("without --diff the rows of a new statement can be written");
  }
  std::unique_ptr<DecisionDiff> diff(new DecisionDiff(log, request));
  diff->stream_ = stream;
  HR_TRY(diff->Prepare(*was, *after.Find(stream)));
  if (request.labels) HR_TRY(diff->PrepareLabels(before));
  diff->logged_item_ = was;
  HR_TRY(diff->BeginBehind({}));
  return diff;
}

Status DecisionDiff::BeginBehind(
    const std::map<std::pair<std::string, int32_t>, int64_t>& offsets) {
  HR_ASSIGN(cursor_, RowCursor::Open(log_, *logged_item_, offsets));
  return Ok();
}

Status DecisionDiff::PrepareLabels(const Deployment& deployment) {
  HR_ASSIGN(labels_, LabelTable::Load(log_, deployment, *request_.labels));
  if (request_.labels->on == kRowId) return Ok();
  for (Side* side : {&before_, &after_}) {
    side->label_key = side->schema.Find(request_.labels->on);
    if (side->label_key < 0) return NoSuchColumn(request_.labels->on, stream_, side->schema);
  }
  return Ok();
}

Status DecisionDiff::Prepare(const Deployed& before, const Deployed& after) {
  for (auto [side, item] : {std::pair{&before_, &before}, std::pair{&after_, &after}}) {
    side->schema = item->statement->schema;
    side->decoder = std::make_unique<schema::JsonDecoder>(side->schema, schema::JsonOptions{});
    side->time = item->statement->time_column;
    if (item->statement->view) side->key = item->statement->view_key;
  }
  for (size_t c = 0; c < before_.schema.columns.size(); ++c) {
    const int there = after_.schema.Find(before_.schema.columns[c].name);
    if (there < 0) continue;
    before_.common.push_back(static_cast<int>(c));
    after_.common.push_back(there);
  }
  same_layout_ = before_.schema.columns.size() == after_.schema.columns.size() &&
                 before_.common.size() == before_.schema.columns.size() &&
                 before_.common == after_.common;
  HR_TRY(FindColumns(after));
  return PrepareFlips();
}

Status DecisionDiff::FindColumns(const Deployed& after) {
  std::vector<std::string> names = request_.decisions;
  if (names.empty()) names = DecisionColumns(*after.statement);
  whole_rows_ = names.empty();
  if (whole_rows_) {
    for (int column : before_.common)
      names.push_back(before_.schema.columns[static_cast<size_t>(column)].name);
  }
  for (const std::string& name : names) {
    for (Side* side : {&before_, &after_}) {
      const int column = side->schema.Find(name);
      if (column < 0) {
        return Error(ErrorKind::kInvalidArgument, "HR1104",
                     "no column `" + name + "` " + (side == &before_ ? "in the log" : "here"))
            .WithHint("its columns: " + Names(side->schema));
      }
      side->decisions.push_back(column);
    }
  }
  counted_.decisions = std::move(names);
  return Ok();
}

Status DecisionDiff::PrepareFlips() {
  state::GroupTableSpec spec;
  spec.key_slots = {kFromSlot, kToSlot, kBySlot};
  spec.key_types = {kText, kText, kText};
  state::GroupAggregate count;
  count.result_type = {row::TypeKind::kBigint, 0, 0};
  spec.aggregates.push_back(count);
  for (auto [name, in_before, in_after] : {std::tuple{&request_.sum, &sum_before_, &sum_after_},
                                           std::tuple{&request_.by, &by_before_, &by_after_}}) {
    if (name->empty()) continue;
    *in_before = before_.schema.Find(*name);
    *in_after = after_.schema.Find(*name);
    if (*in_before >= 0 && *in_after >= 0) continue;
    return Error(ErrorKind::kInvalidArgument, "HR1104", "no column `" + *name + "`")
        .WithHint("its columns: " + Names(after_.schema));
  }
  if (sum_after_ >= 0) {
    state::GroupAggregate sum;
    sum.kind = state::AggregateKind::kSum;
    sum.argument_slot = kSumSlot;
    sum.argument_type = after_.schema.columns[static_cast<size_t>(sum_after_)].type;
    HR_ASSIGN(sum.result_type, state::ResultType(sum.kind, sum.argument_type));
    sum_type_ = sum.result_type;
    spec.aggregates.push_back(sum);
  }
  flips_ = state::GroupTable::Make(std::move(spec));
  return Ok();
}

Status DecisionDiff::Take(row::Place cause, const Standing& standing, std::string_view json) {
  if (cause != cause_) HR_TRY(Settle());
  cause_ = cause;
  waiting_.push_back({"", std::string(json), standing});
  return Ok();
}

Status DecisionDiff::Finish(uint64_t last_lsn, WhatIfReport* report) {
  HR_TRY(Settle());
  HR_TRY(TakeAlone({last_lsn + 1, 0}));
  report->decisions = std::move(counted_.decisions);
  report->compared = counted_.compared;
  report->differing = counted_.differing;
  report->changed = counted_.changed;
  report->only_before = counted_.only_before;
  report->only_after = counted_.only_after;
  report->sample = std::move(counted_.sample);
  for (auto& [of, confusion] : confusion_)
    report->confusion.push_back(std::move(confusion));
  arena_.Reset();
  return flips_->ForEach(arena_, [&](const row::Value* keys, const row::Value* aggregates) {
    Flips flips{std::string(keys[0].text()), std::string(keys[1].text()),
                std::string(keys[2].text()), static_cast<uint64_t>(aggregates[0].integer), "null"};
    if (sum_after_ >= 0) {
      flips.sum.clear();
      row::AppendJson(aggregates[1], sum_type_, flips.sum);
    }
    report->flips.push_back(std::move(flips));
  });
}

Result<bool> DecisionDiff::HasLogged() {
  if (!logged_) {
    HR_ASSIGN(logged_, cursor_->Next(&stored_));
  }
  return logged_;
}

DecisionDiff::Row DecisionDiff::TakeLogged() {
  logged_ = false;
  return {stream_ + ":" + std::to_string(stored_.partition) + ":" + std::to_string(stored_.offset),
          std::string(stored_.value),
          {}};
}

// Rows that only the log has.
Status DecisionDiff::TakeAlone(row::Place before) {
  while (true) {
    HR_ASSIGN(bool more, HasLogged());
    if (!more || !(stored_.cause < before)) return Ok();
    const row::Place cause = stored_.cause;
    const Row row = TakeLogged();
    HR_TRY(Compare(cause, &row, nullptr));
  }
}

// All rows of one cause have come: joins them with those of the log.
Status DecisionDiff::Settle() {
  if (waiting_.empty()) return Ok();
  HR_TRY(TakeAlone(cause_));
  std::vector<Row> before;
  while (true) {
    HR_ASSIGN(bool more, HasLogged());
    if (!more || stored_.cause != cause_) break;
    before.push_back(TakeLogged());
  }
  std::vector<Row> after = std::move(waiting_);
  waiting_.clear();
  return before_.key.empty() || after_.key.empty() ? JoinInOrder(before, after)
                                                   : JoinByKey(before, after);
}

Status DecisionDiff::JoinInOrder(const std::vector<Row>& before, const std::vector<Row>& after) {
  for (size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
    HR_TRY(Compare(cause_, i < before.size() ? &before[i] : nullptr,
                   i < after.size() ? &after[i] : nullptr));
  }
  return Ok();
}

Status DecisionDiff::JoinByKey(const std::vector<Row>& before, const std::vector<Row>& after) {
  std::map<std::string, const Row*> known;
  for (const Row& row : before) {
    HR_ASSIGN(std::vector<row::Value> values, Decode(before_, row));
    known[Cells(before_, before_.key, values)] = &row;
  }
  for (const Row& row : after) {
    HR_ASSIGN(std::vector<row::Value> values, Decode(after_, row));
    auto same = known.find(Cells(after_, after_.key, values));
    HR_TRY(Compare(cause_, same == known.end() ? nullptr : same->second, &row));
    if (same != known.end()) known.erase(same);
  }
  for (const auto& [key, row] : known)
    HR_TRY(Compare(cause_, row, nullptr));
  return Ok();
}

Result<std::vector<row::Value>> DecisionDiff::Decode(const Side& side, const Row& row) {
  std::vector<row::Value> values(side.schema.columns.size());
  HR_TRY(side.decoder->Decode(row.json, false, arena_, values.data()));
  return values;
}

std::string DecisionDiff::Cells(const Side& side, const std::vector<int>& columns,
                                const std::vector<row::Value>& values) const {
  std::string cells;
  for (int column : columns) {
    const auto at = static_cast<size_t>(column);
    cells += cells.empty() ? "" : ",";
    row::AppendJson(values[at], side.schema.columns[at].type, cells);
  }
  return columns.size() == 1 ? cells : "[" + cells + "]";
}

Status DecisionDiff::Compare(row::Place cause, const Row* before, const Row* after) {
  arena_.Reset();
  std::vector<row::Value> was;
  std::vector<row::Value> is;
  const bool same = before != nullptr && after != nullptr && before->json == after->json;
  // Where any difference counts, the texts tell enough: a row costs no decoding then.
  const bool timed = (request_.from && !request_.from->lsn) || (request_.to && !request_.to->lsn);
  const bool by_text =
      labels_ == nullptr && pairs_ == nullptr &&
      (same || (whole_rows_ && same_layout_ && sum_after_ < 0 && by_after_ < 0 && !timed));
  if (before != nullptr && !by_text) {
    HR_ASSIGN(was, Decode(before_, *before));
  }
  if (after != nullptr && !by_text) {
    if (same && same_layout_) {
      is = was;
    } else {
      HR_ASSIGN(is, Decode(after_, *after));
    }
  }
  int64_t event_time = INT64_MIN;
  if (after != nullptr) event_time = after->standing.event_time;
  if (after == nullptr && before_.time >= 0 && !by_text) {
    event_time = was[static_cast<size_t>(before_.time)].integer;
  }
  if (!InRange(request_, cause, event_time)) return Ok();
  counted_.compared += before != nullptr && after != nullptr ? 1 : 0;
  if (pairs_ != nullptr && before != nullptr && after != nullptr) {
    pairs_->Take({cause, before->id, before_.schema, was.data(), after_.schema, is.data()});
  }
  if (labels_ != nullptr) Confuse(before == nullptr ? "" : before->id, was, is);
  if (same) return Ok();
  counted_.only_before += after == nullptr ? 1 : 0;
  counted_.only_after += before == nullptr ? 1 : 0;
  const bool both = before != nullptr && after != nullptr;
  const bool differ = both && (same_layout_ || Cells(before_, before_.common, was) !=
                                                   Cells(after_, after_.common, is));
  counted_.differing += differ ? 1 : 0;
  std::string from(kNoRow);
  std::string to(kNoRow);
  if (before != nullptr) from = whole_rows_ ? kRow : Cells(before_, before_.decisions, was);
  if (after != nullptr) to = whole_rows_ ? kOtherRow : Cells(after_, after_.decisions, is);
  if (whole_rows_ && both && !differ) return Ok();
  if (from == to) return Ok();
  ++counted_.changed;
  Sample(cause, before, after);
  if (flips_->groups() >= kFlipsMax) from = to = kOther;
  return CountFlip(from, to, was, is);
}

Status DecisionDiff::CountFlip(const std::string& from, const std::string& to,
                               const std::vector<row::Value>& before,
                               const std::vector<row::Value>& after) {
  std::string by = "null";
  row::Value slots[kSumSlot + 1];
  const bool here = !after.empty();
  const std::vector<row::Value>& values = here ? after : before;
  if (by_after_ >= 0) by = Cells(here ? after_ : before_, {here ? by_after_ : by_before_}, values);
  slots[kFromSlot] = row::Value::Text(from);
  slots[kToSlot] = row::Value::Text(to);
  slots[kBySlot] = row::Value::Text(by);
  slots[kSumSlot] = sum_after_ < 0 ? row::Value::Null()
                                   : values[static_cast<size_t>(here ? sum_after_ : sum_before_)];
  return flips_->Add(slots);
}

// Counts what was decided, and what would have been, of a row whose label is known.
void DecisionDiff::Confuse(const std::string& id, const std::vector<row::Value>& before,
                           const std::vector<row::Value>& after) {
  const auto key_of = [&](const Side& side, const std::vector<row::Value>& values) {
    const auto at = static_cast<size_t>(side.label_key);
    return LabelKey(values[at], side.schema.columns[at].type);
  };
  std::string key = id;
  if (before_.label_key >= 0)
    key = before.empty() ? key_of(after_, after) : key_of(before_, before);
  const LabelTable::Label* known = labels_->Find(key);
  if (known == nullptr) return;
  std::string label;
  row::AppendJson(known->value, labels_->column().type, label);
  const auto cell = [&](const std::string& decision) -> Confusion& {
    const bool full = confusion_.size() >= kFlipsMax;
    const std::string name =
        full && !confusion_.contains({decision, label}) ? std::string(kOther) : decision;
    Confusion& counted = confusion_[{name, label}];
    counted.decision = name;
    counted.label = label;
    return counted;
  };
  if (!before.empty()) ++cell(Cells(before_, before_.decisions, before)).before;
  if (!after.empty()) ++cell(Cells(after_, after_.decisions, after)).after;
}

void DecisionDiff::Sample(row::Place cause, const Row* before, const Row* after) {
  if (counted_.sample.size() >= kChangedSample) return;
  ChangedRow row;
  if (before != nullptr) row.id = before->id;
  row.before = before == nullptr ? "null" : before->json;
  row.after = after == nullptr ? "null" : after->json;
  row.cause = cause;
  if (after != nullptr) {
    row.partition = after->standing.partition;
    row.fork_offset = after->standing.offset;
  }
  counted_.sample.push_back(std::move(row));
}

}  // namespace headrace::engine
