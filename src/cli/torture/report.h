#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/torture/checker.h"
#include "cli/torture/round.h"

namespace headrace::cli::torture {

// What came of it all.
struct Report {
  uint64_t seed = 0;
  uint64_t rounds = 0;
  double seconds = 0;
  RoundTotals totals{};
  Counts counts{};
  std::array<uint64_t, kFaults> fault_counts{};
  std::vector<Finding> findings;  // of the last round: it ends with the first one
  std::string kept;               // the directory that shows them; empty: removed

  void Take(const Round& round);
  uint64_t finding_count() const;
};

std::string TextOf(const Report& report);
std::string JsonOf(const Report& report);
// One line for standard error, of what was done so far and of the round that is under way.
std::string ProgressLine(const Report& before, const Round& round, double seconds);

}  // namespace headrace::cli::torture
