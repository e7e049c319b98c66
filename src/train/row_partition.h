#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "os/worker_team.h"
#include "train/histogram.h"

namespace headrace::train {

// The rows of a tree that grows, those of a node side by side and in rising order, each with its
// gradients. Confined; Split uses the team. The order does not depend on the number of threads.
class RowPartition {
 public:
  // Whether a bin's rows go left.
  using Sides = std::array<uint8_t, 256>;

  RowPartition(size_t rows, os::WorkerTeam& team);

  // One node with all rows.
  void Reset(std::span<const Gradient> gradients);
  // One node with these rows, rising; one may stand there several times. No more than there are.
  void Reset(std::span<const uint32_t> rows, std::span<const Gradient> gradients);
  // Cuts the node at [begin, end) in two; the left rows end where the answer says.
  size_t Split(size_t begin, size_t end, const uint8_t* bins, size_t stride, const Sides& left);

  NodeRows Of(size_t begin, size_t end) const {
    return {std::span(rows_).subspan(begin, end - begin),
            std::span(gradients_).subspan(begin, end - begin)};
  }

 private:
  struct Source {
    const uint8_t* bins;
    size_t stride;
    const Sides& left;
  };

  // Moves the left rows of [begin, end) to its front and copies the right ones aside; says how many
  // went left.
  size_t Sort(size_t begin, size_t end, const Source& source);

  os::WorkerTeam& team_;
  std::vector<uint32_t> rows_;
  std::vector<Gradient> gradients_;
  std::vector<uint32_t> right_rows_;
  std::vector<Gradient> right_gradients_;
};

}  // namespace headrace::train
