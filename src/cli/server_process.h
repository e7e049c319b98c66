#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "headrace/result.h"
#include "os/clock.h"

namespace headrace::cli {

// This very program, started again as `headrace serve …` on a port of its choice. It dies with
// this object, and with the thread that started it. Has a process group of its own, so that Ctrl-C
// is for us to decide about. Confined to the thread that starts it.
class ServerProcess {
 public:
  explicit ServerProcess(const os::Clock& clock) : clock_(clock) {}
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // `words`: what stands behind `headrace`. Returns before it listens. Error: HR9010.
  Status Start(const std::vector<std::string>& words);
  // Waits until it says where it listens. Error: HR9010 with what it said, when it ended instead
  // or the time is over.
  Status WaitListening(int64_t milliseconds);
  // Waits until it has ended; false: the time was over first.
  bool WaitEnd(int64_t milliseconds);
  // Sends the signal, if it still runs.
  void Signal(int signal) const;
  // SIGKILL, and waits.
  void Kill();

  uint16_t port() const { return port_; }
  bool running() const { return process_ > 0; }
  // How it ended: "exit 0", "signal 9". Empty while it runs.
  const std::string& ending() const { return ending_; }
  // The end of what it wrote to standard error.
  const std::string& said() const { return said_; }

 private:
  static constexpr size_t kSaidMax = 8 << 10;

  // Reads what it says, for at most so long; false when it has ended.
  bool Listen(int64_t milliseconds);
  void Reap();
  void FindPort();
  int64_t Left(int64_t end) const;  // milliseconds, rounded up
  int64_t In(int64_t milliseconds) const;

  const os::Clock& clock_;
  pid_t process_ = -1;
  int pipe_ = -1;
  uint16_t port_ = 0;
  std::string said_;
  std::string ending_;
};

// Runs a command line of the shell with `argument` as $1, its output on standard error. Error:
// HR9022 when it does not end with 0.
Status RunShell(const std::string& command, const std::string& argument);

}  // namespace headrace::cli
