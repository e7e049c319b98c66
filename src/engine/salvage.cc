#include "engine/salvage.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "catalog/change.h"
#include "engine/deployer.h"
#include "engine/snapshot_store.h"

namespace headrace::engine {
namespace {

constexpr uint64_t kModelBytesMax = uint64_t{1} << 30;

// Versions are numbered from 1 without gaps, and only one that is there can decide.
Status CheckVersion(const catalog::Catalog& catalog, const catalog::Change& change) {
  const catalog::Object* object = catalog.Find(change.name);
  if (object == nullptr) return Ok();  // Apply says so
  const auto versions = static_cast<int32_t>(object->versions.size());
  const bool adds = change.kind == catalog::ChangeKind::kAddVersion;
  const bool activates = change.kind == catalog::ChangeKind::kActivateVersion;
  if ((adds && change.number != versions + 1) ||
      (activates && (change.number < 1 || change.number > versions))) {
    return Error(ErrorKind::kNotFound, "HR1206",
                 "model " + change.name + " has " + std::to_string(versions) + " versions");
  }
  return Ok();
}

class Salvaging {
 public:
  Salvaging(os::FileSystem& files, std::string from, log::Salvage& log)
      : files_(files), from_(std::move(from)), log_(log), deployer_(files, from_, true) {}

  Result<SalvageResult> Run(const os::Clock& clock, const std::string& to) {
    DeployControls();
    SuggestTopics();
    HR_TRY(log_.WriteTopics(to));
    HR_TRY(CopyModels(to));
    HR_TRY(CopyBeginning(to));
    result_.log = log_.report();
    std::vector<std::string> controls;
    if (!result_.complete() || beginning_lost_) controls.push_back(DescribeLoss());
    HR_TRY(log_.Finish(clock, controls));
    result_.log.last_lsn = log_.report().last_lsn;
    return std::move(result_);
  }

 private:
  // Keeps the controls that can be deployed one after the other.
  void DeployControls() {
    std::vector<log::Lsn> bad;
    for (const auto& [lsn, entry] : log_.controls()) {
      Result<catalog::Change> change = catalog::Change::Decode(entry.bytes);
      Status deployed = change.ok() ? DeployOne(*change, lsn) : Status(change.error());
      if (deployed.ok()) continue;
      bad.push_back(lsn);
      result_.left_out.push_back(
          {lsn, change.ok() ? change->name : "", deployed.error().ToString()});
    }
    for (log::Lsn lsn : bad)
      log_.LeaveOut(lsn);
  }

  Status DeployOne(const catalog::Change& change, log::Lsn lsn) {
    catalog::Catalog catalog = deployment_->catalog;
    HR_TRY(CheckVersion(catalog, change));
    HR_TRY(catalog.Apply(change, lsn));
    HR_ASSIGN(deployment_, deployer_.Deploy(catalog, *deployment_));
    if (!change.sha256.empty()) models_.insert(change.sha256);
    return Ok();
  }

  void SuggestTopics() {
    for (const Deployed& item : deployment_->items) {
      if (item.is_model()) continue;
      log::TopicConfig config;
      config.partitions = item.partitions;
      config.retention_ms = item.retention.ms;
      config.retention_bytes = item.retention.bytes;
      log_.Suggest(item.topic(), config);
    }
    for (const auto& [of, offset] : deployment_->catalog.begins()) {
      if (deployment_->FindByTopic(of.first) == nullptr) {
        log::TopicConfig config;
        config.partitions = of.second + 1;
        log_.Suggest(of.first, config);
      }
      log_.BeginAt(of.first, of.second, offset);
    }
    for (const auto& [of, trimmed] : deployment_->catalog.trims()) {
      auto dropped = deployment_->catalog.begins().find(of);
      const bool more =
          dropped == deployment_->catalog.begins().end() || dropped->second < trimmed.begins;
      if (more) log_.BeginAt(of.first, of.second, trimmed.begins);
    }
  }

  Status CopyModels(const std::string& to) {
    if (models_.empty()) return Ok();
    HR_TRY(files_.CreateDirectories(to + "/models"));
    for (const std::string& sha : models_) {
      const std::string file = "/models/" + sha;
      HR_ASSIGN(std::string bytes, os::ReadFile(files_, from_ + file, kModelBytesMax));
      HR_TRY(os::ReplaceFile(files_, to + file, bytes));
    }
    return Ok();
  }

  // Where retention removed events a start needs the snapshot that stands for them. Without it
  // nothing can be computed again as it was.
  Status CopyBeginning(const std::string& to) {
    const SnapshotStore store(files_, from_);
    Result<uint64_t> lsn = store.Beginning();
    if (lsn.ok() && *lsn == 0) return Ok();
    Result<SnapshotManifest> manifest =
        lsn.ok() ? store.Read(*lsn) : Result<SnapshotManifest>(lsn.error());
    beginning_lost_ = !manifest.ok() || !store.CheckPages(*manifest).ok();
    if (beginning_lost_) return Ok();
    const SnapshotStore target(files_, to);
    HR_TRY(store.CopySnapshot(*manifest, target));
    return target.WriteBeginning(manifest->lsn);
  }

  // Rows that are computed hide nothing when they are lost: only events and controls do.
  log::Lsn LostFrom(log::Lsn otherwise) const {
    log::Lsn first = result_.log.unaccounted > 0 || beginning_lost_ ? 1 : otherwise;
    for (const log::SalvageReport::Offsets& lost : result_.log.offsets) {
      const Deployed* item = deployment_->FindByTopic(lost.topic);
      const bool computed = item != nullptr && !item->source;
      if (!computed) first = std::min(first, lost.after_lsn + 1);
    }
    for (const log::SalvageReport::Controls& lost : result_.log.controls)
      first = std::min(first, lost.after_lsn + 1);
    for (const log::SalvageReport::Lsns& lost : result_.log.lsns)
      first = std::min(first, lost.first);
    for (const SalvageResult::LeftOut& left : result_.left_out)
      first = std::min(first, left.lsn);
    return first;
  }

  std::string DescribeLoss() {
    catalog::Loss loss;
    loss.lsn = result_.log.last_lsn + 1;
    loss.lost_from = LostFrom(loss.lsn);
    if (loss.lost_from < loss.lsn) result_.lost_from = loss.lost_from;
    for (const auto& [topic, config] : log_.topics()) {
      for (int32_t p = 0; p < config.partitions; ++p)
        loss.next_offsets[{topic, p}] = log_.end_offset(topic, p);
    }
    catalog::Change change;
    change.kind = catalog::ChangeKind::kLoss;
    change.text = loss.Encode();
    return change.Encode();
  }

  os::FileSystem& files_;
  const std::string from_;
  log::Salvage& log_;
  Deployer deployer_;
  std::shared_ptr<const Deployment> deployment_ = std::make_shared<Deployment>();
  std::set<std::string> models_;  // by hash, of what is deployed
  bool beginning_lost_ = false;
  SalvageResult result_;
};

}  // namespace

Result<SalvageResult> Salvage(os::FileSystem& files, const os::Clock& clock,
                              const std::string& from, const std::string& to) {
  HR_ASSIGN(auto log, log::Salvage::Open(files, from));
  return Salvaging(files, from, *log).Run(clock, to);
}

}  // namespace headrace::engine
