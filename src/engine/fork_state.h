#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/fork.h"

namespace headrace::engine {

// Whether the state of a fork at some LSN is that of the deployment it was made from: nothing that
// has state is otherwise, nor reads what may have other values, because another statement or
// version of a model made it. Then a replay may begin with a snapshot.
bool KeepsState(const Fork& fork, const std::vector<std::pair<std::string, std::string>>& models);

}  // namespace headrace::engine
