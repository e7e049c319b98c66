#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "state/packed_text.h"
#include "state/slab_pool.h"

namespace headrace::state {

// How often each text is present: what COUNT(DISTINCT ...) over a sliding frame needs. Open
// addressing with linear probing. Trivially copyable, lives in raw, zeroed memory; its memory comes
// from the pool each call is given. Owns copies of long texts. Confined.
struct CountedSet {
  struct Element {
    PackedText text;
    uint64_t count;
  };

  Element* elements;
  uint32_t size;      // distinct texts
  uint32_t capacity;  // a power of two, or 0

  void Add(const PackedText& text, SlabPool& pool);
  // The text must be present.
  void Remove(const PackedText& text, SlabPool& pool);
  void Clear(SlabPool& pool);

  // Sorted by text.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader, SlabPool& pool);

 private:
  uint32_t Find(const PackedText& text) const;
  void Grow(SlabPool& pool);
};

}  // namespace headrace::state
