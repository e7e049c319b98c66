#pragma once

#include <string>

#include "engine/what_if.h"

namespace headrace::engine {

// The versions of a model as one JSON document: number, role, format, hash, since when each
// decided; and of each shadow how its decisions would have differed from those that were made, over
// the events since it became one. The comparison is a replay with the shadow in the place of the
// version that decides: nothing is scored twice while events come. Any thread. Errors: kNotFound
// HR1107, and those of RunWhatIf.
Result<std::string> DescribeModel(const WhatIfMeans& means, const std::string& name);

}  // namespace headrace::engine
