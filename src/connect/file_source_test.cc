// Files as sources: every way of writing the same rows gives the same events, and damage is named.

#include "connect/file_source.h"

#include <zlib.h>
#include <zstd.h>

#include <gtest/gtest.h>

#include "os/memory_file_system.h"

namespace headrace::connect {
namespace {

using Lines = std::vector<std::string>;

row::Schema TwoColumns() {
  row::Schema schema;
  schema.columns.resize(2);
  schema.columns[0].name = "id";
  schema.columns[0].type = row::Type{row::TypeKind::kText};
  schema.columns[1].name = "n";
  schema.columns[1].type = row::Type{row::TypeKind::kBigint};
  return schema;
}

struct Given {
  Lines payloads;
  SourcePosition end;
  std::string error;  // code
};

// Everything a file gives behind `from`, `chunk` events at a time.
Given ReadAll(const std::string& name, const std::string& bytes, SourcePosition from = {},
              size_t chunk = 2) {
  os::MemoryFileSystem files;
  EXPECT_TRUE(files.CreateDirectories("/in").ok());
  EXPECT_TRUE(os::ReplaceFile(files, "/in/" + name, bytes).ok());
  Given given;
  auto source = FileSource::Open(files, "/in/" + name, TwoColumns(), from, false);
  if (!source.ok()) {
    given.error = source.error().code();
    return given;
  }
  while (true) {
    Result<SourceChunk> next = (*source)->Next(chunk);
    if (!next.ok()) {
      given.error = next.error().code();
      return given;
    }
    for (std::string_view payload : next->payloads)
      given.payloads.emplace_back(payload);
    given.end = next->end;
    if (next->last) return given;
  }
}

std::string Gzip(std::string in) {
  z_stream stream{};
  EXPECT_EQ(Z_OK, deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY));
  std::string out(in.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(Z_STREAM_END, deflate(&stream, Z_FINISH));
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// As the zstd command does: with a checksum.
std::string Zstd(const std::string& in) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(in.size()), '\0');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), in.data(), in.size()));
  ZSTD_freeCCtx(context);
  return out;
}

const std::string kLines =
    "{\"id\":\"a\",\"n\":1}\n{\"id\":\"b\",\"n\":2}\n\n{\"id\":\"c\",\"n\":3}\n";
const std::string kCsv = "id,n\na,1\nb,2\n\nc,3\n";
const Lines kEvents = {R"({"id":"a","n":1})", R"({"id":"b","n":2})", R"({"id":"c","n":3})"};

TEST(FileSource, GivesTheSameEventsHoweverTheyAreWritten) {
  EXPECT_EQ(kEvents, ReadAll("a.jsonl", kLines).payloads);
  EXPECT_EQ(kEvents, ReadAll("a.jsonl", kLines.substr(0, kLines.size() - 1)).payloads);
  EXPECT_EQ(kEvents, ReadAll("a.csv", kCsv).payloads);
  EXPECT_EQ((Lines{R"({"n":1,"id":"a"})", R"({"n":2,"id":"b"})"}),
            ReadAll("a.csv", "n,id\r\n1,a\r\n2,\"b\"").payloads);
  EXPECT_EQ(kEvents, ReadAll("a.jsonl.gz", Gzip(kLines)).payloads);
  EXPECT_EQ(kEvents, ReadAll("a.csv.gz", Gzip("id,n\na,1\n") + Gzip("b,2\nc,3\n")).payloads);
  EXPECT_EQ(kEvents, ReadAll("a.csv.zst", Zstd("id,n\na,1\n") + Zstd("b,2\nc,3\n")).payloads);
}

TEST(FileSource, QuotedFieldsHoldCommasQuotesAndLines) {
  EXPECT_EQ((Lines{R"({"id":"a,b","n":1})", R"({"id":"say \"x\"\nand go","n":2})",
                   R"({"id":"","n":null})"}),
            ReadAll("a.csv", "id,n\n\"a,b\",1\n\"say \"\"x\"\"\nand go\",2\n\"\",\n").payloads);
}

TEST(FileSource, AnOpenQuoteTakesItsLineAloneAndIsNoEvent) {
  EXPECT_EQ((Lines{R"({"id":"a","n":1})", "\"open,2", R"({"id":"c","n":3})"}),
            ReadAll("a.csv", "id,n\na,1\n\"open,2\nc,3\n").payloads);
  std::string many = "id,n\n\"open,0\n";
  for (int i = 0; i < 400'000; ++i)
    many += "row,1\n";
  Given given = ReadAll("a.csv", many, {}, 1000);
  ASSERT_EQ(400'001U, given.payloads.size());
  EXPECT_EQ("\"open,0", given.payloads[0]);
  EXPECT_EQ(R"({"id":"row","n":1})", given.payloads[1]);
}

TEST(FileSource, GoesOnBehindAnyEvent) {
  for (const auto& [name, bytes] :
       {std::pair{"a.jsonl", kLines}, {"a.csv", kCsv}, {"a.csv.gz", Gzip(kCsv)}}) {
    Given whole = ReadAll(name, bytes);
    EXPECT_EQ(3U, whole.end.events);
    os::MemoryFileSystem files;
    ASSERT_TRUE(files.CreateDirectories("/in").ok());
    ASSERT_TRUE(os::ReplaceFile(files, std::string("/in/") + name, bytes).ok());
    auto source =
        FileSource::Open(files, std::string("/in/") + name, TwoColumns(), {}, false).value();
    for (size_t taken = 1; taken <= 3; ++taken) {
      SourcePosition at = source->Next(1).value().end;
      EXPECT_EQ(taken, at.events);
      EXPECT_EQ(Lines(kEvents.begin() + static_cast<ptrdiff_t>(taken), kEvents.end()),
                ReadAll(name, bytes, at).payloads);
    }
  }
}

TEST(FileSource, DamagedCompressionGivesWhatIsWholeAndNamesItself) {
  std::string lines;
  for (int i = 0; i < 20'000; ++i)
    lines += "{\"id\":\"" + std::to_string(i * 7919) + "\",\"n\":" + std::to_string(i) + "}\n";
  for (const auto& [name, packed] :
       {std::pair{"a.jsonl.gz", Gzip(lines)}, {"a.jsonl.zst", Zstd(lines)}}) {
    EXPECT_EQ(20'000U, ReadAll(name, packed, {}, 1000).payloads.size());
    std::string damaged = packed;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
    EXPECT_EQ("HR6602", ReadAll(name, damaged, {}, 1000).error) << name;
    EXPECT_EQ("HR6602", ReadAll(name, packed.substr(0, packed.size() / 2), {}, 1000).error) << name;
  }
}

TEST(FileSource, AHeaderWithoutAColumnOfTheStreamIsRefused) {
  EXPECT_EQ("HR2210", ReadAll("a.csv", "x,y\n1,2\n").error);
}

}  // namespace
}  // namespace headrace::connect
