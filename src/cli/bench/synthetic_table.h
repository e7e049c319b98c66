#pragma once

#include <cstdint>

#include "train/table.h"

namespace headrace::cli {

// What the trainers of a benchmark learn from, and what they are then measured on.
inline constexpr size_t kTableRows = 1'000'000;
inline constexpr size_t kTestRows = 200'000;
inline constexpr size_t kTableFeatures = 30;
inline constexpr uint64_t kTableSeed = 7;
inline constexpr uint64_t kTestSeed = 8;

// Rows whose label depends on a few of the features, some alone and some together; a tenth of the
// cells of every third feature is missing.
train::Table SyntheticTable(size_t rows, uint64_t seed);

}  // namespace headrace::cli
