#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/hash.h"
#include "state/slab_pool.h"

namespace headrace::state {

// A text in 16 bytes: up to 15 bytes stand inside, padded with zeros so that equal short texts are
// equal words; longer ones are a piece of a SlabPool that the holder must Release. May be NULL.
// Trivially copyable; a copy of a long text shares its piece.
class PackedText {
 public:
  static constexpr size_t kInline = 15;

  // NULL.
  PackedText() : bytes_{} { bytes_[kTag] = static_cast<char>(kNull); }

  // For at most kInline bytes.
  static PackedText Short(std::string_view text) {
    PackedText packed;
    uint64_t words[2] = {0, 0};
    LoadShort(text, words);
    std::memcpy(packed.bytes_, words, sizeof words);
    packed.bytes_[kTag] = static_cast<char>(text.size());
    return packed;
  }
  // Points at `text`, which must outlive it; for looking up, never for Release.
  static PackedText Borrow(std::string_view text) {
    if (text.size() <= kInline) return Short(text);
    PackedText packed;
    const char* data = text.data();
    auto length = static_cast<uint32_t>(text.size());
    std::memset(packed.bytes_, 0, sizeof packed.bytes_);
    std::memcpy(packed.bytes_, static_cast<const void*>(&data), sizeof data);
    std::memcpy(packed.bytes_ + 8, &length, sizeof length);
    packed.bytes_[kTag] = static_cast<char>(kLong);
    return packed;
  }
  static PackedText Copy(std::string_view text, SlabPool& pool) {
    if (text.size() <= kInline) return Short(text);
    char* piece = pool.Allocate(text.size());
    std::memcpy(piece, text.data(), text.size());
    return Borrow({piece, text.size()});
  }
  void Release(SlabPool& pool) {
    if (!is_long()) return;
    std::string_view text = view();
    pool.Free(const_cast<char*>(text.data()), text.size());
  }

  bool null() const { return tag() == kNull; }
  bool is_long() const { return tag() == kLong; }
  // Points into this object when the text is short. Empty when NULL.
  std::string_view view() const {
    if (tag() <= kInline) return {bytes_, tag()};
    if (tag() == kNull) return {};
    const char* data;
    uint32_t length;
    std::memcpy(static_cast<void*>(&data), bytes_, sizeof data);
    std::memcpy(&length, bytes_ + 8, sizeof length);
    return {data, length};
  }

  bool operator==(const PackedText& other) const {
    if (is_long() && other.is_long()) return view() == other.view();
    return word(0) == other.word(0) && word(1) == other.word(1);
  }

  uint64_t Hash() const {
    if (is_long()) return base::Hash64(view());
    return base::MixHash(word(0) ^ base::MixHash(word(1)));
  }
  // Six bits of a cheaper hash.
  unsigned EqualityBits() const {
    constexpr uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
    if (is_long()) return static_cast<unsigned>(view().size() & 63);
    return static_cast<unsigned>((word(0) ^ (word(1) << 7)) * kOdd >> 58);
  }

 private:
  static constexpr size_t kTag = 15;
  static constexpr uint8_t kLong = 0xfe;
  static constexpr uint8_t kNull = 0xff;

  // At most 15 bytes into two words, without a call: twice as many bytes as needed, overlapping.
  static void LoadShort(std::string_view text, uint64_t (&words)[2]) {
    auto* bytes = reinterpret_cast<char*>(words);
    const char* from = text.data();
    size_t n = text.size();
    if (n >= 8) {
      std::memcpy(bytes, from, 8);
      uint64_t tail;
      std::memcpy(&tail, from + n - 8, 8);
      std::memcpy(bytes + n - 8, &tail, 8);
    } else if (n >= 4) {
      uint32_t tail;
      std::memcpy(&tail, from + n - 4, 4);
      std::memcpy(bytes, from, 4);
      std::memcpy(bytes + n - 4, &tail, 4);
    } else if (n > 0) {
      bytes[0] = from[0];
      bytes[n / 2] = from[n / 2];
      bytes[n - 1] = from[n - 1];
    }
  }

  uint64_t word(int index) const {
    uint64_t word;
    std::memcpy(&word, bytes_ + 8 * index, sizeof word);
    return word;
  }
  uint8_t tag() const { return static_cast<uint8_t>(bytes_[kTag]); }

  char bytes_[16];
};
static_assert(sizeof(PackedText) == 16);

}  // namespace headrace::state
