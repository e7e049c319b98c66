#pragma once

namespace headrace::os {

// The calling thread, and those that it starts from now on, let every other thread go first that
// has something to do. For work that nobody waits for. Where the system does not know this, nothing
// changes.
void LowerThreadPriority();

}  // namespace headrace::os
