#pragma once

#include <optional>
#include <string>

namespace headrace::os {

// A library that is loaded while the program runs, and stays until it ends. Value type; the calls
// of its functions are the caller's to make safe.
class SharedLibrary {
 public:
  // Looks as the system does: for a name without a slash beside the program, then in the system's
  // folders. Nothing, and why in `problem`, when it cannot be loaded.
  static std::optional<SharedLibrary> Load(const std::string& name, std::string* problem);

  // The function of that name, or nullptr. Its type is the caller's word.
  template <typename Function>
  Function* Find(const char* name) const {
    return reinterpret_cast<Function*>(Symbol(name));
  }

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  void* Symbol(const char* name) const;

  void* handle_;
};

}  // namespace headrace::os
