#pragma once

#include <atomic>
#include <ctime>
#include <functional>
#include <mutex>
#include <thread>

#include <pthread.h>

namespace headrace::cli {

// Turns SIGINT and SIGTERM into a flag that loops look at. A second signal, or kPatienceSeconds
// after the first one (a read of a terminal cannot be called off), ends the process with status 130
// after the last words set by BeforeExit; what is journalled is safe then as after a crash. Make it
// before any other thread: those started later inherit the blocked signals. Where one lives inside
// the time of another, either may get a signal. Thread-safe.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  const std::atomic<bool>& stop() const { return stop_; }
  void BeforeExit(std::function<void()> last_words);

 private:
  static constexpr time_t kPatienceSeconds = 5;

  void Watch();
  [[noreturn]] void Exit();

  sigset_t watched_;
  sigset_t before_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  std::mutex mutex_;
  std::function<void()> last_words_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace headrace::cli
