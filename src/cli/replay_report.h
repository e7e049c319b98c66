#pragma once

#include <string>

#include "engine/what_if.h"

namespace headrace::cli {

// What a replay found, for programs and for people. `compared`: with the rows in the log.
std::string ReplayJson(const engine::WhatIfReport& report, bool compared, double seconds);
std::string ReplayText(const engine::WhatIfReport& report);

}  // namespace headrace::cli
