#include "log/damage.h"

#include <algorithm>

namespace headrace::log {
namespace {

constexpr uint64_t kPieceBytes = 1 << 20;
constexpr uint64_t kBlockBytes = 4 << 10;  // what a disk fails to read at once, about

// How much of the piece could be read; zeros stand where it could not.
bool ReadPiece(const os::File& file, uint64_t at, uint64_t size, std::string& bytes) {
  Result<size_t> read = file.ReadAt(at, bytes.data() + at, size);
  if (read.ok() && *read == size) return true;
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), size, '\0');
  return false;
}

}  // namespace

Result<std::string> ReadReadable(os::FileSystem& files, const std::string& path,
                                 std::vector<Damage>& damage) {
  HR_ASSIGN(auto file, files.Open(path, {}));
  HR_ASSIGN(uint64_t size, file->Size());
  std::string bytes(size, '\0');
  for (uint64_t at = 0; at < size; at += kPieceBytes) {
    const uint64_t end = std::min(size, at + kPieceBytes);
    if (ReadPiece(*file, at, end - at, bytes)) continue;
    for (uint64_t block = at; block < end; block += kBlockBytes) {
      const uint64_t behind = std::min(end, block + kBlockBytes);
      if (ReadPiece(*file, block, behind - block, bytes)) continue;
      const bool goes_on =
          !damage.empty() && damage.back().path == path && damage.back().to == block;
      if (!goes_on) damage.push_back({path, block, block, "cannot be read"});
      damage.back().to = behind;
    }
  }
  return bytes;
}

}  // namespace headrace::log
