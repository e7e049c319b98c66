#include "engine/replay.h"

#include <algorithm>

#include "catalog/change.h"
#include "engine/frame.h"
#include "engine/replay_reader.h"

namespace headrace::engine {
namespace {

// A finished input is a control record: the windows behind it close at its LSN.
Status ReplayControl(const log::Entry& entry, flow::Graph& graph, Emission& emission) {
  HR_ASSIGN(catalog::Change change, catalog::Change::Decode(entry.bytes));
  if (change.kind != catalog::ChangeKind::kFinishInput) return Ok();
  flow::SourceNode* source = graph.FindSource(change.text);
  if (source == nullptr) return Ok();
  graph.Finish(*source, {entry.lsn, 0}, emission);
  emission.FinishFrame();
  return Ok();
}

}  // namespace

std::unique_ptr<flow::Graph> BuildGraph(const Deployment& deployment, flow::ModelLookup models,
                                        flow::Graph::Means means) {
  auto graph = std::make_unique<flow::Graph>(std::move(models), means);
  std::vector<StatementPtr> statements;
  for (const Deployed& item : deployment.items) {
    if (item.source) graph->AddSource(item.source);
    for (const StatementPtr& revision : item.revisions())
      statements.push_back(revision);
  }
  // As they came: each was planned over what was there.
  std::stable_sort(statements.begin(), statements.end(),
                   [](const auto& a, const auto& b) { return a->created_lsn < b->created_lsn; });
  for (StatementPtr& statement : statements)
    graph->AddStatement(std::move(statement));
  return graph;
}

flow::ModelLookup ModelsOf(std::shared_ptr<const Deployment> deployment) {
  return [deployment](const std::string& name) {
    const Deployed* item = deployment->Find(name);
    HR_CHECK(item != nullptr && item->models != nullptr);
    return item->models;
  };
}

Result<uint64_t> Replay(const log::Log& log, flow::Graph& graph, Emission& emission,
                        const ReplayOptions& options) {
  ReplayReader reader(log, graph, {options.from_lsn, options.until_lsn}, options.logged != nullptr);
  uint64_t events = 0;
  while (true) {
    HR_ASSIGN(ReplayStep * step, reader.Next());
    if (step == nullptr) break;
    emission.Reach(step->entry.lsn);
    if (step->entry.kind == log::EntryKind::kControl) {
      HR_TRY(ReplayControl(step->entry, graph, emission));
    } else if (step->source != nullptr) {
      if (options.goes_on) Remember(*step->source, step->frame);
      if (options.input) options.input(step->entry, step->frame.note);
      events += step->frame.batch.rows().size();
      RunFrame(graph, *step->source, step->frame, emission);
      if (options.progress) options.progress(events);
    } else if (!step->answers.empty()) {
      graph.Answer(step->answers, {step->entry.lsn, 0}, emission);
      emission.FinishFrame();
    } else if (options.logged) {
      options.logged(step->entry, step->logged);
    }
    if (options.frame_done) HR_TRY(options.frame_done());
  }
  return events;
}

}  // namespace headrace::engine
