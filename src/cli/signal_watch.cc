#include "cli/signal_watch.h"

#include <cerrno>
#include <csignal>

#include <unistd.h>

#include "cli/exit_code.h"

namespace headrace::cli {

SignalWatch::SignalWatch() {
  sigemptyset(&watched_);
  sigaddset(&watched_, SIGINT);
  sigaddset(&watched_, SIGTERM);
  sigaddset(&watched_, SIGUSR2);  // our own, to end the thread
  pthread_sigmask(SIG_BLOCK, &watched_, &before_);
  thread_ = std::thread([this] { Watch(); });
}

SignalWatch::~SignalWatch() {
  done_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalWatch::BeforeExit(std::function<void()> last_words) {
  std::lock_guard lock(mutex_);
  last_words_ = std::move(last_words);
}

void SignalWatch::Exit() {
  std::lock_guard lock(mutex_);
  if (last_words_) last_words_();
  ::_exit(static_cast<int>(ExitCode::kInterrupted));
}

void SignalWatch::Watch() {
  while (true) {
    const timespec patience{kPatienceSeconds, 0};
    const int signal = sigtimedwait(&watched_, nullptr, &patience);
    if (done_) return;
    if (signal < 0 && errno == EINTR) continue;
    if (signal == SIGINT || signal == SIGTERM || (signal < 0 && stop_)) {
      if (stop_.exchange(true)) Exit();
    }
  }
}

}  // namespace headrace::cli
