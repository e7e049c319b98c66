#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace headrace::base {

// Appends fixed-width big-endian (Kafka) and little-endian (ours) integers and varints to a string.
// Unsynchronized; the string must outlive the writer.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void Bytes(std::string_view bytes) { out_.append(bytes); }
  void U8(uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void U16Le(uint16_t v) { Fixed(&v, sizeof v); }
  void U32Le(uint32_t v) { Fixed(&v, sizeof v); }
  void U64Le(uint64_t v) { Fixed(&v, sizeof v); }
  void U16Be(uint16_t v) { U16Le(__builtin_bswap16(v)); }
  void U32Be(uint32_t v) { U32Le(__builtin_bswap32(v)); }
  void U64Be(uint64_t v) { U64Le(__builtin_bswap64(v)); }
  void Varint(uint64_t v) {
    char bytes[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
      bytes[n++] = static_cast<char>(v | 0x80);
    bytes[n++] = static_cast<char>(v);
    out_.append(bytes, n);
  }
  void Zigzag(int64_t v) {
    Varint((static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63));
  }
  // Varint length, then the bytes.
  void String(std::string_view bytes) {
    Varint(bytes.size());
    Bytes(bytes);
  }

 private:
  void Fixed(const void* p, size_t n) { out_.append(static_cast<const char*>(p), n); }

  std::string& out_;
};

// Reads what ByteWriter writes. After the first read beyond the end every read gives zero or empty
// and ok() is false: check once at the end. Never reads outside. Unsynchronized.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : p_(bytes.data()), end_(p_ + bytes.size()) {}

  bool ok() const { return ok_; }
  size_t remaining() const { return static_cast<size_t>(end_ - p_); }
  const char* position() const { return p_; }

  std::string_view Bytes(uint64_t n) {
    if (n > remaining()) return Fail(), std::string_view{};
    std::string_view result(p_, n);
    p_ += n;
    return result;
  }
  uint8_t U8() { return Fixed<uint8_t>(); }
  uint16_t U16Le() { return Fixed<uint16_t>(); }
  uint32_t U32Le() { return Fixed<uint32_t>(); }
  uint64_t U64Le() { return Fixed<uint64_t>(); }
  uint16_t U16Be() { return __builtin_bswap16(U16Le()); }
  uint32_t U32Be() { return __builtin_bswap32(U32Le()); }
  uint64_t U64Be() { return __builtin_bswap64(U64Le()); }
  uint64_t Varint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t b = U8();
      v |= uint64_t{b & 0x7fU} << shift;
      if (b < 0x80) return v;
    }
    Fail();
    return 0;
  }
  int64_t Zigzag() {
    uint64_t v = Varint();
    return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
  }
  std::string_view String() { return Bytes(Varint()); }

 private:
  template <typename T>
  T Fixed() {
    T v{};
    if (sizeof v > remaining()) return Fail(), v;
    std::memcpy(&v, p_, sizeof v);
    p_ += sizeof v;
    return v;
  }
  void Fail() {
    ok_ = false;
    p_ = end_;
  }

  const char* p_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace headrace::base
