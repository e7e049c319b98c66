#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace headrace::onnx {

// What the elements of a tensor are; the numbers are ONNX's.
enum class ElementType : uint8_t {
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kText = 8,
  kBool = 9,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
};

std::string_view ToString(ElementType type);  // "float", "int64", "string" ...
bool IsInteger(ElementType type);             // of any width and sign; not kBool

// The element type with ONNX's number, if it is one we compute with.
std::optional<ElementType> ElementTypeOf(int64_t number);

// Every element, whatever its type, is held as a double: floats and integers up to 2^53 fit, and an
// operation on floats rounds its result to float, which for + - * / and the square root gives the
// bits of float arithmetic. A text is its code in the model's TextTable, or kUnknownText.
using Shape = std::vector<int64_t>;

inline constexpr double kUnknownText = -1;
inline constexpr int64_t kExactIntegerMax = int64_t{1} << 53;
inline constexpr size_t kTensorRankMax = 8;
// More elements in one tensor, or in all of a program for one row, are refused with HR3004.
inline constexpr size_t kTensorElementsMax = size_t{1} << 22;

// The number of elements of a shape whose extents are not negative; nothing when it is over
// kTensorElementsMax.
std::optional<size_t> CountElements(const Shape& shape);
std::string ToString(const Shape& shape);  // "[1,3,4]"

// A value rounded as its type is held.
inline double RoundTo(ElementType type, double x) {
  return type == ElementType::kFloat ? static_cast<double>(static_cast<float>(x)) : x;
}

// The texts of a model, by code. Unsynchronized while it is filled, then read only.
class TextTable {
 public:
  double Code(std::string_view text);
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
  std::unordered_map<std::string, size_t> codes_;  // looked up only
};

}  // namespace headrace::onnx
