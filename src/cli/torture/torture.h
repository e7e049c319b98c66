#pragma once

#include <vector>

#include "cli/arguments.h"
#include "cli/console.h"
#include "cli/exit_code.h"

namespace headrace::cli::torture {

// `headrace doctor --torture DIR`: starts this program as a server on data directories of its own
// beneath DIR, sends and reads, kills the server at moments that the seed decides, and lets the
// checker decide whether it kept its word. DIR is left as it was when nothing is found.
ExitCode Run(const Arguments& arguments, Console& console);

// --torture and what goes with it.
std::vector<Flag> Flags();

}  // namespace headrace::cli::torture
