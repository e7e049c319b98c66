#include "state/counted_set.h"

#include <algorithm>
#include <vector>

#include "headrace/check.h"

namespace headrace::state {

namespace {
constexpr uint32_t kFirstCapacity = 16;
}

// The element of the text, or the free one where it belongs.
uint32_t CountedSet::Find(const PackedText& text) const {
  uint32_t mask = capacity - 1;
  auto at = static_cast<uint32_t>(text.Hash()) & mask;
  while (elements[at].count != 0 && !(elements[at].text == text))
    at = (at + 1) & mask;
  return at;
}

void CountedSet::Grow(SlabPool& pool) {
  CountedSet old = *this;
  capacity = old.capacity == 0 ? kFirstCapacity : old.capacity * 2;
  elements = reinterpret_cast<Element*>(pool.Allocate(capacity * sizeof(Element)));
  for (uint32_t i = 0; i < capacity; ++i)
    elements[i].count = 0;
  for (uint32_t i = 0; i < old.capacity; ++i) {
    if (old.elements[i].count != 0) elements[Find(old.elements[i].text)] = old.elements[i];
  }
  if (old.capacity > 0) {
    pool.Free(reinterpret_cast<char*>(old.elements), old.capacity * sizeof(Element));
  }
}

void CountedSet::Add(const PackedText& text, SlabPool& pool) {
  if ((size + 1) * uint64_t{4} > capacity * uint64_t{3}) Grow(pool);
  Element& element = elements[Find(text)];
  if (element.count++ == 0) {
    element.text = text.is_long() ? PackedText::Copy(text.view(), pool) : text;
    ++size;
  }
}

void CountedSet::Remove(const PackedText& text, SlabPool& pool) {
  HR_CHECK(capacity > 0);
  uint32_t hole = Find(text);
  HR_CHECK(elements[hole].count != 0);
  if (--elements[hole].count != 0) return;
  elements[hole].text.Release(pool);
  --size;
  // Moves back what probed past the hole, so that no search ends too early.
  uint32_t mask = capacity - 1;
  for (uint32_t at = (hole + 1) & mask; elements[at].count != 0; at = (at + 1) & mask) {
    auto home = static_cast<uint32_t>(elements[at].text.Hash()) & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    elements[hole] = elements[at];
    elements[at].count = 0;
    hole = at;
  }
}

void CountedSet::Clear(SlabPool& pool) {
  for (uint32_t i = 0; i < capacity; ++i) {
    if (elements[i].count != 0) elements[i].text.Release(pool);
  }
  if (capacity > 0) pool.Free(reinterpret_cast<char*>(elements), capacity * sizeof(Element));
  *this = CountedSet{};
}

void CountedSet::Save(base::ByteWriter& writer) const {
  std::vector<const Element*> sorted;
  sorted.reserve(size);
  for (uint32_t i = 0; i < capacity; ++i) {
    if (elements[i].count != 0) sorted.push_back(&elements[i]);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const Element* a, const Element* b) { return a->text.view() < b->text.view(); });
  writer.Varint(sorted.size());
  for (const Element* element : sorted) {
    writer.String(element->text.view());
    writer.Varint(element->count);
  }
}

bool CountedSet::Load(base::ByteReader& reader, SlabPool& pool) {
  uint64_t n = reader.Varint();
  if (!reader.ok() || n > reader.remaining() / 2) return false;
  for (uint64_t i = 0; i < n; ++i) {
    std::string_view text = reader.String();
    uint64_t count = reader.Varint();
    if (!reader.ok() || count == 0) return false;
    PackedText packed = PackedText::Borrow(text);
    uint32_t before = size;
    Add(packed, pool);
    if (size == before) return false;  // twice the same text
    elements[Find(packed)].count = count;
  }
  return true;
}

}  // namespace headrace::state
