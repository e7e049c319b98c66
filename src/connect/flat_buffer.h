#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::connect {

// A value of a FlatBuffer, which Arrow's metadata are in: built as a tree, then serialized from
// front to back, a table before what it points to. Value type.
class FlatValue {
 public:
  // A field that is not there.
  FlatValue() = default;
  static FlatValue Byte(uint8_t value);
  static FlatValue Short(int16_t value);
  static FlatValue Int(int32_t value);
  static FlatValue Long(int64_t value);
  static FlatValue Text(std::string_view text);
  // Fields by their IDs, from 0.
  static FlatValue Table(std::vector<FlatValue> fields);
  // Of tables.
  static FlatValue List(std::vector<FlatValue> items);
  // A vector of structs, as their bytes one after the other; their alignment is 8.
  static FlatValue Structs(std::string_view bytes, size_t count);

  // This one, a table, as the root. Its length is a multiple of 8.
  std::string Serialize() const;

 private:
  enum class Form : uint8_t { kAbsent, kScalar, kText, kTable, kList, kStructs };

  FlatValue(Form form, std::string_view bytes) : form_(form), bytes_(bytes) {}
  // The bytes that a table has of this field: itself, or how far away it is.
  size_t width() const;
  bool is_inline() const { return form_ == Form::kScalar || form_ == Form::kAbsent; }
  // Appends it and returns where it begins.
  size_t Write(std::string& out) const;
  size_t WriteTable(std::string& out) const;
  size_t WriteVector(std::string& out) const;

  Form form_ = Form::kAbsent;
  std::string bytes_;             // scalar, text, structs
  size_t count_ = 0;              // of structs
  std::vector<FlatValue> parts_;  // fields or items
};

}  // namespace headrace::connect
