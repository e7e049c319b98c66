#pragma once

#include <optional>
#include <string>

#include "engine/what_if.h"
#include "headrace/result.h"
#include "os/file_system.h"

namespace headrace::cli {

// A replay that was kept: what was asked for, with the bytes of its script and models, and what
// came out. A directory with `replay.json` and `models/`. Value type.
struct ReplayArtefact {
  engine::WhatIfRequest request;
  std::string from, to;  // as they were given
  std::string result;    // ReportDigest of what came out
};

// What a report says that does not depend on where the replay began or how long it took.
std::string ReportDigest(const engine::WhatIfReport& report, bool compared);

// Writes it. Model files that the request names are copied. Errors: those of the files.
Status SaveReplay(os::FileSystem& files, const std::string& directory,
                  const ReplayArtefact& artefact);
// Error: HR1295 when it is no such directory.
Result<ReplayArtefact> LoadReplay(os::FileSystem& files, const std::string& directory);

}  // namespace headrace::cli
