#pragma once

#include <string>

#include "headrace/result.h"

namespace headrace::cli {

// A directory of its own, removed with all that is in it when this dies. Movable; confined.
class TemporaryDirectory {
 public:
  // Beneath $TMPDIR, or /tmp. Error: kIo HR9002.
  static Result<TemporaryDirectory> Make();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty: moved away
};

// Removes a directory and all that is in it, as far as that is possible.
void RemoveDirectory(const std::string& path);

}  // namespace headrace::cli
