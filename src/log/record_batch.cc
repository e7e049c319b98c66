#include "log/record_batch.h"

#include <algorithm>

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/hash.h"

namespace headrace::log {
namespace {

constexpr size_t kCrcOffset = 17;         // of the crc field
constexpr size_t kAttributesOffset = 21;  // the CRC covers from here on
constexpr size_t kMaxTimestampOffset = 35;
constexpr int16_t kCodecMask = 7;
constexpr int kLz4Level = -8;  // a sixth faster than 0, and a twentieth larger

Error Corrupt(const std::string& what) {
  return Error(ErrorKind::kCorruption, "HR5201", "record batch: " + what)
      .WithHint("run `headrace log verify`");
}

// Sums and differences of what stands in a batch: any bits are possible, so they wrap.
int64_t Plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

int64_t Minus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

size_t ZigzagSize(int64_t v) {
  uint64_t z = (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
  size_t size = 1;
  while (z >= 0x80) {
    z >>= 7;
    ++size;
  }
  return size;
}

size_t BytesSize(std::string_view bytes) {
  return ZigzagSize(static_cast<int64_t>(bytes.size())) + bytes.size();
}

// At most ten bytes. Returns their end.
char* PutZigzag(int64_t v, char* to) {
  uint64_t z = (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
  for (; z >= 0x80; z >>= 7)
    *to++ = static_cast<char>(z | 0x80);
  *to++ = static_cast<char>(z);
  return to;
}

void PutBytes(base::ByteWriter& w, std::string_view bytes) {
  w.Zigzag(static_cast<int64_t>(bytes.size()));
  w.Bytes(bytes);
}

template <typename Step>
Result<std::string> Inflate(size_t bytes_max, Step step) {
  std::string out;
  size_t used = 0;
  while (true) {
    if (used == out.size()) {
      if (out.size() >= bytes_max) return Corrupt("uncompressed records are over the limit");
      out.resize(std::min(bytes_max, std::max<size_t>(64 << 10, out.size() * 2)));
    }
    size_t written = 0;
    int state = step(out.data() + used, out.size() - used, &written);  // 1 done, 0 more, -1 bad
    used += written;
    if (state < 0) return Corrupt("the compressed records are damaged");
    if (state > 0) break;
  }
  out.resize(used);
  return out;
}

Result<std::string> InflateGzip(std::string_view in, size_t bytes_max) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 32) != Z_OK) return Corrupt("zlib did not start");
  // zlib takes a non-const pointer that it does not write through.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  auto result = Inflate(bytes_max, [&](char* to, size_t room, size_t* written) {
    stream.next_out = reinterpret_cast<Bytef*>(to);
    stream.avail_out = static_cast<uInt>(room);
    int code = inflate(&stream, Z_NO_FLUSH);
    *written = room - stream.avail_out;
    if (code == Z_STREAM_END) return 1;
    bool stuck = *written == 0 && stream.avail_in == 0;
    return code == Z_OK && !stuck ? 0 : -1;
  });
  inflateEnd(&stream);
  return result;
}

Result<std::string> InflateLz4(std::string_view in, size_t bytes_max) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0U) {
    return Corrupt("lz4 did not start");
  }
  size_t at = 0;
  auto result = Inflate(bytes_max, [&](char* to, size_t room, size_t* written) {
    size_t consumed = in.size() - at;
    *written = room;
    size_t code = LZ4F_decompress(context, to, written, in.data() + at, &consumed, nullptr);
    at += consumed;
    if (LZ4F_isError(code) != 0U) return -1;
    if (code == 0) return 1;
    return *written == 0 && consumed == 0 ? -1 : 0;
  });
  LZ4F_freeDecompressionContext(context);
  return result;
}

Result<std::string> InflateZstd(std::string_view in, size_t bytes_max) {
  ZSTD_DStream* stream = ZSTD_createDStream();
  ZSTD_inBuffer input{in.data(), in.size(), 0};
  auto result = Inflate(bytes_max, [&](char* to, size_t room, size_t* written) {
    ZSTD_outBuffer output{to, room, 0};
    size_t before = input.pos;
    size_t code = ZSTD_decompressStream(stream, &output, &input);
    *written = output.pos;
    if (ZSTD_isError(code) != 0U) return -1;
    if (code == 0) return 1;
    return output.pos == 0 && input.pos == before ? -1 : 0;
  });
  ZSTD_freeDStream(stream);
  return result;
}

}  // namespace

void RecordBatchBuilder::Begin(int64_t base_timestamp_ms, int64_t producer_id,
                               int16_t producer_epoch, int32_t base_sequence) {
  bytes_.reserve(expected_bytes_);
  bytes_.assign(kBatchHeaderSize, '\0');
  base_timestamp_ms_ = max_timestamp_ms_ = base_timestamp_ms;
  producer_id_ = producer_id;
  producer_epoch_ = producer_epoch;
  base_sequence_ = base_sequence;
  count_ = 0;
}

void RecordBatchBuilder::Add(const Record& record) {
  int64_t delta = Minus(record.timestamp_ms, base_timestamp_ms_);
  size_t length = 1 + ZigzagSize(delta) + ZigzagSize(count_) +
                  (record.has_key ? BytesSize(record.key) : 1) + BytesSize(record.value) +
                  ZigzagSize(static_cast<int64_t>(record.headers.size()));
  for (const auto& [key, value] : record.headers)
    length += BytesSize(key) + BytesSize(value);
  // Everything before the key or value in one piece.
  char front[64];
  char* to = PutZigzag(static_cast<int64_t>(length), front);
  *to++ = 0;
  to = PutZigzag(delta, to);
  to = PutZigzag(count_, to);
  if (record.has_key) {
    to = PutZigzag(static_cast<int64_t>(record.key.size()), to);
    bytes_.append(front, static_cast<size_t>(to - front)).append(record.key);
    to = front;
  } else {
    to = PutZigzag(-1, to);
  }
  to = PutZigzag(static_cast<int64_t>(record.value.size()), to);
  bytes_.append(front, static_cast<size_t>(to - front)).append(record.value);
  base::ByteWriter w(bytes_);
  w.Zigzag(static_cast<int64_t>(record.headers.size()));
  for (const auto& [key, value] : record.headers) {
    PutBytes(w, key);
    PutBytes(w, value);
  }
  max_timestamp_ms_ = std::max(max_timestamp_ms_, record.timestamp_ms);
  ++count_;
}

namespace {

std::string EncodeHeader(const BatchHeader& header) {
  std::string out;
  base::ByteWriter w(out);
  w.U64Be(static_cast<uint64_t>(header.base_offset));
  w.U32Be(static_cast<uint32_t>(header.length));
  w.U32Be(static_cast<uint32_t>(header.leader_epoch));
  w.U8(2);
  w.U32Be(header.crc);
  w.U16Be(static_cast<uint16_t>(header.attributes));
  w.U32Be(static_cast<uint32_t>(header.last_offset_delta));
  w.U64Be(static_cast<uint64_t>(header.base_timestamp_ms));
  w.U64Be(static_cast<uint64_t>(header.max_timestamp_ms));
  w.U64Be(static_cast<uint64_t>(header.producer_id));
  w.U16Be(static_cast<uint16_t>(header.producer_epoch));
  w.U32Be(static_cast<uint32_t>(header.base_sequence));
  w.U32Be(static_cast<uint32_t>(header.record_count));
  return out;
}

// Writes the header over the first bytes of `batch`, with length and CRC as they must be.
void Seal(BatchHeader header, std::string& batch) {
  header.length = static_cast<int32_t>(batch.size() - 12);
  batch.replace(0, kBatchHeaderSize, EncodeHeader(header));
  uint32_t crc = base::Crc32c(std::string_view(batch).substr(kAttributesOffset));
  crc = __builtin_bswap32(crc);
  std::memcpy(batch.data() + kCrcOffset, &crc, sizeof crc);
}

}  // namespace

std::string RecordBatchBuilder::Finish() {
  BatchHeader header;
  header.last_offset_delta = count_ - 1;
  header.base_timestamp_ms = base_timestamp_ms_;
  header.max_timestamp_ms = max_timestamp_ms_;
  header.producer_id = producer_id_;
  header.producer_epoch = producer_epoch_;
  header.base_sequence = base_sequence_;
  header.record_count = count_;
  Seal(header, bytes_);
  count_ = 0;
  expected_bytes_ = bytes_.size() + bytes_.size() / 8;
  return std::move(bytes_);
}

Result<BatchHeader> ReadHeader(std::string_view batch) {
  if (batch.size() < kBatchHeaderSize) return Corrupt("shorter than its header");
  base::ByteReader r(batch);
  BatchHeader header;
  header.base_offset = static_cast<int64_t>(r.U64Be());
  header.length = static_cast<int32_t>(r.U32Be());
  header.leader_epoch = static_cast<int32_t>(r.U32Be());
  uint8_t magic = r.U8();
  header.crc = r.U32Be();
  header.attributes = static_cast<int16_t>(r.U16Be());
  header.last_offset_delta = static_cast<int32_t>(r.U32Be());
  header.base_timestamp_ms = static_cast<int64_t>(r.U64Be());
  header.max_timestamp_ms = static_cast<int64_t>(r.U64Be());
  header.producer_id = static_cast<int64_t>(r.U64Be());
  header.producer_epoch = static_cast<int16_t>(r.U16Be());
  header.base_sequence = static_cast<int32_t>(r.U32Be());
  header.record_count = static_cast<int32_t>(r.U32Be());
  if (magic != 2) return Corrupt("magic is not 2");
  if (header.length < 0 || static_cast<size_t>(header.length) + 12 != batch.size()) {
    return Corrupt("the length does not match");
  }
  if (header.record_count < 0 || header.last_offset_delta != header.record_count - 1) {
    return Corrupt("the counts do not match");
  }
  if (base::Crc32c(batch.substr(kAttributesOffset)) != header.crc) {
    return Corrupt("the checksum does not match");
  }
  return header;
}

void SetBaseOffset(std::string& batch, int64_t base_offset) {
  uint64_t big = __builtin_bswap64(static_cast<uint64_t>(base_offset));
  std::memcpy(batch.data(), &big, sizeof big);
}

int64_t MaxTimestamp(std::string_view batch) {
  uint64_t big = 0;
  std::memcpy(&big, batch.data() + kMaxTimestampOffset, sizeof big);
  return static_cast<int64_t>(__builtin_bswap64(big));
}

std::string Compressed(const std::string& batch) {
  Result<BatchHeader> header = ReadHeader(batch);
  if (!header.ok() || (header->attributes & kCodecMask) != 0) return "";
  std::string_view records = std::string_view(batch).substr(kBatchHeaderSize);
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.compressionLevel = kLz4Level;
  size_t room = LZ4F_compressFrameBound(records.size(), &preferences);
  auto packed = std::make_unique_for_overwrite<char[]>(room);
  size_t size =
      LZ4F_compressFrame(packed.get(), room, records.data(), records.size(), &preferences);
  if (LZ4F_isError(size) != 0U || size + size / 8 > records.size()) return "";
  std::string out;
  out.reserve(kBatchHeaderSize + size);
  out.append(batch, 0, kBatchHeaderSize).append(packed.get(), size);
  header->attributes = static_cast<int16_t>(header->attributes | 3);
  Seal(*header, out);
  return out;
}

Result<RecordReader> RecordReader::Open(std::string_view batch, size_t uncompressed_bytes_max) {
  RecordReader reader;
  HR_ASSIGN(reader.header_, ReadHeader(batch));
  reader.rest_ = batch.substr(kBatchHeaderSize);
  Result<std::string> inflated = std::string();
  switch (reader.header_.attributes & kCodecMask) {
    case 0:
      return reader;
    case 1:
      inflated = InflateGzip(reader.rest_, uncompressed_bytes_max);
      break;
    case 3:
      inflated = InflateLz4(reader.rest_, uncompressed_bytes_max);
      break;
    case 4:
      inflated = InflateZstd(reader.rest_, uncompressed_bytes_max);
      break;
    default:
      return Error(ErrorKind::kInvalidArgument, "HR5202", "snappy record batches are not supported")
          .WithHint("use gzip, lz4, zstd or no compression");
  }
  if (!inflated.ok()) return std::move(inflated).error();
  reader.buffer_ = std::make_unique<std::string>(std::move(inflated).value());
  reader.rest_ = *reader.buffer_;
  return reader;
}

Result<bool> RecordReader::Next(Record* record) {
  if (read_ == header_.record_count) {
    if (!rest_.empty()) return Corrupt("bytes behind the last record");
    return false;
  }
  base::ByteReader outer(rest_);
  int64_t length = outer.Zigzag();
  if (!outer.ok() || length < 0 || static_cast<uint64_t>(length) > outer.remaining()) {
    return Corrupt("a record is longer than its batch");
  }
  std::string_view bytes = outer.Bytes(static_cast<uint64_t>(length));
  rest_.remove_prefix(rest_.size() - outer.remaining());
  base::ByteReader r(bytes);
  r.U8();
  record->timestamp_ms = Plus(header_.base_timestamp_ms, r.Zigzag());
  record->offset = Plus(header_.base_offset, read_);
  bool dense = r.Zigzag() == read_;
  int64_t key_length = r.Zigzag();
  record->has_key = key_length >= 0;
  record->key = record->has_key ? r.Bytes(static_cast<uint64_t>(key_length)) : std::string_view{};
  int64_t value_length = r.Zigzag();
  record->value =
      value_length < 0 ? std::string_view{} : r.Bytes(static_cast<uint64_t>(value_length));
  int64_t headers = r.Zigzag();
  record->headers.clear();
  for (int64_t i = 0; i < headers && r.ok(); ++i) {
    std::string_view key = r.Bytes(static_cast<uint64_t>(r.Zigzag()));
    int64_t size = r.Zigzag();
    record->headers.emplace_back(
        key, size < 0 ? std::string_view{} : r.Bytes(static_cast<uint64_t>(size)));
  }
  if (!r.ok() || headers < 0 || r.remaining() != 0 || !dense) {
    return Corrupt("a record does not parse");
  }
  ++read_;
  return true;
}

Result<uint64_t> CountRecords(std::string_view batch) {
  HR_ASSIGN(RecordReader reader, RecordReader::Open(batch));
  Record record;
  for (uint64_t count = 0;; ++count) {
    HR_ASSIGN(bool more, reader.Next(&record));
    if (!more) return count;
  }
}

}  // namespace headrace::log
