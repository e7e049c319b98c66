#include "flow/watch_block.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "base/hash.h"
#include "flow/select_node.h"
#include "state/checked_body.h"

namespace headrace::flow {
namespace {

constexpr uint8_t kPsiAlarm = 1;
constexpr uint8_t kNullsAlarm = 2;
constexpr uint8_t kRangeAlarm = 4;
constexpr size_t kAllAlarms = 8;  // texts for every set of them

Error Damaged(const char* what) {
  return Error(ErrorKind::kCorruption, "HR4201",
               std::string("state of the watch of a model: ") + what);
}

std::string_view AlarmText(uint8_t alarms) {
  static constexpr std::string_view kTexts[kAllAlarms] = {
      "", "psi", "nulls", "psi,nulls", "range", "psi,range", "nulls,range", "psi,nulls,range"};
  return kTexts[alarms % kAllAlarms];
}

row::Value TextIn(row::Batch& batch, std::string_view text) {
  return row::Value::Text(batch.arena().Copy(text));
}

int64_t FloorTo(int64_t time, int64_t size) {
  int64_t rest = time % size;
  if (rest < 0) rest += size;
  return time - rest;
}

// 2^level rows are passed over for one that is looked at.
size_t LevelOf(uint64_t rows) {
  return rows < 2 * WatchBlock::kSample
             ? 0
             : static_cast<size_t>(std::bit_width(rows / WatchBlock::kSample) - 1);
}

}  // namespace

WatchBlock::WatchBlock(WatchPlan plan) : plan_(std::move(plan)) {
  std::string text = "watch 1";
  base::ByteWriter writer(text);
  writer.String(plan_.model);
  writer.Zigzag(plan_.options.window);
  writer.Zigzag(plan_.options.rows);
  writer.Zigzag(plan_.options.baseline_rows);
  writer.Varint(plan_.names.size());
  for (size_t i = 0; i < plan_.names.size(); ++i) {
    writer.String(plan_.names[i]);
    writer.String(row::ToString(plan_.types[i]));
  }
  fingerprint_ = base::Hash64(text);
}

void WatchBlock::Watch(row::Batch& batch, const ModelVersions& versions, row::Batch& health) {
  for (row::Row& row : batch.rows()) {
    if (row.failed || row.values[plan_.score_slot].null) continue;
    changed_ = true;
    time_ = std::max(time_, row.watermark == INT64_MIN ? row.event_time : row.watermark);
    if (!open_) Begin(time_);
    if (time_ >= end_ && rows_ >= static_cast<uint64_t>(plan_.options.rows)) {
      Close(row, versions, health);
      Begin(time_);
    } else if (time_ >= end_) {
      end_ = FloorTo(time_, plan_.options.window) + plan_.options.window;
    }
    const auto version = static_cast<int32_t>(row.values[plan_.version_slot].integer);
    VersionWatch& watch = VersionOf(version);
    ++watch.rows;
    ++rows_;
    if (!references_.contains(version)) Refer(version, watch, versions);
    const bool baseline = !references_[version].known;
    if (baseline || IsSampled()) Look(row, versions.Of(version), version, watch);
    if (baseline) Refer(version, watch, versions);
  }
}

VersionWatch& WatchBlock::VersionOf(int32_t version) {
  const auto known = versions_.find(version);
  if (known != versions_.end()) return known->second;
  if (versions_.size() >= kVersionsMax) ForgetOldest();
  VersionWatch& made = versions_[version];
  made.columns.resize(columns());
  made.alarms.resize(columns() + 1);
  return made;
}

// Of those without a row in this window the one whose newest row is oldest; else the lowest.
void WatchBlock::ForgetOldest() {
  const auto rank = [](const auto& entry) {
    return std::pair(entry.second.rows > 0, entry.second.columns.back().newest());
  };
  const auto oldest =
      std::min_element(versions_.begin(), versions_.end(),
                       [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  references_.erase(oldest->first);
  versions_.erase(oldest);
}

// Makes what the version is compared with, once that is known.
void WatchBlock::Refer(int32_t version, const VersionWatch& watch, const ModelVersions& versions) {
  References& references = references_[version];
  // A replay with other versions may go on from the state of those that were.
  if (references.known || static_cast<size_t>(version) > versions.versions.size()) return;
  if (const auto& baseline = versions.Of(version).info().baseline) {
    references.known = references.training = true;
    for (size_t c = 0; c < plan_.slots.size(); ++c)
      references.columns.push_back(ColumnReference::Of(baseline->columns[c]));
    // The scores as this machine gives them: the file has them before the output transform.
    model::ColumnBaseline scores = baseline->columns.back();
    versions.Of(version).Transform(scores.quantiles.size(), scores.quantiles);
    references.columns.push_back(ColumnReference::Of(scores));
    return;
  }
  if (watch.first_rows < static_cast<uint64_t>(plan_.options.baseline_rows)) return;
  references.known = true;
  for (const ColumnWatch& column : watch.first)
    references.columns.push_back(column.AsReference());
}

void WatchBlock::Begin(int64_t time) {
  open_ = true;
  start_ = FloorTo(time, plan_.options.window);
  end_ = start_ + plan_.options.window;
  rows_before_ = rows_;
  rows_ = 0;
  for (auto& [version, watch] : versions_) {
    watch.rows = watch.sampled = 0;
    for (ColumnWatch& column : watch.columns)
      column.Clear();
  }
}

bool WatchBlock::IsSampled() {
  const size_t level = std::max(LevelOf(rows_before_), LevelOf(rows_));
  return rows_ % (uint64_t{1} << level) == 0;
}

void WatchBlock::Look(const row::Row& row, const model::Model& model, int32_t version,
                      VersionWatch& watch) {
  const References& references = references_[version];
  const size_t level = references.known ? std::max(LevelOf(rows_before_), LevelOf(rows_)) : 0;
  ++watch.sampled;
  values_.resize(columns());
  for (size_t c = 0; c < plan_.slots.size(); ++c) {
    values_[c] = FeatureOf(row.values[plan_.slots[c]], plan_.types[c], model.info().categories[c]);
  }
  values_.back() = row.values[plan_.score_slot].number;
  for (size_t c = 0; c < columns(); ++c) {
    watch.columns[c].Add(values_[c], level, row.event_time,
                         references.known ? &references.columns[c] : nullptr);
  }
  if (references.known) return;
  watch.first.resize(columns());
  ++watch.first_rows;
  for (size_t c = 0; c < columns(); ++c)
    watch.first[c].Add(values_[c], 0, row.event_time, nullptr);
}

void WatchBlock::Close(const row::Row& at, const ModelVersions& versions, row::Batch& health) {
  for (auto& [version, watch] : versions_) {
    if (watch.sampled == 0) continue;
    Refer(version, watch, versions);
    row::Row first = at;
    std::vector<row::Value> values(kHealthColumns, row::Value::Null());
    values[kHealthTime] = row::Value::Integer(at.event_time);
    values[kHealthWindowStart] = row::Value::Integer(start_);
    values[kHealthWindowEnd] = row::Value::Integer(end_);
    values[kHealthModel] = TextIn(health, plan_.model);
    values[kHealthVersion] = row::Value::Integer(version);
    values[kHealthRows] = row::Value::Integer(static_cast<int64_t>(watch.rows));
    values[kHealthSampled] = row::Value::Integer(static_cast<int64_t>(watch.sampled));
    first.values = values.data();
    TellVersion(version, watch, first, health);
  }
}

// A row for each column, then one of all: the largest index among them, and whose it is.
void WatchBlock::TellVersion(int32_t version, VersionWatch& watch, row::Row first,
                             row::Batch& health) {
  const References& references = references_[version];
  const auto add = [&]() -> row::Row& {
    row::Row& row = health.Add(kHealthColumns);
    row::Value* values = row.values;
    row = first;
    row.values = values;
    std::copy_n(first.values, int{kHealthColumns}, values);
    row.payload = {};
    row.dead_lettered = false;
    return row;
  };
  const auto alarm = [&](size_t column, uint8_t alarms, row::Row& row) {
    if (alarms != 0) row.values[kHealthAlarm] = TextIn(health, AlarmText(alarms));
    const bool crossed = (alarms & ~watch.alarms[column]) != 0;
    row.values[kHealthCrossed] = row::Value::Boolean(crossed);
    watch.alarms[column] = alarms;
  };
  row::Value largest = row::Value::Null();
  size_t whose = 0;
  std::string_view baseline = "first rows";
  if (references.training) baseline = "training";
  if (references.known) first.values[kHealthBaseline] = TextIn(health, baseline);
  for (size_t c = 0; c < columns(); ++c) {
    row::Row& row = add();
    const bool score = c == plan_.slots.size();
    row.values[kHealthKind] = TextIn(health, score ? "score" : "input");
    if (!score) row.values[kHealthFeature] = TextIn(health, plan_.names[c]);
    const learn::WeightedValues values = watch.columns[c].Values();
    alarm(c, TellColumn(c, watch, references, values, row), row);
    const row::Value& psi = row.values[kHealthPsi];
    if (psi.null || (!largest.null && psi.number <= largest.number)) continue;
    largest = psi;
    whose = c;
  }
  row::Row& all = add();
  all.values[kHealthKind] = TextIn(health, "all");
  all.values[kHealthPsi] = largest;
  if (!largest.null && whose < plan_.slots.size()) {
    all.values[kHealthFeature] = TextIn(health, plan_.names[whose]);
  }
  const bool moved = !largest.null && largest.number > plan_.options.psi;
  alarm(columns(), moved ? kPsiAlarm : 0, all);
}

uint8_t WatchBlock::TellColumn(size_t column, const VersionWatch& watch,
                               const References& references, const learn::WeightedValues& values,
                               row::Row& row) const {
  const ColumnWatch& seen = watch.columns[column];
  row.values[kHealthNullShare] = row::Value::Double(seen.null_share());
  if (!values.empty()) {
    row.values[kHealthLeast] = row::Value::Double(seen.least());
    row.values[kHealthP05] = row::Value::Double(learn::QuantileOf(values, 0.05));
    row.values[kHealthP50] = row::Value::Double(learn::QuantileOf(values, 0.5));
    row.values[kHealthP95] = row::Value::Double(learn::QuantileOf(values, 0.95));
    row.values[kHealthMost] = row::Value::Double(seen.most());
    row.values[kHealthMean] = row::Value::Double(seen.mean());
  }
  row.values[kHealthDistinct] = row::Value::Double(std::round(seen.distinct()));
  if (seen.newest() != INT64_MIN) {
    const int64_t age = std::max<int64_t>(0, row.event_time - seen.newest());
    row.values[kHealthFreshness] = row::Value::Double(static_cast<double>(age) / 1e6);
  }
  if (!references.known) return 0;
  const ColumnReference& reference = references.columns[column];
  uint8_t alarms = 0;
  if (seen.null_share() - reference.null_share > plan_.options.nulls) alarms |= kNullsAlarm;
  if (!reference.values.empty()) {
    row.values[kHealthOutOfRange] = row::Value::Double(seen.out_of_range());
    if (seen.out_of_range() > plan_.options.range) alarms |= kRangeAlarm;
  }
  if (const auto distances = seen.DistancesFrom(reference, values)) {
    row.values[kHealthPsi] = row::Value::Double(distances->psi);
    row.values[kHealthKs] = row::Value::Double(distances->ks);
    row.values[kHealthJs] = row::Value::Double(distances->js);
    row.values[kHealthWasserstein] = row::Value::Double(distances->wasserstein);
    if (distances->psi > plan_.options.psi) alarms |= kPsiAlarm;
  }
  return alarms;
}

// ---- state

size_t WatchBlock::bytes() const {
  size_t bytes = sizeof *this;
  for (const auto& [version, watch] : versions_) {
    for (const ColumnWatch& column : watch.columns)
      bytes += sizeof column + column.memory();
    for (const ColumnWatch& column : watch.first)
      bytes += sizeof column + column.memory();
  }
  return bytes;
}

// open u8, time zigzag, start zigzag, end zigzag, rows varint, rows before varint, versions varint;
// per version: number zigzag, rows varint, sampled varint, alarms (a byte each), columns, first
// rows varint, 1 and their columns or 0
void WatchBlock::SaveState(base::ByteWriter& writer) const {
  writer.U8(open_ ? 1 : 0);
  writer.Zigzag(time_);
  writer.Zigzag(start_);
  writer.Zigzag(end_);
  writer.Varint(rows_);
  writer.Varint(rows_before_);
  writer.Varint(versions_.size());
  for (const auto& [version, watch] : versions_) {
    writer.Zigzag(version);
    writer.Varint(watch.rows);
    writer.Varint(watch.sampled);
    for (uint8_t alarms : watch.alarms)
      writer.U8(alarms);
    for (const ColumnWatch& column : watch.columns)
      column.Save(writer);
    writer.Varint(watch.first_rows);
    writer.U8(watch.first.empty() ? 0 : 1);
    for (const ColumnWatch& column : watch.first)
      column.Save(writer);
  }
}

bool WatchBlock::LoadColumns(base::ByteReader& reader, size_t count, std::vector<ColumnWatch>& to) {
  to.resize(count);
  return std::all_of(to.begin(), to.end(),
                     [&](ColumnWatch& column) { return column.Load(reader); });
}

bool WatchBlock::LoadState(base::ByteReader& reader) {
  versions_.clear();
  references_.clear();
  open_ = reader.U8() != 0;
  time_ = reader.Zigzag();
  start_ = reader.Zigzag();
  end_ = reader.Zigzag();
  rows_ = reader.Varint();
  rows_before_ = reader.Varint();
  const uint64_t count = reader.Varint();
  constexpr int64_t kFar = int64_t{1} << 62;
  if (start_ < -kFar || start_ > kFar || end_ < start_ || end_ > kFar || time_ > kFar) return false;
  if (!reader.ok() || count > kVersionsMax) return false;
  for (uint64_t i = 0; i < count; ++i) {
    const int64_t version = reader.Zigzag();
    if (version < 1 || version > INT32_MAX) return false;
    const auto [at, added] = versions_.try_emplace(static_cast<int32_t>(version));
    if (!added) return false;
    VersionWatch& watch = at->second;
    watch.rows = reader.Varint();
    watch.sampled = reader.Varint();
    watch.alarms.resize(columns() + 1);
    for (uint8_t& alarms : watch.alarms)
      alarms = reader.U8();
    if (!LoadColumns(reader, columns(), watch.columns)) return false;
    watch.first_rows = reader.Varint();
    if (reader.U8() != 0 && !LoadColumns(reader, columns(), watch.first)) return false;
  }
  return reader.ok();
}

// fingerprint u64, state, CRC-32C u32 of all before it
void WatchBlock::Save(std::string& out) const {
  const size_t begin = out.size();
  base::ByteWriter writer(out);
  writer.U64Le(fingerprint_);
  SaveState(writer);
  writer.U32Le(base::Crc32c(std::string_view(out).substr(begin)));
}

Status WatchBlock::Load(std::string_view bytes) {
  std::string_view body;
  if (const char* wrong = state::TakeBody(bytes, &body)) return Damaged(wrong);
  base::ByteReader reader(body);
  if (reader.U64Le() != fingerprint_) return Damaged("of another definition");
  if (LoadState(reader) && reader.remaining() == 0) return Ok();
  return Damaged("the bytes do not parse");
}

// All of it changes with each row that is looked at, so all of it is due when any was.
state::BlockHead WatchBlock::BeginSnapshot(bool whole) {
  std::string state;
  Save(state);
  pages_.clear();
  next_page_ = 0;
  for (size_t at = 0; at < state.size(); at += kPageBytes)
    pages_.push_back(state.substr(at, kPageBytes));
  const state::BlockHead head{fingerprint_, static_cast<uint32_t>(pages_.size()), INT64_MIN};
  if (!whole && !changed_) pages_.clear();
  changed_ = false;
  return head;
}

bool WatchBlock::TakePages(size_t bytes_max, std::vector<state::StatePage>& out) {
  for (size_t bytes = 0; next_page_ < pages_.size() && bytes < bytes_max; ++next_page_) {
    bytes += pages_[next_page_].size();
    out.push_back({static_cast<uint32_t>(next_page_), std::move(pages_[next_page_])});
  }
  if (next_page_ < pages_.size()) return true;
  pages_.clear();
  next_page_ = 0;
  return false;
}

Status WatchBlock::BeginLoad(const state::BlockHead& head) {
  if (head.fingerprint != fingerprint_) return Damaged("of another definition");
  if (head.slots == 0 || head.slots > kPagesMax) return Damaged("of an impossible size");
  pages_.assign(head.slots, "");
  loaded_ = 0;
  return Ok();
}

// Pages behind the last one are of a time when there was more.
Status WatchBlock::LoadPage(uint32_t number, std::string_view bytes) {
  if (number >= pages_.size()) return Ok();
  if (!pages_[number].empty() || bytes.empty()) return Damaged("a page twice, or empty");
  pages_[number] = bytes;
  if (++loaded_ < pages_.size()) return Ok();
  std::string state;
  for (const std::string& page : pages_)
    state += page;
  return Load(state);
}

}  // namespace headrace::flow
