#include "cli/exit_code.h"

#include <string_view>

namespace headrace::cli {
namespace {

// Codes HR1xxx are SQL's and HR3xxx the models': both are the configuration of a pipeline. The rows
// handed to a model (HR3005) and their labels (HR3008) are data; what a model needs and we do not
// have (HR3006) is missing.
ExitCode OfInvalidArgument(std::string_view code) {
  constexpr std::string_view kOfRows[] = {"HR3005", "HR3008", "HR3070", "HR3071",
                                          "HR3072", "HR3074", "HR9012"};
  for (std::string_view of_rows : kOfRows) {
    if (code == of_rows) return ExitCode::kBadData;
  }
  if (code == "HR3006") return ExitCode::kUnavailable;
  if (code.starts_with("HR1") || code.starts_with("HR3")) return ExitCode::kConfiguration;
  if (code.starts_with("HR9")) return ExitCode::kUsage;
  return ExitCode::kBadData;
}

}  // namespace

ExitCode ExitCodeOf(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kInvalidArgument:
      return OfInvalidArgument(error.code());
    case ErrorKind::kNotFound:
      return ExitCode::kNoInput;
    case ErrorKind::kAlreadyExists:
      return ExitCode::kFailed;
    case ErrorKind::kCorruption:  // HR5xxx: what the disk gave back is not what was written
      return error.code().starts_with("HR5") ? ExitCode::kIo : ExitCode::kBadData;
    case ErrorKind::kLimitExceeded:  // HR5065: with more memory it goes on
      return error.code() == "HR5065" ? ExitCode::kTryAgain : ExitCode::kBadData;
    case ErrorKind::kIo:
    case ErrorKind::kNoSpace:
      return ExitCode::kIo;
    case ErrorKind::kUnavailable:
      return ExitCode::kUnavailable;
    case ErrorKind::kConflict:
      return ExitCode::kTryAgain;
    case ErrorKind::kTimeout:
      return ExitCode::kTimeout;
    case ErrorKind::kInternal:
      return ExitCode::kInternal;
  }
  return ExitCode::kInternal;
}

}  // namespace headrace::cli
