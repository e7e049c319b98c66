#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "os/worker_team.h"

namespace headrace::train {

inline constexpr size_t kSumPieceRows = 16'384;

// Sums of doubles over rows that do not depend on the number of threads: `fill(begin, end, part)`
// makes the part of a piece of rows, and `add(part)` takes them one after the other, in order.
// Memory: a part a thread.
template <typename Part, typename Fill, typename Add>
void SumInOrder(size_t rows, os::WorkerTeam& team, const Part& empty, const Fill& fill,
                const Add& add) {
  const size_t pieces = (rows + kSumPieceRows - 1) / kSumPieceRows;
  std::vector<Part> parts(std::min(pieces, team.size()));
  for (size_t first = 0; first < pieces; first += parts.size()) {
    const size_t count = std::min(parts.size(), pieces - first);
    team.Run(count, [&](size_t i, size_t) {
      parts[i] = empty;
      const size_t begin = (first + i) * kSumPieceRows;
      fill(begin, std::min(rows, begin + kSumPieceRows), &parts[i]);
    });
    for (size_t i = 0; i < count; ++i)
      add(parts[i]);
  }
}

}  // namespace headrace::train
