#include "log/record_batch.h"

#include <array>
#include <cstring>

#include <zlib.h>
#include <zstd.h>

#include <gtest/gtest.h>

namespace headrace::log {
namespace {

// The definition of CRC-32C, bit by bit: nothing in common with the tables of base/hash.cc.
uint32_t SlowCrc32c(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
  }
  return ~crc;
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

uint32_t BigEndian32(std::string_view bytes, size_t at) {
  uint32_t v = 0;
  for (size_t i = 0; i < 4; ++i)
    v = v << 8 | static_cast<unsigned char>(bytes[at + i]);
  return v;
}

// The batch with its checksum and length as they must be.
std::string Sealed(std::string batch) {
  uint32_t length = __builtin_bswap32(static_cast<uint32_t>(batch.size() - 12));
  std::memcpy(batch.data() + 8, &length, sizeof length);
  uint32_t crc = __builtin_bswap32(SlowCrc32c(std::string_view(batch).substr(21)));
  std::memcpy(batch.data() + 17, &crc, sizeof crc);
  return batch;
}

std::string Ten(size_t value_size = 200) {
  RecordBatchBuilder builder;
  builder.Begin(1000);
  std::string value(value_size, 'v');
  for (int64_t i = 0; i < 10; ++i) {
    std::string key = "key" + std::to_string(i);
    builder.Add({.timestamp_ms = 1000 + i, .has_key = true, .key = key, .value = value});
  }
  return builder.Finish();
}

// What a batch says, in one string; or the error.
std::string Contents(std::string_view batch) {
  Result<RecordReader> reader = RecordReader::Open(batch, 1 << 20);
  if (!reader.ok()) return reader.error().ToString();
  std::string out;
  Record record;
  while (true) {
    Result<bool> more = reader->Next(&record);
    if (!more.ok()) return more.error().ToString();
    if (!*more) return out;
    out += std::to_string(record.offset) + "@" + std::to_string(record.timestamp_ms) + " ";
    out += record.has_key ? "'" + std::string(record.key) + "'" : "-";
    out += "=" + std::string(record.value);
    for (const auto& [key, value] : record.headers)
      out += " " + std::string(key) + ":" + std::string(value);
    out += "\n";
  }
}

// With its records replaced by `records` and the codec set.
std::string Repacked(const std::string& batch, int codec, const std::string& records) {
  std::string out = batch.substr(0, kBatchHeaderSize) + records;
  out.replace(22, 1, 1, static_cast<char>(codec));
  return Sealed(out);
}

std::string Gzip(std::string_view in) {
  z_stream stream{};
  EXPECT_EQ(Z_OK, deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY));
  std::string input(in);
  std::string out(in.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(Z_STREAM_END, deflate(&stream, Z_FINISH));
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Zstd(std::string_view in) {
  std::string out(ZSTD_compressBound(in.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), in.data(), in.size(), 3));
  return out;
}

// Bytes that were put together by hand, field by field, from the format's definition.
TEST(RecordBatch, HasTheBytesOfTheFormat) {
  RecordBatchBuilder builder;
  builder.Begin(1'700'000'000'000, 4711, 3, 17);
  std::string value(70, 'x');
  builder.Add({.timestamp_ms = 1'700'000'000'000, .has_key = true, .key = "k", .value = "v1"});
  builder.Add({.timestamp_ms = 1'699'999'999'995,
               .value = "",
               .headers = {{"h", std::string_view("\xff\0", 2)}}});
  builder.Add({.timestamp_ms = 1'700'000'000'300, .has_key = true, .key = "", .value = value});
  EXPECT_EQ(builder.count(), 3);
  std::string batch = builder.Finish();
  std::string x70;
  for (int i = 0; i < 70; ++i)
    x70 += "78";
  EXPECT_EQ(batch, FromHex("0000000000000000"      // base offset
                           "00000097"              // length of what follows
                           "00000000"              // partition leader epoch
                           "02"                    // magic
                           "c43a92f1"              // CRC-32C
                           "0000"                  // attributes
                           "00000002"              // last offset delta
                           "0000018bcfe56800"      // base timestamp
                           "0000018bcfe5692c"      // largest timestamp
                           "0000000000001267"      // producer
                           "0003"                  // its epoch
                           "00000011"              // base sequence
                           "00000003"              // records
                           "12000000026b0476"      // first
                           "3100"                  //
                           "16000902010002026804"  // second
                           "ff00"                  //
                           "9c0100d80404008c01" +  // third
                           x70 +
                           "00"));
}

TEST(RecordBatch, TheChecksumIsCrc32cFromTheAttributesOn) {
  EXPECT_EQ(SlowCrc32c("123456789"), 0xe3069283U);  // the check value of the algorithm
  for (size_t size : {0, 1, 7, 8, 63, 64, 1000, 70000}) {
    std::string batch = Ten(size);
    EXPECT_EQ(BigEndian32(batch, 17), SlowCrc32c(std::string_view(batch).substr(21))) << size;
  }
}

TEST(RecordBatch, ReadsBackWhatWasAdded) {
  RecordBatchBuilder builder;
  builder.Begin(-5, 1, 2, 3);
  builder.Add({.timestamp_ms = INT64_MIN, .has_key = true, .key = "a", .value = "1"});
  builder.Add({.timestamp_ms = INT64_MAX, .value = "2", .headers = {{"", ""}, {"h", "w"}}});
  std::string batch = builder.Finish();
  SetBaseOffset(batch, 100);
  EXPECT_EQ(Contents(batch), "100@-9223372036854775808 'a'=1\n101@9223372036854775807 -=2 : h:w\n");
  Result<BatchHeader> header = ReadHeader(batch);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->producer_id, 1);
  EXPECT_EQ(header->producer_epoch, 2);
  EXPECT_EQ(header->base_sequence, 3);
  EXPECT_EQ(header->record_count, 2);
  EXPECT_EQ(header->last_offset_delta, 1);
  EXPECT_EQ(header->max_timestamp_ms, INT64_MAX);
}

TEST(RecordBatch, TheBuilderStartsAnewEachTime) {
  RecordBatchBuilder builder;
  std::array<std::string, 2> twins;
  for (std::string& twin : twins) {
    builder.Begin(10);
    builder.Add({.timestamp_ms = 11, .value = "x"});
    twin = builder.Finish();
    EXPECT_EQ(builder.count(), 0);
  }
  EXPECT_EQ(twins[0], twins[1]);
}

TEST(RecordBatch, SettingTheBaseOffsetKeepsTheChecksum) {
  std::string batch = Ten();
  SetBaseOffset(batch, int64_t{1} << 40);
  ASSERT_TRUE(ReadHeader(batch).ok());
  EXPECT_EQ(ReadHeader(batch)->base_offset, int64_t{1} << 40);
}

TEST(RecordBatch, EveryFlippedBitIsFound) {
  const std::string batch = Ten(20);
  const std::string contents = Contents(batch);
  for (size_t bit = 0; bit < batch.size() * 8; ++bit) {
    size_t at = bit / 8;
    std::string bad = batch;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (bit % 8)));
    // The base offset and the leader epoch lie outside the checksum; frames and segments cover
    // them with their own.
    bool outside = at < 8 || (at >= 12 && at < 16);
    EXPECT_EQ(ReadHeader(bad).ok(), outside) << "bit " << bit;
  }
}

TEST(RecordBatch, EveryOtherLengthIsFound) {
  const std::string batch = Ten(20);
  for (size_t size = 0; size < batch.size(); ++size) {
    Result<BatchHeader> header = ReadHeader(std::string_view(batch).substr(0, size));
    ASSERT_FALSE(header.ok()) << size;
    EXPECT_EQ(header.error().kind(), ErrorKind::kCorruption);
  }
  EXPECT_FALSE(ReadHeader(batch + '\0').ok());
}

TEST(RecordBatch, CompressedHoldsTheSameRecordsInLessSpace) {
  const std::string batch = Ten();
  std::string packed = Compressed(batch);
  ASSERT_FALSE(packed.empty());
  EXPECT_LT(packed.size(), batch.size() / 2);
  EXPECT_EQ(Contents(packed), Contents(batch));
  EXPECT_EQ(ReadHeader(packed)->attributes, 3);
  EXPECT_EQ(BigEndian32(packed, 17), SlowCrc32c(std::string_view(packed).substr(21)));
  EXPECT_EQ(Compressed(packed), "") << "compressed twice";
}

TEST(RecordBatch, WhatDoesNotCompressStaysAsItIs) {
  RecordBatchBuilder builder;
  builder.Begin(0);
  std::string noise;
  uint64_t x = 1;
  for (int i = 0; i < 1000; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    noise += static_cast<char>(x);
  }
  builder.Add({.value = noise});
  EXPECT_EQ(Compressed(builder.Finish()), "");
  EXPECT_EQ(Compressed("no batch"), "");
}

TEST(RecordBatch, ReadsGzipAndZstdOfProducers) {
  const std::string batch = Ten();
  const std::string records = batch.substr(kBatchHeaderSize);
  EXPECT_EQ(Contents(Repacked(batch, 1, Gzip(records))), Contents(batch));
  EXPECT_EQ(Contents(Repacked(batch, 4, Zstd(records))), Contents(batch));
  Result<RecordReader> snappy = RecordReader::Open(Repacked(batch, 2, records));
  ASSERT_FALSE(snappy.ok());
  EXPECT_EQ(snappy.error().code(), "HR5202");
}

TEST(RecordBatch, DamagedCompressionIsAnError) {
  const std::string batch = Ten();
  const std::string records = batch.substr(kBatchHeaderSize);
  const std::string lz4 = Compressed(batch).substr(kBatchHeaderSize);
  for (const auto& [codec, packed] :
       {std::pair{1, Gzip(records)}, std::pair{3, lz4}, std::pair{4, Zstd(records)}}) {
    for (size_t size = 0; size < packed.size(); size += 5) {
      std::string cut = Contents(Repacked(batch, codec, packed.substr(0, size)));
      // All of it, when only a trailing checksum is missing; never a part of it.
      EXPECT_TRUE(cut.starts_with("HR5201") || cut == Contents(batch)) << codec << " " << size;
    }
    EXPECT_TRUE(Contents(Repacked(batch, codec, "nothing of the sort")).starts_with("HR5201"));
  }
}

TEST(RecordBatch, ABombIsStoppedAtTheLimit) {
  const std::string zeros(4 << 20, '\0');
  for (const auto& [codec, packed] : {std::pair{1, Gzip(zeros)}, std::pair{4, Zstd(zeros)}}) {
    Result<RecordReader> reader = RecordReader::Open(Repacked(Ten(), codec, packed), 1 << 20);
    ASSERT_FALSE(reader.ok());
    EXPECT_NE(reader.error().message().find("over the limit"), std::string::npos);
  }
}

// A producer may send anything with a good checksum.
TEST(RecordBatch, RecordsThatDoNotParseAreRefused) {
  const std::string batch = Ten(5);
  // Of the first record: length, attributes, timestamp, offset delta, key length, …
  const std::string first = batch.substr(kBatchHeaderSize, 6);
  EXPECT_EQ(first, FromHex("1e000000086b"));
  auto with = [&](size_t at, char byte) {
    std::string bad = batch;
    bad[kBatchHeaderSize + at] = byte;
    return Contents(Sealed(bad));
  };
  EXPECT_TRUE(with(0, '\x20').starts_with("HR5201")) << "longer than it is";
  EXPECT_TRUE(with(0, '\x01').starts_with("HR5201")) << "a negative length";
  EXPECT_TRUE(with(3, '\x02').starts_with("HR5201")) << "an offset that is not its own";
  EXPECT_TRUE(with(4, '\x7e').starts_with("HR5201")) << "a key longer than the record";
  EXPECT_TRUE(Contents(Sealed(batch + "x")).starts_with("HR5201")) << "bytes behind the last";
  std::string fewer = batch;
  fewer[60] = '\x09';
  EXPECT_FALSE(ReadHeader(Sealed(fewer)).ok()) << "counts that disagree";
  fewer[26] = '\x08';
  EXPECT_TRUE(Contents(Sealed(fewer)).starts_with("HR5201")) << "more records than counted";
}

}  // namespace
}  // namespace headrace::log
