#include "log/damaged_segment.h"

#include <algorithm>
#include <utility>

namespace headrace::log {
namespace {

constexpr std::string_view kMagic = "HRS1";

class Finder {
 public:
  Finder(std::string_view bytes, std::vector<uint64_t> known)
      : bytes_(bytes), known_(std::move(known)) {
    known_.push_back(bytes.size());
    std::sort(known_.begin(), known_.end());
    while (known_.back() > bytes.size())
      known_.pop_back();
  }

  SegmentFinds Run() {
    uint64_t at = 0;
    while (at < bytes_.size()) {
      StoredHeader header;
      if (IsWhole(at, &header)) {
        finds_.pieces.push_back({at, header});
        at += header.total();
        continue;
      }
      const uint64_t next = Next(at);
      finds_.holes.push_back({at, next});
      at = next;
    }
    return std::move(finds_);
  }

 private:
  bool HeaderAt(uint64_t at, StoredHeader* header) const {
    return at < bytes_.size() && ReadStoredHeader(bytes_.substr(at), header) &&
           header->total() <= bytes_.size() - at;
  }
  bool IsWhole(uint64_t at, StoredHeader* header) const {
    return HeaderAt(at, header) && ReadStored(bytes_.substr(at, header->total()), *header).ok();
  }
  bool IsKnown(uint64_t at) const { return std::binary_search(known_.begin(), known_.end(), at); }

  // Where it goes on behind the damage at `damaged`.
  uint64_t Next(uint64_t damaged) const {
    StoredHeader header;
    StoredHeader next;
    if (HeaderAt(damaged, &header)) {
      const uint64_t behind = damaged + header.total();
      const int64_t offset = header.base_offset + header.record_count;
      if (IsKnown(behind)) return behind;
      if (IsWhole(behind, &next) && next.base_offset == offset && next.lsn > header.lsn) {
        return behind;
      }
    }
    const uint64_t known = *std::upper_bound(known_.begin(), known_.end(), damaged);
    uint64_t at = bytes_.find(kMagic, damaged + 1);
    while (at < known) {
      uint64_t end = at;
      while (!IsKnown(end) && IsWhole(end, &next))
        end += next.total();
      if (IsKnown(end)) return at;
      at = bytes_.find(kMagic, std::max(end, at + 1));
    }
    return known;
  }

  std::string_view bytes_;
  std::vector<uint64_t> known_;  // ascending, the end of the bytes included
  SegmentFinds finds_;
};

}  // namespace

SegmentFinds FindBatches(std::string_view bytes, std::vector<uint64_t> known) {
  return Finder(bytes, std::move(known)).Run();
}

}  // namespace headrace::log
