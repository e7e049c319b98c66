#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "engine/deployment.h"
#include "headrace/result.h"
#include "log/log.h"
#include "os/file_system.h"
#include "sql/planner.h"

namespace headrace::engine {

// The side output that a statement asks for, as an item of its own.
Deployed SideOutputOf(const sql::Planner& planner, const flow::StatementPlan& of, uint64_t lsn);

// A script, checked and planned, before anything of it is written.
struct Draft {
  std::vector<catalog::Change> changes;  // what to journal, in order
  std::vector<std::string> unchanged;    // what the script names and leaves as it is
  Deployment deployment;                 // as it will be, but for the LSNs
};

// The controls that journal them.
std::vector<log::Entry> ControlsOf(const std::vector<catalog::Change>& changes);

// Turns scripts into changes and catalogues into deployments. Keeps loaded models, by hash.
// Confined to the worker.
class Deployer {
 public:
  // Model bytes are kept in `directory`/models; null `files` is not allowed.
  Deployer(os::FileSystem& files, std::string directory, bool read_only);

  // Plans every statement against `base` and the statements before it. All errors of the script are
  // in the message, rendered with place and caret; the code is the first one's. Writes model bytes.
  Result<Draft> Plan(std::string_view script, const std::string& file, const Deployment& base);

  // Plans a whole catalogue: after a restart and after each change. What stands in `base` as it
  // stands in the catalogue is taken from there, the same plan.
  Result<std::shared_ptr<const Deployment>> Deploy(const catalog::Catalog& catalog,
                                                   const Deployment& base);
  // The same, when the changes are applied to that of `base` behind this LSN.
  Result<std::shared_ptr<const Deployment>> DeployBehind(
      const std::vector<catalog::Change>& changes, const Deployment& base, log::Lsn last_lsn);

  // Reads a model's file, keeps its bytes as those of a version, and loads it. Errors: those of the
  // file and of Model::Load.
  Result<std::shared_ptr<const model::Model>> TakeModelFile(const std::string& path);
  // Keeps the bytes of a model that was loaded from them. Errors: those of writing.
  Status KeepModel(std::string_view bytes, std::shared_ptr<const model::Model> loaded);

 private:
  Status DeployModel(const catalog::Object& object, Deployment& deployment);
  // The first makes the name, a later one replaces the one before.
  Status DeployRevision(const std::string& name, const catalog::Revision& revision,
                        Deployment& deployment);
  // Plans what will replace the object, which stands in `deployment`, and its side outputs.
  Status DeployPending(const catalog::Object& object, const Deployment& base,
                       Deployment& deployment);
  // The object, and behind it its side outputs.
  Result<std::vector<Deployed>> PlanRevision(const std::string& name,
                                             const catalog::Revision& revision,
                                             const Deployment& deployment);
  Result<std::shared_ptr<const model::Model>> LoadModel(const std::string& sha256);
  Result<std::string> StoreModel(const std::string& path, const std::string& script_file);
  friend class ModelPlanner;

  os::FileSystem& files_;
  std::string directory_;
  bool read_only_;
  std::map<std::string, std::shared_ptr<const model::Model>> models_;
};

}  // namespace headrace::engine
