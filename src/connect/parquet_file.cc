#include "connect/parquet_file.h"

#include <utility>

#include <zlib.h>
#include <zstd.h>

#include "base/bytes.h"
#include "connect/parquet_values.h"
#include "connect/thrift_compact.h"

namespace headrace::connect {
namespace {

constexpr std::string_view kMagic = "PAR1";
constexpr std::string_view kCreatedBy = "headrace version " HEADRACE_VERSION;
constexpr int32_t kFormatVersion = 2;
constexpr int kZstdLevel = 1;  // level 3 takes a third more time for the same size

// Numbers of the format's thrift definition.
enum Repetition : int32_t { kRequired = 0, kOptional = 1 };
enum Encoding : int32_t { kPlain = 0, kRle = 3 };
enum Codec : int32_t { kUncompressed = 0, kZstd = 6 };
constexpr int32_t kDataPage = 0;

// What Parquet calls logical types, by the field of the union, and by the older numbers that say
// the same to older readers.
enum Logical : uint8_t {
  kNoLogical = 0,
  kString = 1,
  kDecimal = 5,
  kDate = 6,
  kTime = 7,
  kTimestamp = 8,
  kInteger = 10,
  kJson = 12,
};
enum Converted : int32_t {
  kNoConverted = -1,
  kConvertedUtf8 = 0,
  kConvertedDecimal = 5,
  kConvertedDate = 6,
  kConvertedTimestampMicros = 10,  // in UTC; there is none for times without a zone
  kConvertedInt16 = 16,
  kConvertedJson = 19,
};

struct Meaning {
  Logical logical = kNoLogical;
  Converted converted = kNoConverted;
};

Meaning MeaningOf(row::Type type) {
  switch (type.kind) {
    case row::TypeKind::kBoolean:
    case row::TypeKind::kBigint:
    case row::TypeKind::kDouble:
    case row::TypeKind::kBytea:
      return {};
    case row::TypeKind::kInteger:
      return row::IsSmallint(type) ? Meaning{kInteger, kConvertedInt16} : Meaning{};
    case row::TypeKind::kDecimal:
      if (type.precision > 0) return {kDecimal, kConvertedDecimal};
      break;
    case row::TypeKind::kDate:
      return {kDate, kConvertedDate};
    case row::TypeKind::kTime:
      return {kTime, kNoConverted};
    case row::TypeKind::kTimestamp:
      return {kTimestamp, kNoConverted};
    case row::TypeKind::kTimestampTz:
      return {kTimestamp, kConvertedTimestampMicros};
    case row::TypeKind::kJson:
    case row::TypeKind::kJsonb:
      return {kJson, kConvertedJson};
    default:
      break;
  }
  return {kString, kConvertedUtf8};
}

void WriteLogical(Logical logical, row::Type type, ThriftCompact& out) {
  out.Begin(10);
  out.Begin(logical);
  if (logical == kDecimal) {
    out.I32(1, type.scale);
    out.I32(2, type.precision);
  } else if (logical == kInteger) {
    out.I8(1, 16);
    out.Bool(2, true);
  } else if (logical == kTime || logical == kTimestamp) {
    out.Bool(1, type.kind == row::TypeKind::kTimestampTz);  // adjusted to UTC
    out.Begin(2);
    out.EmptyStruct(2);  // in microseconds
    out.End();
  }
  out.End();
  out.End();
}

void WriteSchemaElement(const row::Column& column, ThriftCompact& out) {
  const ParquetType type = ParquetTypeOf(column.type);
  const Meaning meaning = MeaningOf(column.type);
  out.BeginElement();
  out.I32(1, static_cast<int32_t>(type.kind));
  if (type.kind == ParquetKind::kFixedBytes) out.I32(2, static_cast<int32_t>(type.width));
  out.I32(3, column.not_null ? kRequired : kOptional);
  out.Binary(4, column.name);
  if (meaning.converted != kNoConverted) out.I32(6, meaning.converted);
  if (meaning.logical == kDecimal) {
    out.I32(7, column.type.scale);
    out.I32(8, column.type.precision);
  }
  if (meaning.logical != kNoLogical) WriteLogical(meaning.logical, column.type, out);
  out.End();
}

// A column of a row group as it lies in the file, and what the metadata say of it.
struct Chunk {
  std::string bytes;  // the page behind its header
  Codec codec = kUncompressed;
  size_t plain_bytes = 0;  // what they would be if not packed
  size_t nulls = 0;
  std::optional<Bounds> bounds;
};

void WriteStatistics(const Chunk& chunk, ThriftCompact& out) {
  out.Begin(12);
  out.I64(3, static_cast<int64_t>(chunk.nulls));
  if (chunk.bounds) {
    out.Binary(5, chunk.bounds->largest);
    out.Binary(6, chunk.bounds->smallest);
    out.Bool(7, true);  // they are the values themselves
    out.Bool(8, true);
  }
  out.End();
}

class ParquetFormat final : public ColumnarFormat {
 public:
  explicit ParquetFormat(const row::Schema& schema)
      : schema_(schema), context_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
    HR_CHECK(context_ != nullptr);
  }

  Status WriteHead(SealedFile& file) override { return file.Append(kMagic); }
  Status WriteGroup(const std::vector<ColumnCells>& columns, SealedFile& file) override;
  Status WriteTail(SealedFile& file) override;

 private:
  Chunk MakeChunk(const ColumnCells& column);
  // The page packed, or empty when that is no smaller.
  std::string Packed(std::string_view page);
  static void WriteChunk(const ColumnCells& column, const Chunk& chunk, size_t place,
                         ThriftCompact& out);

  row::Schema schema_;
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context_;
  std::string groups_;  // their metadata, as the file's have them: some 100 bytes a column of each
  size_t group_count_ = 0;
  size_t rows_ = 0;
};

std::string ParquetFormat::Packed(std::string_view page) {
  std::string packed(ZSTD_compressBound(page.size()), '\0');
  const size_t size = ZSTD_compressCCtx(context_.get(), packed.data(), packed.size(), page.data(),
                                        page.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0 || size >= page.size()) return {};
  packed.resize(size);
  return packed;
}

Chunk ParquetFormat::MakeChunk(const ColumnCells& column) {
  Chunk chunk;
  chunk.nulls = column.nulls();
  std::string page;
  if (!column.column().not_null) AppendLevels(column, page);
  const size_t levels = page.size();
  AppendPlain(column, page);
  chunk.bounds =
      BoundsOf(ParquetTypeOf(column.column().type), std::string_view(page).substr(levels));
  const std::string packed = Packed(page);
  if (!packed.empty()) chunk.codec = kZstd;
  const std::string& stored = packed.empty() ? page : packed;

  ThriftCompact header(chunk.bytes);
  header.I32(1, kDataPage);
  header.I32(2, static_cast<int32_t>(page.size()));
  header.I32(3, static_cast<int32_t>(stored.size()));
  const uLong crc = crc32_z(0, reinterpret_cast<const Bytef*>(stored.data()), stored.size());
  header.I32(4, static_cast<int32_t>(static_cast<uint32_t>(crc)));
  header.Begin(5);
  header.I32(1, static_cast<int32_t>(column.rows()));
  header.I32(2, kPlain);
  header.I32(3, kRle);
  header.I32(4, kRle);
  header.End();
  header.End();
  chunk.plain_bytes = chunk.bytes.size() + page.size();
  chunk.bytes += stored;
  return chunk;
}

void ParquetFormat::WriteChunk(const ColumnCells& column, const Chunk& chunk, size_t place,
                               ThriftCompact& out) {
  out.BeginElement();
  out.I64(2, 0);  // where these metadata stand, too: nowhere else
  out.Begin(3);
  out.I32(1, static_cast<int32_t>(ParquetTypeOf(column.column().type).kind));
  out.List(2, ThriftCompact::Element::kI32, 2);
  out.I32Element(kPlain);
  out.I32Element(kRle);
  out.List(3, ThriftCompact::Element::kBinary, 1);
  out.BinaryElement(column.column().name);
  out.I32(4, chunk.codec);
  out.I64(5, static_cast<int64_t>(column.rows()));
  out.I64(6, static_cast<int64_t>(chunk.plain_bytes));
  out.I64(7, static_cast<int64_t>(chunk.bytes.size()));
  out.I64(9, static_cast<int64_t>(place));
  WriteStatistics(chunk, out);
  out.End();
  out.End();
}

Status ParquetFormat::WriteGroup(const std::vector<ColumnCells>& columns, SealedFile& file) {
  const size_t begin = file.bytes();
  int64_t plain_bytes = 0;
  ThriftCompact out(groups_);
  out.List(1, ThriftCompact::Element::kStruct, columns.size());
  for (const ColumnCells& column : columns) {
    const Chunk chunk = MakeChunk(column);
    WriteChunk(column, chunk, file.bytes(), out);
    plain_bytes += static_cast<int64_t>(chunk.plain_bytes);
    HR_TRY(file.Append(chunk.bytes));
  }
  out.I64(2, plain_bytes);
  out.I64(3, static_cast<int64_t>(columns.front().rows()));
  out.I64(5, static_cast<int64_t>(begin));
  out.I64(6, static_cast<int64_t>(file.bytes() - begin));
  out.End();
  rows_ += columns.front().rows();
  ++group_count_;
  return Ok();
}

Status ParquetFormat::WriteTail(SealedFile& file) {
  std::string tail;
  ThriftCompact out(tail);
  out.I32(1, kFormatVersion);
  out.List(2, ThriftCompact::Element::kStruct, schema_.columns.size() + 1);
  out.BeginElement();
  out.Binary(4, "schema");
  out.I32(5, static_cast<int32_t>(schema_.columns.size()));
  out.End();
  for (const row::Column& column : schema_.columns)
    WriteSchemaElement(column, out);
  out.I64(3, static_cast<int64_t>(rows_));
  out.List(4, ThriftCompact::Element::kStruct, group_count_);
  tail += groups_;
  out.Binary(6, kCreatedBy);
  out.List(7, ThriftCompact::Element::kStruct, schema_.columns.size());
  for (size_t i = 0; i < schema_.columns.size(); ++i) {
    out.BeginElement();  // its bounds are in the order of its type
    out.EmptyStruct(1);
    out.End();
  }
  out.End();
  base::ByteWriter(tail).U32Le(static_cast<uint32_t>(tail.size()));
  HR_TRY(file.Append(tail));
  return file.Seal(kMagic);
}

}  // namespace

std::unique_ptr<ColumnarFormat> MakeParquetFormat(const row::Schema& schema) {
  return std::make_unique<ParquetFormat>(schema);
}

}  // namespace headrace::connect
