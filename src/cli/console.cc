#include "cli/console.h"

#include <cerrno>

#include <sys/ioctl.h>
#include <unistd.h>

namespace headrace::cli {
namespace {

constexpr size_t kBufferBytes = 64 << 10;

bool WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

Console::Console()
    : out_is_terminal_(::isatty(STDOUT_FILENO) == 1),
      note_is_terminal_(::isatty(STDERR_FILENO) == 1) {
  winsize size{};
  if (out_is_terminal_ && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) {
    width_ = size.ws_col;
  }
}

Console::~Console() {
  Flush();
}

void Console::Out(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) Flush();
}

bool Console::Flush() {
  if (!broken_ && !WriteAll(STDOUT_FILENO, buffer_)) broken_ = true;
  buffer_.clear();
  return !broken_;
}

void Console::Note(std::string_view text) {
  // Whoever closed standard error does not want to know.
  (void)WriteAll(STDERR_FILENO, text);
}

ExitCode Console::Fail(const Error& error) {
  std::string text = "error " + error.code() + ": ";
  // Errors of scripts come rendered: every one with its place, source line and caret.
  if (error.message().find('\n') != std::string::npos) {
    text = error.message();
  } else {
    text += error.message();
    if (!error.place().empty()) text += "\n  at " + error.place();
    if (!error.hint().empty()) text += "\n  hint: " + error.hint();
  }
  if (!text.ends_with('\n')) text += '\n';
  Flush();
  Note(text);
  return ExitCodeOf(error);
}

ExitCode Console::FailUsage(std::string_view message, std::string_view command) {
  std::string text = "error HR9001: ";
  text += message;
  text += "\n  hint: `headrace ";
  if (!command.empty()) text += std::string(command) + " ";
  text += "--help` shows what there is\n";
  Note(text);
  return ExitCode::kUsage;
}

}  // namespace headrace::cli
