#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "headrace/result.h"
#include "os/spill_file.h"
#include "state/page_marks.h"
#include "state/paged_state.h"
#include "state/pool_allocator.h"
#include "state/slot_store.h"

namespace headrace::state {

// Encoded rows that wait: taken out by event time, those of one time in the order they came in.
//
// The rows of one time stand in pieces of a few kilobytes, each in a slot; 32 slots are a page of a
// snapshot, so that what came or went since the last one is what the next one writes. In memory, or
// with a spill file there. Confined.
class RowQueue final : public PagedState {
 public:
  // A piece takes no more rows beyond so many bytes. One row may be longer.
  static constexpr uint32_t kPieceBytes = 2 << 10;

  // Whether the bytes are rows as they are put in: what is loaded is asked about.
  using Check = std::function<bool(std::string_view rows, int64_t event_time)>;

  // The spill file, if any, must outlive the queue.
  RowQueue(os::SpillFile* spill, Check check);
  ~RowQueue() override;
  RowQueue(const RowQueue&) = delete;
  RowQueue& operator=(const RowQueue&) = delete;

  void Add(int64_t event_time, std::string_view row);
  bool empty() const { return times_.empty(); }
  int64_t oldest() const { return times_.begin()->first; }
  // Hands on the rows of the oldest time, piece by piece, and forgets them.
  template <typename Take>
  void TakeOldest(Take take) {
    const auto oldest = times_.begin();
    for (uint32_t at = oldest->second.first; at != kNone;) {
      const Piece piece = PieceAt(at);
      take(std::string_view(piece.bytes, piece.size));
      Forget(at);
      at = piece.next;
    }
    times_.erase(oldest);
  }
  // What the rows take, with what stands beside them, about.
  size_t bytes() const { return bytes_; }

  BlockHead BeginSnapshot(bool whole) override;
  bool TakePages(size_t bytes_max, std::vector<StatePage>& out) override;
  Status BeginLoad(const BlockHead& head) override;
  Status LoadPage(uint32_t number, std::string_view bytes) override;
  void EndLoad() override;

 private:
  static constexpr int kPageSlotsLog2 = 5;
  static constexpr uint32_t kPageSlots = 1U << kPageSlotsLog2;
  static constexpr size_t kBesideBytes = 112;  // what a piece costs besides its rows, about
  static constexpr uint32_t kNone = UINT32_MAX;

  // A slot. Null bytes: it is free.
  struct Piece {
    uint32_t next;      // of the same time; kNone: there is none
    uint32_t sequence;  // among those of its time
    int64_t event_time;
    char* bytes;
    uint32_t size;
    uint32_t capacity;
  };
  struct Ends {
    uint32_t first = kNone;
    uint32_t last = kNone;
  };
  using Times = std::map<int64_t, Ends, std::less<>, PoolAllocator<std::pair<const int64_t, Ends>>>;

  Piece& PieceAt(uint32_t at) const { return *reinterpret_cast<Piece*>(store_.at(at)); }
  void Touch(uint32_t at) {
    marks_.Touch(at >> kPageSlotsLog2,
                 [this](uint32_t page, std::string& out) { WritePage(page, out); });
  }
  void Append(Piece& piece, std::string_view row);
  void Fill(uint32_t at, int64_t event_time, uint32_t sequence, std::string_view rows);
  void Forget(uint32_t at);
  void WritePage(uint32_t number, std::string& out) const;

  const Check check_;
  PageSource source_;
  SlabPool pool_{source_};
  SlotStore store_;
  Times times_;
  PageMarks marks_;
  size_t bytes_ = 0;
  uint32_t load_slots_ = 0;  // of the queue that is being loaded
};

}  // namespace headrace::state
