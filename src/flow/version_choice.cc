#include "flow/version_choice.h"

#include <algorithm>

#include "base/hash.h"
#include "row/text.h"

namespace headrace::flow {
namespace {

constexpr uint64_t kShares = 100;

}  // namespace

int32_t ModelVersions::VersionAt(uint64_t lsn) const {
  int32_t version = activations.front().version;
  for (const Activation& activation : activations) {
    if (activation.from_lsn <= lsn) version = activation.version;
  }
  return version;
}

const ModelVersions::Canary* ModelVersions::CanaryAt(uint64_t lsn) const {
  auto found = std::find_if(canaries.begin(), canaries.end(), [&](const Canary& canary) {
    return canary.from_lsn <= lsn && lsn < canary.until_lsn;
  });
  return found == canaries.end() ? nullptr : &*found;
}

std::vector<int> CanaryKey(const StatementPlan& plan, const std::string& key) {
  std::vector<int> columns = plan.input_partition_columns;
  if (!key.empty()) {
    const int column = plan.input_schema.Find(key);
    columns = column < 0 ? std::vector<int>() : std::vector<int>{column};
  }
  if (!plan.on_watermark || !plan.select) return columns;
  // Of rows that waited there is what the statement reads, and no more.
  const std::vector<int>& read = plan.select->copied_columns;
  const bool all = std::all_of(columns.begin(), columns.end(), [&](int column) {
    return std::find(read.begin(), read.end(), column) != read.end();
  });
  return all ? columns : std::vector<int>();
}

VersionChoice::VersionChoice(const ModelVersions& versions, const StatementPlan& plan)
    : versions_(versions), plan_(plan) {
  for (const ModelVersions::Canary& canary : versions.canaries) {
    keys_.push_back(CanaryKey(plan, canary.key));
    columns_.insert(columns_.end(), keys_.back().begin(), keys_.back().end());
  }
}

int32_t VersionChoice::For(const row::Row& row) const {
  const ModelVersions::Canary* canary = versions_.CanaryAt(row.cause.lsn);
  if (canary != nullptr && Takes(static_cast<size_t>(canary - versions_.canaries.data()), row)) {
    return canary->version;
  }
  return versions_.VersionAt(row.cause.lsn);
}

bool VersionChoice::Takes(size_t canary, const row::Row& row) const {
  const ModelVersions::Canary& chosen = versions_.canaries[canary];
  if (keys_[canary].empty()) return false;
  std::string key;
  for (int column : keys_[canary]) {
    const auto at = static_cast<size_t>(column);
    row::AppendKey(row.values[at], plan_.input_schema.columns[at].type, key);
  }
  const uint64_t hash = base::Hash64(key, base::Hash64(chosen.salt));
  return hash % kShares < static_cast<uint64_t>(chosen.percent);
}

}  // namespace headrace::flow
