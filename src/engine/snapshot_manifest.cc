#include "engine/snapshot_manifest.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace headrace::engine {
namespace {

constexpr uint32_t kMagic = 0x314e5248;  // "HRN1"
constexpr size_t kCrcBytes = 4;

}  // namespace

uint64_t SnapshotManifest::bytes() const {
  uint64_t bytes = head.size();
  for (const auto& [id, page] : pages)
    bytes += page.length;
  return bytes;
}

std::string SnapshotManifest::Encode() const {
  std::string out;
  base::ByteWriter writer(out);
  writer.U32Le(kMagic);
  writer.Varint(lsn);
  writer.String(head);
  writer.Varint(pages.size());
  for (const auto& [id, page] : pages) {
    writer.Varint(id.first);
    writer.Varint(id.second);
    writer.Varint(page.file);
    writer.Varint(page.offset);
    writer.Varint(page.length);
    writer.U32Le(page.crc);
  }
  writer.U32Le(base::Crc32c(out));
  return out;
}

Result<SnapshotManifest> SnapshotManifest::Decode(std::string_view bytes) {
  Error damaged(ErrorKind::kCorruption, "HR5402", "the manifest of a snapshot is damaged");
  if (bytes.size() < kCrcBytes) return damaged;
  std::string_view body = bytes.substr(0, bytes.size() - kCrcBytes);
  base::ByteReader tail(bytes.substr(body.size()));
  base::ByteReader reader(body);
  if (tail.U32Le() != base::Crc32c(body) || reader.U32Le() != kMagic) return damaged;
  SnapshotManifest manifest;
  manifest.lsn = reader.Varint();
  manifest.head = std::string(reader.String());
  uint64_t count = reader.Varint();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const auto block = static_cast<uint32_t>(reader.Varint());
    const auto number = static_cast<uint32_t>(reader.Varint());
    Page& page = manifest.pages[{block, number}];
    page.file = reader.Varint();
    page.offset = reader.Varint();
    page.length = static_cast<uint32_t>(reader.Varint());
    page.crc = reader.U32Le();
  }
  if (!reader.ok() || reader.remaining() != 0 || manifest.pages.size() != count) return damaged;
  return manifest;
}

}  // namespace headrace::engine
