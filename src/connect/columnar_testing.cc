#include "connect/columnar_testing.h"

#include <algorithm>
#include <array>

#include <zlib.h>
#include <zstd.h>

#include "connect/column_cells.h"
#include "connect/parquet_values.h"
#include "connect/row_file.h"
#include "os/memory_file_system.h"

namespace headrace::connect {

using row::Type;
using row::TypeKind;

namespace {

// Row i of a long file: an edge row with its number, and NULLs in changing patterns.
Texts LongRow(size_t i) {
  Texts texts = EdgeRows()[i % 2];
  texts[0] = std::to_string(i);
  for (size_t c = 1; c < texts.size(); ++c) {
    if (c % 5 == 4 || (c % 5 != 3 && i % (c + 2) == 0)) texts[c] = kNull;
  }
  return texts;
}

std::string TextOf(const row::Value& value, Type type) {
  std::string text;
  row::AppendText(value, type, text);
  return text;
}

// A number of a file as a value of rows.
row::Value ValueOf(std::string_view bytes, Type type) {
  switch (CellKindOf(type)) {
    case CellKind::kInt16:
      return row::Value::Integer(At<int16_t>(bytes, 0));
    case CellKind::kInt32:
      return row::Value::Integer(At<int32_t>(bytes, 0));
    case CellKind::kInt64:
      return row::Value::Integer(At<int64_t>(bytes, 0));
    case CellKind::kFloat:
      return row::Value::Double(static_cast<double>(At<float>(bytes, 0)));
    case CellKind::kDouble:
      return row::Value::Double(At<double>(bytes, 0));
    default:
      return row::Value::Decimal(At<row::Int128>(bytes, 0), type.scale);
  }
}

std::string BytesText(std::string_view bytes, Type type) {
  return type.kind == TypeKind::kBytea ? TextOf(row::Value::Text(bytes), type) : std::string(bytes);
}

Thrift ReadThrift(int type, base::ByteReader& bytes) {
  Thrift value;
  if (type == 1 || type == 2) {
    value.number = type == 1;
  } else if (type == 3) {
    value.number = static_cast<int8_t>(bytes.U8());
  } else if (type == 5 || type == 6) {
    value.number = bytes.Zigzag();
  } else if (type == 8) {
    value.text = bytes.String();
  } else if (type == 9) {
    const uint8_t head = bytes.U8();
    const uint64_t count = head >> 4 == 15 ? bytes.Varint() : head >> 4;
    for (uint64_t i = 0; i < count && bytes.ok(); ++i)
      value.items.push_back(ReadThrift(head & 15, bytes));
  } else {
    EXPECT_EQ(12, type);
    int id = 0;
    for (uint8_t head = bytes.U8(); head != 0 && bytes.ok(); head = bytes.U8()) {
      EXPECT_NE(0, head >> 4);
      id += head >> 4;
      value.fields[id] = ReadThrift(head & 15, bytes);
    }
  }
  EXPECT_TRUE(bytes.ok());
  return value;
}

std::vector<bool> ReadLevels(size_t rows, base::ByteReader& page) {
  base::ByteReader runs(page.Bytes(page.U32Le()));
  std::vector<bool> levels;
  while (runs.remaining() > 0) {
    const uint64_t head = runs.Varint();
    if ((head & 1) == 0) {
      levels.insert(levels.end(), head >> 1, runs.U8() == 1);
      continue;
    }
    for (uint64_t i = 0; i < head >> 1; ++i) {
      const uint8_t bits = runs.U8();
      for (int bit = 0; bit < 8; ++bit)
        levels.push_back((bits >> bit) & 1);
    }
  }
  EXPECT_TRUE(runs.ok());
  EXPECT_GE(levels.size(), rows);
  levels.resize(rows);
  return levels;
}

// The page of a column chunk, unpacked; checks what its header and the metadata say of it.
std::string ReadPage(std::string_view file, const Thrift& meta) {
  const auto place = static_cast<size_t>(meta[9].number);
  base::ByteReader bytes(file.substr(place, static_cast<size_t>(meta[7].number)));
  const Thrift header = ReadThrift(12, bytes);
  EXPECT_EQ(meta[5].number, header[5][1].number);
  EXPECT_EQ(static_cast<size_t>(header[3].number), bytes.remaining());
  const std::string_view stored = bytes.Bytes(bytes.remaining());
  EXPECT_EQ(static_cast<uint32_t>(header[4].number),
            crc32_z(0, reinterpret_cast<const Bytef*>(stored.data()), stored.size()));
  EXPECT_EQ(meta[6].number - meta[7].number, header[2].number - header[3].number);
  if (meta[4].number == 0) return std::string(stored);
  EXPECT_EQ(6, meta[4].number);
  std::string page(static_cast<size_t>(header[2].number), '\0');
  EXPECT_EQ(page.size(), ZSTD_decompress(page.data(), page.size(), stored.data(), stored.size()));
  return page;
}

// What a record batch holds of one column.
struct ArrowColumn {
  std::string_view validity;
  std::string_view offsets;
  std::string_view values;

  std::string Text(size_t row, Type type) const {
    auto bit = [row](std::string_view bits) { return (bits[row / 8] >> (row % 8)) & 1; };
    if (!validity.empty() && !bit(validity)) return kNull;
    if (CellKindOf(type) == CellKind::kBoolean) return bit(values) ? "t" : "f";
    if (CellKindOf(type) == CellKind::kBytes) {
      const auto begin = At<int32_t>(offsets, row * 4);
      const auto end = At<int32_t>(offsets, row * 4 + 4);
      return BytesText(values.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)),
                       type);
    }
    constexpr std::array<size_t, 7> kWidths = {0, 2, 4, 8, 4, 8, 16};
    const size_t width = kWidths[static_cast<size_t>(CellKindOf(type))];
    return TextOf(ValueOf(values.substr(row * width, width), type), type);
  }
};

void ReadBatch(std::string_view file, size_t place, const row::Schema& schema,
               std::vector<Texts>& rows) {
  EXPECT_EQ(0xffffffffU, At<uint32_t>(file, place));
  const auto size = At<uint32_t>(file, place + 4);
  const Flat message = Flat::Root(file.substr(place + 8, size));
  EXPECT_EQ(4, message.Get<int16_t>(0));
  EXPECT_EQ(3, message.Get<uint8_t>(1));
  const std::string_view body =
      file.substr(place + 8 + size, static_cast<size_t>(message.Get<int64_t>(3)));
  const Flat batch = message.Sub(2);
  const auto count = static_cast<size_t>(batch.Get<int64_t>(0));
  const Flat nodes = batch.Sub(1);
  const Flat buffers = batch.Sub(2);
  EXPECT_EQ(schema.columns.size(), nodes.size());
  size_t next = 0;
  auto buffer = [&] {
    const auto begin = buffers.Word<int64_t>(next++);
    const auto length = buffers.Word<int64_t>(next++);
    EXPECT_EQ(0, (static_cast<int64_t>(place + 8 + size) + begin) % 64);
    return body.substr(static_cast<size_t>(begin), static_cast<size_t>(length));
  };
  const size_t first = rows.size();
  rows.resize(first + count);
  for (size_t c = 0; c < schema.columns.size(); ++c) {
    const Type type = schema.columns[c].type;
    ArrowColumn column;
    column.validity = buffer();
    if (CellKindOf(type) == CellKind::kBytes) column.offsets = buffer();
    column.values = buffer();
    int64_t nulls = 0;
    for (size_t i = 0; i < count; ++i) {
      rows[first + i].push_back(column.Text(i, type));
      nulls += rows[first + i].back() == kNull;
    }
    EXPECT_EQ(static_cast<int64_t>(count), nodes.Word<int64_t>(2 * c));
    EXPECT_EQ(nulls, nodes.Word<int64_t>(2 * c + 1));
  }
  EXPECT_EQ(2 * buffers.size(), next);
}

}  // namespace

row::Schema SchemaOf(const std::vector<row::Column>& columns) {
  row::Schema schema;
  schema.columns = columns;
  return schema;
}

const row::Schema& EveryType() {
  static const row::Schema schema = SchemaOf({{"id", {TypeKind::kBigint}, true},
                                              {"flag", {TypeKind::kBoolean}},
                                              {"tiny", row::kSmallint},
                                              {"small", {TypeKind::kInteger}},
                                              {"large", {TypeKind::kBigint}},
                                              {"real4", row::kReal},
                                              {"real8", {TypeKind::kDouble}},
                                              {"price", {TypeKind::kDecimal, 12, 2}},
                                              {"huge", {TypeKind::kDecimal, 38, 10}},
                                              {"any", {TypeKind::kDecimal}},
                                              {"name", {TypeKind::kText}},
                                              {"raw", {TypeKind::kBytea}},
                                              {"day", {TypeKind::kDate}},
                                              {"clock", {TypeKind::kTime}},
                                              {"local", {TypeKind::kTimestamp}},
                                              {"ts", {TypeKind::kTimestampTz}},
                                              {"gap", {TypeKind::kInterval}},
                                              {"doc", {TypeKind::kJson}},
                                              {"docb", {TypeKind::kJsonb}},
                                              {"words", {TypeKind::kTextArray}},
                                              {"numbers", {TypeKind::kBigintArray}}});
  return schema;
}

const std::vector<Texts>& EdgeRows() {
  static const std::vector<Texts> rows = {
      {"1",
       "t",
       "-32768",
       "-2147483648",
       "-9223372036854775808",
       "-0.5",
       "0.1",
       "-9999999999.99",
       "-9999999999999999999999999999.9999999999",
       "1.50",
       "",
       "\\x",
       "0044-03-15 BC",
       "00:00:00",
       "1969-12-31 23:59:59.999999",
       "1969-12-31 23:59:59.999999+00",
       "1 mon -2 days",
       "{ }",
       "{}",
       "{a,NULL}",
       "{}"},
      {"2",
       "f",
       "32767",
       "2147483647",
       "9223372036854775807",
       "3.4028235e+38",
       "NaN",
       "9999999999.99",
       "9999999999999999999999999999.9999999999",
       "NaN",
       "caf\xc3\xa9 \"x\"",
       "\\x00ff80",
       "5874897-12-31",
       "23:59:59.999999",
       "9999-12-31 23:59:59.999999",
       "2026-01-31 21:59:59.000001+00",
       "-00:00:00.000001",
       "[1, 2.50]",
       "\"x\"",
       "{\"b c\"}",
       "{-1,2}"},
      {"3",   kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull,
       kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull}};
  return rows;
}

std::vector<Texts> LongRows(size_t columns, size_t count) {
  std::vector<Texts> rows;
  for (size_t i = 0; i < count; ++i) {
    rows.push_back(LongRow(i));
    rows.back().resize(columns);
  }
  return rows;
}

Status WriteRows(os::FileSystem& files, const std::string& path, const row::Schema& schema,
                 const std::vector<Texts>& rows) {
  HR_ASSIGN(auto file, RowFile::Create(files, path, schema));
  Parser parse(schema);
  for (const Texts& row : rows)
    HR_TRY(file->Append(parse(row)));
  return file->Finish();
}

std::string Write(const std::string& name, const row::Schema& schema,
                  const std::vector<Texts>& rows) {
  os::MemoryFileSystem files;
  EXPECT_TRUE(files.CreateDirectories("/out").ok());
  EXPECT_TRUE(WriteRows(files, "/out/" + name, schema, rows).ok());
  return os::ReadFile(files, "/out/" + name, 1 << 30).value();
}

bool LooksWhole(std::string_view file, std::string_view head, std::string_view seal) {
  return file.size() > head.size() + seal.size() && file.starts_with(head) && file.ends_with(seal);
}

Thrift ParquetFooter(std::string_view file) {
  EXPECT_TRUE(LooksWhole(file, "PAR1", "PAR1"));
  const auto size = At<uint32_t>(file, file.size() - 8);
  base::ByteReader bytes(file.substr(file.size() - 8 - size, size));
  Thrift footer = ReadThrift(12, bytes);
  EXPECT_EQ(0U, bytes.remaining());
  return footer;
}

std::string PlainText(Type type, size_t index, base::ByteReader& page, uint8_t& bits) {
  const ParquetType stored = ParquetTypeOf(type);
  if (stored.kind == ParquetKind::kBoolean) {
    if (index % 8 == 0) bits = page.U8();
    return (bits >> (index % 8)) & 1 ? "t" : "f";
  }
  if (stored.kind == ParquetKind::kByteArray) return BytesText(page.Bytes(page.U32Le()), type);
  std::string bytes(page.Bytes(stored.width));
  if (stored.kind == ParquetKind::kFixedBytes) {
    std::reverse(bytes.begin(), bytes.end());
    bytes.append(16 - bytes.size(), bytes.back() < 0 ? '\xff' : '\0');
  }
  return TextOf(ValueOf(bytes, type), type);
}

std::vector<Texts> ReadParquet(const std::string& file, const row::Schema& schema) {
  const Thrift footer = ParquetFooter(file);
  std::vector<Texts> rows;
  for (const Thrift& group : footer[4].items) {
    const size_t first = rows.size();
    const auto count = static_cast<size_t>(group[3].number);
    rows.resize(first + count);
    EXPECT_EQ(schema.columns.size(), group[1].items.size());
    for (size_t c = 0; c < schema.columns.size(); ++c) {
      const row::Column& column = schema.columns[c];
      const Thrift& meta = group[1].items[c][3];
      EXPECT_EQ(column.name, meta[3].items.at(0).text);
      const std::string page = ReadPage(file, meta);
      base::ByteReader bytes(page);
      const std::vector<bool> levels =
          column.not_null ? std::vector<bool>(count, true) : ReadLevels(count, bytes);
      EXPECT_EQ(std::count(levels.begin(), levels.end(), false), meta[12][3].number);
      size_t values = 0;
      uint8_t bits = 0;
      for (size_t i = 0; i < count; ++i) {
        rows[first + i].push_back(levels[i] ? PlainText(column.type, values++, bytes, bits)
                                            : kNull);
      }
      EXPECT_TRUE(bytes.ok() && bytes.remaining() == 0) << column.name;
    }
  }
  EXPECT_EQ(static_cast<int64_t>(rows.size()), footer[3].number);
  return rows;
}

Flat ArrowFooter(std::string_view file) {
  EXPECT_TRUE(LooksWhole(file, "ARROW1", "ARROW1"));
  const auto size = At<uint32_t>(file, file.size() - 10);
  return Flat::Root(file.substr(file.size() - 10 - size, size));
}

std::vector<Texts> ReadArrow(const std::string& file, const row::Schema& schema) {
  const Flat blocks = ArrowFooter(file).Sub(3);
  std::vector<Texts> rows;
  for (size_t i = 0; i < blocks.size(); ++i)
    ReadBatch(file, blocks.Word<uint64_t>(3 * i), schema, rows);
  return rows;
}

}  // namespace headrace::connect
