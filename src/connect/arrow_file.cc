#include "connect/arrow_file.h"

#include <utility>

#include "base/bytes.h"
#include "connect/flat_buffer.h"

namespace headrace::connect {
namespace {

constexpr std::string_view kMagic = "ARROW1";
constexpr size_t kAlignment = 64;
constexpr int16_t kMetadataVersion = 4;  // V5
constexpr uint32_t kContinuation = 0xffffffff;
constexpr int16_t kMicroseconds = 2;

enum MessageKind : uint8_t { kSchemaMessage = 1, kBatchMessage = 3 };
// The alternatives of the union Type.
enum TypeTag : uint8_t {
  kInt = 2,
  kFloatingPoint = 3,
  kBinary = 4,
  kUtf8 = 5,
  kBool = 6,
  kDecimal = 7,
  kDate = 8,
  kTime = 9,
  kTimestamp = 10,
};

struct ArrowType {
  TypeTag tag;
  FlatValue table;
};

ArrowType IntType(int32_t bits) {
  return {kInt, FlatValue::Table({FlatValue::Int(bits), FlatValue::Byte(1)})};
}

ArrowType TimestampType(FlatValue zone) {
  return {kTimestamp, FlatValue::Table({FlatValue::Short(kMicroseconds), std::move(zone)})};
}

// Types whose values are text here, and JSON, which is one.
ArrowType TextType() {
  return {kUtf8, FlatValue::Table({})};
}

ArrowType TypeOf(row::Type type) {
  switch (type.kind) {
    case row::TypeKind::kBoolean:
      return {kBool, FlatValue::Table({})};
    case row::TypeKind::kInteger:
      return IntType(row::IsSmallint(type) ? 16 : 32);
    case row::TypeKind::kBigint:
      return IntType(64);
    case row::TypeKind::kDouble:
      return {kFloatingPoint, FlatValue::Table({FlatValue::Short(row::IsReal(type) ? 1 : 2)})};
    case row::TypeKind::kDecimal:
      if (type.precision == 0) return TextType();
      return {kDecimal, FlatValue::Table({FlatValue::Int(type.precision),
                                          FlatValue::Int(type.scale), FlatValue::Int(128)})};
    case row::TypeKind::kBytea:
      return {kBinary, FlatValue::Table({})};
    case row::TypeKind::kDate:
      return {kDate, FlatValue::Table({FlatValue::Short(0)})};  // in days
    case row::TypeKind::kTime:
      return {kTime, FlatValue::Table({FlatValue::Short(kMicroseconds), FlatValue::Int(64)})};
    case row::TypeKind::kTimestamp:
      return TimestampType({});
    case row::TypeKind::kTimestampTz:
      return TimestampType(FlatValue::Text("UTC"));
    default:
      return TextType();
  }
}

FlatValue FieldOf(const row::Column& column) {
  ArrowType type = TypeOf(column.type);
  return FlatValue::Table({FlatValue::Text(column.name), FlatValue::Byte(column.not_null ? 0 : 1),
                           FlatValue::Byte(type.tag), std::move(type.table),
                           FlatValue(),            // dictionary
                           FlatValue::List({})});  // children: readers want the vector
}

FlatValue SchemaOf(const row::Schema& schema) {
  std::vector<FlatValue> fields;
  fields.reserve(schema.columns.size());
  for (const row::Column& column : schema.columns)
    fields.push_back(FieldOf(column));
  return FlatValue::Table({FlatValue::Short(0), FlatValue::List(std::move(fields))});
}

size_t RoundedUp(size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// A pair of 64-bit numbers, as FieldNode and Buffer are.
void AppendPair(size_t first, size_t second, std::string& out) {
  base::ByteWriter bytes(out);
  bytes.U64Le(first);
  bytes.U64Le(second);
}

// The buffers of a column, in Arrow's order. A column without NULLs needs no validity.
std::vector<std::string_view> BuffersOf(const ColumnCells& column) {
  std::vector<std::string_view> buffers;
  buffers.push_back(column.nulls() > 0 ? column.validity() : std::string_view());
  if (column.kind() == CellKind::kBytes) {
    const std::vector<int32_t>& offsets = column.offsets();
    buffers.emplace_back(reinterpret_cast<const char*>(offsets.data()),
                         offsets.size() * sizeof(int32_t));
  }
  buffers.push_back(column.values());
  return buffers;
}

class ArrowFormat final : public ColumnarFormat {
 public:
  explicit ArrowFormat(const row::Schema& schema) : schema_(schema) {}

  Status WriteHead(SealedFile& file) override {
    HR_TRY(file.Append(kMagic));
    HR_TRY(file.Append(std::string_view("\0\0", 2)));
    HR_TRY(WriteMessage(kSchemaMessage, SchemaOf(schema_), 0, file));
    return Ok();
  }

  Status WriteGroup(const std::vector<ColumnCells>& columns, SealedFile& file) override;
  Status WriteTail(SealedFile& file) override;

 private:
  // Appends the message, its body to follow, and returns its length.
  static Result<size_t> WriteMessage(MessageKind kind, FlatValue header, size_t body_bytes,
                                     SealedFile& file);

  row::Schema schema_;
  std::string blocks_;  // where the record batches are, as the footer has it
  size_t batches_ = 0;
};

Result<size_t> ArrowFormat::WriteMessage(MessageKind kind, FlatValue header, size_t body_bytes,
                                         SealedFile& file) {
  const std::string metadata =
      FlatValue::Table({FlatValue::Short(kMetadataVersion), FlatValue::Byte(kind),
                        std::move(header), FlatValue::Long(static_cast<int64_t>(body_bytes))})
          .Serialize();
  const size_t prefix = 2 * sizeof(uint32_t);
  const size_t begin = file.bytes();
  const size_t length = RoundedUp(begin + prefix + metadata.size()) - begin;
  std::string message;
  base::ByteWriter bytes(message);
  bytes.U32Le(kContinuation);
  bytes.U32Le(static_cast<uint32_t>(length - prefix));
  bytes.Bytes(metadata);
  message.resize(length);
  HR_TRY(file.Append(message));
  return length;
}

Status ArrowFormat::WriteGroup(const std::vector<ColumnCells>& columns, SealedFile& file) {
  std::vector<std::string_view> buffers;
  std::string nodes;
  for (const ColumnCells& column : columns) {
    AppendPair(column.rows(), column.nulls(), nodes);
    for (std::string_view buffer : BuffersOf(column))
      buffers.push_back(buffer);
  }
  std::string places;
  size_t body = 0;
  for (std::string_view buffer : buffers) {
    AppendPair(body, buffer.size(), places);
    body += RoundedUp(buffer.size());
  }
  const size_t begin = file.bytes();
  HR_ASSIGN(const size_t length,
            WriteMessage(kBatchMessage,
                         FlatValue::Table({FlatValue::Long(static_cast<int64_t>(columns[0].rows())),
                                           FlatValue::Structs(nodes, columns.size()),
                                           FlatValue::Structs(places, buffers.size())}),
                         body, file));
  AppendPair(begin, length, blocks_);
  base::ByteWriter(blocks_).U64Le(body);
  ++batches_;
  for (std::string_view buffer : buffers) {
    HR_TRY(file.Append(buffer));
    HR_TRY(file.Append(std::string(RoundedUp(buffer.size()) - buffer.size(), '\0')));
  }
  return Ok();
}

Status ArrowFormat::WriteTail(SealedFile& file) {
  const std::string footer =
      FlatValue::Table({FlatValue::Short(kMetadataVersion), SchemaOf(schema_),
                        FlatValue::Structs({}, 0),  // dictionaries
                        FlatValue::Structs(blocks_, batches_)})
          .Serialize();
  std::string tail;
  base::ByteWriter bytes(tail);
  bytes.U32Le(kContinuation);
  bytes.U32Le(0);  // no message follows
  bytes.Bytes(footer);
  bytes.U32Le(static_cast<uint32_t>(footer.size()));
  HR_TRY(file.Append(tail));
  return file.Seal(kMagic);
}

}  // namespace

std::unique_ptr<ColumnarFormat> MakeArrowFormat(const row::Schema& schema) {
  return std::make_unique<ArrowFormat>(schema);
}

}  // namespace headrace::connect
