#pragma once

#include <string>
#include <string_view>

#include "cli/exit_code.h"
#include "headrace/error.h"

namespace headrace::cli {

// The program's standard output and error. Data goes to Out, everything else to Note; Out is
// buffered, and Note does not wait for it. Thread-safe only in Note. Lives as long as main.
class Console {
 public:
  Console();
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void Out(std::string_view text);
  // Writes what Out has buffered. False when standard output was closed or is full.
  bool Flush();
  // One or more whole lines for people.
  void Note(std::string_view text);
  // `error HR1234: message`, its place and its hint; answers the exit status it deserves.
  ExitCode Fail(const Error& error);
  // A wrong command line: says so and where the help is.
  ExitCode FailUsage(std::string_view message, std::string_view command);

  bool out_is_terminal() const { return out_is_terminal_; }
  bool note_is_terminal() const { return note_is_terminal_; }
  int width() const { return width_; }

 private:
  std::string buffer_;
  bool out_is_terminal_;
  bool note_is_terminal_;
  bool broken_ = false;
  int width_ = 100;
};

}  // namespace headrace::cli
