#include "cli/server_process.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace headrace::cli {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

Error NotStarted(const std::string& why) {
  return Error(ErrorKind::kIo, "HR9010", "the server did not start").WithHint(why);
}

std::string Problem() {
  return std::generic_category().message(errno);
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the child, between fork and exec: only what is safe there. Signals that this program blocks
// for its own loop must reach the child.
[[noreturn]] void Become(const char* program, char* const* words, int output, pid_t parent) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int errors = output < 0 ? STDERR_FILENO : output;
  if (::getppid() == parent && ::dup2(errors, STDERR_FILENO) >= 0 &&
      ::dup2(errors, STDOUT_FILENO) >= 0) {
    ::execv(program, words);
  }
  ::_exit(127);
}

std::string EndingText(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

ServerProcess::~ServerProcess() {
  Kill();
}

Status ServerProcess::Start(const std::vector<std::string>& words) {
  Kill();
  said_.clear();
  ending_.clear();
  port_ = 0;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return NotStarted(Problem());
  std::vector<std::string> all = {"headrace"};
  all.insert(all.end(), words.begin(), words.end());
  const std::vector<char*> pointers = Pointers(all);
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) {
    ::setpgid(0, 0);
    Become("/proc/self/exe", pointers.data(), ends[1], parent);
  }
  const std::string problem = Problem();
  ::close(ends[1]);
  pipe_ = ends[0];
  if (process_ > 0) return Ok();
  ::close(pipe_);
  pipe_ = -1;
  return NotStarted(problem);
}

void ServerProcess::Reap() {
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  ending_ = EndingText(status);
  process_ = -1;
  ::close(pipe_);
  pipe_ = -1;
}

bool ServerProcess::Listen(int64_t milliseconds) {
  pollfd waiting{pipe_, POLLIN, 0};
  const int ready = ::poll(&waiting, 1, static_cast<int>(milliseconds));
  if (ready <= 0) return true;
  char buffer[1024];
  const ssize_t got = ::read(pipe_, buffer, sizeof buffer);
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) {
    Reap();
    return false;
  }
  said_.append(buffer, static_cast<size_t>(got));
  if (said_.size() > kSaidMax) said_.erase(0, said_.size() - kSaidMax);
  return true;
}

void ServerProcess::FindPort() {
  constexpr std::string_view kMark = "http://127.0.0.1:";
  const size_t at = said_.find(kMark);
  if (at == std::string::npos || said_.find(' ', at) == std::string::npos) return;
  std::from_chars(said_.data() + at + kMark.size(), said_.data() + said_.size(), port_);
}

int64_t ServerProcess::In(int64_t milliseconds) const {
  return clock_.MonotonicNanoseconds() + milliseconds * kMillisecond;
}

int64_t ServerProcess::Left(int64_t end) const {
  return (end - clock_.MonotonicNanoseconds() + kMillisecond - 1) / kMillisecond;
}

Status ServerProcess::WaitListening(int64_t milliseconds) {
  const int64_t end = In(milliseconds);
  while (running() && port_ == 0) {
    const int64_t left = Left(end);
    if (left <= 0) return NotStarted("it does not say where it listens: " + said_);
    if (Listen(left)) FindPort();
  }
  return running() ? Ok() : Status(NotStarted(ending_ + ": " + said_));
}

bool ServerProcess::WaitEnd(int64_t milliseconds) {
  const int64_t end = In(milliseconds);
  while (running()) {
    const int64_t left = Left(end);
    if (left <= 0) return false;
    Listen(left);
  }
  return true;
}

void ServerProcess::Signal(int signal) const {
  if (running()) ::kill(process_, signal);
}

void ServerProcess::Kill() {
  Signal(SIGKILL);
  while (running())
    Listen(-1);
}

Status RunShell(const std::string& command, const std::string& argument) {
  std::vector<std::string> words = {"sh", "-c", command, "sh", argument};
  const std::vector<char*> pointers = Pointers(words);
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process == 0) Become("/bin/sh", pointers.data(), -1, parent);
  int status = 0;
  while (process > 0 && ::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (process > 0 && status == 0) return Ok();
  return Error(ErrorKind::kIo, "HR9022",
               "a command failed: " + (process > 0 ? EndingText(status) : Problem()))
      .AtPlace(command);
}

}  // namespace headrace::cli
