#include "log/frame.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace headrace::log {
namespace {

constexpr uint64_t kPartitionsMax = 1 << 16;  // far more than a stream may have
constexpr uint32_t kFileMagic = 0x314a5248;   // "HRJ1"

std::string EncodeHeader(const FrameHeader& header, uint32_t crc) {
  std::string out;
  out.reserve(kFrameHeaderSize);
  base::ByteWriter w(out);
  w.U32Le(header.length);
  w.U8(static_cast<uint8_t>(header.kind));
  w.U8(0);
  w.U16Le(0);
  w.U32Le(header.epoch);
  w.U32Le(crc);
  w.U64Le(header.lsn);
  w.U64Le(header.flush);
  return out;
}

uint32_t ChainedCrc(const FrameHeader& header, std::string_view payload, uint32_t seed) {
  return base::Crc32c(payload, base::Crc32c(EncodeHeader(header, 0), seed));
}

}  // namespace

uint32_t AppendFrame(FrameHeader header, std::string_view payload, uint32_t seed,
                     std::string& out) {
  header.length = static_cast<uint32_t>(payload.size());
  uint32_t crc = ChainedCrc(header, payload, seed);
  out += EncodeHeader(header, crc);
  out += payload;
  out.append(FrameSize(payload.size()) - kFrameHeaderSize - payload.size(), '\0');
  return crc;
}

bool ReadFrame(std::string_view bytes, uint32_t epoch, FrameHeader* header,
               std::string_view* payload) {
  base::ByteReader r(bytes);
  header->length = r.U32Le();
  uint8_t kind = r.U8();
  uint32_t zero = r.U8();
  zero |= r.U16Le();
  header->epoch = r.U32Le();
  header->crc = r.U32Le();
  header->lsn = r.U64Le();
  header->flush = r.U64Le();
  if (!r.ok() || kind < 1 || kind > 5 || zero != 0 || header->epoch != epoch ||
      header->length > kFrameBytesMax || FrameSize(header->length) > bytes.size()) {
    return false;
  }
  header->kind = static_cast<FrameKind>(kind);
  *payload = bytes.substr(kFrameHeaderSize, header->length);
  return true;
}

bool CheckFrame(const FrameHeader& header, std::string_view payload, uint32_t seed) {
  return ChainedCrc(header, payload, seed) == header.crc;
}

void EncodeEntry(const Entry& entry, std::string& out) {
  base::ByteWriter w(out);
  if (entry.kind == EntryKind::kBatch) {
    w.String(entry.topic);
    w.Varint(static_cast<uint64_t>(entry.partition));
    w.String(entry.note);
  }
  w.Bytes(entry.bytes);
}

Result<Entry> DecodeEntry(FrameKind kind, std::string_view payload, Lsn lsn) {
  Entry entry;
  entry.lsn = lsn;
  entry.kind = kind == FrameKind::kBatch ? EntryKind::kBatch : EntryKind::kControl;
  base::ByteReader r(payload);
  if (entry.kind == EntryKind::kBatch) {
    entry.topic = std::string(r.String());
    entry.partition = static_cast<int32_t>(r.Varint());
    entry.note = std::string(r.String());
  }
  entry.bytes = std::string(r.Bytes(r.remaining()));
  if (!r.ok()) {
    return Error(ErrorKind::kCorruption, "HR5203", "a journal frame does not parse");
  }
  return entry;
}

std::string EncodeTopic(const std::string& name, const TopicConfig& config) {
  std::string out;
  base::ByteWriter w(out);
  w.String(name);
  w.Varint(static_cast<uint64_t>(config.partitions));
  w.Zigzag(config.retention_ms);
  w.Zigzag(config.retention_bytes);
  w.Zigzag(config.segment_bytes);
  return out;
}

Status DecodeTopic(std::string_view payload, std::string* name, TopicConfig* config) {
  base::ByteReader r(payload);
  *name = std::string(r.String());
  uint64_t partitions = r.Varint();
  config->partitions = static_cast<int32_t>(partitions);
  config->retention_ms = r.Zigzag();
  config->retention_bytes = r.Zigzag();
  config->segment_bytes = r.Zigzag();
  bool sound = r.ok() && r.remaining() == 0 && partitions > 0 && partitions <= kPartitionsMax;
  if (sound) return Ok();
  return Error(ErrorKind::kCorruption, "HR5203", "a topic frame does not parse");
}

std::string EncodeFileHeader(const FileHeader& header) {
  std::string out;
  base::ByteWriter w(out);
  w.U32Le(kFileMagic);
  w.U32Le(header.epoch);
  w.U64Le(header.sequence);
  w.U64Le(header.first_lsn);
  w.U32Le(header.seed);
  w.U32Le(base::Crc32c(out));
  out.resize(kFileHeaderSize, '\0');
  return out;
}

bool DecodeFileHeader(std::string_view bytes, FileHeader* header) {
  base::ByteReader r(bytes);
  uint32_t magic = r.U32Le();
  header->epoch = r.U32Le();
  header->sequence = r.U64Le();
  header->first_lsn = r.U64Le();
  header->seed = r.U32Le();
  uint32_t crc = r.U32Le();
  return r.ok() && magic == kFileMagic && bytes.size() >= kFileHeaderSize &&
         base::Crc32c(bytes.substr(0, 28)) == crc;
}

}  // namespace headrace::log
