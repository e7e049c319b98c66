// Opening a journal: scan, cut a torn tail, refuse corruption.

#include <algorithm>
#include <cstring>

#include "log/journal.h"

namespace headrace::log {
namespace {

constexpr uint64_t kFileBytesMax = uint64_t{4} << 30;

Error Damaged(const std::string& path, size_t offset, const std::string& what) {
  return Error(ErrorKind::kCorruption, "HR5204", "journal: " + what)
      .AtPlace(path + "@" + std::to_string(offset))
      .WithHint("run `headrace log verify`; restore a copy, or `headrace log salvage`");
}

// A group at the start of `rest`: its frames checked, its end counted. Returns its size, 0 when
// what stands there is not a whole valid group.
size_t ReadGroup(std::string_view rest, uint32_t epoch, Lsn previous, uint32_t* crc,
                 std::vector<std::pair<FrameHeader, std::string_view>>* frames) {
  size_t at = 0;
  uint32_t seed = *crc;
  frames->clear();
  while (true) {
    FrameHeader header;
    std::string_view payload;
    if (!ReadFrame(rest.substr(at), epoch, &header, &payload)) return 0;
    if (!CheckFrame(header, payload, seed)) return 0;
    seed = header.crc;
    at += FrameSize(payload.size());
    if (header.kind == FrameKind::kGroupEnd) {
      uint64_t count = 0;
      if (payload.size() != sizeof count) return 0;
      std::memcpy(&count, payload.data(), sizeof count);
      if (count != frames->size()) return 0;
      *crc = seed;
      return at;
    }
    Lsn expected = (frames->empty() ? previous : frames->back().first.lsn) + 1;
    if (header.lsn != expected) return 0;
    frames->emplace_back(header, payload);
  }
}

// True when a sound frame of flush `proof` or later stands behind `from`. Frames start at multiples
// of 8; a frame and the one behind it vouch for each other, because the second's CRC is seeded with
// the first's.
bool FlushFollows(std::string_view content, size_t from, uint32_t epoch, uint64_t proof) {
  for (size_t at = (from + 7) & ~size_t{7}; at + kFrameHeaderSize <= content.size(); at += 8) {
    FrameHeader first;
    FrameHeader second;
    std::string_view payload;
    std::string_view next;
    if (!ReadFrame(content.substr(at), epoch, &first, &payload) || first.flush < proof) continue;
    size_t behind = at + FrameSize(payload.size());
    if (!ReadFrame(content.substr(behind), epoch, &second, &next)) continue;
    if (CheckFrame(second, next, first.crc)) return true;
  }
  return false;
}

}  // namespace

Result<JournalContents> Journal::Recover(Lsn moved) {
  JournalContents contents;
  HR_ASSIGN(auto names, files_.List(directory_));
  std::map<uint64_t, std::pair<FileHeader, std::string>> found;
  std::pair<FileHeader, std::string> sealed;
  uint64_t highest = 0;
  for (const std::string& name : names) {
    if (!name.ends_with(".journal")) continue;
    std::string path = directory_ + "/" + name;
    HR_ASSIGN(auto file, files_.Open(path, {}));
    std::string bytes(kFileHeaderSize, '\0');
    HR_ASSIGN(size_t read, file->ReadAt(0, bytes.data(), bytes.size()));
    bytes.resize(read);
    FileHeader header;
    uint64_t number = std::strtoull(name.c_str(), nullptr, 10);
    highest = std::max(highest, number);
    // A header lies in one sector. When the power went before it was written, there are zeros (the
    // file was new) or the header of before (it was renamed), and the file holds nothing.
    bool blank = bytes.find_first_not_of('\0') == std::string::npos;
    bool sound = DecodeFileHeader(bytes, &header);
    if (sound && header.sequence == number && header.sealed()) {
      sealed = {header, path};
    } else if (sound && header.sequence == number) {
      found[header.sequence] = {header, path};
    } else if (sound || blank) {
      recycled_.push_back(path);
    } else {
      return Damaged(path, 0, "the header of the file is damaged");
    }
  }
  if (!sealed.second.empty() && found.empty()) {
    buffered_lsn_ = moved;
    files_by_sequence_[sealed.first.sequence] = {sealed.first, sealed.second, 0, moved};
  } else if (!sealed.second.empty()) {
    recycled_.push_back(sealed.second);  // what came behind it begins with the others
  }
  for (const auto& [sequence, file] : found) {
    const auto& [header, path] = file;
    if (files_by_sequence_.empty()) {
      if (header.first_lsn > moved + 1) {
        return Damaged(path, 0, "files before it are missing");
      }
      crc_ = header.seed;
      buffered_lsn_ = header.first_lsn - 1;
    } else if (header.seed != crc_ || header.first_lsn != buffered_lsn_ + 1) {
      return Damaged(path, 0, "the file does not follow the one before");
    }
    HR_TRY(ScanFile(path, header, moved, contents));
    files_by_sequence_[sequence] = {header, path, 0, buffered_lsn_};
  }
  // The newest file is never recycled: without it there would be nothing to go on behind.
  if (buffered_lsn_ < moved) {
    std::string last = found.empty() ? directory_ : found.rbegin()->second.second;
    return Damaged(last, 0, "it ends before what was moved to segments");
  }
  contents.last_lsn = buffered_lsn_;
  current_.sequence = highest;
  return contents;
}

Status Journal::ScanFile(const std::string& path, const FileHeader& header, Lsn moved,
                         JournalContents& contents) {
  HR_ASSIGN(std::string content, os::ReadFile(files_, path, kFileBytesMax));
  size_t at = kFileHeaderSize;
  uint64_t flush = flush_;  // of the last whole group
  bool flush_ended = true;  // and whether its flush ended with it
  std::vector<std::pair<FrameHeader, std::string_view>> frames;
  while (true) {
    std::string_view rest = std::string_view(content).substr(at);
    FrameHeader end;
    std::string_view nothing;
    if (ReadFrame(rest, header.epoch, &end, &nothing) && end.kind == FrameKind::kFlushEnd &&
        CheckFrame(end, nothing, crc_)) {
      crc_ = end.crc;
      at += FrameSize(0);
      flush_ended = true;
      continue;
    }
    size_t group = ReadGroup(rest, header.epoch, buffered_lsn_, &crc_, &frames);
    if (group == 0) break;
    flush_ended = false;
    for (const auto& [frame, payload] : frames) {
      flush = frame.flush;
      buffered_lsn_ = frame.lsn;
      if (frame.kind == FrameKind::kTopic) {
        JournalContents::Topic topic;
        HR_TRY(DecodeTopic(payload, &topic.name, &topic.config));
        contents.topics.push_back(std::move(topic));
      } else if (frame.lsn > moved) {
        HR_ASSIGN(Entry entry, DecodeEntry(frame.kind, payload, frame.lsn));
        contents.entries.push_back(std::make_shared<const Entry>(std::move(entry)));
      }
    }
    at += group;
  }
  // A later flush proves that this one had been durable: then a bad frame is damage, not a torn
  // tail.
  if (FlushFollows(content, at, header.epoch, flush + (flush_ended ? 2 : 1))) {
    return Damaged(path, at, "a bad frame stands before good ones");
  }
  flush_ = flush + 1;  // a torn flush may have used the next number
  size_t torn_end = at;
  for (size_t b = at; b < content.size(); b += 8) {
    FrameHeader torn;
    std::string_view payload;
    if (!ReadFrame(std::string_view(content).substr(b), header.epoch, &torn, &payload)) continue;
    torn_end = b + FrameSize(payload.size());
  }
  contents.torn_bytes = torn_end - at;  // of files before the last it was told when it was new
  return Ok();
}

}  // namespace headrace::log
