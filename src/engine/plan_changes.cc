// What a script would change, told before it is done, and what it would cost.

#include "engine/plan_changes.h"

#include <algorithm>
#include <cmath>

#include "engine/local_engine.h"
#include "engine/replay.h"
#include "log/disk_use.h"
#include "sql/parser.h"

namespace headrace::engine {
namespace {

using Feature = PlannedChange::Feature;

std::vector<flow::FeatureNote> FeaturesOf(const Deployed* item) {
  if (item == nullptr || !item->statement || !item->statement->select) return {};
  return item->statement->select->features;
}

bool Holds(const std::vector<flow::FeatureNote>& features, const flow::FeatureNote& wanted) {
  return std::any_of(features.begin(), features.end(), [&](const flow::FeatureNote& feature) {
    return feature.name == wanted.name && feature.call == wanted.call &&
           feature.window == wanted.window;
  });
}

std::vector<Feature> Compare(const std::vector<flow::FeatureNote>& before,
                             const std::vector<flow::FeatureNote>& after) {
  std::vector<Feature> changes;
  for (const flow::FeatureNote& feature : after)
    changes.push_back({feature.name, Holds(before, feature) ? "kept" : "computed"});
  for (const flow::FeatureNote& feature : before) {
    if (!Holds(after, feature)) changes.push_back({feature.name, "dropped"});
  }
  return changes;
}

// Whether the change makes a statement, or makes it anew.
bool IsMade(const catalog::Change& change, const Deployment& next) {
  const bool made =
      change.kind == catalog::ChangeKind::kCreate || change.kind == catalog::ChangeKind::kReplace;
  const Deployed* item = next.Find(change.name);
  return made && item != nullptr && item->statement != nullptr;
}

std::string Word(const catalog::Change& change) {
  switch (change.kind) {
    case catalog::ChangeKind::kReplace:
      return "replaced";
    case catalog::ChangeKind::kDrop:
      return "dropped";
    case catalog::ChangeKind::kAddVersion:
      return "version " + std::to_string(change.number);
    case catalog::ChangeKind::kActivateVersion:
      return "activate " + std::to_string(change.number);
    case catalog::ChangeKind::kShadowVersion:
      return "shadow " + std::to_string(change.number);
    case catalog::ChangeKind::kRetireVersion:
      return "retire " + std::to_string(change.number);
    case catalog::ChangeKind::kCanaryVersion:
      return "canary " + std::to_string(change.number);
    default:
      return "new";
  }
}

// Rows that are computed for the time it takes.
class Dropping final : public Emission {
 public:
  explicit Dropping(std::shared_ptr<const Deployment> part) : Emission(std::move(part)) {}

 protected:
  int64_t OnRow(size_t, const EmittedRow&) override { return 0; }
};

struct Measured {
  uint64_t events = 0;
  int64_t nanos = 0;
};

// Where the log stands.
struct PlanSource {
  os::FileSystem& files;
  const os::Clock& clock;
  const log::Log& log;
  const std::string& directory;
  uint64_t beginning = 0;
};

// Runs the first events of what a computation would run, without their past: a little of the real
// thing. It ends behind kSampleEvents, or the frame during which kSampleNanos are over.
Result<Measured> MeasureSome(const PlanSource& source, std::shared_ptr<const Deployment> part) {
  constexpr uint64_t kSampleEvents = 50'000;
  constexpr int64_t kSampleNanos = 100'000'000;
  auto graph = BuildGraph(*part, ModelsOf(part));
  Dropping rows(part);
  Measured measured;
  const int64_t began = source.clock.MonotonicNanoseconds();
  ReplayOptions options;
  options.from_lsn = source.beginning + 1;
  options.goes_on = false;
  bool enough = false;
  options.progress = [&](uint64_t events) { measured.events = events; };
  options.frame_done = [&]() -> Status {
    measured.nanos = source.clock.MonotonicNanoseconds() - began;
    enough = measured.events >= kSampleEvents || measured.nanos >= kSampleNanos;
    return enough ? Status(Error(ErrorKind::kUnavailable, "HR5001", "enough")) : Ok();
  };
  Result<uint64_t> run = Replay(source.log, *graph, rows, options);
  if (!run.ok() && !enough) return std::move(run).error();
  return measured;
}

// What each statement of the script is computed over, and how long that may take.
class Costs {
 public:
  Costs(const PlanSource& source, const Deployment& next) : source_(source), next_(next) {}

  Status Add(PlannedChange& planned) const {
    auto part = PartOf({planned.name});
    for (const Deployed& item : part->items) {
      for (int32_t p = 0; item.source && p < item.partitions; ++p) {
        const int64_t start = source_.log.start_offset(item.topic(), p);
        planned.events += static_cast<uint64_t>(
            std::max<int64_t>(0, source_.log.end_offset(item.topic(), p) - start));
        HR_ASSIGN(uint64_t bytes, log::PartitionBytes(source_.files, source_.directory, source_.log,
                                                      {item.topic(), p}));
        planned.bytes += bytes;
      }
    }
    if (planned.events > 0) planned.from_lsn = source_.beginning + 1;
    return Ok();
  }

  // Behind Add: of all together.
  Status AddSeconds(std::vector<PlannedChange>& changes) const {
    std::vector<std::string> computed;
    uint64_t events = 0;  // of the sources, each once
    for (const PlannedChange& change : changes) {
      if (change.from_lsn > 0) computed.push_back(change.name);
    }
    if (computed.empty()) return Ok();
    auto part = PartOf(computed);
    for (const Deployed& item : part->items) {
      for (int32_t p = 0; item.source && p < item.partitions; ++p)
        events += static_cast<uint64_t>(std::max<int64_t>(
            0,
            source_.log.end_offset(item.topic(), p) - source_.log.start_offset(item.topic(), p)));
    }
    HR_ASSIGN(Measured measured, MeasureSome(source_, part));
    if (measured.events == 0 || measured.nanos <= 0) return Ok();
    const double each = static_cast<double>(measured.nanos) / static_cast<double>(measured.events);
    for (PlannedChange& change : changes) {
      if (change.from_lsn == 0) continue;
      change.seconds = each * static_cast<double>(events) * 1e-9;
      change.estimate = "its first " + std::to_string(measured.events) + " events, run for this: " +
                        std::to_string(static_cast<uint64_t>(1e9 / each)) + " a second";
    }
    return Ok();
  }

 private:
  std::shared_ptr<const Deployment> PartOf(const std::vector<std::string>& names) const {
    return PartFor(next_, names);
  }

  const PlanSource& source_;
  const Deployment& next_;
};

PlannedChange Describe(const catalog::Change& change, const Deployment& base,
                       const Deployment& next) {
  PlannedChange planned;
  planned.name = change.name;
  planned.change = Word(change);
  if (IsMade(change, next)) {
    planned.features =
        Compare(FeaturesOf(base.Find(change.name)), FeaturesOf(next.Find(change.name)));
  }
  return planned;
}

}  // namespace

Result<std::vector<PlannedChange>> LocalEngine::Plan(std::string_view script,
                                                     const std::string& file) {
  return PlanScript(script, file);
}

Result<std::vector<PlannedChange>> LocalEngine::PlanScript(std::string_view script,
                                                           const std::string& file) const {
  // Its own: the other is the worker's. It writes nothing.
  Deployer deployer(files_, options_.directory, true);
  const Deployment base = AsJoined(*deployment());
  HR_ASSIGN(Draft draft, deployer.Plan(script, file, base));
  HR_ASSIGN(uint64_t beginning, snapshot_store().Beginning());
  const PlanSource source{files_, clock_, *log_, options_.directory, beginning};
  // As it would be deployed: its statements come behind all others.
  const uint64_t end = UINT64_MAX - 2 - draft.changes.size();
  HR_ASSIGN(auto next, deployer.DeployBehind(draft.changes, base, end));
  const Costs costs(source, *next);
  std::vector<PlannedChange> changes;
  for (const std::string& name : draft.unchanged) {
    changes.emplace_back();
    changes.back().name = name;
    changes.back().change = "none";
  }
  for (const catalog::Change& change : draft.changes) {
    changes.push_back(Describe(change, base, *next));
    if (!IsMade(change, *next)) continue;
    HR_TRY(costs.Add(changes.back()));
    PlannedChange output = changes.back();
    output.features.clear();
    for (const std::string& side : next->Find(change.name)->statement->sides()) {
      output.name = side;
      changes.push_back(output);
    }
  }
  HR_TRY(costs.AddSeconds(changes));
  return changes;
}

std::optional<size_t> ScriptToPlan(std::string_view sql) {
  sql::ParseResult parsed = sql::Parse(sql, 0);
  if (parsed.statements.empty()) return {};
  const auto* explain = std::get_if<sql::Explain>(&parsed.statements.front().body);
  if (explain == nullptr || !explain->diff) return {};
  return explain->statement->span.begin;
}

QueryResult TableOf(const std::vector<PlannedChange>& changes) {
  using enum row::TypeKind;
  QueryResult table;
  table.columns = {{{"name", {kText, 0, 0}, true},
                    {"change", {kText, 0, 0}, true},
                    {"feature", {kText, 0, 0}, false},
                    {"feature_change", {kText, 0, 0}, false},
                    {"from_lsn", {kBigint, 0, 0}, false},
                    {"events", {kBigint, 0, 0}, false},
                    {"bytes", {kBigint, 0, 0}, false},
                    {"seconds", {kDouble, 0, 0}, false},
                    {"estimate", {kText, 0, 0}, false}}};
  table.arena = std::make_shared<base::Arena>();
  const auto text = [&](const std::string& value) {
    return row::Value::Text(table.arena->Copy(value));
  };
  const auto number = [](uint64_t value) {
    return row::Value::Integer(static_cast<int64_t>(value));
  };
  for (const PlannedChange& change : changes) {
    const bool computed = change.from_lsn > 0;
    const row::Value none = row::Value::Null();
    // Half a millisecond is nothing.
    const double seconds = std::round(change.seconds.value_or(0) * 1e3) / 1e3;
    table.rows.push_back({text(change.name), text(change.change), none, none,
                          computed ? number(change.from_lsn) : none,
                          change.change == "none" ? none : number(change.events),
                          computed ? number(change.bytes) : none,
                          change.seconds ? row::Value::Double(seconds) : none,
                          change.seconds ? text(change.estimate) : none});
    for (const Feature& feature : change.features) {
      const bool from = computed && feature.change == "computed";
      table.rows.push_back({text(change.name), text(change.change), text(feature.name),
                            text(feature.change), from ? number(change.from_lsn) : none,
                            from ? number(change.events) : none, none, none, none});
    }
  }
  return table;
}

}  // namespace headrace::engine
