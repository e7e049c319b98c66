#include "document/wire.h"

#include <bit>
#include <cstring>
#include <string>

#include "document/document.h"

namespace headrace::document {
namespace {

constexpr uint32_t kFieldNumberMax = (1u << 29) - 1;

// The fixed-width numbers of a packed list, which the format writes in little endian.
template <typename T>
Status AppendPacked(const WireField& field, std::vector<T>* out) {
  if (field.bytes.size() % sizeof(T) != 0) {
    return MalformedAt(field.offset, "a packed list of numbers ends inside a number");
  }
  const size_t before = out->size();
  out->resize(before + field.bytes.size() / sizeof(T));
  // An empty list may come without a buffer, which memcpy does not take.
  if (!field.bytes.empty()) {
    std::memcpy(out->data() + before, field.bytes.data(), field.bytes.size());
  }
  return Ok();
}

Error WrongWireType(const WireField& field, std::string_view wanted) {
  return MalformedAt(field.offset, "field " + std::to_string(field.number) + " is not written as " +
                                       std::string(wanted));
}

}  // namespace

Result<uint64_t> WireReader::Varint() {
  uint64_t value = 0;
  for (size_t i = 0; i < 10; ++i) {
    if (i == rest_.size()) return MalformedAt(offset_, "a number is cut off");
    const auto byte = static_cast<unsigned char>(rest_[i]);
    if (i == 9 && byte > 1) break;
    value |= uint64_t{byte & 0x7Fu} << (7 * i);
    if ((byte & 0x80) == 0) {
      rest_.remove_prefix(i + 1);
      offset_ += i + 1;
      return value;
    }
  }
  return MalformedAt(offset_, "a number goes on beyond 64 bits");
}

Result<uint64_t> WireReader::Fixed(size_t width) {
  if (rest_.size() < width) return MalformedAt(offset_, "a number is cut off");
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) {
    value |= uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
  }
  rest_.remove_prefix(width);
  offset_ += width;
  return value;
}

Result<WireField> WireReader::Next() {
  WireField field;
  field.offset = offset_;
  HR_ASSIGN(const uint64_t tag, Varint());
  if (tag >> 3 == 0 || tag >> 3 > kFieldNumberMax) {
    return MalformedAt(field.offset, "no field has the number " + std::to_string(tag >> 3));
  }
  field.number = static_cast<uint32_t>(tag >> 3);
  field.type = static_cast<WireType>(tag & 7);
  switch (field.type) {
    case WireType::kVarint: {
      HR_ASSIGN(field.integer, Varint());
      return field;
    }
    case WireType::kFixed64: {
      HR_ASSIGN(field.integer, Fixed(8));
      return field;
    }
    case WireType::kFixed32: {
      HR_ASSIGN(field.integer, Fixed(4));
      return field;
    }
    case WireType::kBytes: {
      HR_ASSIGN(const uint64_t length, Varint());
      if (length > rest_.size()) {
        return MalformedAt(field.offset, "a field of " + std::to_string(length) + " bytes where " +
                                             std::to_string(rest_.size()) + " are left");
      }
      field.bytes = rest_.substr(0, length);
      rest_.remove_prefix(length);
      offset_ += length;
      return field;
    }
  }
  return MalformedAt(field.offset, "field " + std::to_string(field.number) +
                                       " has the unknown wire type " + std::to_string(tag & 7));
}

Status AppendVarints(const WireField& field, std::vector<int64_t>* out) {
  if (field.type == WireType::kVarint) {
    out->push_back(static_cast<int64_t>(field.integer));
    return Ok();
  }
  if (field.type != WireType::kBytes) return WrongWireType(field, "integers");
  size_t i = 0;
  while (i < field.bytes.size()) {
    uint64_t value = 0;
    for (size_t shift = 0;; shift += 7) {
      if (i == field.bytes.size() || shift > 63) {
        return MalformedAt(field.offset, "a packed list of integers ends inside a number");
      }
      const auto byte = static_cast<unsigned char>(field.bytes[i++]);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if ((byte & 0x80) == 0) break;
    }
    out->push_back(static_cast<int64_t>(value));
  }
  return Ok();
}

Status AppendFloats(const WireField& field, std::vector<float>* out) {
  if (field.type == WireType::kFixed32) {
    out->push_back(std::bit_cast<float>(static_cast<uint32_t>(field.integer)));
    return Ok();
  }
  if (field.type != WireType::kBytes) return WrongWireType(field, "floats");
  return AppendPacked(field, out);
}

Status AppendDoubles(const WireField& field, std::vector<double>* out) {
  if (field.type == WireType::kFixed64) {
    out->push_back(std::bit_cast<double>(field.integer));
    return Ok();
  }
  if (field.type != WireType::kBytes) return WrongWireType(field, "doubles");
  return AppendPacked(field, out);
}

}  // namespace headrace::document
