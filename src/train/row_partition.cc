#include "train/row_partition.h"

#include <algorithm>
#include <numeric>

#include "headrace/check.h"

namespace headrace::train {
namespace {

constexpr size_t kPieceRows = 16'384;

template <typename T>
void Copy(const std::vector<T>& from, size_t from_at, size_t count, std::vector<T>* to,
          size_t to_at) {
  std::copy_n(from.begin() + static_cast<int64_t>(from_at), count,
              to->begin() + static_cast<int64_t>(to_at));
}

}  // namespace

RowPartition::RowPartition(size_t rows, os::WorkerTeam& team)
    : team_(team), rows_(rows), gradients_(rows), right_rows_(rows), right_gradients_(rows) {}

void RowPartition::Reset(std::span<const Gradient> gradients) {
  std::iota(rows_.begin(), rows_.end(), uint32_t{0});
  std::copy(gradients.begin(), gradients.end(), gradients_.begin());
}

void RowPartition::Reset(std::span<const uint32_t> rows, std::span<const Gradient> gradients) {
  HR_CHECK(rows.size() <= rows_.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    rows_[i] = rows[i];
    gradients_[i] = gradients[rows[i]];
  }
}

size_t RowPartition::Sort(size_t begin, size_t end, const Source& source) {
  size_t left = begin;
  size_t right = begin;
  // Both places are written and one of them counts: no branch depends on the data.
  for (size_t i = begin; i < end; ++i) {
    const uint32_t row = rows_[i];
    const Gradient gradient = gradients_[i];
    const uint8_t goes_left = source.left[source.bins[row * source.stride]];
    rows_[left] = row;
    gradients_[left] = gradient;
    right_rows_[right] = row;
    right_gradients_[right] = gradient;
    left += goes_left;
    right += 1 - goes_left;
  }
  return left - begin;
}

size_t RowPartition::Split(size_t begin, size_t end, const uint8_t* bins, size_t stride,
                           const Sides& left) {
  const Source source{bins, stride, left};
  const size_t pieces = (end - begin + kPieceRows - 1) / kPieceRows;
  std::vector<size_t> went_left(pieces);
  const auto begin_of = [&](size_t piece) { return std::min(end, begin + piece * kPieceRows); };
  team_.Run(pieces, [&](size_t piece, size_t) {
    went_left[piece] = Sort(begin_of(piece), begin_of(piece + 1), source);
  });
  // Pieces overlap where the left rows go, so one thread moves them, front to back.
  size_t middle = begin;
  std::vector<size_t> right_at(pieces);
  for (size_t piece = 0; piece < pieces; ++piece) {
    Copy(rows_, begin_of(piece), went_left[piece], &rows_, middle);
    Copy(gradients_, begin_of(piece), went_left[piece], &gradients_, middle);
    middle += went_left[piece];
  }
  size_t at = middle;
  for (size_t piece = 0; piece < pieces; ++piece) {
    right_at[piece] = at;
    at += begin_of(piece + 1) - begin_of(piece) - went_left[piece];
  }
  team_.Run(pieces, [&](size_t piece, size_t) {
    const size_t from = begin_of(piece);
    const size_t count = begin_of(piece + 1) - from - went_left[piece];
    Copy(right_rows_, from, count, &rows_, right_at[piece]);
    Copy(right_gradients_, from, count, &gradients_, right_at[piece]);
  });
  return middle;
}

}  // namespace headrace::train
