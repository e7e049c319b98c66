#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "onnx/tensor.h"

namespace headrace::onnx {

// An ONNX file as plain data. Names and texts point into the file's bytes, which must outlive it.
// Nothing here has been checked against anything else: that is onnx_compile's.

// A tensor in the file. Elements are held as tensor.h says, but texts are kept apart.
struct OnnxTensor {
  std::string_view name;
  ElementType type = ElementType::kFloat;
  Shape shape;
  std::vector<double> numbers;
  std::vector<std::string_view> texts;
  size_t offset = 0;
};

enum class AttributeKind : uint8_t {
  kNone = 0,
  kFloat = 1,
  kInteger = 2,
  kText = 3,
  kTensor = 4,
  kFloats = 6,
  kIntegers = 7,
  kTexts = 8,
};

struct OnnxAttribute {
  std::string_view name;
  AttributeKind kind = AttributeKind::kNone;
  float number = 0;
  int64_t integer = 0;
  std::string_view text;
  OnnxTensor tensor;
  std::vector<float> floats;
  std::vector<int64_t> integers;
  std::vector<std::string_view> texts;
  size_t offset = 0;
};

struct OnnxNode {
  std::string_view op;
  std::string_view domain;  // "ai.onnx" when the file says nothing
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<OnnxAttribute> attributes;
  size_t offset = 0;
};

// What the file declares of an input or an output of the graph.
struct OnnxPort {
  std::string_view name;
  bool tensor = false;  // otherwise a sequence, a map ...
  ElementType type = ElementType::kFloat;
  bool has_shape = false;
  Shape shape;  // -1: any
  size_t offset = 0;
};

struct OnnxGraph {
  std::vector<OnnxNode> nodes;
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxPort> inputs;
  std::vector<OnnxPort> outputs;
  std::map<std::string_view, int64_t> opsets;  // version by domain
};

// Errors: HR3002, HR3003 (external data, subgraphs, sparse tensors, element types we do not have, a
// newer format), HR3004.
Result<OnnxGraph> ParseOnnx(std::string_view bytes);

inline constexpr size_t kOnnxNodesMax = 20'000;
// Each element of a port is named after it.
inline constexpr size_t kPortNameBytesMax = 1024;
// Numbers and twice the texts in all attributes and tensors of a file.
inline constexpr size_t kOnnxValuesMax = size_t{32} << 20;
inline constexpr int64_t kOnnxFormatMax = 13;  // ir_version
inline constexpr int64_t kOnnxOpsetMin = 7;
inline constexpr int64_t kOnnxOpsetMax = 25;
inline constexpr int64_t kOnnxMlOpsetMax = 5;

}  // namespace headrace::onnx
