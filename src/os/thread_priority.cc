#include "os/thread_priority.h"

#include <sys/resource.h>
#include <unistd.h>

namespace headrace::os {

void LowerThreadPriority() {
  constexpr int kNice = 5;
  // On Linux the value belongs to the thread, whatever the name says.
  setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
}

}  // namespace headrace::os
