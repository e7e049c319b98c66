#include "log/damaged_journal.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "log/frame.h"
#include "log/record_batch.h"

namespace headrace::log {
namespace {

constexpr size_t kEpochAt = 8;  // in a frame's header
constexpr size_t kCrcAt = 12;
constexpr size_t kSeedAt = 24;  // in a file's header

uint32_t WordAt(std::string_view bytes, size_t at) {
  uint32_t word = 0;
  if (at + sizeof word <= bytes.size()) std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}

bool IsEnd(FrameKind kind) {
  return kind == FrameKind::kGroupEnd || kind == FrameKind::kFlushEnd;
}

// One file, frame by frame, past what is damaged.
struct FileScan {
  struct Frame {
    uint64_t at = 0;
    FrameHeader header;
    std::string_view payload;

    uint64_t end() const { return at + FrameSize(payload.size()); }
  };
  struct Hole {
    uint64_t from = 0;
    uint64_t to = 0;
    size_t before = 0;  // the index of the first frame behind it
  };

  std::string path;
  uint64_t sequence = 0;
  FileHeader header;
  bool header_sound = false;
  std::string content;
  std::vector<Frame> frames;
  std::vector<Hole> holes;

  // `seeds`: what the first frame's checksum may be seeded with.
  void Run(const std::vector<uint32_t>& seeds) {
    uint64_t at = kFileHeaderSize;
    std::optional<uint32_t> seed;
    for (uint32_t candidate : seeds) {
      if (!seed && FrameAt(at, candidate)) seed = candidate;
    }
    while (true) {
      if (std::optional<Frame> frame = seed ? FrameAt(at, *seed) : std::nullopt) {
        seed = frame->header.crc;
        at = frame->end();
        frames.push_back(*frame);
        continue;
      }
      uint64_t next = at;
      if (!FindNext(&next, &seed)) return;
      holes.push_back({at, next, frames.size()});
      at = next;
    }
  }

  uint64_t end() const { return frames.empty() ? kFileHeaderSize : frames.back().end(); }
  // Of the first frame that stands or stood here; 0: nothing tells.
  Lsn FirstLsn() const {
    if (header_sound) return header.first_lsn;
    return frames.empty() ? 0 : frames.front().header.lsn;
  }
  // Where the last thing ends that looks like a frame of this file.
  uint64_t LastLookalike(uint64_t from) const {
    uint64_t end = from;
    for (uint64_t at = (from + 7) & ~uint64_t{7}; at < content.size(); at += 8) {
      if (std::optional<Frame> frame = Lookalike(at)) end = frame->end();
    }
    return end;
  }

 private:
  std::optional<Frame> Lookalike(uint64_t at) const {
    Frame frame;
    frame.at = at;
    if (at >= content.size()) return std::nullopt;
    std::string_view rest = std::string_view(content).substr(at);
    if (!ReadFrame(rest, header.epoch, &frame.header, &frame.payload)) return std::nullopt;
    return frame;
  }
  std::optional<Frame> FrameAt(uint64_t at, uint32_t seed) const {
    std::optional<Frame> frame = Lookalike(at);
    if (!frame || !CheckFrame(frame->header, frame->payload, seed)) return std::nullopt;
    if (!frames.empty() && frame->header.lsn < frames.back().header.lsn) return std::nullopt;
    return frame;
  }

  // The next sound frame behind the damage at `*at`, and what seeds its checksum.
  bool FindNext(uint64_t* at, std::optional<uint32_t>* seed) const {
    const uint64_t damaged = *at;
    // When only the frame's length or its payload is damaged, its checksum still seeds the next.
    const uint32_t before = WordAt(content, damaged + kCrcAt);
    for (uint64_t q = damaged; q + kFrameHeaderSize <= content.size(); q += 8) {
      std::optional<Frame> frame = Lookalike(q);
      if (!frame) continue;
      if (q > damaged && FrameAt(q, before)) {
        *at = q;
        *seed = before;
        return true;
      }
      if (FrameAt(frame->end(), frame->header.crc)) {
        *at = frame->end();
        *seed = frame->header.crc;
        return true;
      }
    }
    return false;
  }
};

// Puts what the files hold together.
class JournalReader {
 public:
  JournalReader(os::FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  Result<JournalFinds> Run() {
    HR_ASSIGN(auto names, files_.List(directory_));
    for (const std::string& name : names) {
      if (name.ends_with(".journal")) Load(name);
    }
    std::stable_sort(scans_.begin(), scans_.end(),
                     [](const FileScan& a, const FileScan& b) { return a.sequence < b.sequence; });
    ScanAll();
    for (size_t i = 0; i < scans_.size(); ++i)
      Settle(i);
    return std::move(finds_);
  }

 private:
  void Load(const std::string& name) {
    FileScan scan;
    scan.path = directory_ + "/" + name;
    Result<std::string> content = ReadReadable(files_, scan.path, finds_.damage);
    if (!content.ok()) {
      finds_.damage.push_back({scan.path, 0, 0, "cannot be opened: " + content.error().message()});
      return;
    }
    scan.content = std::move(content).value();
    scan.sequence = std::strtoull(name.c_str(), nullptr, 10);
    scan.header_sound = DecodeFileHeader(scan.content, &scan.header);
    if (scan.header_sound && scan.header.sealed()) {
      finds_.sealed = true;
      return;
    }
    if (scan.header_sound) {
      scan.sequence = scan.header.sequence;  // a file that was to be used again holds old frames
    } else if (std::string_view(scan.content).substr(0, kFileHeaderSize).find_first_not_of('\0') ==
               std::string_view::npos) {
      return;  // new, or empty: it holds nothing
    } else {
      finds_.damage.push_back({scan.path, 0,
                               std::min<uint64_t>(kFileHeaderSize, scan.content.size()),
                               "the header of the file is damaged"});
      scan.header.epoch = WordAt(scan.content, kFileHeaderSize + kEpochAt);
    }
    scans_.push_back(std::move(scan));
  }

  void ScanAll() {
    uint32_t last_crc = 0;
    for (FileScan& scan : scans_) {
      std::vector<uint32_t> seeds = {scan.header.seed};
      if (!scan.header_sound) seeds = {last_crc, WordAt(scan.content, kSeedAt)};
      scan.Run(seeds);
      if (!scan.frames.empty()) last_crc = scan.frames.back().header.crc;
    }
  }

  // Which frames of file i count, what is lost between them, and behind them.
  void Settle(size_t i) {
    const FileScan& scan = scans_[i];
    if (finds_.first_lsn == 0) finds_.first_lsn = scan.FirstLsn();
    const bool followed = i + 1 < scans_.size() && scans_[i + 1].FirstLsn() > 0;
    const bool next = followed && scans_[i + 1].sequence == scan.sequence + 1;
    // What the next file goes on behind, counted; what it does not was torn.
    const Lsn bound = next ? scans_[i + 1].FirstLsn() : 0;
    size_t kept = bound > 0 ? KeptBefore(scan, bound) : KeptOfTail(scan);
    Lsn previous = LastBefore(i);
    size_t hole = 0;
    for (size_t f = 0; f < kept; ++f) {
      const FileScan::Frame& frame = scan.frames[f];
      for (; hole < scan.holes.size() && scan.holes[hole].before == f; ++hole) {
        const Lsn behind = frame.header.lsn + (IsEnd(frame.header.kind) ? 1 : 0);
        AddDamage(scan.path, scan.holes[hole].from, scan.holes[hole].to, previous + 1, behind);
      }
      Take(scan, frame);
      previous = frame.header.lsn;
      flush_ = frame.header.flush;
    }
    const uint64_t end = kept == 0 ? kFileHeaderSize : scan.frames[kept - 1].end();
    if (bound > 0) {
      const bool continues = kept > 0 ? scan.frames[kept - 1].header.crc == Seed(i + 1) : true;
      if (previous + 1 < bound || !continues) {
        AddDamage(scan.path, end, scan.LastLookalike(end), previous + 1, bound);
      }
      previous = bound - 1;
    } else {
      finds_.torn_path = scan.path;
      finds_.torn_from = end;
      finds_.torn_bytes = scan.LastLookalike(end) - end;
    }
    finds_.last_lsn = std::max(finds_.last_lsn, previous);
    if (followed && !next) AddMissingFiles(scan.sequence + 1, previous + 1, scans_[i + 1]);
  }

  // The LSN in front of the file.
  Lsn LastBefore(size_t i) const {
    const FileScan& scan = scans_[i];
    if (scan.header_sound) return scan.header.first_lsn - 1;
    if (i > 0 || scan.frames.empty()) return finds_.last_lsn;
    const bool first_lost = !scan.holes.empty() && scan.holes.front().before == 0;
    return scan.frames.front().header.lsn - (first_lost ? 2 : 1);
  }

  uint32_t Seed(size_t i) const {
    const FileScan& scan = scans_[i];
    return scan.header_sound ? scan.header.seed : WordAt(scan.content, kSeedAt);
  }

  void AddMissingFiles(uint64_t sequence, Lsn from, const FileScan& next) {
    std::string name = std::to_string(sequence);
    name.insert(0, 12 - std::min<size_t>(12, name.size()), '0');
    finds_.damage.push_back({directory_ + "/" + name + ".journal", 0, 0, "the file is missing"});
    if (from >= next.FirstLsn()) return;
    finds_.damage.back().first_lsn = from;
    finds_.damage.back().last_lsn = next.FirstLsn() - 1;
  }

  static size_t KeptBefore(const FileScan& scan, Lsn bound) {
    size_t kept = 0;
    while (kept < scan.frames.size() && scan.frames[kept].header.lsn < bound)
      ++kept;
    return kept;
  }

  // Nothing stands behind this file: as Recover does, whole groups count up to the first bad frame
  // that no later flush proves to be damage.
  size_t KeptOfTail(const FileScan& scan) const {
    size_t kept = scan.frames.size();
    const uint64_t newest = kept == 0 ? 0 : scan.frames.back().header.flush;
    for (const FileScan::Hole& hole : scan.holes) {
      uint64_t flush = scan.frames[hole.before].header.flush;  // that the hole is of
      if (hole.before > 0) {
        const FrameHeader& last = scan.frames[hole.before - 1].header;
        flush = last.flush + (last.kind == FrameKind::kFlushEnd ? 1 : 0);
      } else if (flush_ > 0) {
        flush = flush_ + 1;
      }
      if (newest > flush) continue;
      kept = hole.before;
      break;
    }
    while (kept > 0 && !IsEnd(scan.frames[kept - 1].header.kind))
      --kept;
    return kept;
  }

  // [from, behind) are the LSNs of what was there.
  void AddDamage(const std::string& path, uint64_t begin, uint64_t end, Lsn from, Lsn behind) {
    Damage damage{path, begin, end, "frames are damaged"};
    if (from < behind) {
      damage.first_lsn = from;
      damage.last_lsn = behind - 1;
    } else {
      damage.what = "the mark of an end is damaged";
    }
    finds_.damage.push_back(std::move(damage));
  }

  void Take(const FileScan& scan, const FileScan::Frame& frame) {
    if (IsEnd(frame.header.kind)) return;
    const Lsn lsn = frame.header.lsn;
    Status taken = Ok();
    if (frame.header.kind == FrameKind::kTopic) {
      JournalContents::Topic topic;
      taken = DecodeTopic(frame.payload, &topic.name, &topic.config);
      if (taken.ok()) finds_.topics.emplace(lsn, std::move(topic));
    } else {
      taken = TakeEntry(frame);
    }
    if (taken.ok()) return;
    finds_.damage.push_back({scan.path, frame.at, frame.end(), taken.error().message(), lsn, lsn});
  }

  Status TakeEntry(const FileScan::Frame& frame) {
    HR_ASSIGN(Entry entry, DecodeEntry(frame.header.kind, frame.payload, frame.header.lsn));
    entry.record_count = 1;
    if (entry.kind == EntryKind::kBatch) {
      HR_ASSIGN(BatchHeader header, ReadHeader(entry.bytes));
      entry.record_count = header.record_count;
      entry.max_timestamp_ms = header.max_timestamp_ms;
      entry.base_offset = header.base_offset;
      if (header.base_offset < 0 || header.base_offset > INT64_MAX - INT32_MAX) {
        return Error(ErrorKind::kCorruption, "HR5203", "a batch has an impossible offset");
      }
    }
    finds_.entries.emplace(frame.header.lsn, std::make_shared<const Entry>(std::move(entry)));
    return Ok();
  }

  os::FileSystem& files_;
  std::string directory_;
  std::vector<FileScan> scans_;  // ascending sequence
  uint64_t flush_ = 0;           // the last that was seen
  JournalFinds finds_;
};

}  // namespace

Result<JournalFinds> ReadDamagedJournal(os::FileSystem& files, const std::string& directory) {
  return JournalReader(files, directory).Run();
}

}  // namespace headrace::log
