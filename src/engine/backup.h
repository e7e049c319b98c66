#pragma once

#include <string>

#include "base/metrics.h"
#include "headrace/result.h"
#include "log/copy.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace headrace::engine {

// Copies what a data directory holds, up to one LSN, into a backup: a data directory itself, with
// log, models, and the snapshot that stands for what retention removed. A program may go on writing
// to `from` meanwhile. A backup that is there already is carried on: only what is new is copied,
// and what retention has removed since goes there, too. Stopped at any moment the backup holds an
// earlier LSN; the first one counts when it is whole. Errors: those of log::LogCopy and Log::Open;
// HR5406 when `to` holds something else; HR5407, HR5408 when the beginning of `from` is damaged.
Result<log::CopyReport> Backup(os::FileSystem& files, os::Clock& clock, const std::string& from,
                               const std::string& to);

// Makes a data directory of a backup: checks every byte first, then copies. Errors: HR5405 when
// `to` is not empty, what log::Verify finds, kNotFound.
Result<log::CopyReport> Restore(os::FileSystem& files, os::Clock& clock, const std::string& from,
                                const std::string& to);

}  // namespace headrace::engine
