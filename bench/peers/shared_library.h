#pragma once

#include <string>

#include "headrace/result.h"

namespace headrace::bench {

// A library that is loaded while the program runs, and stays until it ends. Confined.
class SharedLibrary {
 public:
  // Error HR9008: it cannot be loaded.
  static Result<SharedLibrary> Load(const std::string& path);

  // The function of that name. Error HR9008: there is none.
  template <typename Function>
  Status Find(const char* name, Function** function) const {
    HR_ASSIGN(void* found, Symbol(name));
    *function = reinterpret_cast<Function*>(found);
    return Ok();
  }

 private:
  SharedLibrary(std::string path, void* handle) : path_(std::move(path)), handle_(handle) {}
  Result<void*> Symbol(const char* name) const;

  std::string path_;
  void* handle_;
};

}  // namespace headrace::bench
