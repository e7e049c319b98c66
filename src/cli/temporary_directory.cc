#include "cli/temporary_directory.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <stdlib.h>

namespace headrace::cli {

Result<TemporaryDirectory> TemporaryDirectory::Make() {
  const char* parent = std::getenv("TMPDIR");
  std::string path = parent != nullptr && *parent != '\0' ? parent : "/tmp";
  path += "/headrace-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return Error(ErrorKind::kIo, "HR9002",
                 std::string("no temporary directory: ") + std::generic_category().message(errno))
        .AtPlace(path)
        .WithHint("set TMPDIR to a directory that can be written, or give --data");
  }
  return TemporaryDirectory(std::move(path));
}

TemporaryDirectory::~TemporaryDirectory() {
  if (!path_.empty()) RemoveDirectory(path_);
}

void RemoveDirectory(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace headrace::cli
