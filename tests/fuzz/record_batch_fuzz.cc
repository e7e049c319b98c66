// Any bytes as a Kafka record batch: refused, or records that lie within it and are the same when
// they are written back. The first byte says how much of the batch is made sound, so that what is
// behind the checksum and behind the codecs is met too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "base/hash.h"
#include "headrace/check.h"
#include "log/record_batch.h"

namespace {

using namespace headrace;

constexpr size_t kUncompressedMax = 1 << 20;

// The record's fields; false when the batch is refused.
bool Walk(std::string_view batch, std::vector<std::string>* records) {
  Result<log::RecordReader> reader = log::RecordReader::Open(batch, kUncompressedMax);
  if (!reader.ok()) return false;
  log::Record record;
  while (true) {
    Result<bool> more = reader->Next(&record);
    if (!more.ok()) return false;
    if (!*more) return true;
    std::string text = std::to_string(record.timestamp_ms) + (record.has_key ? "k" : "-");
    text.append(record.key).append("=").append(record.value);
    for (const auto& [key, value] : record.headers)
      text.append(key).append(":").append(value);
    HR_CHECK(text.size() <= 2 * kUncompressedMax + batch.size());
    records->push_back(std::move(text));
  }
}

std::string Rebuilt(std::string_view batch) {
  log::RecordReader reader = log::RecordReader::Open(batch, kUncompressedMax).value();
  log::RecordBatchBuilder builder;
  builder.Begin(reader.header().base_timestamp_ms);
  log::Record record;
  while (reader.Next(&record).value())
    builder.Add(record);
  return builder.Finish();
}

// Length, magic, last offset delta and checksum as they must be.
void Seal(std::string& batch) {
  uint32_t length = __builtin_bswap32(static_cast<uint32_t>(batch.size() - 12));
  std::memcpy(batch.data() + 8, &length, sizeof length);
  batch[16] = 2;
  uint32_t count = 0;
  std::memcpy(&count, batch.data() + 57, sizeof count);
  uint32_t delta = __builtin_bswap32(__builtin_bswap32(count) - 1);
  std::memcpy(batch.data() + 23, &delta, sizeof delta);
  uint32_t crc = __builtin_bswap32(base::Crc32c(std::string_view(batch).substr(21)));
  std::memcpy(batch.data() + 17, &crc, sizeof crc);
}

std::string Packed(std::string_view in, int codec) {
  std::string out(std::max<size_t>(LZ4F_compressFrameBound(in.size(), nullptr), 512) + in.size(),
                  '\0');
  size_t size = 0;
  if (codec == 1) {
    z_stream stream{};
    HR_CHECK(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string input(in);
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    HR_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    size = stream.total_out;
    deflateEnd(&stream);
  } else if (codec == 3) {
    size = LZ4F_compressFrame(out.data(), out.size(), in.data(), in.size(), nullptr);
  } else {
    size = ZSTD_compress(out.data(), out.size(), in.data(), in.size(), 1);
  }
  out.resize(size);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool seal = (data[0] & 1) != 0;
  const bool pack = (data[0] & 2) != 0;
  std::string batch(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (seal && batch.size() >= log::kBatchHeaderSize) {
    const int codec = batch[22] & 7;
    if (pack && (codec == 1 || codec == 3 || codec == 4)) {
      batch = batch.substr(0, log::kBatchHeaderSize) +
              Packed(std::string_view(batch).substr(log::kBatchHeaderSize), codec);
    }
    Seal(batch);
  }
  std::vector<std::string> records;
  if (!Walk(batch, &records)) {
    HR_CHECK(log::Compressed(batch).size() <= batch.size());
    return 0;
  }
  std::vector<std::string> again;
  HR_CHECK(Walk(Rebuilt(batch), &again) && again == records);
  const std::string smaller = log::Compressed(batch);
  if (smaller.empty()) return 0;
  again.clear();
  HR_CHECK(smaller.size() < batch.size() && Walk(smaller, &again) && again == records);
  return 0;
}
