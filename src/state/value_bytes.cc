#include "state/value_bytes.h"

#include <cstring>

#include "state/slab_pool.h"

namespace headrace::state {

using row::TypeKind;
using row::Value;

bool IsTextLike(row::Type type) {
  switch (type.kind) {
    case TypeKind::kUnknown:
    case TypeKind::kText:
    case TypeKind::kBytea:
    case TypeKind::kJson:
    case TypeKind::kJsonb:
    case TypeKind::kTextArray:
    case TypeKind::kBigintArray:
      return true;
    default:
      return false;
  }
}

Value CopyValue(const Value& value, row::Type type, SlabPool& pool) {
  if (value.null || !IsTextLike(type) || value.length == 0) return value;
  char* piece = pool.Allocate(value.length);
  std::memcpy(piece, value.data, value.length);
  return Value::Text({piece, value.length});
}

void ReleaseValue(const Value& value, row::Type type, SlabPool& pool) {
  if (value.null || !IsTextLike(type) || value.length == 0) return;
  pool.Free(const_cast<char*>(value.data), value.length);
}

void SaveValue(const Value& value, row::Type type, base::ByteWriter& writer) {
  writer.U8(value.null ? 1 : 0);
  if (value.null) return;
  if (IsTextLike(type)) return writer.String(value.text());
  switch (type.kind) {
    case TypeKind::kBoolean:
      return writer.U8(value.boolean ? 1 : 0);
    case TypeKind::kDecimal:
      writer.U8(value.scale);
      writer.U8(value.special);
      [[fallthrough]];
    case TypeKind::kInterval:
      writer.U64Le(value.low);
      writer.U64Le(static_cast<uint64_t>(value.high));
      return;
    default:
      writer.U64Le(value.low);
  }
}

bool ReadValue(row::Type type, base::ByteReader& reader, Value* value) {
  *value = Value::Null();
  uint8_t null = reader.U8();
  if (!reader.ok() || null > 1) return false;
  if (null == 1) return true;
  if (IsTextLike(type)) {
    std::string_view text = reader.String();
    if (!reader.ok() || text.size() > UINT32_MAX) return false;
    *value = Value::Text(text.empty() ? std::string_view("") : text);
    return true;
  }
  Value loaded = Value::Integer(0);
  switch (type.kind) {
    case TypeKind::kBoolean: {
      uint8_t truth = reader.U8();
      if (truth > 1) return false;
      loaded = Value::Boolean(truth == 1);
      break;
    }
    case TypeKind::kDecimal:
      loaded.scale = reader.U8();
      loaded.special = reader.U8();
      if (loaded.scale > 100 || loaded.special > 3) return false;
      [[fallthrough]];
    case TypeKind::kInterval:
      loaded.low = reader.U64Le();
      loaded.high = static_cast<int64_t>(reader.U64Le());
      break;
    default:
      loaded.low = reader.U64Le();
  }
  *value = loaded;
  return reader.ok();
}

bool LoadValue(row::Type type, base::ByteReader& reader, SlabPool& pool, Value* value) {
  if (!ReadValue(type, reader, value)) return false;
  *value = CopyValue(*value, type, pool);
  return true;
}

}  // namespace headrace::state
