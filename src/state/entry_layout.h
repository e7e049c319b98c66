#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/bytes.h"
#include "row/value.h"
#include "state/packed_text.h"
#include "state/slab_pool.h"

namespace headrace::state {

// How a value stands in an entry.
enum class FieldKind : uint8_t {
  kPresence,  // only whether it is not NULL, one bit
  kBoolean,   // two bits
  kNarrow,    // integer, date, time, decimal of at most 18 digits: 8 bytes that order as the values
  kInt64,     // bigint, timestamps: 8 bytes and a bit
  kDouble,    // 8 bytes, NULL as a NaN of its own
  kWide,      // other decimals: a row::Value
  kInterval,  // a row::Value
  kText,      // PackedText
};

// A bit of an entry, or nothing, which always passes.
struct BitGate {
  uint32_t offset = 0;
  uint64_t mask = 0;

  bool Passes(const char* entry) const {
    uint64_t word;
    std::memcpy(&word, entry + offset, sizeof word);
    return (word & mask) == mask;
  }
  void Set(char* entry) const {
    uint64_t word;
    std::memcpy(&word, entry + offset, sizeof word);
    word |= mask;
    std::memcpy(entry + offset, &word, sizeof word);
  }
  bool operator==(const BitGate&) const = default;
};

struct Field {
  FieldKind kind = FieldKind::kPresence;
  row::Type type{};
  int slot = -1;
  // Holds the bytes of row::AppendKey instead of the value: equality of types whose equal values
  // may be written differently.
  bool as_key = false;
  uint32_t offset = 0;
  BitGate present{};  // for the kinds whose bytes cannot say NULL
  BitGate truth{};    // kBoolean
};

// What a key keeps of each event: its time, one bit per filter, and each argument once, packed.
// Immutable once Finish was called.
class EntryLayout {
 public:
  // Order of narrow values: NULL, -Infinity, finite, Infinity, NaN.
  static constexpr int64_t kNarrowNull = INT64_MIN;
  static constexpr int64_t kNarrowNegativeInfinity = INT64_MIN + 1;
  static constexpr int64_t kNarrowInfinity = INT64_MAX - 1;
  static constexpr int64_t kNarrowNaN = INT64_MAX;
  static constexpr bool IsNarrowSpecial(int64_t v) {
    return v <= kNarrowNegativeInfinity || v >= kNarrowInfinity;
  }
  static bool IsNarrow(row::Type type);
  // Whether equal values of the type always have equal packed bytes.
  static bool HasPlainEquality(row::Type type);

  // Each adds a field unless there is one that serves.
  void AddValue(int slot, row::Type type);
  void AddKeyBytes(int slot, row::Type type);
  void AddPresence(int slot, row::Type type);  // after all others
  void AddFilter(int slot);
  void Finish();
  // The field of a slot; `any_form`: whichever tells whether it is NULL. -1: none.
  int Find(int slot, bool as_key, bool any_form) const;

  size_t bytes() const { return bytes_; }
  const Field& field(int index) const { return fields_[static_cast<size_t>(index)]; }
  BitGate filter(int slot) const;  // -1: always passes

  static int64_t TimeOf(const char* entry) {
    int64_t time;
    std::memcpy(&time, entry, sizeof time);
    return time;
  }
  // Packs a row's values. Long texts are copied into `pool`; Release gives them back.
  // `scratch` is memory to work in.
  void Pack(const row::Value* row, int64_t time, char* entry, SlabPool& pool,
            std::string& scratch) const;
  void Release(const char* entry, SlabPool& pool) const;

  static bool Has(const Field& field, const char* entry);
  // Text points into the entry or its piece of the pool.
  static row::Value Unpack(const Field& field, const char* entry);
  // As a text that is equal exactly when the values are; borrowed from the entry.
  static PackedText EqualityText(const Field& field, const char* entry);
  // Whether two values that are not NULL are equal, and a number below 64 that equal values share.
  static bool Equal(const Field& field, const char* a, const char* b);
  static unsigned EqualityBits(const Field& field, const char* entry);
  // <0, 0, >0 of two values that are not NULL.
  static int Compare(const Field& field, const char* a, const char* b);

  // Everything but the time.
  void Save(const char* entry, base::ByteWriter& writer) const;
  // False when the bytes are damaged; nothing is then held.
  bool Load(base::ByteReader& reader, int64_t time, char* entry, SlabPool& pool) const;

 private:
  static void PackField(const Field& field, const row::Value& value, char* entry, SlabPool& pool,
                        std::string& scratch);
  void SaveField(const Field& field, const char* entry, base::ByteWriter& writer) const;
  bool LoadField(const Field& field, base::ByteReader& reader, char* entry, SlabPool& pool) const;

  std::vector<Field> fields_;
  std::vector<int> filters_;
  std::vector<BitGate> filter_gates_;
  std::vector<int> long_fields_;  // kText: may hold a piece of the pool
  size_t bit_words_ = 0;
  size_t bytes_ = 0;
};

template <typename T>
T LoadAs(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace headrace::state
