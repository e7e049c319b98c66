#pragma once

#include <memory>
#include <set>
#include <string>

#include "engine/deployment.h"
#include "engine/what_if.h"
#include "headrace/result.h"
#include "os/file_system.h"

namespace headrace::engine {

// A deployment as it might have been. Nothing that is computed with it reaches the log.
struct Fork {
  std::shared_ptr<const Deployment> deployment;
  // The statements that differ, those included that read one that does. Their state begins empty.
  std::set<std::string> changed;
  std::string last;  // the relation that the script made last
  // Models whose files the script gives: others may decide than did.
  std::set<std::string> models;
};

// Plans the fork of `base`. What reads a changed statement is planned over it anew. Errors: those
// of the script (as Engine::Execute), HR1107 and HR1206 for an unknown model or version, HR1207 for
// a model of other inputs, HR1210 for what a fork cannot do.
Result<Fork> MakeFork(const Deployment& base, os::FileSystem& files, const ForkRequest& request);

}  // namespace headrace::engine
