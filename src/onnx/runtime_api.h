#pragma once

#include <cstddef>
#include <cstdint>

#include "headrace/result.h"

namespace headrace::onnx {

// ONNX Runtime's C interface, as far as it is used here. The library exports one function, which
// gives a table of functions for a version of the interface; the table only grows at its end, so a
// function is known by its place, and no header of theirs is needed. Immutable, thread-safe; the
// library stays loaded until the program ends.
class RuntimeApi {
 public:
  using Handle = void*;
  enum Place : size_t {
    kGetErrorMessage = 2,
    kCreateEnv = 3,
    kCreateSessionFromArray = 8,
    kRun = 9,
    kCreateSessionOptions = 10,
    kDisableMemPattern = 17,
    kDisableCpuMemArena = 19,
    kSetIntraOpNumThreads = 24,
    kSetInterOpNumThreads = 25,
    kCreateTensorWithDataAsOrtValue = 49,
    kIsTensor = 50,
    kGetTensorMutableData = 51,
    kGetTensorElementType = 60,
    kGetTensorShapeElementCount = 64,
    kGetTensorTypeAndShape = 65,
    kCreateCpuMemoryInfo = 69,
    kReleaseEnv = 92,
    kReleaseStatus = 93,
    kReleaseMemoryInfo = 94,
    kReleaseSession = 95,
    kReleaseValue = 96,
    kReleaseTensorTypeAndShapeInfo = 99,
    kReleaseSessionOptions = 100,
  };

  // Error HR3006: there is no libonnxruntime.so.1, or it is older than the interface.
  static Result<RuntimeApi> Load();

  // Calls a function that can fail. Error HR3003 with what ONNX Runtime says.
  template <typename... Arguments>
  Status Call(Place place, Arguments... arguments) const {
    return Check(Function<Handle(Arguments...)>(place)(arguments...));
  }
  // Calls a function that frees what it is given; null is nothing to free.
  void Release(Place place, Handle handle) const {
    if (handle != nullptr) Function<void(Handle)>(place)(handle);
  }

 private:
  explicit RuntimeApi(const Handle* table) : table_(table) {}
  template <typename Signature>
  Signature* Function(Place place) const {
    return reinterpret_cast<Signature*>(table_[place]);
  }
  Status Check(Handle problem) const;

  const Handle* table_;
};

}  // namespace headrace::onnx
