#include "onnx/tensor.h"

namespace headrace::onnx {

std::string_view ToString(ElementType type) {
  switch (type) {
    case ElementType::kFloat:
      return "float";
    case ElementType::kUint8:
      return "uint8";
    case ElementType::kInt8:
      return "int8";
    case ElementType::kUint16:
      return "uint16";
    case ElementType::kInt16:
      return "int16";
    case ElementType::kInt32:
      return "int32";
    case ElementType::kInt64:
      return "int64";
    case ElementType::kText:
      return "string";
    case ElementType::kBool:
      return "bool";
    case ElementType::kDouble:
      return "double";
    case ElementType::kUint32:
      return "uint32";
    case ElementType::kUint64:
      return "uint64";
  }
  return "unknown";
}

bool IsInteger(ElementType type) {
  return type != ElementType::kFloat && type != ElementType::kDouble &&
         type != ElementType::kText && type != ElementType::kBool;
}

std::optional<ElementType> ElementTypeOf(int64_t number) {
  if (number < 1 || number > 13 || number == 10) return std::nullopt;
  return static_cast<ElementType>(number);
}

std::optional<size_t> CountElements(const Shape& shape) {
  size_t count = 1;
  for (int64_t extent : shape) {
    if (extent < 0 || static_cast<uint64_t>(extent) > kTensorElementsMax) return std::nullopt;
    count *= static_cast<size_t>(extent);
    if (count > kTensorElementsMax) return std::nullopt;
  }
  return count;
}

std::string ToString(const Shape& shape) {
  std::string text = "[";
  for (int64_t extent : shape) {
    if (text.size() > 1) text += ",";
    text += extent < 0 ? "?" : std::to_string(extent);
  }
  return text + "]";
}

double TextTable::Code(std::string_view text) {
  const auto [found, added] = codes_.emplace(text, texts_.size());
  if (added) texts_.emplace_back(text);
  return static_cast<double>(found->second);
}

}  // namespace headrace::onnx
