#include "cli/bench/server_process.h"

#include <charconv>
#include <csignal>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace headrace::cli {
namespace {

Error Failure() {
  return Error(ErrorKind::kIo, "HR9010", "the server did not start");
}

}  // namespace

ServerProcess::~ServerProcess() {
  if (process_ > 0) ::kill(process_, SIGKILL), ::waitpid(process_, nullptr, 0);
  if (said_ >= 0) ::close(said_);
}

Status ServerProcess::Start() {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return Failure();
  said_ = pipe[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
  std::vector<std::string> words = {
      "headrace", "serve",      directory_ + "/app.sql", "--data", directory_ + "/data",
      "--http",   "127.0.0.1:0"};
  std::vector<char*> arguments;
  for (std::string& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int problem =
      ::posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  if (problem != 0) return Failure();
  return ReadPort();
}

Status ServerProcess::ReadPort() {
  std::string text;
  char buffer[1024];
  constexpr std::string_view kMark = "http://127.0.0.1:";
  while (true) {
    const ssize_t got = ::read(said_, buffer, sizeof buffer);
    if (got <= 0) return Failure().WithHint(text);
    text.append(buffer, static_cast<size_t>(got));
    const size_t at = text.find(kMark);
    if (at == std::string::npos || text.find(' ', at) == std::string::npos) continue;
    std::from_chars(text.data() + at + kMark.size(), text.data() + text.size(), port_);
    return port_ > 0 ? Ok() : Status(Failure());
  }
}

}  // namespace headrace::cli
