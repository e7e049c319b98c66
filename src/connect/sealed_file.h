#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "headrace/result.h"
#include "os/file_system.h"

namespace headrace::connect {

// A file written once from front to back whose last bytes, the seal, make it whole to its readers.
// At every moment, and after a crash, the seal is at its end only if all the rest is there too:
// what stood under the name is gone from the disk before the first byte is written, and everything
// else is on the disk before the seal is. Unsynchronized; `files` must outlive it.
class SealedFile {
 public:
  // Replaces what stands there. Errors: kIo, kNoSpace.
  static Result<SealedFile> Create(os::FileSystem& files, const std::string& path);

  Status Append(std::string_view bytes);
  // Nothing may be appended behind it.
  Status Seal(std::string_view seal);
  // What was appended.
  uint64_t bytes() const { return written_ + buffer_.size(); }

 private:
  explicit SealedFile(std::unique_ptr<os::File> file) : file_(std::move(file)) {}
  Status Write(std::string_view bytes);
  Status Flush();

  std::unique_ptr<os::File> file_;
  std::string buffer_;
  uint64_t written_ = 0;
};

}  // namespace headrace::connect
