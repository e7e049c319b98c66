#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/test/case_file.h"
#include "headrace/result.h"

namespace headrace::cli {

// With --crash-at=every a case is run again for so many crashes at most.
inline constexpr uint64_t kCrashPointsMax = 20'000;

// What came of a case. `failures` are texts with the line of the case first.
struct CaseOutcome {
  std::vector<std::string> failures;
  uint64_t crash_points = 0;
  uint64_t crash_points_left_out = 0;
};

// Runs a case on a disk in memory; `script` is its statements' text, `file` its name. With
// `crash_at` UINT64_MAX the case is run again for each operation that changes the disk, loses its
// power there, is started again and goes on with the event that was not taken; every expectation
// must hold and every row of every stream be that of the undisturbed run. A number is one such
// crash, 0 none. Errors: of the statements, of an event that is not JSON for its stream.
Result<CaseOutcome> RunCase(const TestCase& test, const std::string& script,
                            const std::string& file, uint64_t crash_at);

}  // namespace headrace::cli
