#include "onnx/graph.h"

#include <bit>
#include <cstring>

#include "document/document.h"
#include "document/wire.h"

namespace headrace::onnx {
namespace {

constexpr std::string_view kDefaultDomain = "ai.onnx";

Error Unsupported(size_t offset, std::string message, std::string hint) {
  return Error(ErrorKind::kInvalidArgument, "HR3003", std::move(message))
      .AtPlace("byte " + std::to_string(offset))
      .WithHint(std::move(hint));
}

Error OverLimit(size_t offset, std::string message) {
  return Error(ErrorKind::kLimitExceeded, "HR3004", std::move(message))
      .AtPlace("byte " + std::to_string(offset));
}

// Reads messages inside the file; knows where in the file each starts, for places in errors.
class OnnxReader {
 public:
  explicit OnnxReader(std::string_view file) : file_(file) {}

  Result<OnnxGraph> ReadModel() {
    OnnxGraph graph;
    std::string_view graph_bytes;
    bool has_graph = false;
    document::WireReader reader(file_);
    while (!reader.done()) {
      HR_ASSIGN(const document::WireField field, reader.Next());
      if (field.number == 1) HR_TRY(CheckFormat(field));
      if (field.number == 8) HR_TRY(ReadOpset(field, &graph));
      if (field.number == 25) HR_TRY(CheckFunction(field));
      if (field.number != 7) continue;
      HR_ASSIGN(graph_bytes, Bytes(field));
      if (has_graph) return document::MalformedAt(field.offset, "a second graph");
      has_graph = true;
    }
    if (!has_graph) return document::MalformedAt(0, "the ONNX model has no graph");
    HR_TRY(ReadGraph(graph_bytes, &graph));
    return graph;
  }

 private:
  size_t OffsetOf(std::string_view part) const {
    return static_cast<size_t>(part.data() - file_.data());
  }
  document::WireReader ReaderOf(std::string_view message) const {
    return document::WireReader(message, OffsetOf(message));
  }

  // A function of the file's own: none is computed here, ONNX Runtime would. What its nodes may
  // hold is what those of the graph may.
  Status CheckFunction(const document::WireField& outer) {
    HR_ASSIGN(const std::string_view message, Bytes(outer));
    document::WireReader reader = ReaderOf(message);
    while (!reader.done()) {
      HR_ASSIGN(const document::WireField field, reader.Next());
      OnnxNode node;
      OnnxAttribute attribute;
      if (field.number == 7) HR_TRY(ReadNode(field, &node));
      if (field.number == 11) HR_TRY(ReadAttribute(field, &attribute));
    }
    return Ok();
  }

  static Result<std::string_view> Bytes(const document::WireField& field) {
    if (field.type == document::WireType::kBytes) return field.bytes;
    return document::MalformedAt(
        field.offset, "field " + std::to_string(field.number) + " is not written as bytes");
  }
  static Result<std::string_view> Text(const document::WireField& field) {
    HR_ASSIGN(const std::string_view text, Bytes(field));
    if (document::IsUtf8(text)) return text;
    return document::MalformedAt(field.offset, "a text that is not UTF-8");
  }
  static Result<int64_t> Integer(const document::WireField& field) {
    if (field.type == document::WireType::kVarint) return static_cast<int64_t>(field.integer);
    return document::MalformedAt(
        field.offset, "field " + std::to_string(field.number) + " is not written as an integer");
  }

  Status Take(size_t count, size_t offset) {
    if (count > kOnnxValuesMax - values_) return OverLimit(offset, "the model has too many values");
    values_ += count;
    return Ok();
  }

  static Status CheckFormat(const document::WireField& field) {
    HR_ASSIGN(const int64_t version, Integer(field));
    if (version >= 1 && version <= kOnnxFormatMax) return Ok();
    return Unsupported(field.offset,
                       "version " + std::to_string(version) + " of the ONNX format is not known",
                       "save the model with an older version of the format");
  }

  Status ReadOpset(const document::WireField& outer, OnnxGraph* graph) {
    HR_ASSIGN(const std::string_view message, Bytes(outer));
    std::string_view domain = kDefaultDomain;
    int64_t version = 0;
    document::WireReader reader = ReaderOf(message);
    while (!reader.done()) {
      HR_ASSIGN(const document::WireField field, reader.Next());
      if (field.number == 1) {
        HR_ASSIGN(const std::string_view name, Text(field));
        if (!name.empty()) domain = name;
      } else if (field.number == 2) {
        HR_ASSIGN(version, Integer(field));
      }
    }
    const int64_t newest = domain == kDefaultDomain ? kOnnxOpsetMax
                           : domain == "ai.onnx.ml" ? kOnnxMlOpsetMax
                                                    : INT64_MAX;
    if (version < 1)
      return document::MalformedAt(outer.offset, "an operator set without a version");
    if (version > newest) {
      return Unsupported(outer.offset,
                         "version " + std::to_string(version) + " of the operators of " +
                             std::string(domain) + " is not known",
                         "export the model for version " + std::to_string(newest) + " or older");
    }
    if (domain == kDefaultDomain && version < kOnnxOpsetMin) {
      return Unsupported(
          outer.offset,
          "version " + std::to_string(version) +
              " of the operators is too old: they were spread differently",
          "convert the model to version " + std::to_string(kOnnxOpsetMin) + " or newer");
    }
    int64_t& known = graph->opsets[domain];
    known = std::max(known, version);
    return Ok();
  }

  Status ReadGraph(std::string_view message, OnnxGraph* graph) {
    document::WireReader reader = ReaderOf(message);
    while (!reader.done()) {
      HR_ASSIGN(const document::WireField field, reader.Next());
      switch (field.number) {
        case 1: {
          if (graph->nodes.size() == kOnnxNodesMax) {
            return OverLimit(field.offset,
                             "the graph has more than " + std::to_string(kOnnxNodesMax) + " nodes");
          }
          HR_TRY(ReadNode(field, &graph->nodes.emplace_back()));
          break;
        }
        case 5: {
          HR_TRY(Take(16, field.offset));
          HR_TRY(ReadTensor(field, &graph->initializers.emplace_back()));
          break;
        }
        case 11: {
          HR_TRY(Take(16, field.offset));
          HR_TRY(ReadPort(field, &graph->inputs.emplace_back()));
          break;
        }
        case 12: {
          HR_TRY(Take(16, field.offset));
          HR_TRY(ReadPort(field, &graph->outputs.emplace_back()));
          break;
        }
        case 15:
          return Unsupported(field.offset, "sparse tensors are not supported",
                             "store the tensors as dense ones");
        default:
          break;
      }
    }
    return Ok();
  }

  Status ReadNode(const document::WireField& outer, OnnxNode* node) {
    HR_ASSIGN(const std::string_view message, Bytes(outer));
    node->offset = outer.offset;
    node->domain = kDefaultDomain;
    document::WireReader reader = ReaderOf(message);
    while (!reader.done()) {
      HR_ASSIGN(const document::WireField field, reader.Next());
      if (field.number == 5) {
        HR_TRY(Take(32, field.offset));
        HR_TRY(ReadAttribute(field, &node->attributes.emplace_back()));
        continue;
      }
      if (field.number != 1 && field.number != 2 && field.number != 4 && field.number != 7)
        continue;
      HR_ASSIGN(const std::string_view text, Text(field));
      HR_TRY(Take(2, field.offset));
      if (field.number == 1) node->inputs.push_back(text);
      if (field.number == 2) node->outputs.push_back(text);
      if (field.number == 4) node->op = text;
      if (field.number == 7 && !text.empty()) node->domain = text;
    }
    return Ok();
  }

  Status ReadAttribute(const document::WireField& outer, OnnxAttribute* attribute) {
    HR_ASSIGN(const std::string_view message, Bytes(outer));
    attribute->offset = outer.offset;
    document::WireReader reader = ReaderOf(message);
    AttributeKind seen = AttributeKind::kNone;
    while (!reader.done()) {
      HR_ASSIGN(const document::WireField field, reader.Next());
      if (field.number == 1) {
        HR_ASSIGN(attribute->name, Text(field));
        continue;
      }
      if (field.number == 20) {
        HR_ASSIGN(const int64_t kind, Integer(field));
        attribute->kind = static_cast<AttributeKind>(kind >= 0 && kind <= 14 ? kind : 14);
        continue;
      }
      HR_ASSIGN(const AttributeKind kind, ReadAttributeValue(field, attribute));
      if (kind != AttributeKind::kNone) seen = kind;
    }
    // Old writers leave the kind out; then what is there says it. An empty list shows nothing.
    if (attribute->kind == AttributeKind::kNone) attribute->kind = seen;
    return Ok();
  }

  // The kind of attribute that the field is a value of.
  Result<AttributeKind> ReadAttributeValue(const document::WireField& field,
                                           OnnxAttribute* attribute) {
    switch (field.number) {
      case 2: {
        if (field.type != document::WireType::kFixed32) break;
        attribute->number = std::bit_cast<float>(static_cast<uint32_t>(field.integer));
        return AttributeKind::kFloat;
      }
      case 3: {
        HR_ASSIGN(attribute->integer, Integer(field));
        return AttributeKind::kInteger;
      }
      case 4: {
        HR_ASSIGN(attribute->text, Text(field));
        return AttributeKind::kText;
      }
      case 5: {
        HR_TRY(ReadTensor(field, &attribute->tensor));
        return AttributeKind::kTensor;
      }
      case 7: {
        HR_TRY(Take(1 + field.bytes.size() / sizeof(float), field.offset));
        HR_TRY(document::AppendFloats(field, &attribute->floats));
        return AttributeKind::kFloats;
      }
      case 8: {
        HR_TRY(Take(1 + field.bytes.size(), field.offset));
        HR_TRY(document::AppendVarints(field, &attribute->integers));
        return AttributeKind::kIntegers;
      }
      case 9: {
        HR_TRY(Take(2, field.offset));
        HR_ASSIGN(const std::string_view text, Text(field));
        attribute->texts.push_back(text);
        return AttributeKind::kTexts;
      }
      case 6:
      case 10:
      case 11:
      case 14:
      case 15:
      case 22:
      case 23:
        return Unsupported(field.offset,
                           "subgraphs, types and lists of tensors in attributes are "
                           "not supported",
                           "export the model without If, Loop and Scan");
      default:
        return AttributeKind::kNone;
    }
    return document::MalformedAt(field.offset, "an attribute's number is not written as a float");
  }

  // What a tensor's fields hold before they are one list.
  struct TensorParts {
    int64_t type = 0;
    std::vector<float> floats;
    std::vector<int64_t> integers;
    std::vector<double> doubles;
    std::string_view raw;
    bool has_raw = false;
  };

  Status ReadTensor(const document::WireField& outer, OnnxTensor* tensor) {
    HR_ASSIGN(const std::string_view message, Bytes(outer));
    tensor->offset = outer.offset;
    TensorParts parts;
    document::WireReader reader = ReaderOf(message);
    while (!reader.done()) {
      HR_ASSIGN(const document::WireField field, reader.Next());
      HR_TRY(ReadTensorField(field, tensor, &parts));
    }
    const std::optional<ElementType> type = ElementTypeOf(parts.type);
    if (!type) {
      const bool known = parts.type == 10 || (parts.type >= 14 && parts.type <= 23);
      if (!known) {
        return document::MalformedAt(tensor->offset,
                                     "a tensor of the unknown type " + std::to_string(parts.type));
      }
      return Unsupported(tensor->offset,
                         "16-bit, 8-bit and 4-bit floats and complex numbers are "
                         "not supported",
                         "export the model with float tensors");
    }
    tensor->type = *type;
    return JoinParts(parts, tensor);
  }

  Status ReadTensorField(const document::WireField& field, OnnxTensor* tensor, TensorParts* parts) {
    const size_t length = field.bytes.size();
    switch (field.number) {
      case 1:
        HR_TRY(Take(1 + length, field.offset));
        return document::AppendVarints(field, &tensor->shape);
      case 2: {
        HR_ASSIGN(parts->type, Integer(field));
        return Ok();
      }
      case 4:
        HR_TRY(Take(1 + length / sizeof(float), field.offset));
        return document::AppendFloats(field, &parts->floats);
      case 5:
      case 7:
      case 11:
        HR_TRY(Take(1 + length, field.offset));
        return document::AppendVarints(field, &parts->integers);
      case 6: {
        HR_TRY(Take(2, field.offset));
        HR_ASSIGN(const std::string_view text, Text(field));
        tensor->texts.push_back(text);
        return Ok();
      }
      case 8: {
        HR_ASSIGN(tensor->name, Text(field));
        return Ok();
      }
      case 9: {
        HR_ASSIGN(parts->raw, Bytes(field));
        parts->has_raw = true;
        return Ok();
      }
      case 10:
        HR_TRY(Take(1 + length / sizeof(double), field.offset));
        return document::AppendDoubles(field, &parts->doubles);
      case 13:
        return ExternalData(field.offset);
      case 14: {
        HR_ASSIGN(const int64_t location, Integer(field));
        if (location != 0) return ExternalData(field.offset);
        return Ok();
      }
      default:
        return Ok();
    }
  }

  static Error ExternalData(size_t offset) {
    return Unsupported(offset, "a tensor outside the file; no other file is opened",
                       "save the model with its weights in one file");
  }

  Status JoinParts(const TensorParts& parts, OnnxTensor* tensor) {
    if (tensor->shape.size() > kTensorRankMax) {
      return OverLimit(tensor->offset,
                       "a tensor of " + std::to_string(tensor->shape.size()) + " dimensions");
    }
    for (int64_t extent : tensor->shape) {
      if (extent < 0)
        return document::MalformedAt(tensor->offset, "a tensor with a negative extent");
    }
    const std::optional<size_t> count = CountElements(tensor->shape);
    if (!count) {
      return OverLimit(tensor->offset, "a tensor of the shape " + ToString(tensor->shape));
    }
    if (parts.has_raw) {
      HR_TRY(JoinRaw(parts.raw, *count, tensor));
    } else if (tensor->type == ElementType::kFloat) {
      tensor->numbers.assign(parts.floats.begin(), parts.floats.end());
    } else if (tensor->type == ElementType::kDouble) {
      tensor->numbers = parts.doubles;
    } else if (tensor->type != ElementType::kText) {
      tensor->numbers.assign(parts.integers.begin(), parts.integers.end());
    }
    const size_t there =
        tensor->type == ElementType::kText ? tensor->texts.size() : tensor->numbers.size();
    if (there == *count) return Ok();
    return document::MalformedAt(tensor->offset, "a tensor of the shape " +
                                                     ToString(tensor->shape) + " has " +
                                                     std::to_string(there) + " values");
  }

  Status JoinRaw(std::string_view raw, size_t count, OnnxTensor* tensor) {
    switch (tensor->type) {
      case ElementType::kFloat:
        return ReadRaw<float>(raw, count, tensor);
      case ElementType::kDouble:
        return ReadRaw<double>(raw, count, tensor);
      case ElementType::kBool:
      case ElementType::kUint8:
        return ReadRaw<uint8_t>(raw, count, tensor);
      case ElementType::kInt8:
        return ReadRaw<int8_t>(raw, count, tensor);
      case ElementType::kUint16:
        return ReadRaw<uint16_t>(raw, count, tensor);
      case ElementType::kInt16:
        return ReadRaw<int16_t>(raw, count, tensor);
      case ElementType::kInt32:
        return ReadRaw<int32_t>(raw, count, tensor);
      case ElementType::kUint32:
        return ReadRaw<uint32_t>(raw, count, tensor);
      case ElementType::kInt64:
        return ReadRaw<int64_t>(raw, count, tensor);
      case ElementType::kUint64:
        return ReadRaw<uint64_t>(raw, count, tensor);
      case ElementType::kText:
        break;
    }
    return document::MalformedAt(tensor->offset, "a tensor of texts as raw bytes");
  }

  // The format is little endian, as every machine this runs on.
  template <typename T>
  Status ReadRaw(std::string_view raw, size_t count, OnnxTensor* tensor) {
    static_assert(std::endian::native == std::endian::little);
    if (raw.size() != count * sizeof(T)) {
      return document::MalformedAt(tensor->offset, "a tensor of the shape " +
                                                       ToString(tensor->shape) + " has " +
                                                       std::to_string(raw.size()) + " bytes");
    }
    HR_TRY(Take(count, tensor->offset));
    tensor->numbers.resize(count);
    for (size_t i = 0; i < count; ++i) {
      T value{};
      std::memcpy(&value, raw.data() + i * sizeof(T), sizeof(T));
      tensor->numbers[i] = static_cast<double>(value);
    }
    return Ok();
  }

  Status ReadPort(const document::WireField& outer, OnnxPort* port) {
    HR_ASSIGN(const std::string_view message, Bytes(outer));
    port->offset = outer.offset;
    document::WireReader reader = ReaderOf(message);
    while (!reader.done()) {
      HR_ASSIGN(const document::WireField field, reader.Next());
      if (field.number == 1) {
        HR_ASSIGN(port->name, Text(field));
        if (port->name.size() > kPortNameBytesMax) {
          return OverLimit(field.offset, "the name of an input or output is too long");
        }
      } else if (field.number == 2) {
        HR_ASSIGN(const std::string_view type, Bytes(field));
        HR_TRY(ReadType(type, port));
      }
    }
    return Ok();
  }

  Status ReadType(std::string_view message, OnnxPort* port) {
    document::WireReader reader = ReaderOf(message);
    while (!reader.done()) {
      HR_ASSIGN(const document::WireField field, reader.Next());
      if (field.number != 1) continue;
      port->tensor = true;
      HR_ASSIGN(const std::string_view tensor, Bytes(field));
      HR_TRY(ReadTensorType(tensor, port));
    }
    return Ok();
  }

  Status ReadTensorType(std::string_view message, OnnxPort* port) {
    document::WireReader reader = ReaderOf(message);
    while (!reader.done()) {
      HR_ASSIGN(const document::WireField field, reader.Next());
      if (field.number == 1) {
        HR_ASSIGN(const int64_t number, Integer(field));
        const std::optional<ElementType> type = ElementTypeOf(number);
        if (!type) {
          return Unsupported(field.offset,
                             "`" + std::string(port->name) + "` has the element type " +
                                 std::to_string(number) + ", which is not supported",
                             "export the model with float tensors");
        }
        port->type = *type;
      } else if (field.number == 2) {
        HR_ASSIGN(const std::string_view shape, Bytes(field));
        HR_TRY(ReadShape(shape, port));
      }
    }
    return Ok();
  }

  Status ReadShape(std::string_view message, OnnxPort* port) {
    port->has_shape = true;
    document::WireReader reader = ReaderOf(message);
    while (!reader.done()) {
      HR_ASSIGN(const document::WireField field, reader.Next());
      if (field.number != 1) continue;
      HR_ASSIGN(const std::string_view dimension, Bytes(field));
      if (port->shape.size() == kTensorRankMax) {
        return OverLimit(field.offset, "`" + std::string(port->name) + "` has more than " +
                                           std::to_string(kTensorRankMax) + " dimensions");
      }
      int64_t extent = -1;
      document::WireReader inner = ReaderOf(dimension);
      while (!inner.done()) {
        HR_ASSIGN(const document::WireField part, inner.Next());
        if (part.number != 1) continue;
        HR_ASSIGN(extent, Integer(part));
        if (extent < 0) return document::MalformedAt(field.offset, "a negative extent");
      }
      port->shape.push_back(extent);
    }
    return Ok();
  }

  std::string_view file_;
  size_t values_ = 0;
};

}  // namespace

Result<OnnxGraph> ParseOnnx(std::string_view bytes) {
  return OnnxReader(bytes).ReadModel();
}

}  // namespace headrace::onnx
