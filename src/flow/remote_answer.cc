#include "flow/remote_answer.h"

#include "base/bytes.h"

namespace headrace::flow {
namespace {

constexpr uint8_t kVersion = 1;

void Put(row::Place place, base::ByteWriter& writer) {
  writer.Varint(place.lsn);
  writer.Varint(place.index);
}

row::Place TakePlace(base::ByteReader& reader) {
  row::Place place;
  place.lsn = reader.Varint();
  place.index = static_cast<uint32_t>(reader.Varint());
  return place;
}

}  // namespace

std::string_view ToString(RemoteStatus status) {
  constexpr std::string_view kNames[kRemoteStatuses] = {
      "answered",     "timeout",    "unavailable", "refused", "invalid",  "too_large",
      "breaker_open", "queue_full", "past",        "unfit",   "replaced", "other_inputs"};
  return kNames[static_cast<size_t>(status)];
}

RemoteAnswer RemoteAnswer::To(const Ask& ask, RemoteStatus status, std::string detail) {
  RemoteAnswer answer;
  answer.statement = ask.statement;
  answer.row = ask.row;
  answer.question = ask.question;
  answer.event = ask.event;
  answer.fingerprint = ask.fingerprint;
  answer.status = status;
  answer.detail = std::move(detail);
  if (answer.detail.size() > kDetailBytesMax) answer.detail.resize(kDetailBytesMax);
  return answer;
}

size_t RemoteAnswer::bytes() const {
  size_t bytes = sizeof *this + statement.size() + detail.size();
  for (const model::RemoteValue& output : outputs) {
    const auto* text = std::get_if<std::string>(&output);
    bytes += sizeof output + (text == nullptr ? 0 : text->size());
  }
  return bytes;
}

std::string RemoteAnswer::Encode() const {
  std::string bytes;
  base::ByteWriter writer(bytes);
  writer.U8(kVersion);
  writer.String(statement);
  Put(row.cause, writer);
  writer.Varint(row.ordinal);
  writer.Varint(question);
  Put(event, writer);
  writer.U64Le(fingerprint);
  writer.U8(static_cast<uint8_t>(status));
  model::AppendRemoteValues(outputs, bytes);
  writer.String(detail);
  return bytes;
}

Result<RemoteAnswer> RemoteAnswer::Decode(std::string_view bytes) {
  base::ByteReader reader(bytes);
  RemoteAnswer answer;
  bool good = reader.U8() == kVersion;
  answer.statement = std::string(reader.String());
  answer.row.cause = TakePlace(reader);
  answer.row.ordinal = static_cast<uint32_t>(reader.Varint());
  answer.question = static_cast<uint32_t>(reader.Varint());
  answer.event = TakePlace(reader);
  answer.fingerprint = reader.U64Le();
  const uint8_t status = reader.U8();
  good = good && status < kRemoteStatuses && model::ReadRemoteValues(reader, answer.outputs);
  answer.status = static_cast<RemoteStatus>(status);
  answer.detail = std::string(reader.String());
  good = good && answer.detail.size() <= kDetailBytesMax;
  if (good && reader.ok() && reader.remaining() == 0) return answer;
  return Error(ErrorKind::kCorruption, "HR5330", "the answer of a remote model does not parse");
}

}  // namespace headrace::flow
