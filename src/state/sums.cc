#include "state/sums.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace headrace::state {
namespace {

using Wide = unsigned __int128;

uint64_t Magnitude(int64_t value) {
  return value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

// target += addend, both of `n` limbs.
void AddLimbs(uint64_t* target, const uint64_t* addend, int n) {
  unsigned carry = 0;
  for (int i = 0; i < n; ++i) {
    Wide total = Wide{target[i]} + addend[i] + carry;
    target[i] = static_cast<uint64_t>(total);
    carry = static_cast<unsigned>(total >> 64);
  }
}

void SubtractLimbs(uint64_t* target, const uint64_t* addend, int n) {
  unsigned borrow = 0;
  for (int i = 0; i < n; ++i) {
    Wide total = Wide{target[i]} - addend[i] - borrow;
    target[i] = static_cast<uint64_t>(total);
    borrow = static_cast<unsigned>(total >> 64) & 1U;
  }
}

// The square of a 128-bit magnitude in five limbs.
void Square(Wide magnitude, uint64_t (&out)[5]) {
  auto low = static_cast<uint64_t>(magnitude);
  auto high = static_cast<uint64_t>(magnitude >> 64);
  Wide middle = Wide{low} * high;
  uint64_t squares[5] = {};
  Wide low_square = Wide{low} * low;
  Wide high_square = Wide{high} * high;
  squares[0] = static_cast<uint64_t>(low_square);
  squares[1] = static_cast<uint64_t>(low_square >> 64);
  squares[2] = static_cast<uint64_t>(high_square);
  squares[3] = static_cast<uint64_t>(high_square >> 64);
  uint64_t twice[5] = {0, static_cast<uint64_t>(middle), static_cast<uint64_t>(middle >> 64), 0, 0};
  AddLimbs(squares, twice, 5);
  AddLimbs(squares, twice, 5);
  std::memcpy(out, squares, sizeof squares);
}

// Spreads mantissa * 2^shift over three limbs and says at which limb they begin.
int32_t Spread(Wide mantissa, int shift, uint64_t (&parts)[3]) {
  int bit = shift % 64;
  Wide low = mantissa << bit;
  parts[0] = static_cast<uint64_t>(low);
  parts[1] = static_cast<uint64_t>(low >> 64);
  parts[2] = bit == 0 ? 0 : static_cast<uint64_t>(mantissa >> (128 - bit));
  return shift / 64;
}

}  // namespace

void NarrowSquares::AddSquare(int64_t value) {
  Wide square = Wide{Magnitude(value)} * Magnitude(value);
  uint64_t limbs[3] = {static_cast<uint64_t>(square), static_cast<uint64_t>(square >> 64), 0};
  AddLimbs(squares, limbs, 3);
}

void NarrowSquares::SubtractSquare(int64_t value) {
  Wide square = Wide{Magnitude(value)} * Magnitude(value);
  uint64_t limbs[3] = {static_cast<uint64_t>(square), static_cast<uint64_t>(square >> 64), 0};
  SubtractLimbs(squares, limbs, 3);
}

void ExactSum::Cover(int32_t from, int32_t to, SlabPool& pool) {
  if (count == 0) low = from;
  int32_t new_low = std::min(low, from);
  int32_t new_high = std::max(high(), to);
  auto needed = static_cast<uint16_t>(new_high - new_low);
  if (needed == count) return;
  uint64_t fill = count > 0 && (limbs[count - 1] >> 63) != 0 ? ~uint64_t{0} : 0;
  auto shift = static_cast<size_t>(low - new_low);
  if (needed > capacity) {
    auto roomy = static_cast<uint16_t>((needed + 3) & ~1);
    auto* grown = reinterpret_cast<uint64_t*>(pool.Allocate(roomy * sizeof(uint64_t)));
    if (count > 0) std::memcpy(grown + shift, limbs, count * sizeof(uint64_t));
    if (capacity > 0) {
      pool.Free(reinterpret_cast<char*>(limbs), capacity * sizeof(uint64_t));
    }
    limbs = grown;
    capacity = roomy;
  } else if (shift > 0) {
    std::memmove(limbs + shift, limbs, count * sizeof(uint64_t));
  }
  std::fill_n(limbs, shift, uint64_t{0});
  std::fill(limbs + shift + count, limbs + needed, fill);
  low = new_low;
  count = needed;
}

void ExactSum::Add(const uint64_t (&parts)[3], int32_t at, bool negative, SlabPool& pool) {
  int32_t top = at + (parts[2] != 0 ? 3 : parts[1] != 0 ? 2 : 1);
  if (count == 0 || at < low || top >= high()) Cover(at, top + 1, pool);
  // The top limb keeps two spare bits, so that one addition cannot change the sign by overflow.
  auto sign = static_cast<int64_t>(limbs[count - 1]) >> 62;
  if (sign != 0 && sign != -1) Cover(low, high() + 1, pool);
  uint64_t* limb = limbs + (at - low);
  int left = high() - at;
  unsigned carry = 0;
  for (int i = 0; i < left; ++i) {
    uint64_t part = i < 3 ? parts[i] : 0;
    if (i >= 3 && carry == 0) return;
    Wide total = negative ? Wide{limb[i]} - part - carry : Wide{limb[i]} + part + carry;
    limb[i] = static_cast<uint64_t>(total);
    carry = static_cast<unsigned>(total >> 64) & 1U;
  }
}

double ExactSum::ToDouble() const {
  if (count == 0) return 0;
  bool negative = (limbs[count - 1] >> 63) != 0;
  // The magnitude, from below: its two highest limbs that are not both zero, and whether anything
  // is set below them.
  bool carry = negative;
  bool rest = false;
  uint64_t first = 0;
  uint64_t second = 0;
  int top = -1;
  bool rest_below_top = false;
  uint64_t top_limb = 0;
  uint64_t below_top = 0;
  for (int i = 0; i < count; ++i) {
    uint64_t limb = negative ? ~limbs[i] + (carry ? 1 : 0) : limbs[i];
    carry = carry && limb == 0;
    rest = rest || second != 0;
    second = first;
    first = limb;
    if (limb == 0) continue;
    top = i;
    top_limb = first;
    below_top = second;
    rest_below_top = rest;
  }
  if (top < 0) return 0;
  int zeros = __builtin_clzll(top_limb);
  uint64_t mantissa = zeros == 0 ? top_limb : (top_limb << zeros) | (below_top >> (64 - zeros));
  if (rest_below_top || (below_top << zeros) != 0) mantissa |= 1;
  int exponent = 64 * (low + top) - zeros - 1074;
  // Units are 2^-1074, so a result below the normal range has no bits to round away.
  double result = std::ldexp(static_cast<double>(mantissa), exponent);
  return negative ? -result : result;
}

void ExactSum::Clear(SlabPool& pool) {
  if (capacity > 0) pool.Free(reinterpret_cast<char*>(limbs), capacity * sizeof(uint64_t));
  *this = ExactSum{};
}

void DoubleSums::Add(double value, bool negative, bool with_square, SlabPool& pool) {
  uint64_t step = negative ? ~uint64_t{0} : 1;
  count += step;
  if (std::isnan(value)) {
    nans += step;
    return;
  }
  if (std::isinf(value)) {
    (value > 0 ? infinities : negative_infinities) += step;
    return;
  }
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  int exponent = static_cast<int>((bits >> 52) & 0x7ff);
  uint64_t mantissa = bits & ((uint64_t{1} << 52) - 1);
  if (exponent == 0) {
    exponent = 1;
  } else {
    mantissa |= uint64_t{1} << 52;
  }
  if (mantissa == 0) return;
  uint64_t parts[3];
  int32_t at = Spread(mantissa, exponent - 1, parts);
  sum.Add(parts, at, ((bits >> 63) != 0) != negative, pool);
  if (!with_square) return;
  at = Spread(Wide{mantissa} * mantissa, 2 * (exponent - 1), parts);
  squares.Add(parts, at, negative, pool);
}

void DoubleSums::Clear(SlabPool& pool) {
  sum.Clear(pool);
  squares.Clear(pool);
  *this = DoubleSums{};
}

void WideSums::Reserve(uint32_t parts_needed, SlabPool& pool) {
  if (parts_needed <= capacity) return;
  uint32_t roomy = capacity == 0 ? 1 : capacity * 2;
  roomy = std::max(roomy, parts_needed);
  auto* grown = reinterpret_cast<Part*>(pool.Allocate(roomy * sizeof(Part)));
  if (size > 0) std::memcpy(grown, parts, size * sizeof(Part));
  if (capacity > 0) pool.Free(reinterpret_cast<char*>(parts), capacity * sizeof(Part));
  parts = grown;
  capacity = roomy;
}

WideSums::Part& WideSums::PartOf(uint64_t scale, SlabPool& pool) {
  uint32_t i = 0;
  while (i < size && parts[i].scale < scale)
    ++i;
  if (i < size && parts[i].scale == scale) return parts[i];
  Reserve(size + 1, pool);
  std::memmove(parts + i + 1, parts + i, (size - i) * sizeof(Part));
  ++size;
  parts[i] = Part{};
  parts[i].scale = scale;
  return parts[i];
}

void WideSums::Add(const row::Value& value, bool negative, bool with_square, SlabPool& pool) {
  uint64_t step = negative ? ~uint64_t{0} : 1;
  count += step;
  if (value.special != 0) {
    (value.special == 1 ? nans : value.special == 2 ? infinities : negative_infinities) += step;
    return;
  }
  row::Int128 unscaled = value.unscaled();
  Part& part = PartOf(value.scale, pool);
  part.count += step;
  if (part.count == 0) {
    auto i = static_cast<uint32_t>(&part - parts);
    std::memmove(parts + i, parts + i + 1, (size - i - 1) * sizeof(Part));
    --size;
    return;
  }
  uint64_t sign = unscaled < 0 ? ~uint64_t{0} : 0;
  uint64_t limbs[4] = {value.low, static_cast<uint64_t>(value.high), sign, sign};
  uint64_t square[5] = {};
  if (with_square) {
    Square(unscaled < 0 ? Wide{0} - static_cast<Wide>(unscaled) : static_cast<Wide>(unscaled),
           square);
  }
  if (negative) {
    SubtractLimbs(part.sum, limbs, 4);
    SubtractLimbs(part.squares, square, 5);
  } else {
    AddLimbs(part.sum, limbs, 4);
    AddLimbs(part.squares, square, 5);
  }
}

void WideSums::Clear(SlabPool& pool) {
  if (capacity > 0) pool.Free(reinterpret_cast<char*>(parts), capacity * sizeof(Part));
  *this = WideSums{};
}

// ---- Saving
// --------------------------------------------------------------------------------------

void ExactSum::Save(base::ByteWriter& writer) const {
  // Without the limbs that say nothing, so that equal sums give equal bytes.
  int from = 0;
  int to = count;
  while (from < to && limbs[from] == 0)
    ++from;
  while (to - from > 1) {
    uint64_t fill = (limbs[to - 2] >> 63) != 0 ? ~uint64_t{0} : 0;
    if (limbs[to - 1] != fill) break;
    --to;
  }
  writer.Varint(static_cast<uint64_t>(to - from));
  if (from == to) return;
  writer.Varint(static_cast<uint64_t>(low + from));
  for (int i = from; i < to; ++i)
    writer.U64Le(limbs[i]);
}

bool ExactSum::Load(base::ByteReader& reader, SlabPool& pool) {
  constexpr uint64_t kMaxLimbs = 80;
  uint64_t n = reader.Varint();
  if (!reader.ok() || n > kMaxLimbs) return false;
  if (n == 0) return true;
  uint64_t from = reader.Varint();
  if (!reader.ok() || from > kMaxLimbs || reader.remaining() < n * 8) return false;
  Cover(static_cast<int32_t>(from), static_cast<int32_t>(from + n), pool);
  for (uint64_t i = 0; i < n; ++i)
    limbs[i] = reader.U64Le();
  return true;
}

void DoubleSums::Save(base::ByteWriter& writer) const {
  for (uint64_t counter : {count, nans, infinities, negative_infinities})
    writer.Varint(counter);
  sum.Save(writer);
  squares.Save(writer);
}

bool DoubleSums::Load(base::ByteReader& reader, SlabPool& pool) {
  for (uint64_t* counter : {&count, &nans, &infinities, &negative_infinities}) {
    *counter = reader.Varint();
  }
  return reader.ok() && sum.Load(reader, pool) && squares.Load(reader, pool);
}

void WideSums::Save(base::ByteWriter& writer) const {
  for (uint64_t counter : {count, nans, infinities, negative_infinities})
    writer.Varint(counter);
  writer.Varint(size);
  for (uint32_t i = 0; i < size; ++i) {
    writer.Varint(parts[i].count);
    writer.Varint(parts[i].scale);
    for (uint64_t limb : parts[i].sum)
      writer.U64Le(limb);
    for (uint64_t limb : parts[i].squares)
      writer.U64Le(limb);
  }
}

bool WideSums::Load(base::ByteReader& reader, SlabPool& pool) {
  constexpr uint64_t kMaxScales = 256;
  for (uint64_t* counter : {&count, &nans, &infinities, &negative_infinities}) {
    *counter = reader.Varint();
  }
  uint64_t n = reader.Varint();
  if (!reader.ok() || n > kMaxScales) return false;
  uint64_t total = nans + infinities + negative_infinities;
  for (uint64_t i = 0; i < n; ++i) {
    Part part{};
    part.count = reader.Varint();
    part.scale = reader.Varint();
    for (uint64_t& limb : part.sum)
      limb = reader.U64Le();
    for (uint64_t& limb : part.squares)
      limb = reader.U64Le();
    bool ascending = size == 0 || parts[size - 1].scale < part.scale;
    if (!reader.ok() || part.scale >= kMaxScales || !ascending || part.count == 0) return false;
    Reserve(size + 1, pool);
    parts[size++] = part;
    total += part.count;
  }
  return total == count;
}

}  // namespace headrace::state
