#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "row/value.h"
#include "state/slab_pool.h"

namespace headrace::state {

// Running totals that never round, so that what leaves a frame can be subtracted again and the
// result depends on the values in the frame alone: not on their order, not on what was there
// before. All are trivially copyable and live in raw, zeroed memory; those with memory of their own
// are given the pool it comes from. Confined.

// The values of narrow fields: integers, and decimals of at most 18 digits in units of their last
// digit. `count` includes NaNs.
struct NarrowSum {
  uint64_t count;
  uint64_t nans;
  uint64_t low;  // the sum, 128 bits
  int64_t high;

  row::Int128 sum() const {
    return static_cast<row::Int128>(
        (static_cast<unsigned __int128>(static_cast<uint64_t>(high)) << 64) | low);
  }
  void Add(int64_t value) { Store(sum() + value); }
  void Subtract(int64_t value) { Store(sum() - value); }

 private:
  void Store(row::Int128 total) {
    low = static_cast<uint64_t>(total);
    high = static_cast<int64_t>(total >> 64);
  }
};

// 192 bits: 2^44 squares of the largest bigint fit.
struct NarrowSquares : NarrowSum {
  uint64_t squares[3];

  void AddSquare(int64_t value);
  void SubtractSquare(int64_t value);
};

// A sum of products of doubles as one binary integer: limbs [low, low + count) of 64 bits, two's
// complement, in units of 2^-1074 (sums) or 2^-2148 (squares). Grows to what the values need:
// a few limbs where they are of like size, 68 at most.
struct ExactSum {
  uint64_t* limbs;
  int32_t low;
  uint16_t count;
  uint16_t capacity;

  // Adds or subtracts parts * 2^(64 * at).
  void Add(const uint64_t (&parts)[3], int32_t at, bool negative, SlabPool& pool);
  // Rounded once, to nearest, ties to even; infinity when too large.
  double ToDouble() const;
  void Clear(SlabPool& pool);
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader, SlabPool& pool);

 private:
  void Cover(int32_t from, int32_t to, SlabPool& pool);
  int32_t high() const { return low + count; }
};

struct DoubleSums {
  uint64_t count;
  uint64_t nans;
  uint64_t infinities;
  uint64_t negative_infinities;
  ExactSum sum;
  ExactSum squares;

  // Adds (`negative`: takes away) one value; its square only when `with_square`.
  void Add(double value, bool negative, bool with_square, SlabPool& pool);
  void Clear(SlabPool& pool);
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader, SlabPool& pool);
};

// Decimals of any precision and scale: one part per scale that occurs, ascending.
struct WideSums {
  struct Part {
    uint64_t count;
    uint64_t scale;
    uint64_t sum[4];      // two's complement
    uint64_t squares[5];  // two's complement, never negative
  };

  uint64_t count;
  uint64_t nans;
  uint64_t infinities;
  uint64_t negative_infinities;
  Part* parts;
  uint32_t size;
  uint32_t capacity;

  void Add(const row::Value& value, bool negative, bool with_square, SlabPool& pool);
  void Clear(SlabPool& pool);
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader, SlabPool& pool);

 private:
  Part& PartOf(uint64_t scale, SlabPool& pool);
  void Reserve(uint32_t parts_needed, SlabPool& pool);
};

}  // namespace headrace::state
