#include "engine/label_table.h"

#include <algorithm>

#include "engine/deployment.h"
#include "engine/row_cursor.h"
#include "engine/row_decoder.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

bool IsBytes(row::TypeKind kind) {
  using enum row::TypeKind;
  return kind == kText || kind == kBytea || kind == kJson || kind == kJsonb || kind == kTextArray ||
         kind == kBigintArray;
}

// The column of a stream that carries its event time, or -1.
int TimeColumn(const Deployed& item) {
  if (item.statement) return item.statement->time_column;
  if (!item.source) return -1;
  const std::vector<int>& slots = item.source->schema_slots;
  const auto found = std::find(slots.begin(), slots.end(), item.source->time_slot);
  return found == slots.end() ? -1 : static_cast<int>(found - slots.begin());
}

}  // namespace

void LabelRequest::JoinOn(std::string_view columns) {
  const size_t equals = columns.find('=');
  labels_on = columns.substr(0, equals);
  on = equals == std::string_view::npos ? columns : columns.substr(equals + 1);
}

std::string LabelKey(const row::Value& value, row::Type type) {
  std::string json;
  row::AppendJson(value, type, json);
  const bool quoted = json.size() >= 2 && json.front() == '"';
  return quoted ? json.substr(1, json.size() - 2) : json;
}

std::optional<double> BinaryLabel(const row::Value& value, row::Type type) {
  using enum row::TypeKind;
  if (value.null) return {};
  double number = -1;
  if (type.kind == kBoolean) number = value.boolean ? 1 : 0;
  if (type.kind == kInteger || type.kind == kBigint) number = static_cast<double>(value.integer);
  if (type.kind == kDouble) number = value.number;
  if (number == 0 || number == 1) return number;
  return {};
}

Error NoSuchColumn(const std::string& name, const std::string& stream, const row::Schema& schema) {
  std::string names;
  for (const row::Column& column : schema.columns)
    names += (names.empty() ? "" : ", ") + column.name;
  return Error(ErrorKind::kInvalidArgument, "HR1104",
               "no column `" + name + "` in `" + stream + "`")
      .WithHint("its columns: " + names);
}

Result<std::unique_ptr<LabelTable>> LabelTable::Load(const log::Log& log,
                                                     const Deployment& deployment,
                                                     const LabelRequest& request) {
  const Deployed* item = deployment.Find(request.labels);
  if (item == nullptr || item->is_model() || !item->dead_of.empty()) {
    return Error(ErrorKind::kNotFound, "HR1204", "no stream " + request.labels);
  }
  std::unique_ptr<LabelTable> table(new LabelTable());
  table->schema_ = deployment.SchemaOf(*item);
  HR_TRY(table->Prepare(request));
  const int time_column = TimeColumn(*item);
  RowDecoder decoder(deployment, *item);
  HR_ASSIGN(auto cursor, RowCursor::Open(log, *item, -1, 0));
  StoredRow stored;
  while (true) {
    HR_ASSIGN(bool more, cursor->Next(&stored));
    if (!more) return table;
    row::Value* values = nullptr;
    HR_ASSIGN(bool fits, decoder.Decode(stored, &values));
    if (!fits) continue;
    const bool timed = time_column >= 0 && !values[time_column].null;
    HR_TRY(
        table->Add(values, timed ? values[time_column].integer : stored.arrival_micros, request));
  }
}

Status LabelTable::Prepare(const LabelRequest& request) {
  key_ = schema_.Find(request.labels_on);
  if (key_ < 0) return NoSuchColumn(request.labels_on, request.labels, schema_);
  label_ = schema_.Find(request.label);
  if (label_ < 0) return NoSuchColumn(request.label, request.labels, schema_);
  return Ok();
}

Status LabelTable::Add(const row::Value* values, int64_t time, const LabelRequest& request) {
  const row::Value& key = values[key_];
  if (key.null || (request.as_of && time > *request.as_of)) return Ok();
  if (labels_.size() >= kLabelsMax) {
    return Error(ErrorKind::kLimitExceeded, "HR1213",
                 "more than " + std::to_string(kLabelsMax) + " labels")
        .WithHint("--as-of leaves later ones out");
  }
  auto [label, is_new] = labels_.try_emplace(LabelKey(key, schema_.columns[size_t(key_)].type));
  if (!is_new) ++corrected_;
  if (!is_new && time < label->second.time) return Ok();
  row::Value value = values[label_];
  if (!value.null && IsBytes(column().type.kind)) {
    value = row::Value::Text(arena_.Copy(value.text()));
  }
  label->second = {value, time};
  return Ok();
}

const LabelTable::Label* LabelTable::Find(const std::string& key) const {
  auto found = labels_.find(key);
  return found == labels_.end() ? nullptr : &found->second;
}

}  // namespace headrace::engine
