#pragma once

#include <vector>

#include "cli/listing.h"
#include "train/cross_validation.h"

namespace headrace::cli {

// A line a fold and one of the means: rows learned from, rows tested, each measure.
Listing FoldTable(const std::vector<train::FoldResult>& results);

// The shortest text that reads back; null where there is no number.
Cell NumberCell(double number);

}  // namespace headrace::cli
