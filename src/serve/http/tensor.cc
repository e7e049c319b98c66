#include "serve/http/tensor.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "serve/http/json_text.h"
#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

struct TypeName {
  std::string_view name;
  size_t size;
};
// In the order of DataType.
constexpr std::array<TypeName, 14> kTypes = {{{"BOOL", 1},
                                              {"UINT8", 1},
                                              {"UINT16", 2},
                                              {"UINT32", 4},
                                              {"UINT64", 8},
                                              {"INT8", 1},
                                              {"INT16", 2},
                                              {"INT32", 4},
                                              {"INT64", 8},
                                              {"FP16", 2},
                                              {"BF16", 2},
                                              {"FP32", 4},
                                              {"FP64", 8},
                                              {"BYTES", 0}}};
static_assert(std::endian::native == std::endian::little);

Error BadTensor(const Tensor& tensor, const std::string& why) {
  return Error(ErrorKind::kInvalidArgument, kBadInference,
               "input `" + tensor.name + "` (" + std::string(ToString(tensor.type)) + ") " + why);
}

template <typename T>
T Load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

double HalfToDouble(uint16_t half) {
  const int exponent = half >> 10 & 0x1F;
  const int fraction = half & 0x3FF;
  const double sign = (half & 0x8000) != 0 ? -1 : 1;
  if (exponent == 0x1F) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  }
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

double LoadNumber(const char* at, DataType type) {
  switch (type) {
    case DataType::kBool:
      return *at != 0 ? 1 : 0;
    case DataType::kUint8:
      return Load<uint8_t>(at);
    case DataType::kUint16:
      return Load<uint16_t>(at);
    case DataType::kUint32:
      return Load<uint32_t>(at);
    case DataType::kUint64:
      return static_cast<double>(Load<uint64_t>(at));
    case DataType::kInt8:
      return Load<int8_t>(at);
    case DataType::kInt16:
      return Load<int16_t>(at);
    case DataType::kInt32:
      return Load<int32_t>(at);
    case DataType::kInt64:
      return static_cast<double>(Load<int64_t>(at));
    case DataType::kFp16:
      return HalfToDouble(Load<uint16_t>(at));
    case DataType::kBf16:
      return std::bit_cast<float>(static_cast<uint32_t>(Load<uint16_t>(at)) << 16);
    case DataType::kFp32:
      return Load<float>(at);
    case DataType::kFp64:
    case DataType::kBytes:
      return Load<double>(at);
  }
  return 0;
}

// Reads the whole token as T; false when it is none or out of range.
template <typename T>
bool ReadWhole(std::string_view token, double* number) {
  T value{};
  auto [end, code] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (code != std::errc{} || end != token.data() + token.size()) return false;
  *number = static_cast<double>(value);
  return true;
}

bool ReadReal(std::string_view token, double* number) {
  if (token == "\"NaN\"") return *number = std::nan(""), true;
  if (token == "\"Infinity\"") return *number = std::numeric_limits<double>::infinity(), true;
  if (token == "\"-Infinity\"") return *number = -std::numeric_limits<double>::infinity(), true;
  return ReadWhole<double>(token, number);
}

bool ReadNumber(std::string_view token, DataType type, double* number) {
  if (token == "null") return *number = std::nan(""), true;
  switch (type) {
    case DataType::kBool:
      *number = token == "true" || token == "1" ? 1 : 0;
      return *number == 1 || token == "false" || token == "0";
    case DataType::kUint8:
      return ReadWhole<uint8_t>(token, number);
    case DataType::kUint16:
      return ReadWhole<uint16_t>(token, number);
    case DataType::kUint32:
      return ReadWhole<uint32_t>(token, number);
    case DataType::kUint64:
      return ReadWhole<uint64_t>(token, number);
    case DataType::kInt8:
      return ReadWhole<int8_t>(token, number);
    case DataType::kInt16:
      return ReadWhole<int16_t>(token, number);
    case DataType::kInt32:
      return ReadWhole<int32_t>(token, number);
    case DataType::kInt64:
      return ReadWhole<int64_t>(token, number);
    case DataType::kFp32:
      if (!ReadReal(token, number)) return false;
      *number = static_cast<float>(*number);
      return true;
    case DataType::kFp16:
    case DataType::kBf16:
    case DataType::kFp64:
      return ReadReal(token, number);
    case DataType::kBytes:
      return false;
  }
  return false;
}

class ElementReader {
 public:
  ElementReader(std::string_view data, size_t expected, Tensor& tensor)
      : scanner_(data), expected_(expected), tensor_(tensor) {}

  Status Read() {
    HR_TRY(ReadArray(1));
    if (!scanner_.at_end()) return scanner_.ToError();
    if (tensor_.elements() == expected_) return Ok();
    return BadTensor(tensor_, "has " + std::to_string(tensor_.elements()) +
                                  " elements where its shape has " + std::to_string(expected_));
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion): at most kTensorRankMax deep.
  Status ReadArray(size_t depth) {
    if (!scanner_.Take('[')) return BadTensor(tensor_, "has no array as `data`");
    if (scanner_.Take(']')) return Ok();
    do {
      if (scanner_.Peek() != '[') {
        HR_TRY(ReadElement());
      } else if (depth == kTensorRankMax) {
        return BadTensor(tensor_, "is nested too deep");
      } else {
        HR_TRY(ReadArray(depth + 1));
      }
    } while (scanner_.Take(','));
    if (!scanner_.Take(']')) return BadTensor(tensor_, "has `data` that is no JSON array");
    return Ok();
  }

  Status ReadElement() {
    std::string_view token = scanner_.Value();
    if (token.empty()) return scanner_.ToError();
    if (tensor_.elements() == expected_) {
      return BadTensor(tensor_,
                       "has more elements than the " + std::to_string(expected_) + " of its shape");
    }
    if (tensor_.type == DataType::kBytes) {
      auto text = DecodeJsonString(token);
      if (!text) return BadTensor(tensor_, "has an element that is no string");
      tensor_.texts.push_back(std::move(*text));
      return Ok();
    }
    double number = 0;
    if (!ReadNumber(token, tensor_.type, &number)) {
      return BadTensor(tensor_, "cannot hold " + std::string(token.substr(0, 40)));
    }
    tensor_.numbers.push_back(number);
    return Ok();
  }

  JsonScanner scanner_;
  size_t expected_;
  Tensor& tensor_;
};

Status ReadBinaryTexts(std::string_view bytes, size_t expected, Tensor& tensor) {
  while (!bytes.empty() && tensor.texts.size() < expected) {
    if (bytes.size() < 4) return BadTensor(tensor, "ends within a length");
    const uint32_t length = Load<uint32_t>(bytes.data());
    bytes.remove_prefix(4);
    if (length > bytes.size()) return BadTensor(tensor, "ends within an element");
    tensor.texts.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  if (bytes.empty() && tensor.texts.size() == expected) return Ok();
  return BadTensor(tensor, "has not the " + std::to_string(expected) + " elements of its shape");
}

}  // namespace

std::optional<DataType> DataTypeOf(std::string_view name) {
  for (size_t i = 0; i < kTypes.size(); ++i) {
    if (kTypes[i].name == name) return static_cast<DataType>(i);
  }
  return std::nullopt;
}

std::string_view ToString(DataType type) {
  return kTypes[static_cast<size_t>(type)].name;
}

size_t SizeOf(DataType type) {
  return kTypes[static_cast<size_t>(type)].size;
}

std::optional<size_t> ElementsOf(const std::vector<size_t>& shape) {
  size_t elements = 1;
  for (size_t extent : shape) {
    if (extent > kTensorElementsMax) return std::nullopt;
    elements *= extent;
    if (elements > kTensorElementsMax) return std::nullopt;
  }
  return elements;
}

Status ReadJsonElements(std::string_view data, Tensor& tensor) {
  auto expected = ElementsOf(tensor.shape);
  if (!expected) return BadTensor(tensor, "is too large");
  return ElementReader(data, *expected, tensor).Read();
}

Status ReadBinaryElements(std::string_view bytes, Tensor& tensor) {
  auto expected = ElementsOf(tensor.shape);
  if (!expected) return BadTensor(tensor, "is too large");
  if (tensor.type == DataType::kBytes) return ReadBinaryTexts(bytes, *expected, tensor);
  const size_t size = SizeOf(tensor.type);
  if (bytes.size() != *expected * size) {
    return BadTensor(tensor, "has " + std::to_string(bytes.size()) + " bytes where its shape has " +
                                 std::to_string(*expected * size));
  }
  tensor.numbers.resize(*expected);
  for (size_t i = 0; i < *expected; ++i)
    tensor.numbers[i] = LoadNumber(bytes.data() + i * size, tensor.type);
  return Ok();
}

void AppendJsonNumber(double number, std::string& out) {
  if (std::isnan(number)) {
    out += "null";
  } else if (std::isinf(number)) {
    out += number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    char digits[32];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  }
}

void AppendBinary(double number, std::string& out) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof bytes);
}

void AppendBinary(std::string_view text, std::string& out) {
  const auto length = static_cast<uint32_t>(text.size());
  char bytes[sizeof length];
  std::memcpy(bytes, &length, sizeof length);
  out.append(bytes, sizeof bytes);
  out += text;
}

}  // namespace headrace::serve
