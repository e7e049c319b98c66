// Rows written to files, read back by the readers of columnar_testing.h. tests/compat reads the
// same with the programs of others.

#include "connect/row_file.h"

#include <gtest/gtest.h>

#include "connect/columnar_testing.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"

namespace headrace::connect {
namespace {

using row::Type;
using row::TypeKind;

TEST(RowFile, ItsNameSaysItsFormat) {
  const row::Schema schema = SchemaOf({{"id", {TypeKind::kText}}, {"n", {TypeKind::kBigint}}});
  const std::vector<Texts> rows = {{"a", "1"}, {"b,c", kNull}};
  EXPECT_EQ("id,n\na,1\n\"b,c\",\n", Write("a.csv", schema, rows));
  EXPECT_EQ("{\"id\":\"a\",\"n\":1}\n{\"id\":\"b,c\",\"n\":null}\n",
            Write("a.jsonl", schema, rows));
  EXPECT_EQ("PAR1", Write("a.parquet", schema, rows).substr(0, 4));
  EXPECT_EQ("ARROW1", Write("a.arrow", schema, rows).substr(0, 6));
  os::MemoryFileSystem files;
  auto refused = RowFile::Create(files, "a.xls", schema);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ("HR6605", refused.error().code());
  EXPECT_EQ("name the file .csv, .jsonl, .parquet or .arrow", refused.error().hint());
}

// Bytes of a listing: hexadecimal, `*n` behind one repeats it, `#` begins a comment.
std::string Bytes(std::string_view listing) {
  std::string bytes;
  for (size_t i = 0; i < listing.size();) {
    const size_t end = std::min(listing.find_first_of(" \n", i), listing.size());
    const std::string word(listing.substr(i, end - i));
    i = end + 1;
    if (word.starts_with('#')) {
      i = std::min(listing.find('\n', end), listing.size());
    } else if (!word.empty()) {
      const size_t count = word.size() > 3 ? std::stoul(word.substr(3)) : 1;
      bytes.append(count, static_cast<char>(std::stoi(word.substr(0, 2), nullptr, 16)));
    }
  }
  return bytes;
}

TEST(RowFile, ATinyParquetFileByteByByte) {
  // A field of a struct is a byte of step and type (5 i32, 6 i64, 8 bytes, 9 a list, c a struct)
  // and its value; 00 ends the struct. Integers are zigzag: 04 is 2.
  const std::string pages = Bytes(R"(
      50 41 52 31                                     # PAR1
      # Column id: the header of its page
      15 00 15 14 15 14                               # a data page, of 10 bytes, not packed
      15 e6 d9 e7 93 0a                               # CRC-32 of those
      1c 15 04 15 00 15 06 15 06 00 00                # 2 values, PLAIN, levels RLE
      01 00 00 00 61 01 00 00 00 62                   # 1 byte: a, 1 byte: b; it is never NULL
      # Column n
      15 00 15 14 15 14 15 9f ef c3 bc 03 1c 15 04 15 00 15 06 15 06 00 00
      02 00 00 00 03 01                               # 2 bytes of levels: bits by 8, once: 1, 0
      01 00 00 00                                     # 1, and nothing for the NULL)");
  std::string footer = Bytes(R"(
      15 04                                           # version 2
      19 3c                                           # 3 elements of the schema
      48 06 73 63 68 65 6d 61 15 04 00                # "schema" has 2 children
      15 0c 25 00 18 02 69 64 25 00 4c 1c 00 00 00    # bytes, required, "id", UTF-8, STRING
      15 02 25 02 18 01 6e 00                         # int32, optional, "n"
      16 04                                           # 2 rows
      19 1c 19 2c                                     # 1 row group of 2 chunks
      26 00 1c 15 0c 19 25 00 06 19 18 02 69 64       # bytes; PLAIN and RLE; path "id"
      15 00 16 04 16 42 16 42 26 08                   # not packed, 2 values, 33 bytes, at 4
      3c 36 00 00 00 00                               # no NULL
      26 00 1c 15 02 19 25 00 06 19 18 01 6e
      15 00 16 04 16 42 16 42 26 4a
      3c 36 02                                        # 1 NULL
      28 04 01 00 00 00 18 04 01 00 00 00 11 11       # largest and smallest 1, exactly
      00 00 00
      16 84 01 16 04 26 08 16 84 01 00                # 66 bytes, 2 rows, at 4, 66 as stored)");
  const std::string by = "headrace version " HEADRACE_VERSION;
  footer += Bytes("28") + static_cast<char>(by.size()) + by;
  footer += Bytes("19 2c 1c 00 00 1c 00 00 00         # bounds are in the order of the types");
  std::string size;
  base::ByteWriter(size).U32Le(static_cast<uint32_t>(footer.size()));
  const row::Schema schema =
      SchemaOf({{"id", {TypeKind::kText}, true}, {"n", {TypeKind::kInteger}}});
  EXPECT_EQ(pages + footer + size + "PAR1", Write("a.parquet", schema, {{"a", "1"}, {"b", kNull}}));
}

TEST(RowFile, ATinyArrowFileByteByByte) {
  // A table is found by a word that says how far on it is. It begins with how far back its list of
  // fields is: the length of that, of the table, and for each field where it is, 0 for nowhere.
  const std::string schema = Bytes(R"(
      08 00 0c 00 04 00 08 00                         # Schema: endianness, fields
      08 00 00 00 00 00 00 00 04 00 00 00             # little-endian
      01 00 00 00 18 00 00 00 00*4                    # 1 field
      10 00 14 00 04 00 08 00 09 00 0c 00 00 00 10 00 # Field: name … children
      10 00 00 00 10 00 00 00 01 02 00 00             # nullable, an Int
      1c 00 00 00 24 00 00 00
      01 00 00 00 6e 00 00*6                          # "n"
      08 00 09 00 04 00 08 00                         # Int
      08 00 00 00 20 00 00 00 01 00 00 00             # 32 bits, signed
      00*4                                            # no children)");
  const std::string message = Bytes(R"(
      10 00 00 00                                     # the root is at 16
      0c 00 18 00 04 00 06 00 08 00 10 00             # Message: version, kind, header, body bytes
      0c 00 00 00 04 00)");
  std::string file = Bytes(R"(
      41 52 52 4f 57 31 00 00                         # ARROW1
      ff ff ff ff b0 00 00 00                         # a message of 176 bytes)");
  file += message + Bytes("01 00 18 00 00 00 00*12    # V5, a schema, no body") + schema;
  file += Bytes(R"(
      00*32                                           # up to a multiple of 64
      ff ff ff ff b8 00 00 00                         # a message of 184 bytes)");
  file += message + Bytes(R"(
      03 00 20 00 00 00 00*4 80 00*7                  # V5, a record batch, a body of 128 bytes
      00*6 0a 00 18 00 08 00 10 00 14 00              # RecordBatch: length, nodes, buffers
      0a 00 00 00 00*4 02 00*7                        # 2 rows
      0c 00 00 00 20 00 00 00
      00*4 01 00 00 00 02 00*7 01 00*7                # 1 node: 2 rows, 1 NULL
      00*4 02 00 00 00 00*8 01 00*7                   # 2 buffers: at 0 of 1 byte,
      40 00*7 08 00*7                                 # at 64 of 8
      00*40
      01 00*63                                        # validity: the first row has a value
      01 00*63                                        # 1, and 0 for the NULL
      ff ff ff ff 00 00 00 00                         # no message follows
      10 00 00 00                                     # the footer
      0c 00 14 00 04 00 08 00 0c 00 10 00             # version, schema, dictionaries, batches
      0c 00 00 00 04 00 00 00 18 00 00 00 78 00 00 00 7c 00 00 00 00*4)");
  file += schema + Bytes(R"(
      00*8                                            # no dictionaries
      00*4 01 00 00 00                                # 1 record batch:
      c0 00*7 c0 00*7 80 00*7                         # at 192, 192 bytes before its body, 128 of it
      b8 00 00 00                                     # the footer has 184 bytes
      41 52 52 4f 57 31)");
  EXPECT_EQ(file, Write("a.arrow", SchemaOf({{"n", {TypeKind::kInteger}}}), {{"1"}, {kNull}}));
}

TEST(RowFile, EveryTypeReadsBackFromParquet) {
  const std::vector<Texts> rows = LongRows(21, 1000);
  EXPECT_EQ(EdgeRows(), ReadParquet(Write("a.parquet", EveryType(), EdgeRows()), EveryType()));
  EXPECT_TRUE(rows == ReadParquet(Write("a.parquet", EveryType(), rows), EveryType()));
  EXPECT_EQ(std::vector<Texts>(), ReadParquet(Write("a.parquet", EveryType(), {}), EveryType()));
}

TEST(RowFile, EveryTypeReadsBackFromArrow) {
  const std::vector<Texts> rows = LongRows(21, 1000);
  EXPECT_EQ(EdgeRows(), ReadArrow(Write("a.arrow", EveryType(), EdgeRows()), EveryType()));
  EXPECT_TRUE(rows == ReadArrow(Write("a.arrow", EveryType(), rows), EveryType()));
  EXPECT_EQ(std::vector<Texts>(), ReadArrow(Write("a.arrow", EveryType(), {}), EveryType()));
}

TEST(RowFile, LongFilesAreGroupsOfRows) {
  row::Schema schema = EveryType();
  schema.columns.resize(4);
  const std::vector<Texts> rows = LongRows(4, (2 << 16) + 3);
  const std::string parquet = Write("a.parquet", schema, rows);
  std::vector<int64_t> groups;
  const Thrift footer = ParquetFooter(parquet);
  for (const Thrift& group : footer[4].items)
    groups.push_back(group[3].number);
  EXPECT_EQ((std::vector<int64_t>{65'536, 65'536, 3}), groups);
  EXPECT_TRUE(rows == ReadParquet(parquet, schema));
  const std::string arrow = Write("a.arrow", schema, rows);
  EXPECT_EQ(3U, ArrowFooter(arrow).Sub(3).size());
  EXPECT_TRUE(rows == ReadArrow(arrow, schema));
}

TEST(RowFile, LongValuesMakeGroupsOfFewerRows) {
  const row::Schema schema = SchemaOf({{"name", {TypeKind::kText}}});
  const std::vector<Texts> rows(65, {std::string(1 << 20, 'x')});
  const std::string parquet = Write("a.parquet", schema, rows);
  EXPECT_EQ(2U, ParquetFooter(parquet)[4].items.size());
  EXPECT_LT(parquet.size(), 1U << 20);  // it is packed
  EXPECT_TRUE(rows == ReadParquet(parquet, schema));
  EXPECT_EQ(2U, ArrowFooter(Write("a.arrow", schema, rows)).Sub(3).size());
}

// What the footer says of a column's type: of SchemaElement the type, its length, the converted and
// the logical one, its parameters.
std::string ParquetTypeText(const Thrift& element) {
  std::string text = std::to_string(element[1].number);
  if (element.fields.contains(2)) text += "(" + std::to_string(element[2].number) + ")";
  if (element.fields.contains(6)) text += " c" + std::to_string(element[6].number);
  for (const auto& [logical, parameters] : element[10].fields) {
    text += " l" + std::to_string(logical);
    for (const auto& [id, parameter] : parameters.fields) {
      text += " " + std::to_string(id) + "=";
      text += parameter.fields.empty() ? std::to_string(parameter.number) : "{";
      for (const auto& [unit, nothing] : parameter.fields)
        text += std::to_string(unit) + "}";
    }
  }
  return text + (element[3].number == 0 ? " required" : "");
}

TEST(RowFile, ParquetSaysWhatColumnsAre) {
  const Thrift footer = ParquetFooter(Write("a.parquet", EveryType(), {}));
  Texts types;
  for (size_t i = 1; i < footer[2].items.size(); ++i)
    types.push_back(footer[2].items[i][4].text + " " + ParquetTypeText(footer[2].items[i]));
  EXPECT_EQ((Texts{"id 2 required",
                   "flag 0",
                   "tiny 1 c16 l10 1=16 2=1",
                   "small 1",
                   "large 2",
                   "real4 4",
                   "real8 5",
                   "price 7(6) c5 l5 1=2 2=12",
                   "huge 7(16) c5 l5 1=10 2=38",
                   "any 6 c0 l1",
                   "name 6 c0 l1",
                   "raw 6",
                   "day 1 c6 l6",
                   "clock 2 l7 1=0 2={2}",
                   "local 2 l8 1=0 2={2}",
                   "ts 2 c10 l8 1=1 2={2}",
                   "gap 6 c0 l1",
                   "doc 6 c19 l12",
                   "docb 6 c19 l12",
                   "words 6 c0 l1",
                   "numbers 6 c0 l1"}),
            types);
  EXPECT_EQ(static_cast<int64_t>(EveryType().columns.size()), footer[2].items[0][5].number);
}

TEST(RowFile, ArrowSaysWhatColumnsAre) {
  const std::string file = Write("a.arrow", EveryType(), {});
  const Flat fields = ArrowFooter(file).Sub(1).Sub(1);
  Texts types;
  for (size_t i = 0; i < fields.size(); ++i) {
    const Flat field = fields.Item(i);
    types.push_back(std::string(field.Sub(0).text()) + " " + std::to_string(field.Get<uint8_t>(2)) +
                    (field.Get<uint8_t>(1) == 0 ? " required" : ""));
  }
  EXPECT_EQ(
      (Texts{"id 2 required", "flag 6", "tiny 2", "small 2", "large 2", "real4 3", "real8 3",
             "price 7",       "huge 7", "any 5",  "name 5",  "raw 4",   "day 8",   "clock 9",
             "local 10",      "ts 10",  "gap 5",  "doc 5",   "docb 5",  "words 5", "numbers 5"}),
      types);
  EXPECT_EQ(16, fields.Item(2).Sub(3).Get<int32_t>(0));
  EXPECT_EQ(12, fields.Item(7).Sub(3).Get<int32_t>(0));
  EXPECT_EQ(2, fields.Item(7).Sub(3).Get<int32_t>(1));
  EXPECT_EQ(0U, fields.Item(14).Sub(3).Place(1));
  EXPECT_EQ("UTC", fields.Item(15).Sub(3).Sub(1).text());
}

// Smallest and largest value of the only column of a file, as text.
std::string BoundsText(Type type, const Texts& values) {
  std::vector<Texts> rows;
  for (const std::string& value : values)
    rows.push_back({value});
  const Thrift footer = ParquetFooter(Write("a.parquet", SchemaOf({{"x", type}}), rows));
  const Thrift& statistics = footer[4].items.at(0)[1].items.at(0)[3][12];
  if (!statistics.fields.contains(5)) return "none";
  uint8_t bits = 0;
  base::ByteReader smallest(statistics[6].text);
  base::ByteReader largest(statistics[5].text);
  return PlainText(type, 0, smallest, bits) + " " + PlainText(type, 0, largest, bits);
}

TEST(RowFile, ParquetKnowsTheBoundsOfNumbersAndTimes) {
  EXPECT_EQ("-7 5", BoundsText({TypeKind::kInteger}, {"5", kNull, "-7", "0"}));
  EXPECT_EQ("-7 -5", BoundsText(row::kSmallint, {"-5", kNull, "-7"}));
  EXPECT_EQ("-1.50 200.00", BoundsText({TypeKind::kDecimal, 9, 2}, {"200", "-1.5", "-1", kNull}));
  EXPECT_EQ("1969-01-01 2026-01-01", BoundsText({TypeKind::kDate}, {"2026-01-01", "1969-01-01"}));
  EXPECT_EQ("-1 2.5", BoundsText({TypeKind::kDouble}, {"-1", "2.5", kNull}));
  EXPECT_EQ("-0 0", BoundsText({TypeKind::kDouble}, {"0", "-0"}));
  EXPECT_EQ("none", BoundsText({TypeKind::kDouble}, {"1", "NaN", "2"}));
  EXPECT_EQ("none", BoundsText({TypeKind::kBigint}, {kNull, kNull}));
  EXPECT_EQ("none", BoundsText({TypeKind::kText}, {"a"}));
}

TEST(RowFile, WhatAFormatCannotSayIsRefusedAndTheFileStaysUnfinished) {
  const std::vector<std::pair<Type, std::string>> cases = {{{TypeKind::kDecimal, 12, 2}, "NaN"},
                                                           {{TypeKind::kDate}, "infinity"},
                                                           {{TypeKind::kTime}, "24:00:00"},
                                                           {{TypeKind::kTimestamp}, "-infinity"},
                                                           {{TypeKind::kTimestampTz}, "infinity"}};
  for (const auto& [type, text] : cases) {
    for (const std::string name : {"/out/a.parquet", "/out/a.arrow"}) {
      const row::Schema schema = SchemaOf({{"x", type}});
      os::MemoryFileSystem files;
      ASSERT_TRUE(files.CreateDirectories("/out").ok());
      auto file = RowFile::Create(files, name, schema).value();
      Parser parse(schema);
      ASSERT_TRUE(file->Append(parse({kNull})).ok());
      Status refused = file->Append(parse({text}));
      ASSERT_FALSE(refused.ok());
      EXPECT_EQ("HR6606", refused.error().code());
      EXPECT_NE(std::string::npos, refused.error().message().find("column x"));
      EXPECT_EQ("HR6606", file->Append(parse({kNull})).error().code());
      EXPECT_EQ("HR6606", file->Finish().error().code());
      const std::string bytes = os::ReadFile(files, name, 1 << 20).value();
      EXPECT_FALSE(bytes.ends_with("PAR1") || bytes.ends_with("ARROW1"));
    }
  }
}

// At every change of the disk the power fails, and an older, longer file stood there before.
TEST(RowFile, AfterACrashAFileIsWholeOrDoesNotLookIt) {
  for (const std::string name : {"/out/a.parquet", "/out/a.arrow"}) {
    const bool parquet = name.ends_with("parquet");
    os::MemoryFileSystem before;
    ASSERT_TRUE(before.CreateDirectories("/out").ok());
    ASSERT_TRUE(WriteRows(before, name, EveryType(), LongRows(21, 2500)).ok());
    const std::string older = os::ReadFile(before, name, 1 << 24).value();
    const std::vector<Texts> rows = LongRows(21, 2000);
    size_t whole = 0;
    bool finished = false;
    for (uint64_t n = 1; !finished; ++n) {
      for (uint64_t seed = 1; seed <= 6; ++seed) {
        const auto disk = before.Clone();
        os::FaultyFileSystem faulty(*disk);
        faulty.CrashAtOperation(n);
        finished = WriteRows(faulty, name, EveryType(), rows).ok();
        faulty.CrashNow();
        disk->Crash(n * 1000 + seed);
        const std::string left = os::ReadFile(*disk, name, 1 << 24).value();
        if (left == older) continue;  // nothing had been written yet
        const std::string_view seal = parquet ? "PAR1" : "ARROW1";
        if (!LooksWhole(left, seal, seal)) {
          EXPECT_FALSE(finished);
          continue;
        }
        ++whole;
        EXPECT_TRUE(rows ==
                    (parquet ? ReadParquet(left, EveryType()) : ReadArrow(left, EveryType())));
      }
    }
    EXPECT_GT(whole, 0U);
  }
}

TEST(RowFile, AFullDiskIsAnErrorAndNoWholeFile) {
  for (const std::string name : {"/out/a.parquet", "/out/a.arrow"}) {
    os::MemoryFileSystem files;
    ASSERT_TRUE(files.CreateDirectories("/out").ok());
    files.SetCapacity(2000);
    Status written = WriteRows(files, name, EveryType(), LongRows(21, 3000));
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(ErrorKind::kNoSpace, written.error().kind());
    const std::string left = os::ReadFile(files, name, 1 << 20).value();
    EXPECT_FALSE(LooksWhole(left, "PAR1", "PAR1") || LooksWhole(left, "ARROW1", "ARROW1"));
  }
}

}  // namespace
}  // namespace headrace::connect
