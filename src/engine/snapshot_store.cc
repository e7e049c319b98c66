#include "engine/snapshot_store.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/bytes.h"
#include "base/hash.h"
#include "engine/engine.h"

namespace headrace::engine {
namespace {

constexpr std::string_view kManifestEnd = ".manifest";
constexpr std::string_view kPagesEnd = ".pages";
constexpr uint64_t kManifestBytesMax = uint64_t{1} << 30;
constexpr size_t kBufferBytes = 1 << 20;
constexpr size_t kNewestKept = 2;
constexpr size_t kOlderKept = 3;                  // between the beginning and the newest
constexpr uint32_t kBeginningMagic = 0x42314e48;  // "HN1B"
constexpr size_t kBeginningBytes = 16;            // magic u32, LSN u64, CRC-32C u32

// The number that a file's name begins with, when it ends so.
std::optional<uint64_t> NumberOf(std::string_view name, std::string_view end) {
  if (!name.ends_with(end)) return {};
  name.remove_suffix(end.size());
  uint64_t number = 0;
  auto [last, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || last != name.data() + name.size()) return {};
  return number;
}

}  // namespace

SnapshotStore::SnapshotStore(os::FileSystem& files, const std::string& data_directory)
    : files_(files), directory_(data_directory + "/snapshots") {}

std::string SnapshotStore::ManifestPath(uint64_t lsn) const {
  return directory_ + "/" + std::to_string(lsn) + std::string(kManifestEnd);
}

std::string SnapshotStore::PagesPath(uint64_t lsn) const {
  return directory_ + "/" + std::to_string(lsn) + std::string(kPagesEnd);
}

std::string SnapshotStore::BeginningPath() const {
  return directory_ + "/beginning";
}

std::vector<uint64_t> SnapshotStore::List() const {
  std::vector<uint64_t> found;
  Result<std::vector<std::string>> names = files_.List(directory_);
  if (!names.ok()) return found;
  for (const std::string& name : *names) {
    if (auto lsn = NumberOf(name, kManifestEnd)) found.push_back(*lsn);
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

Result<SnapshotManifest> SnapshotStore::Read(uint64_t lsn) const {
  HR_ASSIGN(std::string bytes, os::ReadFile(files_, ManifestPath(lsn), kManifestBytesMax));
  Result<SnapshotManifest> manifest = SnapshotManifest::Decode(bytes);
  if (!manifest.ok()) return Error(manifest.error()).AtPlace(ManifestPath(lsn));
  return manifest;
}

Status SnapshotStore::ReadPages(const SnapshotManifest& manifest, const TakePage& take) const {
  using Located = std::pair<const SnapshotManifest::PageId, SnapshotManifest::Page>;
  std::vector<const Located*> pages;
  for (const auto& page : manifest.pages)
    pages.push_back(&page);
  std::sort(pages.begin(), pages.end(), [](const Located* a, const Located* b) {
    return std::pair(a->second.file, a->second.offset) <
           std::pair(b->second.file, b->second.offset);
  });
  std::unique_ptr<os::File> file;
  uint64_t opened = 0;
  std::string bytes;
  for (const Located* located : pages) {
    const SnapshotManifest::Page& page = located->second;
    if (!file || page.file != opened) {
      HR_ASSIGN(file, files_.Open(PagesPath(page.file), {}));
      opened = page.file;
    }
    bytes.resize(page.length);
    HR_ASSIGN(size_t read, file->ReadAt(page.offset, bytes.data(), bytes.size()));
    if (read != bytes.size() || base::Crc32c(bytes) != page.crc) {
      return Error(ErrorKind::kCorruption, "HR5403", "a page of a snapshot is damaged")
          .AtPlace(PagesPath(page.file) + "@" + std::to_string(page.offset));
    }
    HR_TRY(take(located->first.first, located->first.second, bytes));
  }
  return Ok();
}

Result<uint64_t> SnapshotStore::Beginning() const {
  if (!files_.Exists(BeginningPath())) return 0;
  HR_ASSIGN(std::string bytes, os::ReadFile(files_, BeginningPath(), 4 * kBeginningBytes));
  if (bytes.size() == kBeginningBytes) {
    base::ByteReader reader(bytes);
    const uint32_t magic = reader.U32Le();
    const uint64_t lsn = reader.U64Le();
    const uint32_t crc = base::Crc32c(std::string_view(bytes).substr(0, kBeginningBytes - 4));
    if (magic == kBeginningMagic && crc == reader.U32Le()) return lsn;
  }
  return Error(ErrorKind::kCorruption, "HR5407", "the file that names the beginning is damaged")
      .AtPlace(BeginningPath());
}

Result<uint64_t> SnapshotStore::MoveBeginning(uint64_t lsn) {
  HR_ASSIGN(uint64_t present, Beginning());
  for (uint64_t candidate : List()) {
    if (candidate > lsn) continue;
    if (candidate <= present) break;
    HR_ASSIGN(bool begins, Begins(candidate));
    if (begins) return candidate;
  }
  return present;
}

Result<uint64_t> SnapshotStore::MoveBeginningInto(uint64_t lsn, uint64_t end) {
  HR_ASSIGN(uint64_t present, Beginning());
  if (present >= lsn) return present;
  std::vector<uint64_t> snapshots = List();
  std::reverse(snapshots.begin(), snapshots.end());
  for (uint64_t candidate : snapshots) {
    if (candidate < lsn) continue;
    if (candidate >= end) break;
    HR_ASSIGN(bool begins, Begins(candidate));
    if (begins) return candidate;
  }
  return present;
}

Result<bool> SnapshotStore::Begins(uint64_t snapshot) {
  Result<SnapshotManifest> manifest = Read(snapshot);
  if (!manifest.ok() || !CheckPages(*manifest).ok()) return false;
  HR_TRY(WriteBeginning(snapshot));
  RemoveOld();
  return true;
}

Status SnapshotStore::WriteBeginning(uint64_t lsn) const {
  std::string bytes;
  base::ByteWriter writer(bytes);
  writer.U32Le(kBeginningMagic);
  writer.U64Le(lsn);
  writer.U32Le(base::Crc32c(bytes));
  return os::ReplaceFile(files_, BeginningPath(), bytes);
}

Status SnapshotStore::Forget() {
  HR_ASSIGN(uint64_t beginning, Beginning());
  return ForgetBehind(beginning);
}

Status SnapshotStore::ForgetBehind(uint64_t lsn) {
  for (uint64_t snapshot : List()) {
    if (snapshot <= lsn) continue;
    Status removed = files_.Remove(ManifestPath(snapshot));
    // The writer may have removed it since it was listed.
    if (!removed.ok() && files_.Exists(ManifestPath(snapshot))) return removed;
  }
  return files_.Exists(directory_) ? files_.SyncDirectory(directory_) : Ok();
}

Status SnapshotStore::CheckPages(const SnapshotManifest& manifest) const {
  return ReadPages(manifest, [](uint32_t, uint32_t, std::string_view) { return Ok(); });
}

// Page files that both snapshots have may be in use there: they are replaced as a whole.
Status SnapshotStore::CopyPages(const std::set<uint64_t>& page_files, const SnapshotStore& to,
                                Present present) const {
  for (uint64_t file : page_files) {
    const std::string path = to.PagesPath(file);
    if (present == Present::kStays && files_.Exists(path)) continue;
    const std::string beside = path + ".new";
    HR_TRY(os::CopyFile(files_, PagesPath(file), beside));
    HR_TRY(files_.Rename(beside, path));
  }
  return files_.SyncDirectory(to.directory_);
}

Status SnapshotStore::CopySnapshot(const SnapshotManifest& manifest,
                                   const SnapshotStore& to) const {
  HR_TRY(files_.CreateDirectories(to.directory_));
  std::set<uint64_t> page_files;
  for (const auto& [id, page] : manifest.pages)
    page_files.insert(page.file);
  HR_TRY(CopyPages(page_files, to, Present::kStays));
  if (!to.CheckPages(manifest).ok()) {
    HR_TRY(CopyPages(page_files, to, Present::kReplaced));
    HR_TRY(to.CheckPages(manifest));
  }
  return os::ReplaceFile(files_, to.ManifestPath(manifest.lsn), manifest.Encode());
}

std::vector<Error> SnapshotStore::Verify() const {
  std::vector<Error> findings;
  Result<uint64_t> beginning = Beginning();
  if (!beginning.ok()) findings.push_back(beginning.error());
  for (uint64_t lsn : List()) {
    Result<SnapshotManifest> manifest = Read(lsn);
    Status sound = manifest.ok() ? CheckPages(*manifest) : Status(manifest.error());
    if (!sound.ok()) findings.push_back(sound.error());
  }
  return findings;
}

std::vector<Error> VerifySnapshots(os::FileSystem& files, const std::string& directory) {
  return SnapshotStore(files, directory).Verify();
}

Status SnapshotStore::Begin(uint64_t lsn, std::string head, const SnapshotManifest* base) {
  HR_TRY(files_.CreateDirectories(directory_));
  next_ = base == nullptr ? SnapshotManifest{} : *base;
  next_.lsn = lsn;
  next_.head = std::move(head);
  buffer_.clear();
  position_ = 0;
  HR_ASSIGN(file_, files_.Open(PagesPath(lsn), {.create = true, .writable = true}));
  return file_->Truncate(0);
}

Status SnapshotStore::Append(const std::vector<flow::BlockPage>& pages) {
  for (const flow::BlockPage& page : pages)
    HR_TRY(AppendPage({page.block, page.page.number}, page.page.bytes));
  return Ok();
}

Status SnapshotStore::AppendPage(SnapshotManifest::PageId id, std::string_view bytes) {
  next_.pages[id] = {next_.lsn, position_ + buffer_.size(), static_cast<uint32_t>(bytes.size()),
                     base::Crc32c(bytes)};
  buffer_ += bytes;
  return buffer_.size() < kBufferBytes ? Ok() : Flush();
}

Status SnapshotStore::Flush() {
  HR_TRY(file_->WriteAt(position_, buffer_));
  position_ += buffer_.size();
  buffer_.clear();
  return Ok();
}

Status SnapshotStore::Gather() {
  std::map<uint64_t, uint64_t> live;  // bytes by file
  for (const auto& [id, page] : next_.pages)
    live[page.file] += page.length;
  SnapshotManifest gathered;
  for (const auto& [file, bytes] : live) {
    if (file == next_.lsn) continue;
    HR_ASSIGN(auto opened, files_.Open(PagesPath(file), {}));
    HR_ASSIGN(uint64_t size, opened->Size());
    if (bytes * 2 >= size) continue;
    for (const auto& [id, page] : next_.pages) {
      if (page.file == file) gathered.pages[id] = page;
    }
  }
  return ReadPages(gathered, [this](uint32_t block, uint32_t number, std::string_view bytes) {
    return AppendPage({block, number}, bytes);
  });
}

Result<SnapshotManifest> SnapshotStore::Commit() {
  HR_TRY(Gather());
  HR_TRY(Flush());
  HR_TRY(file_->Sync());
  file_.reset();
  HR_TRY(files_.SyncDirectory(directory_));
  HR_TRY(os::ReplaceFile(files_, ManifestPath(next_.lsn), next_.Encode()));
  RemoveOld();
  return std::move(next_);
}

void SnapshotStore::Abandon() {
  file_.reset();
  buffer_.clear();
  RemoveOld();
}

std::vector<uint64_t> SnapshotStore::Kept(const std::vector<uint64_t>& snapshots,
                                          uint64_t beginning) const {
  std::vector<uint64_t> kept(
      snapshots.begin(),
      snapshots.begin() + static_cast<ptrdiff_t>(std::min(snapshots.size(), kNewestKept)));
  std::vector<uint64_t> older;
  for (size_t i = kept.size(); i < snapshots.size() && snapshots[i] > beginning; ++i)
    older.insert(older.begin(), snapshots[i]);
  while (older.size() > (keep_older_ ? kOlderKept : 0)) {
    // The one goes that leaves the smallest gap.
    size_t least = 0;
    uint64_t gap = UINT64_MAX;
    for (size_t i = 0; i < older.size(); ++i) {
      const uint64_t before = i == 0 ? beginning : older[i - 1];
      const uint64_t after = i + 1 == older.size() ? kept.back() : older[i + 1];
      if (after - before < gap) {
        gap = after - before;
        least = i;
      }
    }
    older.erase(older.begin() + static_cast<ptrdiff_t>(least));
  }
  kept.insert(kept.end(), older.begin(), older.end());
  const bool there = std::find(snapshots.begin(), snapshots.end(), beginning) != snapshots.end();
  if (there && std::find(kept.begin(), kept.end(), beginning) == kept.end())
    kept.push_back(beginning);
  return kept;
}

// Best effort: what is left over is removed the next time.
void SnapshotStore::RemoveOld() const {
  Result<uint64_t> beginning = Beginning();
  if (!beginning.ok()) return;  // nobody can tell which one stands for it
  std::set<std::string> kept = {BeginningPath()};
  for (uint64_t lsn : Kept(List(), *beginning)) {
    Result<SnapshotManifest> manifest = Read(lsn);
    kept.insert(ManifestPath(lsn));
    if (!manifest.ok()) continue;
    for (const auto& [id, page] : manifest->pages)
      kept.insert(PagesPath(page.file));
  }
  Result<std::vector<std::string>> names = files_.List(directory_);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    std::string path = directory_ + "/" + name;
    if (kept.contains(path)) continue;
    Status removed = files_.Remove(path);
    static_cast<void>(removed.ok());
  }
}

}  // namespace headrace::engine
