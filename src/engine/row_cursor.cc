#include "engine/row_cursor.h"

#include "engine/frame_note.h"

namespace headrace::engine {
namespace {

constexpr size_t kReadBytes = 1 << 20;

}  // namespace

Result<std::unique_ptr<RowCursor>> RowCursor::Open(const log::Log& log, const Deployed& item,
                                                   int32_t partition, int64_t from) {
  std::unique_ptr<RowCursor> cursor(new RowCursor(log, item.topic(), item.source != nullptr));
  for (int32_t p = 0; p < item.partitions; ++p) {
    if (partition >= 0 && p != partition) continue;
    auto lane = std::make_unique<Lane>();
    lane->partition = p;
    lane->next_offset = std::max(partition >= 0 ? from : 0, log.start_offset(item.topic(), p));
    cursor->lanes_.push_back(std::move(lane));
  }
  return cursor;
}

Result<std::unique_ptr<RowCursor>> RowCursor::Open(
    const log::Log& log, const Deployed& item,
    const std::map<std::pair<std::string, int32_t>, int64_t>& from) {
  HR_ASSIGN(std::unique_ptr<RowCursor> cursor, Open(log, item, -1, 0));
  for (auto& lane : cursor->lanes_) {
    auto known = from.find({item.topic(), lane->partition});
    if (known != from.end()) lane->next_offset = std::max(lane->next_offset, known->second);
  }
  return cursor;
}

Result<bool> RowCursor::Next(StoredRow* row) {
  if (given_ != nullptr) given_->loaded = false;
  given_ = nullptr;
  for (auto& lane : lanes_) {
    if (!lane->loaded && !lane->ended) HR_TRY(Load(*lane));
    if (lane->loaded && (given_ == nullptr || lane->cause < given_->cause)) given_ = lane.get();
  }
  if (given_ == nullptr) return false;
  row->partition = given_->partition;
  row->offset = given_->record.offset;
  row->cause = given_->cause;
  row->lsn = given_->lsn;
  row->arrival_micros = given_->arrival_micros;
  row->value = given_->record.value;
  row->headers = given_->record.headers;
  return true;
}

Status RowCursor::Load(Lane& lane) {
  while (true) {
    if (!lane.reader) {
      HR_ASSIGN(bool opened, OpenEntry(lane));
      if (!opened) {
        lane.ended = true;
        return Ok();
      }
    }
    HR_ASSIGN(bool more, lane.reader->Next(&lane.record));
    if (!more) {
      lane.reader.reset();
      lane.entries.pop_front();
      continue;
    }
    size_t index = lane.index++;
    if (lane.record.offset < lane.next_offset) continue;
    lane.next_offset = lane.record.offset + 1;
    lane.cause = source_ ? row::Place{lane.lsn, static_cast<uint32_t>(index)} : lane.causes[index];
    lane.loaded = true;
    return Ok();
  }
}

Result<bool> RowCursor::OpenEntry(Lane& lane) {
  if (lane.entries.empty()) {
    HR_ASSIGN(auto batch, log_.Read(topic_, lane.partition, lane.next_offset, kReadBytes));
    for (log::Entry& entry : batch)
      lane.entries.push_back(std::move(entry));
    if (lane.entries.empty()) return false;
  }
  const log::Entry& entry = lane.entries.front();
  HR_ASSIGN(auto reader, log::RecordReader::Open(entry.bytes));
  lane.reader = std::make_unique<log::RecordReader>(std::move(reader));
  lane.index = 0;
  lane.lsn = entry.lsn;
  if (source_) {
    HR_ASSIGN(InputNote note, InputNote::Decode(entry.note));
    lane.arrival_micros = note.arrival_micros;
  } else {
    HR_ASSIGN(lane.causes,
              DecodeCauses(entry.note, static_cast<size_t>(lane.reader->header().record_count)));
  }
  return true;
}

}  // namespace headrace::engine
