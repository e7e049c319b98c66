#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::serve {

// The datatypes of the Open Inference Protocol.
enum class DataType : uint8_t {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFp16,
  kBf16,
  kFp32,
  kFp64,
  kBytes,
};

std::optional<DataType> DataTypeOf(std::string_view name);
std::string_view ToString(DataType type);
// Bytes of an element in the binary form; 0 for kBytes, whose elements have a length of their own.
size_t SizeOf(DataType type);

// One tensor of a request, read: numbers as doubles, kBytes as texts, in row-major order. A JSON
// null is NaN, a missing value. Value type.
struct Tensor {
  std::string name;
  DataType type = DataType::kFp64;
  std::vector<size_t> shape;
  std::vector<double> numbers;
  std::vector<std::string> texts;

  size_t elements() const { return type == DataType::kBytes ? texts.size() : numbers.size(); }
};

inline constexpr size_t kTensorRankMax = 8;
inline constexpr size_t kTensorElementsMax = 4 << 20;

// The number of elements of a shape; nothing when it is over kTensorElementsMax.
std::optional<size_t> ElementsOf(const std::vector<size_t>& shape);

// Fills the elements from `data` of a JSON tensor: an array, flat or nested however it is. Errors:
// HR8090; a number that the type cannot hold, fewer or more elements than the shape has.
Status ReadJsonElements(std::string_view data, Tensor& tensor);

// Fills them from the binary tensor data extension: little-endian, packed; of kBytes each element
// is a length of four bytes and its bytes. All of `bytes` is used. Error: HR8090.
Status ReadBinaryElements(std::string_view bytes, Tensor& tensor);

// As JSON numbers; what JSON has no number for as the strings "Infinity" and "-Infinity", NaN as
// null.
void AppendJsonNumber(double number, std::string& out);
void AppendBinary(double number, std::string& out);  // FP64
void AppendBinary(std::string_view text, std::string& out);

}  // namespace headrace::serve
