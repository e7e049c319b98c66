#pragma once

#include <string>

#include "headrace/result.h"
#include "log/log.h"
#include "os/file_system.h"

namespace headrace::log {

// What Verify checks of segments, in a directory whose program goes on: those that the manifest
// lists, as far as it says that they are durable; what retention removes meanwhile is no finding.
// The journal is not looked at: what it holds is checked when it is read, and soon in a segment.
// Errors: those of listing, and kUnavailable when reading was stopped.
Result<VerifyReport> VerifySegments(os::FileSystem& files, const std::string& directory);

}  // namespace headrace::log
