#pragma once

#include <string>
#include <string_view>

namespace headrace {

// What a caller may branch on. Add one only when some caller needs to tell it apart.
enum class ErrorKind {
  kInvalidArgument,  // the request is wrong whatever the state (usage, SQL, bad data)
  kNotFound,
  kAlreadyExists,
  kCorruption,   // stored bytes fail their checksum or their grammar
  kIo,           // the operating system said no
  kNoSpace,      // ENOSPC: may go away without a restart
  kUnavailable,  // cannot be done in this state: stopped, failed flush, missing runtime
  kLimitExceeded,
  kConflict,
  kTimeout,
  kInternal,  // our bug, reported rather than aborted
};

// Why an operation failed: a kind to branch on, a stable code for people (`HR1042`), where it
// happened, and what to do next. Cheap to move. Value type.
class Error {
 public:
  Error(ErrorKind kind, std::string code, std::string message)
      : kind_(kind), code_(std::move(code)), message_(std::move(message)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& code() const { return code_; }
  const std::string& message() const { return message_; }
  // Where: `file:line:column`, `file@offset`, or a JSON pointer. May be empty.
  const std::string& place() const { return place_; }
  const std::string& hint() const { return hint_; }

  Error& AtPlace(std::string place) & { return place_ = std::move(place), *this; }
  Error&& AtPlace(std::string place) && { return place_ = std::move(place), std::move(*this); }
  Error& WithHint(std::string hint) & { return hint_ = std::move(hint), *this; }
  Error&& WithHint(std::string hint) && { return hint_ = std::move(hint), std::move(*this); }
  // Puts the cause's context in front: "open segment 7: no such file".
  Error&& Wrap(std::string_view context) &&;

  // `HR1042 at place: message (hint: ...)`, one line.
  std::string ToString() const;

 private:
  ErrorKind kind_;
  std::string code_;
  std::string message_;
  std::string place_;
  std::string hint_;
};

}  // namespace headrace
