#include "cli/model_file.h"

#include <string_view>

#include "cli/sql_session.h"

namespace headrace::cli {

Result<std::shared_ptr<const model::Model>> LoadModelFile(os::FileSystem& files,
                                                          const std::string& path) {
  HR_ASSIGN(const std::string bytes, os::ReadFile(files, path, model::kModelBytesMax));
  Result<std::shared_ptr<const model::Model>> loaded = model::Model::Load(bytes);
  if (!loaded.ok()) return InFile(path, loaded.error());
  return loaded;
}

Result<std::string> ReadRowsFile(os::FileSystem& files, const std::string& path) {
  return path == "-" ? ReadInput(files, path) : os::ReadFile(files, path, kRowsBytesMax);
}

Error InFile(const std::string& path, Error error) {
  constexpr std::string_view kLine = "line ";
  const std::string& place = error.place();
  std::string full = path == "-" ? "standard input" : path;
  if (place.starts_with(kLine)) {
    full += ":" + place.substr(kLine.size());
  } else if (!place.empty()) {
    full += ":" + place;
  }
  return std::move(error.AtPlace(std::move(full)));
}

}  // namespace headrace::cli
