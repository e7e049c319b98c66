#include "engine/answer.h"

#include <charconv>

#include "base/bytes.h"
#include "base/hash.h"

namespace headrace::engine {
namespace {

constexpr uint8_t kVersion = 1;

Error Damaged() {
  return Error(ErrorKind::kCorruption, "HR5306", "a kept answer is damaged")
      .WithHint("run `headrace log verify`");
}

void WritePlaces(const std::vector<Placed>& places, base::ByteWriter& writer) {
  writer.Varint(places.size());
  for (const Placed& place : places) {
    writer.Zigzag(place.partition);
    writer.Zigzag(place.first_offset);
    writer.Zigzag(place.count);
  }
}

void ReadPlaces(base::ByteReader& reader, std::vector<Placed>& places) {
  for (uint64_t i = reader.Varint(); i > 0 && reader.ok(); --i) {
    Placed& place = places.emplace_back();
    place.partition = static_cast<int32_t>(reader.Zigzag());
    place.first_offset = reader.Zigzag();
    place.count = reader.Zigzag();
  }
}

bool ReadHead(base::ByteReader& reader, AnswerKey* key, uint64_t* fingerprint) {
  const bool known = reader.U8() == kVersion;
  for (uint64_t& half : *key)
    half = reader.U64Le();
  *fingerprint = reader.U64Le();
  return known && reader.ok();
}

}  // namespace

AnswerKey KeyOf(std::string_view topic, std::string_view idempotency_key) {
  std::string bytes;
  base::ByteWriter writer(bytes);
  writer.String(topic);
  writer.Bytes(idempotency_key);
  const std::string hex = base::Sha256Hex(bytes);
  AnswerKey key{};
  for (size_t i = 0; i < key.size(); ++i)
    std::from_chars(hex.data() + i * 16, hex.data() + i * 16 + 16, key[i], 16);
  return key;
}

std::string Answer::Encode() const {
  std::string out;
  base::ByteWriter writer(out);
  writer.U8(kVersion);
  for (uint64_t half : key)
    writer.U64Le(half);
  writer.U64Le(fingerprint);
  writer.Varint(accepted);
  WritePlaces(placed, writer);
  writer.Varint(rejected.size());
  for (const Rejection& rejection : rejected) {
    writer.Varint(rejection.index);
    writer.String(rejection.error.code());
    writer.String(rejection.error.message());
    writer.String(rejection.error.place());
  }
  writer.String(return_stream);
  WritePlaces(rows, writer);
  return out;
}

Result<Answer> Answer::Decode(std::string_view bytes) {
  base::ByteReader reader(bytes);
  Answer answer;
  if (!ReadHead(reader, &answer.key, &answer.fingerprint)) return Damaged();
  answer.accepted = reader.Varint();
  ReadPlaces(reader, answer.placed);
  for (uint64_t i = reader.Varint(); i > 0 && reader.ok(); --i) {
    const uint64_t index = reader.Varint();
    std::string code(reader.String());
    std::string message(reader.String());
    Error error(ErrorKind::kInvalidArgument, std::move(code), std::move(message));
    answer.rejected.push_back({index, std::move(error).AtPlace(std::string(reader.String()))});
  }
  answer.return_stream = std::string(reader.String());
  ReadPlaces(reader, answer.rows);
  if (!reader.ok() || reader.remaining() != 0) return Damaged();
  return answer;
}

Status Answer::DecodeHead(std::string_view bytes, AnswerKey* key, uint64_t* fingerprint) {
  base::ByteReader reader(bytes);
  if (!ReadHead(reader, key, fingerprint)) return Damaged();
  return Ok();
}

uint64_t BytesOf(const std::vector<Rejection>& rejected) {
  constexpr uint64_t kNumbers = 8;
  uint64_t bytes = 0;
  for (const auto& [index, error] : rejected)
    bytes += kNumbers + error.code().size() + error.message().size() + error.place().size();
  return bytes;
}

void AddPlace(std::vector<Placed>& places, int32_t partition, int64_t offset) {
  const bool continues = !places.empty() && places.back().partition == partition &&
                         places.back().first_offset + places.back().count == offset;
  if (continues) {
    ++places.back().count;
  } else {
    places.push_back({partition, offset, 1});
  }
}

std::string IdentifiedRow(const std::string& stream, int32_t partition, int64_t offset,
                          std::string_view json) {
  std::string row = "{\"_id\":\"" + stream + ":" + std::to_string(partition) + ":" +
                    std::to_string(offset) + "\"";
  if (json.size() > 2) row += ",";
  row += json.substr(1);
  return row;
}

}  // namespace headrace::engine
