#include "onnx/runtime_api.h"

#include <string>

#include "os/shared_library.h"

namespace headrace::onnx {
namespace {

constexpr uint32_t kApiVersion = 14;  // of ONNX Runtime 1.14; later ones have it too
constexpr const char* kLibrary = "libonnxruntime.so.1";

Error Missing(std::string message) {
  return Error(ErrorKind::kUnavailable, "HR3006", std::move(message))
      .WithHint("`make onnxruntime` puts ONNX Runtime (1.14 or later) beside the program");
}

}  // namespace

Result<RuntimeApi> RuntimeApi::Load() {
  struct Base {
    const Handle* (*get_table)(uint32_t version);
    const char* (*get_version)();
  };
  std::string problem;
  const auto library = os::SharedLibrary::Load(kLibrary, &problem);
  if (!library) return Missing(std::move(problem));
  auto* get_base = library->Find<const Base*()>("OrtGetApiBase");
  if (get_base == nullptr) return Missing(std::string(kLibrary) + " has no OrtGetApiBase");
  const Handle* table = get_base()->get_table(kApiVersion);
  if (table == nullptr) return Missing(std::string(kLibrary) + " is older than interface 14");
  return RuntimeApi(table);
}

Status RuntimeApi::Check(Handle problem) const {
  if (problem == nullptr) return Ok();
  std::string message = Function<const char*(Handle)>(kGetErrorMessage)(problem);
  Release(kReleaseStatus, problem);
  return Error(ErrorKind::kInvalidArgument, "HR3003", "ONNX Runtime: " + std::move(message));
}

}  // namespace headrace::onnx
