#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "engine/deployment.h"
#include "engine/emission.h"
#include "engine/frame_note.h"
#include "engine/replay_reader.h"
#include "flow/graph.h"
#include "log/log.h"

namespace headrace::engine {

// Builds the graph of a deployment, with empty state. Live traffic and every replay use this.
std::unique_ptr<flow::Graph> BuildGraph(const Deployment& deployment, flow::ModelLookup models,
                                        flow::Graph::Means means = {});
// Looks models up in this snapshot.
flow::ModelLookup ModelsOf(std::shared_ptr<const Deployment> deployment);

struct ReplayOptions {
  uint64_t from_lsn = 1;            // what is before it, the graph and the emission know
  uint64_t until_lsn = UINT64_MAX;  // the last LSN to run
  // Sees the note of each input batch; may be null.
  std::function<void(const log::Entry&, const InputNote&)> input;
  // Sees each logged batch that is not of a source, in log order; may be null.
  std::function<void(const log::Entry&, const LoggedRows&)> logged;
  // Called behind each input frame, e.g. to append what a backfill emitted; may be null.
  std::function<Status()> frame_done;
  std::function<void(uint64_t events)> progress;
  // The sources will take events themselves, and must recognize repeats of those that are logged.
  bool goes_on = true;
};

// Runs every logged input, in log order, through the graph: recovery, backfill, verify and why are
// this one path. Returns the number of input events.
Result<uint64_t> Replay(const log::Log& log, flow::Graph& graph, Emission& emission,
                        const ReplayOptions& options);

}  // namespace headrace::engine
