#include "peers/shared_library.h"

#include <dlfcn.h>

namespace headrace::bench {

Result<SharedLibrary> SharedLibrary::Load(const std::string& path) {
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return Error(ErrorKind::kUnavailable, "HR9008", ::dlerror());
  return SharedLibrary(path, handle);
}

Result<void*> SharedLibrary::Symbol(const char* name) const {
  void* found = ::dlsym(handle_, name);
  if (found != nullptr) return found;
  return Error(ErrorKind::kUnavailable, "HR9008", path_ + " has no function " + name);
}

}  // namespace headrace::bench
