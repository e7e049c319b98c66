#include "state/row_queue.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"

namespace headrace::state {
namespace {

constexpr std::string_view kPagesOf = "rows that wait";

Error Damaged(const char* what) {
  return Error(ErrorKind::kCorruption, "HR4207",
               std::string("the rows that wait do not parse: ") + what)
      .WithHint("the state is rebuilt from the log when its snapshot is removed");
}

}  // namespace

RowQueue::RowQueue(os::SpillFile* spill, Check check)
    : check_(std::move(check)),
      source_(spill),
      store_(sizeof(Piece), source_),
      times_(Times::allocator_type(pool_)) {}

RowQueue::~RowQueue() {
  for (uint32_t at = 0; at < store_.limit(); ++at) {
    const Piece& piece = PieceAt(at);
    if (piece.bytes != nullptr) pool_.Free(piece.bytes, piece.capacity);
  }
}

void RowQueue::Append(Piece& piece, std::string_view row) {
  const auto size = static_cast<uint32_t>(piece.size + row.size());
  if (size > piece.capacity) {
    const uint32_t capacity = std::max(size, std::min(2 * piece.capacity, kPieceBytes));
    char* larger = pool_.Allocate(capacity);
    std::memcpy(larger, piece.bytes, piece.size);
    pool_.Free(piece.bytes, piece.capacity);
    piece.bytes = larger;
    piece.capacity = capacity;
  }
  std::memcpy(piece.bytes + piece.size, row.data(), row.size());
  piece.size = size;
  bytes_ += row.size();
}

void RowQueue::Fill(uint32_t at, int64_t event_time, uint32_t sequence, std::string_view rows) {
  const auto size = static_cast<uint32_t>(rows.size());
  char* bytes = pool_.Allocate(size);
  std::memcpy(bytes, rows.data(), size);
  PieceAt(at) = {kNone, sequence, event_time, bytes, size, size};
  bytes_ += size + kBesideBytes;
}

void RowQueue::Add(int64_t event_time, std::string_view row) {
  HR_CHECK(!row.empty() && row.size() < UINT32_MAX);
  Ends& ends = times_[event_time];
  if (ends.last != kNone && PieceAt(ends.last).size + row.size() <= kPieceBytes) {
    Touch(ends.last);
    return Append(PieceAt(ends.last), row);
  }
  const uint32_t at = store_.Allocate();
  marks_.Extend((at >> kPageSlotsLog2) + 1);
  Touch(at);
  Fill(at, event_time, ends.last == kNone ? 0 : PieceAt(ends.last).sequence + 1, row);
  // No page says which piece is next: their order follows from their numbers.
  (ends.last == kNone ? ends.first : PieceAt(ends.last).next) = at;
  ends.last = at;
}

void RowQueue::Forget(uint32_t at) {
  Touch(at);
  Piece& piece = PieceAt(at);
  bytes_ -= piece.size + kBesideBytes;
  pool_.Free(piece.bytes, piece.capacity);
  piece.bytes = nullptr;
  store_.Free(at);
}

// ---- Snapshots
// -----------------------------------------------------------------------------------
//
//   pieces varint, per piece, ascending slots: slot in the page varint, event time zigzag, its
//   number among those of its time varint, rows string

BlockHead RowQueue::BeginSnapshot(bool whole) {
  marks_.Begin(whole);
  return {base::Hash64(kPagesOf), store_.limit(), INT64_MIN};
}

void RowQueue::WritePage(uint32_t number, std::string& out) const {
  const uint32_t begin = number << kPageSlotsLog2;
  const uint32_t end = std::min(begin + kPageSlots, store_.limit());
  uint64_t count = 0;
  for (uint32_t at = begin; at < end; ++at)
    count += PieceAt(at).bytes != nullptr ? 1 : 0;
  base::ByteWriter writer(out);
  writer.Varint(count);
  for (uint32_t at = begin; at < end; ++at) {
    const Piece& piece = PieceAt(at);
    if (piece.bytes == nullptr) continue;
    writer.Varint(at - begin);
    writer.Zigzag(piece.event_time);
    writer.Varint(piece.sequence);
    writer.String({piece.bytes, piece.size});
  }
}

bool RowQueue::TakePages(size_t bytes_max, std::vector<StatePage>& out) {
  return marks_.TakeDue(bytes_max, out,
                        [this](uint32_t page, std::string& bytes) { WritePage(page, bytes); });
}

Status RowQueue::BeginLoad(const BlockHead& head) {
  if (head.fingerprint != base::Hash64(kPagesOf)) return Damaged("they are another kind of state");
  load_slots_ = head.slots;
  return Ok();
}

Status RowQueue::LoadPage(uint32_t number, std::string_view bytes) {
  if (uint64_t{number} << kPageSlotsLog2 >= load_slots_) return Damaged("a page beyond the slots");
  const uint32_t begin = number << kPageSlotsLog2;
  store_.Extend(begin + kPageSlots);
  marks_.Extend(size_t{number} + 1);
  base::ByteReader reader(bytes);
  for (uint64_t i = reader.Varint(); i > 0 && reader.ok(); --i) {
    const uint64_t at = reader.Varint();
    const int64_t event_time = reader.Zigzag();
    const uint64_t sequence = reader.Varint();
    const std::string_view rows = reader.String();
    const bool good = reader.ok() && at < kPageSlots && sequence < kNone && !rows.empty() &&
                      rows.size() < UINT32_MAX;
    const uint32_t slot = begin + static_cast<uint32_t>(good ? at : 0);
    if (!good || PieceAt(slot).bytes != nullptr || !check_(rows, event_time)) {
      return Damaged("the bytes of a page");
    }
    Fill(slot, event_time, static_cast<uint32_t>(sequence), rows);
  }
  if (!reader.ok() || reader.remaining() != 0) return Damaged("the bytes of a page");
  return Ok();
}

void RowQueue::EndLoad() {
  std::vector<uint32_t> pieces;
  for (uint32_t at = store_.limit(); at > 0; --at) {
    if (PieceAt(at - 1).bytes == nullptr) {
      store_.Free(at - 1);
    } else {
      pieces.push_back(at - 1);
    }
  }
  std::sort(pieces.begin(), pieces.end(), [this](uint32_t a, uint32_t b) {
    const Piece& one = PieceAt(a);
    const Piece& other = PieceAt(b);
    return std::pair(one.event_time, one.sequence) < std::pair(other.event_time, other.sequence);
  });
  for (uint32_t at : pieces) {
    Ends& ends = times_.try_emplace(times_.end(), PieceAt(at).event_time)->second;
    (ends.last == kNone ? ends.first : PieceAt(ends.last).next) = at;
    ends.last = at;
  }
}

}  // namespace headrace::state
