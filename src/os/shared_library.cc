#include "os/shared_library.h"

#include <dlfcn.h>

namespace headrace::os {

std::optional<SharedLibrary> SharedLibrary::Load(const std::string& name, std::string* problem) {
  void* handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle != nullptr) return SharedLibrary(handle);
  const char* why = ::dlerror();
  *problem = why == nullptr ? "it cannot be loaded" : why;
  return std::nullopt;
}

void* SharedLibrary::Symbol(const char* name) const {
  return ::dlsym(handle_, name);
}

}  // namespace headrace::os
