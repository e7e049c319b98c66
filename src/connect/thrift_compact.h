#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "headrace/check.h"

namespace headrace::connect {

// Writes one struct in the compact protocol of Apache Thrift, which Parquet's metadata are in.
// Fields are written in the order of their IDs, at most 15 apart; lists by their head, then their
// elements. Unsynchronized; the string must outlive the writer.
class ThriftCompact {
 public:
  enum class Element : uint8_t { kI32 = 5, kBinary = 8, kStruct = 12 };

  explicit ThriftCompact(std::string& out) : bytes_(out) {}

  void Bool(int id, bool value) { Head(id, value ? 1 : 2); }
  void I8(int id, int8_t value) {
    Head(id, 3);
    bytes_.U8(static_cast<uint8_t>(value));
  }
  void I32(int id, int32_t value) {
    Head(id, 5);
    bytes_.Zigzag(value);
  }
  void I64(int id, int64_t value) {
    Head(id, 6);
    bytes_.Zigzag(value);
  }
  void Binary(int id, std::string_view value) {
    Head(id, 8);
    bytes_.String(value);
  }
  // A struct as a field, and what is in it until End.
  void Begin(int id) {
    Head(id, 12);
    last_.push_back(0);
  }
  // Of a struct; the one that everything is in has an end too.
  void End() {
    bytes_.U8(0);
    last_.pop_back();
  }
  void EmptyStruct(int id) {
    Begin(id);
    End();
  }

  // `count` elements follow.
  void List(int id, Element element, size_t count) {
    Head(id, 9);
    const auto type = static_cast<uint8_t>(element);
    if (count < 15) return bytes_.U8(static_cast<uint8_t>(count << 4 | type));
    bytes_.U8(0xf0 | type);
    bytes_.Varint(count);
  }
  void I32Element(int32_t value) { bytes_.Zigzag(value); }
  void BinaryElement(std::string_view value) { bytes_.String(value); }
  void BeginElement() { last_.push_back(0); }

 private:
  void Head(int id, int type) {
    const int step = id - last_.back();
    HR_CHECK(step > 0 && step <= 15);
    bytes_.U8(static_cast<uint8_t>(step << 4 | type));
    last_.back() = id;
  }

  base::ByteWriter bytes_;
  std::vector<int> last_ = {0};  // by open struct, outermost first: the ID last written
};

}  // namespace headrace::connect
