#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::document {

// A table of a FlatBuffers file: fields by number, each a number inside the table or the place of
// something else in the file. Every place is checked against the file before it is read, and
// nothing is followed but by the caller, so that no file makes it loop. The bytes must outlive it.
class FlatTable {
 public:
  // The file's root. Errors of all functions: HR3002.
  static Result<FlatTable> Root(std::string_view file);

  size_t offset() const { return at_; }
  // A number field; `otherwise` when it is not there.
  Result<int64_t> Integer(size_t field, size_t width, int64_t otherwise) const;
  // The table, or nothing when it is not there.
  Result<std::optional<FlatTable>> Table(size_t field) const;
  // The elements of a vector as bytes, `width` each; empty when it is not there.
  Result<std::string_view> Bytes(size_t field, size_t width) const;
  Result<std::vector<FlatTable>> Tables(size_t field) const;
  Result<std::vector<int32_t>> Integers(size_t field) const;
  Result<std::vector<float>> Floats(size_t field) const;

 private:
  FlatTable(std::string_view file, size_t at) : file_(file), at_(at) {}
  static Result<FlatTable> At(std::string_view file, size_t at);
  static Result<uint64_t> Read(std::string_view file, size_t at, size_t width);
  // Where the field is, or nothing when it is not there.
  Result<std::optional<size_t>> Place(size_t field) const;
  // Where what the offset at `at` points to begins.
  Result<size_t> Follow(size_t at) const;

  std::string_view file_;
  size_t at_;
  size_t fields_ = 0;  // where the list of the fields' places begins
  size_t field_count_ = 0;
};

}  // namespace headrace::document
