#include "engine/engine_state.h"

#include "base/bytes.h"

namespace headrace::engine {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

std::string EngineState::Encode() const {
  std::string out;
  base::ByteWriter writer(out);
  writer.U8(kVersion);
  writer.Varint(positions.size());
  for (const auto& [of, position] : positions) {
    writer.String(of.first);
    writer.String(of.second);
    writer.Varint(position.bytes);
    writer.Varint(position.events);
  }
  writer.Varint(finished.size());
  for (const auto& [stream, events] : finished) {
    writer.String(stream);
    writer.Zigzag(events);
  }
  writer.Varint(next_offsets.size());
  for (const auto& [of, offset] : next_offsets) {
    writer.String(of.first);
    writer.Zigzag(of.second);
    writer.Zigzag(offset);
  }
  writer.String(graph);
  return out;
}

Result<EngineState> EngineState::Decode(std::string_view bytes) {
  base::ByteReader reader(bytes);
  EngineState state;
  const bool known = reader.U8() == kVersion;
  for (uint64_t i = reader.Varint(); known && i > 0 && reader.ok(); --i) {
    std::string topic(reader.String());
    ReadPosition& position = state.positions[{std::move(topic), std::string(reader.String())}];
    position.bytes = reader.Varint();
    position.events = reader.Varint();
  }
  for (uint64_t i = reader.Varint(); known && i > 0 && reader.ok(); --i) {
    std::string stream(reader.String());
    state.finished[std::move(stream)] = reader.Zigzag();
  }
  for (uint64_t i = reader.Varint(); known && i > 0 && reader.ok(); --i) {
    std::string topic(reader.String());
    const auto partition = static_cast<int32_t>(reader.Zigzag());
    state.next_offsets[{std::move(topic), partition}] = reader.Zigzag();
  }
  state.graph = std::string(reader.String());
  if (!known || !reader.ok() || reader.remaining() != 0) {
    return Error(ErrorKind::kCorruption, "HR5404", "the state in a snapshot does not parse");
  }
  return state;
}

}  // namespace headrace::engine
