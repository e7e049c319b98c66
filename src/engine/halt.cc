#include "engine/halt.h"

#include <algorithm>

namespace headrace::engine {
namespace {

size_t IndexOf(const Deployment& deployment, const std::string& name) {
  const Deployed* item = deployment.Find(name);
  HR_CHECK(item != nullptr);
  return static_cast<size_t>(item - deployment.items.data());
}

// Whether something marked has to do with what the statement gives.
bool StemsFromMarked(const Deployment& deployment, const Deployed& item,
                     const std::vector<bool>& marked) {
  const flow::StatementPlan& plan = *item.statement;
  const auto is = [&](const std::string& name) { return marked[IndexOf(deployment, name)]; };
  const Deployed& input = *deployment.Find(plan.input());
  const std::vector<std::string> sides = plan.sides();
  return is(plan.input()) || is(DeadTopic(input.topic())) ||
         (!plan.side_of.empty() && is(plan.side_of)) || std::any_of(sides.begin(), sides.end(), is);
}

std::string Shortened(std::string text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80)
    --most;  // not within a character
  return text.substr(0, most) + "...";
}

Result<std::string> EventOf(row::Place cause, const Deployment& deployment, const log::Log& log) {
  const std::string place = "LSN " + std::to_string(cause.lsn);
  HR_ASSIGN(auto cursor, log.Scan(cause.lsn));
  log::Entry entry;
  HR_ASSIGN(bool more, cursor->Next(&entry));
  if (!more || entry.lsn != cause.lsn || entry.kind != log::EntryKind::kBatch) return place;
  const Deployed* item = deployment.FindByTopic(entry.topic);
  return (item != nullptr ? item->name : entry.topic) + ":" + std::to_string(entry.partition) +
         ":" + std::to_string(entry.base_offset + cause.index) + " (" + place + ")";
}

// What a policy chose depends on all that use it.
bool SharesPolicy(const Deployment& deployment, const Deployed& item,
                  const std::vector<bool>& marked) {
  const std::set<std::string> policies = PoliciesOf(item);
  for (size_t i = 0; i < deployment.items.size() && !policies.empty(); ++i) {
    if (!marked[i]) continue;
    for (const std::string& policy : PoliciesOf(deployment.items[i])) {
      if (policies.contains(policy)) return true;
    }
  }
  return false;
}

}  // namespace

void SpreadHalt(const Deployment& deployment, std::vector<bool>& marked) {
  for (bool more = true; more;) {
    more = false;
    for (size_t i = 0; i < deployment.items.size(); ++i) {
      const Deployed& item = deployment.items[i];
      if (marked[i] || !item.statement) continue;
      const bool stems = StemsFromMarked(deployment, item, marked);
      if (!stems && !SharesPolicy(deployment, item, marked)) continue;
      marked[i] = more = true;
    }
  }
}

catalog::Halt MakeHalt(const Deployment& deployment, const log::Log& log,
                       const std::vector<bool>& marked, std::string what) {
  catalog::Halt halt;
  halt.what = Shortened(std::move(what), kHaltTextMax);
  for (size_t i = 0; i < deployment.items.size(); ++i) {
    const Deployed& item = deployment.items[i];
    // Letters of a stream that is halted are those of what reads it, which is halted, too.
    const bool letters = !item.dead_of.empty() && marked[IndexOf(deployment, item.dead_of)];
    if ((!marked[i] && !letters) || item.source || item.is_model()) continue;
    for (int32_t p = 0; p < item.partitions; ++p)
      halt.next_offsets[{item.topic(), p}] = log.next_offset(item.topic(), p);
  }
  return halt;
}

Result<std::string> TextOf(const Difference& difference, const Deployment& deployment,
                           const log::Log& log) {
  constexpr size_t kRowMax = 2000;
  const std::string stream = difference.id.substr(0, difference.id.find(':'));
  std::string text = difference.id;
  const Deployed* item = deployment.Find(stream);
  if (item != nullptr && item->statement) {
    const catalog::Object* object = deployment.ObjectOf(*item);
    text += " (made by " + (object->name == stream ? "" : "`" + object->name + "` of ") +
            object->latest().file + ":" + std::to_string(object->latest().line) + ")";
  }
  HR_ASSIGN(std::string event, EventOf(difference.cause, deployment, log));
  text += ", caused by " + event + ": ";
  text += difference.logged.empty() ? "no row was logged"
                                    : "logged was " + Shortened(difference.logged, kRowMax);
  text += difference.recomputed.empty()
              ? ", and none is computed now"
              : ", computed now is " + Shortened(difference.recomputed, kRowMax);
  return text;
}

std::vector<HaltedStream> HaltedStreams(const Deployment& deployment) {
  std::vector<HaltedStream> streams;
  for (const Deployed& item : deployment.items) {
    if (!item.halted()) continue;
    HaltedStream stream{item.name, item.statement->until_lsn, ""};
    for (const catalog::Halt& halt : deployment.catalog.halts()) {
      if (halt.lsn == stream.lsn) stream.why = halt.what;
    }
    streams.push_back(std::move(stream));
  }
  return streams;
}

}  // namespace headrace::engine
