#include "os/file_system.h"

namespace headrace::os {
namespace {

std::string ParentOf(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::string> ReadFile(FileSystem& files, const std::string& path, uint64_t bytes_max) {
  HR_ASSIGN(auto file, files.Open(path, {}));
  HR_ASSIGN(uint64_t size, file->Size());
  if (size > bytes_max) {
    return Error(ErrorKind::kLimitExceeded, "HR7006",
                 "the file has " + std::to_string(size) + " bytes, more than the limit of " +
                     std::to_string(bytes_max))
        .AtPlace(path);
  }
  std::string bytes(size, '\0');
  HR_ASSIGN(size_t got, file->ReadAt(0, bytes.data(), bytes.size()));
  bytes.resize(got);
  return bytes;
}

Status ReplaceFile(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::string beside = path + ".new";
  {
    HR_ASSIGN(auto file, files.Open(beside, {.create = true, .writable = true}));
    HR_TRY(file->Truncate(0));
    HR_TRY(file->WriteAt(0, bytes));
    HR_TRY(file->Sync());
  }
  HR_TRY(files.Rename(beside, path));
  return files.SyncDirectory(ParentOf(path));
}

Status CopyFile(FileSystem& files, const std::string& from, const std::string& to) {
  constexpr size_t kPieceBytes = 1 << 20;
  HR_ASSIGN(auto source, files.Open(from, {}));
  HR_ASSIGN(auto target, files.Open(to, {.create = true, .writable = true}));
  HR_TRY(target->Truncate(0));
  std::string piece(kPieceBytes, '\0');
  for (uint64_t at = 0;;) {
    HR_ASSIGN(size_t read, source->ReadAt(at, piece.data(), piece.size()));
    if (read == 0) break;
    HR_TRY(target->WriteAt(at, std::string_view(piece).substr(0, read)));
    at += read;
  }
  HR_TRY(target->Sync());
  return files.SyncDirectory(ParentOf(to));
}

}  // namespace headrace::os
