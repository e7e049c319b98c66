#pragma once

#include <cstdint>

#include "headrace/result.h"
#include "log/log.h"

namespace headrace::log {

struct CopyReport {
  Lsn from_lsn = 0;    // what the copy held before
  Lsn last_lsn = 0;    // what it holds now
  uint64_t bytes = 0;  // of the entries copied
};

// Appends to `to` what `from` holds beyond it: same LSNs, same offsets, same bytes of each entry.
// `to` must hold a beginning of `from`, or nothing; afterwards it holds all that was durable in
// `from` when it was opened, flushed. Stopped at any moment it holds a beginning.
//
// Errors: kConflict HR5214 when `to` is no beginning of `from`, HR5215 when `from` no longer holds
// its beginning (retention), kNoSpace, and those of reading and appending.
Result<CopyReport> CopyLog(const Log& from, Log& to);

}  // namespace headrace::log
