#include "engine/frame.h"

namespace headrace::engine {

void PlaceRows(Frame& frame, uint64_t lsn, int32_t partition, int64_t base_offset) {
  uint32_t index = 0;
  for (row::Row& row : frame.batch.rows()) {
    row.cause = {lsn, index};
    row.partition = partition;
    row.offset = base_offset + index;
    ++index;
  }
}

void RunFrame(flow::Graph& graph, flow::SourceNode& source, Frame& frame, Emission& emission) {
  for (const auto& [index, error] : frame.refused) {
    row::Row& row = frame.batch.rows()[index];
    row.dead_lettered = true;
    emission.Refuse(source.plan().name, row,
                    {error.code(), error.message(), error.place(), nullptr});
  }
  graph.Run(source, frame.batch, {frame.note.arrival_micros, frame.note.bounded}, emission);
  emission.FinishFrame();
}

Status AdmitEntry(flow::SourceNode& source, const log::Entry& entry, log::RecordReader& reader,
                  Frame& frame) {
  frame.Clear();
  HR_ASSIGN(frame.note, InputNote::Decode(entry.note));
  log::Record record;
  while (true) {
    HR_ASSIGN(bool more, reader.Next(&record));
    if (!more) break;
    Status admitted = source.Admit(record.value, false, frame.note.arrival_micros, frame.batch);
    size_t index = frame.batch.rows().size() - 1;
    if (!admitted.ok()) frame.refused.emplace_back(index, admitted.error());
  }
  PlaceRows(frame, entry.lsn, entry.partition, entry.base_offset);
  return Ok();
}

void Remember(flow::SourceNode& source, const Frame& frame) {
  for (const row::Row& row : frame.batch.rows()) {
    if (!row.failed) source.IsRepeat(row);
  }
}

}  // namespace headrace::engine
