#pragma once

#include <memory>
#include <string>

#include "headrace/result.h"
#include "model/model.h"
#include "os/file_system.h"

namespace headrace::cli {

// Reads and loads a model. Its errors name the file and the place in it.
Result<std::shared_ptr<const model::Model>> LoadModelFile(os::FileSystem& files,
                                                          const std::string& path);

// A table of rows as one text; `-` is standard input. At most kRowsBytesMax.
Result<std::string> ReadRowsFile(os::FileSystem& files, const std::string& path);

// An error about `line N` of a file, at `path:N`.
Error InFile(const std::string& path, Error error);

inline constexpr uint64_t kRowsBytesMax = uint64_t{4} << 30;

}  // namespace headrace::cli
