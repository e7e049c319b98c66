#include "os/thread_priority.h"

#include <cstdint>

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace headrace::os {
namespace {

constexpr int kNice = 10;
// A thread that wakes up waits until the one that runs has had its slice, unless its own is
// shorter: 100 microseconds are the least that Linux takes (from 6.12 on; before it has no effect).
constexpr uint64_t kSliceNanos = 100'000;

// The kernel's struct sched_attr, as of its first version. Not that of the C library's headers:
// some have it, some do not.
struct SchedulingAttributes {
  uint32_t size = sizeof(SchedulingAttributes);
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;
  uint64_t deadline = 0;
  uint64_t period = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

}  // namespace

void LowerThreadPriority() {
  SchedulingAttributes attributes;
  attributes.policy = SCHED_BATCH;  // when it wakes up it interrupts nobody
  attributes.nice = kNice;
  attributes.runtime = kSliceNanos;
  if (syscall(SYS_sched_setattr, 0, &attributes, 0) == 0) return;
  // On Linux the value belongs to the thread, whatever the name says.
  setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
}

}  // namespace headrace::os
