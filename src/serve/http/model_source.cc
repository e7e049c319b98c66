#include "serve/http/model_source.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "serve/http/problem.h"
#include "serve/http/route.h"

namespace headrace::serve {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPathBytesMax = 4096;
constexpr std::string_view kFileScheme = "file:";

// What MLflow's flavours for these libraries call the file in a model's directory.
constexpr std::array<std::string_view, 7> kModelFiles = {
    "model.lgb", "model.txt", "model.xgb", "model.ubj", "model.json", "model.onnx", "model.tflite"};

Error Refused(std::string message) {
  return Error(ErrorKind::kInvalidArgument, kSourceRefused, std::move(message));
}

Error NoFile(const std::string& source) {
  return Refused("there is no model file at `" + source + "`")
      .WithHint(
          "a source is a file of the server's machine, or a directory with one of model.lgb, "
          "model.txt, model.xgb, model.ubj, model.json, model.onnx, model.tflite");
}

// The path in the text; nothing when it is a URI of another kind.
Result<std::string> PathOf(const std::string& source) {
  const bool odd = std::any_of(source.begin(), source.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (source.empty() || source.size() > kPathBytesMax || odd) {
    return Refused("`source` is empty, too long, or has a control character");
  }
  std::string_view rest = source;
  if (rest.starts_with(kFileScheme)) {
    rest.remove_prefix(kFileScheme.size());
    if (rest.starts_with("//")) rest.remove_prefix(2);
    if (rest.starts_with("localhost/")) rest.remove_prefix(std::string_view("localhost").size());
    auto path = DecodePercent(rest, false);
    if (!path || !path->starts_with('/') || path->find('\0') != std::string::npos) {
      return Refused("`source` is a file: URI without an absolute path of this machine");
    }
    return std::move(*path);
  }
  const size_t colon = source.find(':');
  const bool scheme = colon != std::string::npos && colon > 1 && source.find('/') > colon;
  if (!scheme) return source;
  return Refused("a source of the kind `" + source.substr(0, colon + 1) + "` cannot be read")
      .WithHint("give the path of a file that the server can read");
}

bool LiesBelow(const fs::path& path, const fs::path& directory) {
  auto [end, rest] = std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  static_cast<void>(rest);
  return end == directory.end();
}

Status CheckPolicy(const fs::path& path, const SourcePolicy& policy) {
  if (policy.directory.empty()) {
    if (policy.any_file) return Ok();
    return Refused("a server that other machines reach reads no files for them")
        .WithHint("start it with `--models DIR`: files below DIR can be named");
  }
  std::error_code code;
  const fs::path directory = fs::canonical(policy.directory, code);
  if (!code && LiesBelow(path, directory)) return Ok();
  return Refused("`source` does not lie in the directory of models")
      .WithHint("the server was started with `--models`: put the file there");
}

// The one model file in a directory.
std::optional<fs::path> FileIn(const fs::path& directory) {
  std::optional<fs::path> found;
  for (std::string_view name : kModelFiles) {
    std::error_code code;
    fs::path path = fs::canonical(directory / name, code);
    if (code || !fs::is_regular_file(path, code)) continue;
    if (found) return std::nullopt;
    found = std::move(path);
  }
  return found;
}

}  // namespace

Result<std::string> ResolveSource(const std::string& source, const SourcePolicy& policy) {
  HR_ASSIGN(fs::path path, PathOf(source));
  if (path.is_relative() && !policy.directory.empty()) path = fs::path(policy.directory) / path;
  std::error_code code;
  fs::path real = fs::canonical(path, code);
  // Whether there is a file outside of what may be read is nobody's business.
  if (code) real = fs::weakly_canonical(path, code);
  HR_TRY(CheckPolicy(real, policy));
  if (fs::is_directory(real, code)) {
    std::optional<fs::path> file = FileIn(real);
    if (!file) return NoFile(source);
    HR_TRY(CheckPolicy(*file, policy));
    real = *file;
  }
  if (!fs::is_regular_file(real, code)) return NoFile(source);
  return real.string();
}

}  // namespace headrace::serve
