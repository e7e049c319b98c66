#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/emission.h"
#include "engine/frame_note.h"
#include "flow/graph.h"
#include "log/log.h"
#include "row/batch.h"

namespace headrace::engine {

// One journal frame of input events, admitted: rows, the errors of those that are not fit (by row
// index), and its note. Reused from frame to frame. Confined.
struct Frame {
  row::Batch batch;
  std::vector<std::pair<size_t, Error>> refused;
  InputNote note;

  void Clear() {
    batch.Clear();
    refused.clear();
  }
};

// Gives the frame's rows their places and offsets.
void PlaceRows(Frame& frame, uint64_t lsn, int32_t partition, int64_t base_offset);

// Runs a placed frame through everything behind `source` and hands the dead letters on.
void RunFrame(flow::Graph& graph, flow::SourceNode& source, Frame& frame, Emission& emission);

// Admits the events of a logged batch again: what becomes of each depends on nothing but itself and
// its arrival, so `source` may be another node than the one that will run them. `entry` and
// `reader` must outlive the frame's rows.
Status AdmitEntry(flow::SourceNode& source, const log::Entry& entry, log::RecordReader& reader,
                  Frame& frame);
// Lets `source` know the events of a logged frame, so that it recognizes repeats of them.
void Remember(flow::SourceNode& source, const Frame& frame);

}  // namespace headrace::engine
