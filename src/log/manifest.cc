#include "log/manifest.h"

#include <charconv>

#include "base/bytes.h"
#include "base/hash.h"

namespace headrace::log {
namespace {

constexpr uint32_t kManifestMagic = 0x314d5248;  // "HRM1"
constexpr uint64_t kManifestBytesMax = 256 << 20;

void EncodePartition(const Manifest::PartitionState& partition, base::ByteWriter& w) {
  w.Zigzag(partition.start_offset);
  w.Varint(partition.segments.size());
  for (const SegmentRecord& segment : partition.segments) {
    w.Zigzag(segment.base_offset);
    w.Zigzag(segment.end_offset);
    w.Varint(segment.size);
  }
}

Manifest::PartitionState DecodePartition(base::ByteReader& r) {
  Manifest::PartitionState partition;
  partition.start_offset = r.Zigzag();
  uint64_t count = r.Varint();
  for (uint64_t i = 0; i < count && r.ok(); ++i) {
    SegmentRecord segment;
    segment.base_offset = r.Zigzag();
    segment.end_offset = r.Zigzag();
    segment.size = r.Varint();
    partition.segments.push_back(segment);
  }
  return partition;
}

}  // namespace

std::string Manifest::Encode() const {
  std::string out;
  base::ByteWriter w(out);
  w.U32Le(kManifestMagic);
  w.U64Le(moved_lsn);
  EncodePartition(controls, w);
  w.Varint(topics.size());
  for (const auto& [name, topic] : topics) {
    w.String(EncodeTopic(name, topic.config));
    for (const PartitionState& partition : topic.partitions)
      EncodePartition(partition, w);
  }
  w.U32Le(base::Crc32c(out));
  return out;
}

Result<Manifest> Manifest::Decode(std::string_view bytes) {
  Error damaged =
      Error(ErrorKind::kCorruption, "HR5208", "the manifest is damaged")
          .WithHint("run `headrace log verify`; restore a copy, or `headrace log salvage`");
  if (bytes.size() < 8) return damaged;
  std::string_view body = bytes.substr(0, bytes.size() - 4);
  base::ByteReader tail(bytes.substr(bytes.size() - 4));
  base::ByteReader r(body);
  if (tail.U32Le() != base::Crc32c(body) || r.U32Le() != kManifestMagic) return damaged;
  Manifest manifest;
  manifest.moved_lsn = r.U64Le();
  manifest.controls = DecodePartition(r);
  uint64_t count = r.Varint();
  for (uint64_t i = 0; i < count && r.ok(); ++i) {
    std::string name;
    TopicState topic;
    HR_TRY(DecodeTopic(r.String(), &name, &topic.config));
    for (int32_t p = 0; p < topic.config.partitions && r.ok(); ++p) {
      topic.partitions.push_back(DecodePartition(r));
    }
    manifest.topics[name] = std::move(topic);
  }
  if (!r.ok() || r.remaining() != 0) return damaged;
  return manifest;
}

Result<Manifest> Manifest::Load(os::FileSystem& files, const std::string& directory) {
  std::string path = ManifestPath(directory);
  if (!files.Exists(path)) return Manifest{};
  HR_ASSIGN(std::string bytes, os::ReadFile(files, path, kManifestBytesMax));
  Result<Manifest> manifest = Decode(bytes);
  if (!manifest.ok()) return std::move(manifest).error().AtPlace(path);
  return manifest;
}

std::string ManifestPath(const std::string& directory) {
  return directory + "/manifest";
}

std::string PartitionDirectory(const std::string& directory, const std::string& topic,
                               int32_t partition) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string escaped;
  for (char c : topic) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '_' || c == '-' || (c == '.' && !escaped.empty());
    if (plain) {
      escaped += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      escaped += {'%', kHex[byte >> 4], kHex[byte & 15U]};
    }
  }
  return directory + "/topics/" + escaped + "/" + std::to_string(partition);
}

std::string TopicOfFolder(std::string_view folder) {
  std::string topic;
  for (size_t i = 0; i < folder.size(); ++i) {
    if (folder[i] != '%') {
      topic += folder[i];
      continue;
    }
    unsigned byte = 0;
    std::string_view digits = folder.substr(i + 1, 2);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) return "";
    topic += static_cast<char>(byte);
    i += 2;
  }
  return topic;
}

std::string ControlsDirectory(const std::string& directory) {
  return directory + "/controls";
}

std::string JournalDirectory(const std::string& directory) {
  return directory + "/journal";
}

}  // namespace headrace::log
