#pragma once

#include <cstdint>

#include "cli/console.h"
#include "cli/workspace.h"
#include "headrace/result.h"

namespace headrace::cli {

struct RetailOptions {
  uint64_t seed = 42;
  uint64_t visits = 20'000;
  int64_t start_micros = 0;  // UTC, of the first visit
};

// The shop of examples/retail over generated visitors whose tastes are known here alone: shows each
// a shelf that a policy chose, sends what they buy when it is bought, and prints what the choices
// cost against the best ones. The same options print the same text.
Status RunRetailDemo(const RetailOptions& options, Workspace& workspace, Console& console);

}  // namespace headrace::cli
