#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headrace/result.h"
#include "log/log.h"

namespace headrace::log {

// The frames of the journal. docs/internals/journal.md.
enum class FrameKind : uint8_t {
  kBatch = 1,
  kControl = 2,
  kTopic = 3,
  kGroupEnd = 4,
  kFlushEnd = 5
};

inline constexpr size_t kFrameHeaderSize = 32;
inline constexpr size_t kFileHeaderSize = 64;
inline constexpr uint32_t kFrameBytesMax = 1U << 30;

// Header fields: u32 length of the payload, u8 kind, 3 zero bytes, u32 epoch of the file, u32 CRC,
// u64 LSN, u64 number of the flush that wrote it. The CRC-32C covers the header with its CRC field
// zero and the payload, and is seeded with the CRC of the frame before: a frame is only valid
// behind its predecessor.
struct FrameHeader {
  uint32_t length = 0;
  FrameKind kind = FrameKind::kBatch;
  uint32_t epoch = 0;
  uint32_t crc = 0;
  Lsn lsn = 0;
  uint64_t flush = 0;
};

// Bytes a frame takes: header, payload, padding to 8.
inline size_t FrameSize(size_t payload) {
  return kFrameHeaderSize + ((payload + 7) & ~size_t{7});
}

// Appends a frame; returns its CRC, which seeds the next.
uint32_t AppendFrame(FrameHeader header, std::string_view payload, uint32_t seed, std::string& out);

// Reads the frame at the start of `bytes`. False when it is not a valid frame of that epoch.
// `chained` also checks the CRC with this seed; without, only the plausibility of the header.
bool ReadFrame(std::string_view bytes, uint32_t epoch, FrameHeader* header,
               std::string_view* payload);
// True when the frame's CRC is right behind a frame of CRC `seed`.
bool CheckFrame(const FrameHeader& header, std::string_view payload, uint32_t seed);

// The payloads of kBatch, kControl and kTopic.
void EncodeEntry(const Entry& entry, std::string& out);
Result<Entry> DecodeEntry(FrameKind kind, std::string_view payload, Lsn lsn);
std::string EncodeTopic(const std::string& name, const TopicConfig& config);
Status DecodeTopic(std::string_view payload, std::string* name, TopicConfig* config);

// What stands at the start of every journal file.
struct FileHeader {
  uint64_t sequence = 0;  // of the file, from 1
  uint32_t epoch = 0;     // differs each time the file is written anew; not to be guessed
  uint32_t seed = 0;      // CRC of the last frame of the file before
  // Of the first frame here. 0: the file is sealed; it holds nothing, and the journal goes on
  // behind what was moved to segments, whatever that is.
  Lsn first_lsn = 0;

  bool sealed() const { return first_lsn == 0; }
};
std::string EncodeFileHeader(const FileHeader& header);
// False when the bytes are no valid header (zeros, or torn while the file was begun).
bool DecodeFileHeader(std::string_view bytes, FileHeader* header);

}  // namespace headrace::log
