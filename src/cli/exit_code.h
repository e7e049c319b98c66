#pragma once

#include "headrace/error.h"

namespace headrace::cli {

// What the program tells its caller by its exit status. The numbers never change.
enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,          // the thing asked for failed, or a check found something
  kUsage = 2,           // the command line is wrong
  kBadData = 65,        // input data that cannot be taken, stored bytes that are damaged
  kNoInput = 66,        // a file, a directory, a named thing is not there
  kUnavailable = 69,    // something needed does not run or is not installed
  kInternal = 70,       // our bug
  kIo = 74,             // the operating system refused to read or write
  kTryAgain = 75,       // in use by another process
  kDenied = 77,         // not permitted
  kConfiguration = 78,  // SQL, models, options
  kTimeout = 124,
  kInterrupted = 130,
};

// The exit status that an error deserves.
ExitCode ExitCodeOf(const Error& error);

}  // namespace headrace::cli
