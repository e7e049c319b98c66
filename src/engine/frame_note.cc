#include "engine/frame_note.h"

#include "base/bytes.h"

namespace headrace::engine {
namespace {

constexpr uint8_t kInputNote = 1;
constexpr uint8_t kCauseNote = 2;
constexpr uint8_t kBoundedInputNote = 3;

Error Damaged() {
  return Error(ErrorKind::kCorruption, "HR5302", "the note of a stored batch is damaged")
      .WithHint("run `headrace log verify`");
}

}  // namespace

std::string InputNote::Encode() const {
  std::string out;
  base::ByteWriter w(out);
  w.U8(bounded ? kBoundedInputNote : kInputNote);
  w.Zigzag(arrival_micros);
  w.String(source);
  if (!source.empty()) {
    w.Varint(source_bytes);
    w.Varint(source_events);
  }
  return out;
}

Result<InputNote> InputNote::Decode(std::string_view bytes) {
  base::ByteReader r(bytes);
  InputNote note;
  uint8_t kind = r.U8();
  note.bounded = kind == kBoundedInputNote;
  note.arrival_micros = r.Zigzag();
  note.source = std::string(r.String());
  if (!note.source.empty()) {
    note.source_bytes = r.Varint();
    note.source_events = r.Varint();
  }
  bool known = kind == kInputNote || kind == kBoundedInputNote;
  if (!r.ok() || !known || r.remaining() != 0) return Damaged();
  return note;
}

void CauseEncoder::Add(row::Place cause) {
  if (length_ > 0 && cause.lsn == first_.lsn && cause.index == first_.index + length_) {
    ++length_;
    return;
  }
  CloseRun();
  first_ = cause;
  length_ = 1;
}

void CauseEncoder::CloseRun() {
  base::ByteWriter w(bytes_);
  if (bytes_.empty()) w.U8(kCauseNote);
  if (length_ == 0) return;
  w.Varint(first_.lsn - last_lsn_);
  w.Varint(first_.index);
  w.Varint(length_);
  last_lsn_ = first_.lsn;
  length_ = 0;
}

std::string CauseEncoder::Finish() {
  CloseRun();
  std::string result = std::move(bytes_);
  *this = CauseEncoder();
  return result;
}

Result<std::vector<row::Place>> DecodeCauses(std::string_view note, size_t rows) {
  base::ByteReader r(note);
  std::vector<row::Place> causes;
  if (r.U8() != kCauseNote) return Damaged();
  causes.reserve(rows);
  uint64_t lsn = 0;
  while (r.ok() && r.remaining() > 0) {
    lsn += r.Varint();
    uint64_t index = r.Varint();
    uint64_t length = r.Varint();
    if (!r.ok() || index > UINT32_MAX || length > rows - causes.size()) return Damaged();
    for (uint64_t i = 0; i < length; ++i) {
      causes.push_back({lsn, static_cast<uint32_t>(index + i)});
    }
  }
  if (!r.ok() || causes.size() != rows) return Damaged();
  return causes;
}

}  // namespace headrace::engine
