#include "connect/sealed_file.h"

#include <filesystem>

namespace headrace::connect {
namespace {

constexpr size_t kBufferBytes = 256 << 10;

}  // namespace

Result<SealedFile> SealedFile::Create(os::FileSystem& files, const std::string& path) {
  HR_ASSIGN(auto file, files.Open(path, {.create = true, .exclusive = false, .writable = true}));
  HR_TRY(file->Truncate(0));
  // Otherwise a crash could leave the seal of the old file behind bytes of the new one.
  HR_TRY(file->Sync());
  const std::string parent = std::filesystem::path(path).parent_path().string();
  HR_TRY(files.SyncDirectory(parent.empty() ? "." : parent));
  return SealedFile(std::move(file));
}

Status SealedFile::Append(std::string_view bytes) {
  if (bytes.size() >= kBufferBytes) {
    HR_TRY(Flush());
    return Write(bytes);
  }
  buffer_ += bytes;
  return buffer_.size() < kBufferBytes ? Ok() : Flush();
}

Status SealedFile::Seal(std::string_view seal) {
  HR_TRY(Flush());
  HR_TRY(file_->Sync());
  HR_TRY(Write(seal));
  return file_->Sync();
}

Status SealedFile::Write(std::string_view bytes) {
  HR_TRY(file_->WriteAt(written_, bytes));
  written_ += bytes.size();
  return Ok();
}

Status SealedFile::Flush() {
  if (buffer_.empty()) return Ok();
  HR_TRY(Write(buffer_));
  buffer_.clear();
  return Ok();
}

}  // namespace headrace::connect
