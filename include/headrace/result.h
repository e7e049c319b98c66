#pragma once

#include <utility>
#include <variant>

#include "headrace/check.h"
#include "headrace/error.h"

namespace headrace {

// The value of an operation, or the Error that prevented it.
//
// Whatever can fail for a reason outside the program returns a Result (Status when there is no
// value); the class is [[nodiscard]], so an ignored failure does not compile. Reading value() of a
// failed Result is a programming error and aborts.
template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit, so that `return value;` and `return Error(...);` both read well.
  // NOLINTBEGIN(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  // NOLINTEND(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return HR_CHECK(ok()), *std::get_if<0>(&state_); }
  const T& value() const& { return HR_CHECK(ok()), *std::get_if<0>(&state_); }
  T&& value() && { return HR_CHECK(ok()), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return HR_CHECK(!ok()), *std::get_if<1>(&state_); }
  Error&& error() && { return HR_CHECK(!ok()), std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<std::monostate>;

inline Status Ok() {
  return std::monostate{};
}

}  // namespace headrace

#define HR_CONCAT_INNER(a, b) a##b
#define HR_CONCAT(a, b) HR_CONCAT_INNER(a, b)

// Returns the error of `expr` to the caller, or goes on.
#define HR_TRY(expr)                                \
  do {                                              \
    if (auto hr_result = (expr); !hr_result.ok()) { \
      return std::move(hr_result).error();          \
    }                                               \
  } while (false)

// Declares `decl` from the value of `expr`, or returns its error to the caller.
#define HR_ASSIGN(decl, expr)                                  \
  auto HR_CONCAT(hr_result_, __LINE__) = (expr);               \
  if (!HR_CONCAT(hr_result_, __LINE__).ok()) {                 \
    return std::move(HR_CONCAT(hr_result_, __LINE__)).error(); \
  }                                                            \
  decl = std::move(HR_CONCAT(hr_result_, __LINE__)).value()
