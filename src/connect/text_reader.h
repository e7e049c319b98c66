#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "headrace/result.h"
#include "os/file_system.h"

namespace headrace::connect {

// Gives a file's uncompressed text piece by piece: plain, gzip (all members) or zstd (all frames),
// by the file's name. "-" is standard input. Confined.
class TextReader {
 public:
  static Result<std::unique_ptr<TextReader>> Open(os::FileSystem& files, const std::string& path);
  virtual ~TextReader() = default;
  // Appends some bytes; appends nothing at the (present) end.
  virtual Status Read(std::string& out) = 0;
  // What was read once cannot be read again: standard input, a pipe.
  virtual bool is_pipe() const = 0;
  // Goes on at this byte of the text, when that can be done without reading what is before it.
  virtual bool SkipTo(uint64_t position) {
    static_cast<void>(position);
    return false;
  }
  virtual uint64_t stored_bytes() const = 0;
  virtual uint64_t stored_bytes_read() const = 0;
};

}  // namespace headrace::connect
