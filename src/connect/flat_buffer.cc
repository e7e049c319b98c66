#include "connect/flat_buffer.h"

#include <cstring>
#include <utility>

#include "base/bytes.h"

namespace headrace::connect {
namespace {

constexpr size_t kAlignment = 8;  // of the widest scalar

// Pads so that what comes behind `ahead` more bytes is aligned.
void AlignBehind(size_t ahead, size_t alignment, std::string& out) {
  while ((out.size() + ahead) % alignment != 0)
    out += '\0';
}

// Makes the word at `from` point to what begins at `to`.
void Point(size_t from, size_t to, std::string& out) {
  const auto distance = static_cast<uint32_t>(to - from);
  std::memcpy(out.data() + from, &distance, sizeof distance);
}

template <typename T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

FlatValue FlatValue::Byte(uint8_t value) {
  return {Form::kScalar, BytesOf(value)};
}
FlatValue FlatValue::Short(int16_t value) {
  return {Form::kScalar, BytesOf(value)};
}
FlatValue FlatValue::Int(int32_t value) {
  return {Form::kScalar, BytesOf(value)};
}
FlatValue FlatValue::Long(int64_t value) {
  return {Form::kScalar, BytesOf(value)};
}
FlatValue FlatValue::Text(std::string_view text) {
  return {Form::kText, text};
}
FlatValue FlatValue::Table(std::vector<FlatValue> fields) {
  FlatValue table(Form::kTable, {});
  table.parts_ = std::move(fields);
  return table;
}
FlatValue FlatValue::List(std::vector<FlatValue> items) {
  FlatValue list(Form::kList, {});
  list.parts_ = std::move(items);
  return list;
}
FlatValue FlatValue::Structs(std::string_view bytes, size_t count) {
  FlatValue structs(Form::kStructs, bytes);
  structs.count_ = count;
  return structs;
}

std::string FlatValue::Serialize() const {
  std::string out(sizeof(uint32_t), '\0');
  const size_t root = WriteTable(out);
  Point(0, root, out);
  AlignBehind(0, kAlignment, out);
  return out;
}

size_t FlatValue::width() const {
  if (form_ == Form::kAbsent) return 0;
  return form_ == Form::kScalar ? bytes_.size() : sizeof(uint32_t);
}

size_t FlatValue::Write(std::string& out) const {
  return form_ == Form::kTable ? WriteTable(out) : WriteVector(out);
}

// The places of the fields (two bytes each, 0 for one that is not there), and then the fields
// behind a word that says how far back the places are.
size_t FlatValue::WriteTable(std::string& out) const {
  std::vector<size_t> places;
  size_t size = sizeof(int32_t);
  for (const FlatValue& field : parts_) {
    const size_t width = field.width();
    if (width > 0) size = (size + width - 1) / width * width;
    places.push_back(width > 0 ? size : 0);
    size += width;
  }
  const size_t head = sizeof(uint16_t) * (2 + places.size());
  AlignBehind(head, kAlignment, out);
  base::ByteWriter bytes(out);
  bytes.U16Le(static_cast<uint16_t>(head));
  bytes.U16Le(static_cast<uint16_t>(size));
  for (size_t place : places)
    bytes.U16Le(static_cast<uint16_t>(place));
  const size_t table = out.size();
  bytes.U32Le(static_cast<uint32_t>(head));
  out.resize(table + size);
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].form_ == Form::kScalar) {
      out.replace(table + places[i], parts_[i].bytes_.size(), parts_[i].bytes_);
    }
  }
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].is_inline()) continue;
    const size_t begin = parts_[i].Write(out);
    Point(table + places[i], begin, out);
  }
  return table;
}

// A count and the elements: characters and a zero, structs, or words that point to tables.
size_t FlatValue::WriteVector(std::string& out) const {
  AlignBehind(sizeof(uint32_t), form_ == Form::kStructs ? kAlignment : sizeof(uint32_t), out);
  const size_t begin = out.size();
  base::ByteWriter bytes(out);
  if (form_ != Form::kList) {
    bytes.U32Le(static_cast<uint32_t>(form_ == Form::kText ? bytes_.size() : count_));
    out += bytes_;
    if (form_ == Form::kText) out += '\0';
    return begin;
  }
  bytes.U32Le(static_cast<uint32_t>(parts_.size()));
  const size_t words = out.size();
  out.resize(words + parts_.size() * sizeof(uint32_t));
  for (size_t i = 0; i < parts_.size(); ++i) {
    const size_t item = parts_[i].Write(out);
    Point(words + i * sizeof(uint32_t), item, out);
  }
  return begin;
}

}  // namespace headrace::connect
