#include "flow/asking_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/hash.h"
#include "flow/select_node.h"
#include "row/text.h"
#include "state/value_bytes.h"

namespace headrace::flow {
namespace {

constexpr uint8_t kDeadLettered = 1;
constexpr size_t kRowBytes = 300;  // what a row costs besides its bytes, about

row::Value ValueOf(const model::RemoteValue& value, base::Arena& arena) {
  if (const auto* flag = std::get_if<bool>(&value)) return row::Value::Boolean(*flag);
  if (const auto* integer = std::get_if<int64_t>(&value)) return row::Value::Integer(*integer);
  if (const auto* number = std::get_if<double>(&value)) return row::Value::Double(*number);
  if (const auto* text = std::get_if<std::string>(&value)) {
    return row::Value::Text(arena.Copy(*text));
  }
  return row::Value::Null();
}

// Puts what the question was answered into the row's slots.
void Settle(const RemoteQuestion& question, RemoteStatus status,
            const std::vector<model::RemoteValue>& outputs, std::string_view detail, row::Row& row,
            base::Arena& arena) {
  const RemotePlan& model = *question.model;
  const std::vector<model::RemoteValue>& given =
      status == RemoteStatus::kAnswered ? outputs : model.defaults;
  std::string json = "[";
  for (size_t i = 0; i < question.output_slots.size(); ++i) {
    row::Value& value = row.values[question.output_slots[i]];
    value = i < given.size() ? ValueOf(given[i], arena) : row::Value::Null();
    if (i > 0) json += ", ";
    row::AppendJson(value, model.outputs[i].type, json);
  }
  if (question.json_slot >= 0) {
    row.values[question.json_slot] = row::Value::Text(arena.Copy(json + "]"));
  }
  row.values[question.status_slot] = row::Value::Text(arena.Copy(ToString(status)));
  row.values[question.detail_slot] =
      detail.empty() ? row::Value::Null() : row::Value::Text(arena.Copy(detail));
}

// Nothing: it cannot be sent as this type.
std::optional<model::RemoteValue> Converted(const row::Value& value, row::Type from,
                                            model::RemoteType to) {
  if (value.null) return {};
  if (to == model::RemoteType::kText) {
    if (value.length > model::kRemoteTextBytesMax) return {};
    return model::RemoteValue(std::string(value.text()));
  }
  if (to == model::RemoteType::kBoolean) return model::RemoteValue(value.boolean);
  if (to == model::RemoteType::kInteger || to == model::RemoteType::kBigint) {
    const bool fits =
        to == model::RemoteType::kBigint || value.integer == static_cast<int32_t>(value.integer);
    return fits ? std::optional<model::RemoteValue>(value.integer) : std::nullopt;
  }
  double number = FeatureOf(value, from, {});
  if (to == model::RemoteType::kReal) number = static_cast<double>(static_cast<float>(number));
  return std::isfinite(number) ? std::optional<model::RemoteValue>(number) : std::nullopt;
}

row::Value Copied(const row::Value& value, row::Type type, base::Arena& arena) {
  if (value.null || !state::IsTextLike(type)) return value;
  return row::Value::Text(arena.Copy(value.text()));
}

}  // namespace

size_t AskingRows::Waiting::bytes() const {
  size_t bytes = kRowBytes + row.size();
  for (const Open& one : open)
    bytes += one.inputs.size() + sizeof one;
  for (const RemoteAnswer& answer : answers)
    bytes += answer.bytes();
  return bytes;
}

AskingRows::AskingRows(std::shared_ptr<const StatementPlan> plan)
    : plan_(std::move(plan)), input_(plan_->input_schema) {}

row::Type AskingRows::TypeOf(size_t slot) const {
  // Slots that an explanation adds count events.
  const std::vector<row::Type>& types = plan_->select->slot_types;
  return slot < types.size() ? types[slot] : row::Type{row::TypeKind::kBigint, 0, 0};
}

void AskingRows::Ask(size_t stage, row::Batch& working, const std::vector<row::Row*>& origins) {
  const std::vector<RemoteQuestion>& questions = plan_->select->stages[stage].questions;
  for (size_t i = 0; i < working.rows().size(); ++i) {
    row::Row& row = working.rows()[i];
    if (row.failed) continue;
    if (row.cause.lsn < plan_->from_lsn) {  // the former revision emits it
      row.failed = true;
      continue;
    }
    std::vector<Open> open;
    for (size_t q = 0; q < questions.size(); ++q)
      AskOne(questions[q], static_cast<uint32_t>(q), row, working.arena(), open);
    if (open.empty()) continue;
    Keep(stage, row, *origins[i], std::move(open));
    row.failed = true;
  }
}

void AskingRows::AskOne(const RemoteQuestion& question, uint32_t number, row::Row& row,
                        base::Arena& arena, std::vector<Open>& open) const {
  if (question.when_slot >= 0) {
    const row::Value& wanted = row.values[question.when_slot];
    if (wanted.null || !wanted.boolean) return;
  }
  if (row.cause.lsn < plan_->joined_lsn) {
    return Settle(question, RemoteStatus::kPast, {}, "", row, arena);
  }
  std::optional<std::string> inputs = InputsOf(question, row);
  if (!inputs) return Settle(question, RemoteStatus::kUnfit, {}, "", row, arena);
  if (!HasRoom(*question.model)) {
    return Settle(question, RemoteStatus::kQueueFull, {}, "", row, arena);
  }
  open.push_back({number, std::move(*inputs)});
}

std::optional<std::string> AskingRows::InputsOf(const RemoteQuestion& question,
                                                const row::Row& row) {
  std::vector<model::RemoteValue> inputs;
  for (size_t i = 0; i < question.input_slots.size(); ++i) {
    std::optional<model::RemoteValue> input =
        Converted(row.values[question.input_slots[i]], question.input_types[i],
                  question.model->signature.inputs[i].type);
    if (!input) return {};
    inputs.push_back(std::move(*input));
  }
  std::string bytes;
  model::AppendRemoteValues(inputs, bytes);
  return bytes;
}

bool AskingRows::HasRoom(const RemotePlan& model) const {
  const size_t beyond = model.when_full == RemotePlan::WhenFull::kWait ? kBeyondQueue : 0;
  return waiting_.size() < static_cast<size_t>(model.queue) + beyond && bytes_ < kBytesMax;
}

bool AskingRows::full() const {
  if (waiting_.empty()) return false;
  if (bytes_ >= kBytesMax) return true;
  for (const Stage& stage : plan_->select->stages) {
    for (const RemoteQuestion& question : stage.questions) {
      const bool waits = question.model->when_full == RemotePlan::WhenFull::kWait;
      if (waits && waiting_.size() >= static_cast<size_t>(question.model->queue)) return true;
    }
  }
  return false;
}

// Partition varint, offset zigzag, event time zigzag, flags u8, payload string; slots varint, each
// as SaveValue writes it.
void AskingRows::Keep(size_t stage, const row::Row& row, const row::Row& origin,
                      std::vector<Open> open) {
  Waiting waiting;
  waiting.event = row.event();
  waiting.stage = stage;
  waiting.watermark = row.watermark;
  waiting.open = std::move(open);
  base::ByteWriter writer(waiting.row);
  writer.Varint(static_cast<uint32_t>(row.partition));
  writer.Zigzag(row.offset);
  writer.Zigzag(row.event_time);
  writer.U8(origin.dead_lettered ? kDeadLettered : 0);
  if (origin.payload.data() != nullptr) {
    writer.String(origin.payload);
  } else {
    // Its stream may be laid out otherwise when the answer comes.
    std::string json;
    input_.Append(origin.values, json);
    writer.String(json);
  }
  writer.Varint(slots());
  for (size_t slot = 0; slot < slots(); ++slot)
    state::SaveValue(row.values[slot], TypeOf(slot), writer);
  const auto behind = waiting_.upper_bound({row.cause, UINT32_MAX});
  AskingRow at{row.cause, 0};
  if (behind != waiting_.begin() && std::prev(behind)->first.cause == row.cause)
    at.ordinal = std::prev(behind)->first.ordinal + 1;
  held_.insert(waiting.watermark);
  bytes_ += waiting.bytes();
  HR_CHECK(waiting_.emplace(at, std::move(waiting)).second);
}

std::optional<size_t> AskingRows::Take(const RemoteAnswer& answer, row::Place at,
                                       row::Batch& working) {
  const auto found = waiting_.find(answer.row);
  if (found == waiting_.end()) return {};
  Waiting& waiting = found->second;
  const auto open = std::find_if(waiting.open.begin(), waiting.open.end(),
                                 [&](const Open& one) { return one.question == answer.question; });
  if (open == waiting.open.end()) return {};
  bytes_ -= waiting.bytes();
  waiting.answers.push_back(answer);
  if (base::Hash64(open->inputs) != answer.fingerprint) {
    waiting.answers.back().status = RemoteStatus::kOtherInputs;
  }
  waiting.open.erase(open);
  if (!waiting.open.empty()) {
    bytes_ += waiting.bytes();
    return {};
  }
  const size_t stage = waiting.stage;
  Restore(waiting, at, working);
  held_.erase(held_.find(waiting.watermark));
  waiting_.erase(found);
  return stage;
}

void AskingRows::Restore(const Waiting& waiting, row::Place at, row::Batch& working) const {
  row::Row& row = working.Add(slots());
  base::Arena& arena = working.arena();
  base::ByteReader reader(waiting.row);
  row.cause = at;
  row.waited = waiting.event;
  row.partition = static_cast<int32_t>(reader.Varint());
  row.offset = reader.Zigzag();
  row.event_time = reader.Zigzag();
  row.dead_lettered = (reader.U8() & kDeadLettered) != 0;
  row.payload = arena.Copy(reader.String());
  row.watermark = std::min(waiting.watermark, passed_);
  const uint64_t count = std::min<uint64_t>(reader.Varint(), slots());
  for (size_t slot = 0; slot < count; ++slot) {
    row::Value value;
    HR_CHECK(state::ReadValue(TypeOf(slot), reader, &value));
    row.values[slot] = Copied(value, TypeOf(slot), arena);
  }
  const std::vector<RemoteQuestion>& questions = plan_->select->stages[waiting.stage].questions;
  for (const RemoteAnswer& answer : waiting.answers) {
    Settle(questions[answer.question], answer.status, answer.outputs, answer.detail, row, arena);
  }
}

void AskingRows::Hold(row::Batch& rows, const std::vector<WatermarkStep>& steps,
                      std::vector<WatermarkStep>& passed) {
  const int64_t most = held();
  for (row::Row& row : rows.rows())
    row.watermark = std::min(row.watermark, most);
  for (const WatermarkStep& step : steps) {
    known_ = step;
    if (step.watermark > most) continue;
    passed_ = step.watermark;
    passed.push_back(step);
  }
}

void AskingRows::Lift(row::Place at, std::vector<WatermarkStep>& passed) {
  const int64_t now = std::min(known_.watermark, held());
  if (now <= passed_) return;
  passed_ = now;
  passed.push_back({at, now, known_.event_time});
}

void AskingRows::TakeAsks(std::vector<flow::Ask>& out) {
  auto row = given_ ? waiting_.upper_bound(*given_) : waiting_.begin();
  for (; row != waiting_.end(); ++row) {
    given_ = row->first;
    const Waiting& waiting = row->second;
    for (const Open& open : waiting.open) {
      flow::Ask& ask = out.emplace_back();
      ask.statement = plan_->name;
      ask.row = row->first;
      ask.question = open.question;
      ask.event = waiting.event;
      ask.model = plan_->select->stages[waiting.stage].questions[open.question].model;
      ask.fingerprint = base::Hash64(open.inputs);
      base::ByteReader reader(open.inputs);
      HR_CHECK(model::ReadRemoteValues(reader, ask.inputs));
    }
  }
}

void AskingRows::Save(std::string& out) const {
  base::ByteWriter writer(out);
  for (int64_t time : {known_.watermark, passed_, known_.event_time})
    writer.U64Le(static_cast<uint64_t>(time));
  writer.Varint(waiting_.size());
  for (const auto& [row, waiting] : waiting_) {
    for (const row::Place place : {row.cause, waiting.event}) {
      writer.Varint(place.lsn);
      writer.Varint(place.index);
    }
    writer.Varint(row.ordinal);
    writer.Varint(waiting.stage);
    writer.U64Le(static_cast<uint64_t>(waiting.watermark));
    writer.Varint(waiting.open.size());
    for (const Open& open : waiting.open) {
      writer.Varint(open.question);
      writer.Bytes(open.inputs);
    }
    writer.Varint(waiting.answers.size());
    for (const RemoteAnswer& answer : waiting.answers)
      writer.String(answer.Encode());
    writer.String(waiting.row);
  }
}

Status AskingRows::Load(std::string_view bytes) {
  base::ByteReader reader(bytes);
  for (int64_t* time : {&known_.watermark, &passed_, &known_.event_time})
    *time = static_cast<int64_t>(reader.U64Le());
  bool good = reader.ok();
  for (uint64_t rows = reader.Varint(); rows > 0 && good; --rows)
    good = LoadOne(reader);
  if (good && reader.ok() && reader.remaining() == 0) return Ok();
  return Error(ErrorKind::kCorruption, "HR4207", "the rows that wait do not parse");
}

bool AskingRows::LoadOne(base::ByteReader& reader) {
  AskingRow key;
  Waiting waiting;
  for (row::Place* place : {&key.cause, &waiting.event}) {
    place->lsn = reader.Varint();
    place->index = static_cast<uint32_t>(reader.Varint());
  }
  key.ordinal = static_cast<uint32_t>(reader.Varint());
  waiting.stage = reader.Varint();
  waiting.watermark = static_cast<int64_t>(reader.U64Le());
  if (!reader.ok() || waiting.stage >= plan_->select->stages.size()) return false;
  const std::vector<RemoteQuestion>& questions = plan_->select->stages[waiting.stage].questions;
  const uint64_t open = reader.Varint();
  if (open == 0 || open > questions.size()) return false;
  for (uint64_t i = 0; i < open; ++i) {
    Open one;
    one.question = static_cast<uint32_t>(reader.Varint());
    std::vector<model::RemoteValue> inputs;
    if (one.question >= questions.size() || !model::ReadRemoteValues(reader, inputs)) return false;
    if (inputs.size() != questions[one.question].input_slots.size()) return false;
    model::AppendRemoteValues(inputs, one.inputs);
    waiting.open.push_back(std::move(one));
  }
  const uint64_t answers = reader.Varint();
  if (answers > questions.size()) return false;
  for (uint64_t i = 0; i < answers; ++i) {
    Result<RemoteAnswer> answer = RemoteAnswer::Decode(reader.String());
    if (!answer.ok() || answer->question >= questions.size()) return false;
    waiting.answers.push_back(std::move(answer).value());
  }
  waiting.row = std::string(reader.String());
  // As Restore reads it.
  base::ByteReader row(waiting.row);
  row.Varint();
  row.Zigzag();
  row.Zigzag();
  row.U8();
  row.String();
  const uint64_t count = row.Varint();
  if (!row.ok() || count > slots()) return false;
  for (uint64_t slot = 0; slot < count; ++slot) {
    row::Value value;
    if (!state::ReadValue(TypeOf(slot), row, &value)) return false;
  }
  if (!reader.ok() || row.remaining() != 0) return false;
  held_.insert(waiting.watermark);
  bytes_ += waiting.bytes();
  return waiting_.emplace(key, std::move(waiting)).second;
}

}  // namespace headrace::flow
