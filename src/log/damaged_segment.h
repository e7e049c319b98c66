#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "log/segment.h"

namespace headrace::log {

// A whole stored batch in the bytes of a segment.
struct StoredPiece {
  uint64_t at = 0;
  StoredHeader header;
};

struct SegmentHole {
  uint64_t from = 0;
  uint64_t to = 0;
};

struct SegmentFinds {
  std::vector<StoredPiece> pieces;  // ascending position
  std::vector<SegmentHole> holes;   // what lies between them, and at the end
};

// Finds the whole batches in the bytes of a segment, past its damage. `known` are places where a
// batch begins if it begins anywhere: those of a sound index, the durable end. The end of the bytes
// is one, too.
//
// An event's value may hold bytes that look like a stored batch, checksum and all. So what stands
// behind damage counts only when the damaged batch's own header leads there, or when batches follow
// one another from there to a place that is known.
SegmentFinds FindBatches(std::string_view bytes, std::vector<uint64_t> known);

}  // namespace headrace::log
