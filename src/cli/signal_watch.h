#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include <pthread.h>

namespace headrace::cli {

// Turns SIGINT and SIGTERM into a flag that loops look at. A second signal ends the process at once
// with status 130, after the last words set by OnSecond. Make it before any other thread: those
// started later inherit the blocked signals. One per process at a time. Thread-safe.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  const std::atomic<bool>& stop() const { return stop_; }
  void OnSecond(std::function<void()> last_words);

 private:
  void Watch();

  sigset_t watched_;
  sigset_t before_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  std::mutex mutex_;
  std::function<void()> last_words_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace headrace::cli
