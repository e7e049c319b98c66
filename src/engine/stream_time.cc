#include "engine/stream_time.h"

#include <algorithm>

#include "base/metric_label.h"
#include "catalog/change.h"
#include "engine/past.h"
#include "engine/replay.h"

namespace headrace::engine {
namespace {

// Rows are of no interest here.
class NoRows final : public Emission {
 public:
  using Emission::Emission;

 protected:
  int64_t OnRow(size_t, const EmittedRow&) override { return 0; }
};

// The deployment's sources alone: time depends on nothing else.
std::shared_ptr<const Deployment> SourcesOf(const Deployment& whole) {
  auto sources = std::make_shared<Deployment>();
  sources->catalog = whole.catalog;
  for (const Deployed& item : whole.items) {
    const Deployed* of = item.dead_of.empty() ? &item : whole.Find(item.dead_of);
    if (of->source) sources->items.push_back(item);
  }
  return sources;
}

// The LSN of the newest control that ended the stream's input; 0: none did.
Result<log::Lsn> EndOfInput(const log::Log& log, const std::string& stream) {
  HR_ASSIGN(auto cursor, log.ScanControls());
  log::Entry entry;
  log::Lsn end = 0;
  while (true) {
    HR_ASSIGN(bool more, cursor->Next(&entry));
    if (!more) return end;
    HR_ASSIGN(catalog::Change change, catalog::Change::Decode(entry.bytes));
    if (change.kind == catalog::ChangeKind::kFinishInput && change.name == stream) end = entry.lsn;
  }
}

// That of the newest event of the topic; 0: there is none.
Result<log::Lsn> NewestEvent(const log::Log& log, const Deployed& item) {
  log::Lsn newest = 0;
  for (int32_t p = 0; p < item.partitions; ++p) {
    const int64_t end = log.end_offset(item.topic(), p);
    if (end == log.start_offset(item.topic(), p)) continue;
    HR_ASSIGN(std::vector<log::Entry> entries, log.Read(item.topic(), p, end - 1, 1));
    for (const log::Entry& entry : entries)
      newest = std::max(newest, entry.lsn);
  }
  return newest;
}

}  // namespace

Result<std::optional<StreamTime>> ReadStreamTime(os::FileSystem& files,
                                                 const std::string& data_directory,
                                                 const log::Log& log,
                                                 std::shared_ptr<const Deployment> deployment,
                                                 const std::string& topic) {
  const Deployed* item = deployment->FindByTopic(topic);
  if (item == nullptr || !item->source) return std::optional<StreamTime>();
  return ReadPast(SnapshotStore(files, data_directory), [&]() -> Result<std::optional<StreamTime>> {
    const SnapshotStore store(files, data_directory);
    HR_ASSIGN(Past past, LoadNewest({store, log, deployment->catalog}, [&] {
                return BuildGraph(*SourcesOf(*deployment), ModelsOf(deployment));
              }));
    NoRows rows(SourcesOf(*deployment));
    ReplayOptions options;
    options.from_lsn = past.lsn + 1;
    options.until_lsn = log.durable_lsn();
    options.goes_on = false;
    HR_ASSIGN(uint64_t events, Replay(log, *past.graph, rows, options));
    static_cast<void>(events);
    const flow::SourceNode& source = *past.graph->FindSource(topic);
    StreamTime time;
    time.stream = item->name;
    HR_ASSIGN(const log::Lsn end, EndOfInput(log, item->name));
    HR_ASSIGN(const log::Lsn newest, NewestEvent(log, *item));
    time.finished = end > newest;
    if (source.watermark() != INT64_MIN) time.watermark = source.watermark();
    time.partitions = source.partition_states();
    return std::optional<StreamTime>(std::move(time));
  });
}

void TimeMetrics::Forget(const std::string& stream) {
  if (gauges_.erase(stream) == 0) return;
  const std::string label = "stream=\"" + base::EscapedLabel(stream) + "\"";
  for (const char* name : {"headrace_watermark_delay_seconds", "headrace_source_idle",
                           "headrace_watermark_holding_partition"})
    metrics_.RetireGauge(name, label);
}

void TimeMetrics::Note(const flow::SourceNode& source, int64_t arrival_micros) {
  if (source.watermark() == INT64_MIN) return;
  const std::string& stream = source.plan().name;
  Gauges& gauges = gauges_[stream];
  if (gauges.delay == nullptr) {
    const std::string label = "stream=\"" + base::EscapedLabel(stream) + "\"";
    gauges.delay =
        &metrics_.GetGauge("headrace_watermark_delay_seconds",
                           "How far the watermark was behind the clock as events came.", label);
    gauges.idle = &metrics_.GetGauge("headrace_source_idle",
                                     "Partitions that hold no watermark back.", label);
    gauges.holding = &metrics_.GetGauge("headrace_watermark_holding_partition",
                                        "The partition that the watermark waits for.", label);
  }
  gauges.delay->Set(static_cast<double>(arrival_micros - source.watermark()) * 1e-6);
  if (source.plan().partitions == 1) return;
  double idle = 0;
  const std::vector<flow::PartitionState> states = source.partition_states();
  for (size_t p = 0; p < states.size(); ++p) {
    if (states[p].holds) gauges.holding->Set(static_cast<double>(p));
    idle += states[p].idle ? 1 : 0;
  }
  gauges.idle->Set(idle);
}

}  // namespace headrace::engine
