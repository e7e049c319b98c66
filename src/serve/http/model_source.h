#pragma once

#include <string>

#include "headrace/result.h"

namespace headrace::serve {

// Which files a client may name as the bytes of a model. Value type.
struct SourcePolicy {
  // Any that the server can read. True where only programs of this machine reach the server, which
  // may name files in CREATE MODEL as well.
  bool any_file = true;
  std::string directory;  // not empty: only what lies below it, whatever `any_file` says
};

// The file that a `source` means: a path, a file: URI, or a directory that holds one file by a name
// under which MLflow saves a model. Links are followed before the policy is asked; only a regular
// file is ever opened. Error: HR8093.
Result<std::string> ResolveSource(const std::string& source, const SourcePolicy& policy);

}  // namespace headrace::serve
