#include "state/entry_layout.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "headrace/check.h"
#include "row/text.h"

namespace headrace::state {
namespace {

using row::TypeKind;
using row::Value;

// A quiet NaN that no arithmetic gives; values have their NaNs made the usual one.
constexpr uint64_t kNullDouble = 0x7ff8dead00000001ULL;
constexpr uint64_t kPlainNaN = 0x7ff8000000000000ULL;

template <typename T>
void StoreAs(char* bytes, T value) {
  std::memcpy(bytes, &value, sizeof value);
}

FieldKind KindOf(row::Type type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return FieldKind::kBoolean;
    case TypeKind::kInteger:
    case TypeKind::kDate:
    case TypeKind::kTime:
      return FieldKind::kNarrow;
    case TypeKind::kBigint:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return FieldKind::kInt64;
    case TypeKind::kDouble:
      return FieldKind::kDouble;
    case TypeKind::kDecimal:
      return EntryLayout::IsNarrow(type) ? FieldKind::kNarrow : FieldKind::kWide;
    case TypeKind::kInterval:
      return FieldKind::kInterval;
    default:
      return FieldKind::kText;
  }
}

size_t BytesOf(FieldKind kind) {
  switch (kind) {
    case FieldKind::kPresence:
    case FieldKind::kBoolean:
      return 0;
    case FieldKind::kNarrow:
    case FieldKind::kInt64:
    case FieldKind::kDouble:
      return 8;
    case FieldKind::kText:
      return sizeof(PackedText);
    case FieldKind::kWide:
    case FieldKind::kInterval:
      return sizeof(Value);
  }
  return 0;
}

size_t BitsOf(FieldKind kind) {
  switch (kind) {
    case FieldKind::kBoolean:
      return 2;
    case FieldKind::kPresence:
    case FieldKind::kInt64:
    case FieldKind::kWide:
    case FieldKind::kInterval:
      return 1;
    default:
      return 0;
  }
}

BitGate GateOf(size_t bit) {
  return {static_cast<uint32_t>(sizeof(int64_t) + bit / 64 * 8), uint64_t{1} << (bit % 64)};
}

int64_t NarrowDecimal(const Value& value, uint8_t scale) {
  if (value.special != 0) {
    return value.special == 1   ? EntryLayout::kNarrowNaN
           : value.special == 2 ? EntryLayout::kNarrowInfinity
                                : EntryLayout::kNarrowNegativeInfinity;
  }
  if (value.scale == scale) return static_cast<int64_t>(value.low);
  Value fitted = value;
  // The planner gives a constrained type only to values that keep to it.
  HR_CHECK(row::FitDecimal(&fitted, 18, scale));
  return static_cast<int64_t>(fitted.low);
}

int CompareDoubles(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return (std::isnan(a) ? 1 : 0) - (std::isnan(b) ? 1 : 0);
  return a < b ? -1 : a > b ? 1 : 0;
}

}  // namespace

bool EntryLayout::IsNarrow(row::Type type) {
  if (type.kind == TypeKind::kDecimal) return type.precision > 0 && type.precision <= 18;
  return type.kind == TypeKind::kInteger || type.kind == TypeKind::kDate ||
         type.kind == TypeKind::kTime;
}

bool EntryLayout::HasPlainEquality(row::Type type) {
  switch (KindOf(type)) {
    case FieldKind::kWide:
    case FieldKind::kInterval:
      return false;
    case FieldKind::kText:
      return type.kind == TypeKind::kText || type.kind == TypeKind::kBytea ||
             type.kind == TypeKind::kUnknown;
    default:
      return true;
  }
}

int EntryLayout::Find(int slot, bool as_key, bool any_form) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].slot != slot) continue;
    if (any_form || fields_[i].as_key == as_key) return static_cast<int>(i);
  }
  return -1;
}

void EntryLayout::AddValue(int slot, row::Type type) {
  if (Find(slot, false, false) >= 0) return;
  Field field;
  field.kind = KindOf(type);
  field.type = type;
  field.slot = slot;
  fields_.push_back(field);
}

void EntryLayout::AddKeyBytes(int slot, row::Type type) {
  if (Find(slot, true, false) >= 0) return;
  Field field;
  field.kind = FieldKind::kText;
  field.type = type;
  field.slot = slot;
  field.as_key = true;
  fields_.push_back(field);
}

void EntryLayout::AddPresence(int slot, row::Type type) {
  if (Find(slot, false, true) >= 0) return;
  Field field;
  field.type = type;
  field.slot = slot;
  fields_.push_back(field);
}

void EntryLayout::AddFilter(int slot) {
  if (slot < 0 || std::find(filters_.begin(), filters_.end(), slot) != filters_.end()) return;
  filters_.push_back(slot);
}

void EntryLayout::Finish() {
  size_t bit = 0;
  for (size_t i = 0; i < filters_.size(); ++i)
    filter_gates_.push_back(GateOf(bit++));
  for (Field& field : fields_) {
    size_t bits = BitsOf(field.kind);
    if (bits > 0) field.present = GateOf(bit++);
    if (bits > 1) field.truth = GateOf(bit++);
  }
  bit_words_ = (bit + 63) / 64;
  bytes_ = sizeof(int64_t) + bit_words_ * 8;
  for (size_t i = 0; i < fields_.size(); ++i) {
    fields_[i].offset = static_cast<uint32_t>(bytes_);
    bytes_ += BytesOf(fields_[i].kind);
    if (fields_[i].kind == FieldKind::kText) long_fields_.push_back(static_cast<int>(i));
  }
}

BitGate EntryLayout::filter(int slot) const {
  for (size_t i = 0; i < filters_.size(); ++i) {
    if (filters_[i] == slot) return filter_gates_[i];
  }
  return {};
}

void EntryLayout::PackField(const Field& field, const Value& value, char* entry, SlabPool& pool,
                            std::string& scratch) {
  char* at = entry + field.offset;
  if (!value.null && field.present.mask != 0) field.present.Set(entry);
  switch (field.kind) {
    case FieldKind::kPresence:
      return;
    case FieldKind::kBoolean:
      if (!value.null && value.boolean) field.truth.Set(entry);
      return;
    case FieldKind::kNarrow:
      if (value.null) return StoreAs(at, kNarrowNull);
      if (field.type.kind != TypeKind::kDecimal) return StoreAs(at, value.integer);
      return StoreAs(at, NarrowDecimal(value, field.type.scale));
    case FieldKind::kInt64:
      return StoreAs(at, value.null ? int64_t{0} : value.integer);
    case FieldKind::kDouble:
      if (value.null) return StoreAs(at, kNullDouble);
      if (std::isnan(value.number)) return StoreAs(at, kPlainNaN);
      return StoreAs(at, value.number);
    case FieldKind::kWide:
    case FieldKind::kInterval:
      return StoreAs(at, value.null ? Value::Null() : value);
    case FieldKind::kText:
      if (value.null) return StoreAs(at, PackedText());
      if (!field.as_key) return StoreAs(at, PackedText::Copy(value.text(), pool));
      scratch.clear();
      row::AppendKey(value, field.type, scratch);
      return StoreAs(at, PackedText::Copy(scratch, pool));
  }
}

void EntryLayout::Pack(const Value* row, int64_t time, char* entry, SlabPool& pool,
                       std::string& scratch) const {
  StoreAs(entry, time);
  std::memset(entry + sizeof time, 0, bit_words_ * 8);
  for (size_t i = 0; i < filters_.size(); ++i) {
    const Value& value = row[filters_[i]];
    if (!value.null && value.boolean) filter_gates_[i].Set(entry);
  }
  for (const Field& field : fields_)
    PackField(field, row[field.slot], entry, pool, scratch);
}

void EntryLayout::Release(const char* entry, SlabPool& pool) const {
  for (int index : long_fields_)
    LoadAs<PackedText>(entry + field(index).offset).Release(pool);
}

bool EntryLayout::Has(const Field& field, const char* entry) {
  const char* at = entry + field.offset;
  switch (field.kind) {
    case FieldKind::kNarrow:
      return LoadAs<int64_t>(at) != kNarrowNull;
    case FieldKind::kDouble:
      return LoadAs<uint64_t>(at) != kNullDouble;
    case FieldKind::kText:
      return !LoadAs<PackedText>(at).null();
    default:
      return field.present.Passes(entry);
  }
}

Value EntryLayout::Unpack(const Field& field, const char* entry) {
  if (!Has(field, entry)) return Value::Null();
  const char* at = entry + field.offset;
  switch (field.kind) {
    case FieldKind::kPresence:
      return Value::Null();
    case FieldKind::kBoolean:
      return Value::Boolean(field.truth.Passes(entry));
    case FieldKind::kNarrow: {
      auto narrow = LoadAs<int64_t>(at);
      if (field.type.kind != TypeKind::kDecimal) return Value::Integer(narrow);
      Value value = Value::Decimal(IsNarrowSpecial(narrow) ? 0 : narrow, field.type.scale);
      if (IsNarrowSpecial(narrow)) {
        value.special = narrow == kNarrowNaN ? 1 : narrow == kNarrowInfinity ? 2 : 3;
      }
      return value;
    }
    case FieldKind::kInt64:
      return Value::Integer(LoadAs<int64_t>(at));
    case FieldKind::kDouble:
      return Value::Double(LoadAs<double>(at));
    case FieldKind::kWide:
    case FieldKind::kInterval:
      return LoadAs<Value>(at);
    case FieldKind::kText:
      return Value::Text(reinterpret_cast<const PackedText*>(at)->view());
  }
  return Value::Null();
}

PackedText EntryLayout::EqualityText(const Field& field, const char* entry) {
  const char* at = entry + field.offset;
  if (field.kind == FieldKind::kText) return LoadAs<PackedText>(at);
  if (field.kind == FieldKind::kBoolean) {
    return PackedText::Short(field.truth.Passes(entry) ? "t" : "f");
  }
  auto word = LoadAs<uint64_t>(at);
  // Minus zero is zero.
  if (field.kind == FieldKind::kDouble && word << 1 == 0) word = 0;
  return PackedText::Short({reinterpret_cast<const char*>(&word), sizeof word});
}

bool EntryLayout::Equal(const Field& field, const char* a, const char* b) {
  if (field.kind != FieldKind::kText) return EqualityText(field, a) == EqualityText(field, b);
  return *reinterpret_cast<const PackedText*>(a + field.offset) ==
         *reinterpret_cast<const PackedText*>(b + field.offset);
}

unsigned EntryLayout::EqualityBits(const Field& field, const char* entry) {
  if (field.kind == FieldKind::kText) {
    return reinterpret_cast<const PackedText*>(entry + field.offset)->EqualityBits();
  }
  return EqualityText(field, entry).EqualityBits();
}

int EntryLayout::Compare(const Field& field, const char* a, const char* b) {
  const char* left = a + field.offset;
  const char* right = b + field.offset;
  switch (field.kind) {
    case FieldKind::kNarrow:
    case FieldKind::kInt64: {
      auto x = LoadAs<int64_t>(left);
      auto y = LoadAs<int64_t>(right);
      return x < y ? -1 : x > y ? 1 : 0;
    }
    case FieldKind::kDouble:
      return CompareDoubles(LoadAs<double>(left), LoadAs<double>(right));
    case FieldKind::kText:
      if (field.type.kind == TypeKind::kText) {
        return reinterpret_cast<const PackedText*>(left)->view().compare(
            reinterpret_cast<const PackedText*>(right)->view());
      }
      [[fallthrough]];
    default:
      return row::Compare(Unpack(field, a), Unpack(field, b), field.type);
  }
}

// ---- Saving
// --------------------------------------------------------------------------------------

void EntryLayout::SaveField(const Field& field, const char* entry, base::ByteWriter& writer) const {
  const char* at = entry + field.offset;
  switch (field.kind) {
    case FieldKind::kPresence:
    case FieldKind::kBoolean:
      return;
    case FieldKind::kNarrow:
    case FieldKind::kInt64:
      return writer.Zigzag(LoadAs<int64_t>(at));
    case FieldKind::kDouble:
      return writer.U64Le(LoadAs<uint64_t>(at));
    case FieldKind::kText: {
      auto text = LoadAs<PackedText>(at);
      writer.Varint(text.null() ? 0 : text.view().size() + 1);
      writer.Bytes(text.view());
      return;
    }
    case FieldKind::kWide:
    case FieldKind::kInterval: {
      auto value = LoadAs<Value>(at);
      if (!Has(field, entry)) return;
      writer.U64Le(value.low);
      writer.U64Le(static_cast<uint64_t>(value.high));
      writer.U8(value.scale);
      writer.U8(value.special);
      return;
    }
  }
}

void EntryLayout::Save(const char* entry, base::ByteWriter& writer) const {
  for (size_t i = 0; i < bit_words_; ++i) {
    writer.Varint(LoadAs<uint64_t>(entry + sizeof(int64_t) + i * 8));
  }
  for (const Field& field : fields_)
    SaveField(field, entry, writer);
}

bool EntryLayout::LoadField(const Field& field, base::ByteReader& reader, char* entry,
                            SlabPool& pool) const {
  char* at = entry + field.offset;
  switch (field.kind) {
    case FieldKind::kPresence:
    case FieldKind::kBoolean:
      break;
    case FieldKind::kNarrow:
    case FieldKind::kInt64:
      StoreAs(at, reader.Zigzag());
      break;
    case FieldKind::kDouble:
      StoreAs(at, reader.U64Le());
      break;
    case FieldKind::kText: {
      uint64_t length = reader.Varint();
      std::string_view text = length == 0 ? std::string_view{} : reader.Bytes(length - 1);
      if (!reader.ok() || text.size() > UINT32_MAX) return false;
      StoreAs(at, length == 0 ? PackedText() : PackedText::Copy(text, pool));
      break;
    }
    case FieldKind::kWide:
    case FieldKind::kInterval: {
      Value value = Value::Null();
      if (Has(field, entry)) {
        value.null = false;
        value.low = reader.U64Le();
        value.high = static_cast<int64_t>(reader.U64Le());
        value.scale = reader.U8();
        value.special = reader.U8();
        if (value.special > 3 || value.scale > 100) return false;
      }
      StoreAs(at, value);
      break;
    }
  }
  return reader.ok();
}

bool EntryLayout::Load(base::ByteReader& reader, int64_t time, char* entry, SlabPool& pool) const {
  StoreAs(entry, time);
  for (size_t i = 0; i < bit_words_; ++i) {
    StoreAs(entry + sizeof time + i * 8, reader.Varint());
  }
  for (int index : long_fields_)
    StoreAs(entry + field(index).offset, PackedText());
  for (const Field& field : fields_) {
    if (LoadField(field, reader, entry, pool)) continue;
    Release(entry, pool);
    return false;
  }
  return true;
}

}  // namespace headrace::state
