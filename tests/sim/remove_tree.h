#pragma once

#include <string>
#include <vector>

#include "os/memory_file_system.h"

namespace headrace::sim {

// The directory and all that is in it.
inline void RemoveTree(os::MemoryFileSystem& disk, const std::string& directory) {
  for (const std::string& path : disk.AllFiles()) {
    if (path.starts_with(directory + "/")) disk.Remove(path).value();
  }
  // Directories from the innermost on: none is named before those that it is in.
  std::vector<std::string> directories = {directory};
  for (size_t i = 0; i < directories.size(); ++i) {
    Result<std::vector<std::string>> names = disk.List(directories[i]);
    if (!names.ok()) continue;
    for (const std::string& name : *names)
      directories.push_back(directories[i] + "/" + name.substr(0, name.size() - 1));
  }
  for (auto it = directories.rbegin(); it != directories.rend(); ++it) {
    Status removed = disk.Remove(*it);
    static_cast<void>(removed.ok());
  }
}

}  // namespace headrace::sim
