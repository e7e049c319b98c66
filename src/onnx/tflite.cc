#include "onnx/tflite.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <set>

#include "document/document.h"
#include "document/flat_table.h"
#include "onnx/compiler.h"
#include "onnx/graph.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

// Numbers of TensorFlow Lite's schema.
enum class Builtin : int64_t {
  kAdd = 0,
  kConcatenation = 2,
  kDequantize = 6,
  kFullyConnected = 9,
  kLogistic = 14,
  kMul = 18,
  kRelu = 19,
  kRelu6 = 21,
  kReshape = 22,
  kSoftmax = 25,
  kTanh = 28,
  kSub = 41,
  kDiv = 42,
  kQuantize = 114,
};

enum class Activation : int64_t { kNone = 0, kRelu = 1, kRelu6 = 3, kTanh = 4 };

struct Tensor {
  std::string name;
  ElementType type = kFloat;
  Shape shape;
  std::string_view bytes;  // of a constant
  std::vector<float> scales;
  int64_t zero_point = 0;
  size_t offset = 0;
};

struct Call {
  Builtin builtin = Builtin::kAdd;
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;
  std::optional<document::FlatTable> options;
  size_t offset = 0;
};

Error Unsupported(size_t offset, std::string message) {
  return Error(ErrorKind::kInvalidArgument, "HR3003", std::move(message))
      .AtPlace("byte " + std::to_string(offset))
      .WithHint("docs/internals/models.md lists what is computed");
}

std::optional<ElementType> TypeOf(int64_t number) {
  switch (number) {
    case 0:
      return kFloat;
    case 2:
      return kInt32;
    case 4:
      return kInt64;
    case 9:
      return kInt8;
    default:
      return std::nullopt;
  }
}

// Rewrites the graph of a TensorFlow Lite file as one of ONNX's, with operators of its own for
// bytes. Confined to one load; the graph points into it.
class TfliteTranslator {
 public:
  explicit TfliteTranslator(std::string_view file) : file_(file) {}

  Result<OnnxGraph> Translate() {
    HR_ASSIGN(const document::FlatTable model, document::FlatTable::Root(file_));
    HR_ASSIGN(const int64_t version, model.Integer(0, 4, 0));
    if (version != 3) {
      return Unsupported(model.offset(), "version " + std::to_string(version) +
                                             " of TensorFlow Lite's format is not known");
    }
    HR_ASSIGN(const std::vector<document::FlatTable> graphs, model.Tables(2));
    if (graphs.size() != 1) return Unsupported(model.offset(), "the model must have one graph");
    HR_ASSIGN(buffers_, model.Tables(4));
    HR_ASSIGN(codes_, model.Tables(1));
    graph_.opsets = {{kOnnxDomain, 13}, {kTfliteDomain, 1}};
    HR_TRY(ReadTensors(graphs[0]));
    HR_TRY(AddPorts(graphs[0]));
    HR_TRY(AddConstants());
    HR_ASSIGN(const std::vector<document::FlatTable> operators, graphs[0].Tables(3));
    if (operators.size() > kOnnxNodesMax) return OverLimit(graphs[0].offset());
    for (const document::FlatTable& call : operators) {
      HR_TRY(AddCall(call));
    }
    return std::move(graph_);
  }

 private:
  static Error OverLimit(size_t offset) {
    return Error(ErrorKind::kLimitExceeded, "HR3004", "the model has too many parts")
        .AtPlace("byte " + std::to_string(offset));
  }

  Status ReadTensors(const document::FlatTable& graph) {
    HR_ASSIGN(const std::vector<document::FlatTable> tables, graph.Tables(0));
    if (tables.size() > kOnnxNodesMax) return OverLimit(graph.offset());
    std::set<std::string> names;
    for (const document::FlatTable& table : tables) {
      Tensor& tensor = tensors_.emplace_back();
      HR_TRY(ReadTensor(table, &tensor));
      if (tensor.name.empty() || !names.insert(tensor.name).second) {
        tensor.name = "tensor " + std::to_string(tensors_.size() - 1);
      }
    }
    return Ok();
  }

  Status ReadTensor(const document::FlatTable& table, Tensor* tensor) {
    tensor->offset = table.offset();
    HR_ASSIGN(const std::string_view name, table.Bytes(3, 1));
    if (!document::IsUtf8(name))
      return document::MalformedAt(tensor->offset, "a name that is not UTF-8");
    tensor->name = PlainName(name);
    HR_ASSIGN(const int64_t number, table.Integer(1, 1, 0));
    const std::optional<ElementType> type = TypeOf(number);
    if (!type) {
      return Unsupported(tensor->offset,
                         "tensors of the type " + std::to_string(number) + " are not supported");
    }
    tensor->type = *type;
    HR_ASSIGN(const std::vector<int32_t> shape, table.Integers(0));
    if (shape.size() > kTensorRankMax) return OverLimit(tensor->offset);
    tensor->shape.assign(shape.begin(), shape.end());
    HR_ASSIGN(const int64_t buffer, table.Integer(2, 4, 0));
    if (buffer < 0 || static_cast<size_t>(buffer) >= buffers_.size()) {
      return document::MalformedAt(tensor->offset, "a tensor of a buffer that is not there");
    }
    const document::FlatTable& data = buffers_[static_cast<size_t>(buffer)];
    HR_ASSIGN(tensor->bytes, data.Bytes(0, 1));
    HR_ASSIGN(const int64_t outside, data.Integer(1, 8, 0));
    if (outside > 1) return Unsupported(tensor->offset, "a tensor outside the file's table");
    return ReadQuantization(table, tensor);
  }

  // What the converter adds to the names of inputs and outputs says nothing.
  static std::string PlainName(std::string_view name) {
    if (name.starts_with("serving_default_")) name.remove_prefix(16);
    if (name.ends_with(":0")) name.remove_suffix(2);
    return std::string(name);
  }

  Status ReadQuantization(const document::FlatTable& table, Tensor* tensor) {
    HR_ASSIGN(const std::optional<document::FlatTable> quantization, table.Table(4));
    if (!quantization) return Ok();
    HR_ASSIGN(tensor->scales, quantization->Floats(2));
    HR_ASSIGN(const std::string_view zeros, quantization->Bytes(3, 8));
    HR_ASSIGN(const int64_t axis, quantization->Integer(6, 4, 0));
    if (axis != 0 && tensor->scales.size() > 1) {
      return Unsupported(tensor->offset, "scales along another axis than the first");
    }
    for (size_t i = 0; i < zeros.size(); i += 8) {
      int64_t zero = 0;
      std::memcpy(&zero, zeros.data() + i, 8);
      if (i == 0) tensor->zero_point = zero;
      if (zero != tensor->zero_point) {
        return Unsupported(tensor->offset, "several zero points in one tensor");
      }
    }
    return Ok();
  }

  Result<const Tensor*> TensorAt(int32_t index, size_t offset) const {
    if (index >= 0 && static_cast<size_t>(index) < tensors_.size()) {
      return &tensors_[static_cast<size_t>(index)];
    }
    return document::MalformedAt(offset, "tensor " + std::to_string(index) + " is not there");
  }

  Status AddPorts(const document::FlatTable& graph) {
    for (const size_t field : {1u, 2u}) {
      HR_ASSIGN(const std::vector<int32_t> ports, graph.Integers(field));
      if (ports.size() > kOnnxNodesMax) return OverLimit(graph.offset());
      for (int32_t index : ports) {
        HR_ASSIGN(const Tensor* tensor, TensorAt(index, graph.offset()));
        OnnxPort& port = (field == 1 ? graph_.inputs : graph_.outputs).emplace_back();
        port.name = tensor->name;
        port.tensor = true;
        port.type = tensor->type;
        port.has_shape = true;
        port.shape = tensor->shape;
        port.offset = tensor->offset;
        if (tensor->type == kInt8) {
          return Unsupported(tensor->offset, "inputs and outputs of bytes are not supported");
        }
      }
    }
    return Ok();
  }

  Status AddConstants() {
    size_t values = 0;
    for (const Tensor& tensor : tensors_) {
      if (tensor.bytes.empty()) continue;
      OnnxTensor& constant = graph_.initializers.emplace_back();
      constant.name = tensor.name;
      constant.type = tensor.type;
      constant.shape = tensor.shape;
      constant.offset = tensor.offset;
      const std::optional<size_t> count = CountElements(tensor.shape);
      const size_t width = tensor.type == kInt8 ? 1 : tensor.type == kInt64 ? 8 : 4;
      if (!count || *count * width != tensor.bytes.size()) {
        return document::MalformedAt(tensor.offset,
                                     "a tensor of the shape " + ToString(tensor.shape) + " has " +
                                         std::to_string(tensor.bytes.size()) + " bytes");
      }
      values += *count;
      if (values > kOnnxValuesMax) return OverLimit(tensor.offset);
      for (size_t i = 0; i < *count; ++i) {
        constant.numbers.push_back(NumberAt(tensor, i));
      }
    }
    return Ok();
  }

  template <typename T>
  static double NumberAs(const Tensor& tensor, size_t i) {
    T value{};
    std::memcpy(&value, tensor.bytes.data() + i * sizeof(T), sizeof(T));
    return static_cast<double>(value);
  }

  static double NumberAt(const Tensor& tensor, size_t i) {
    switch (tensor.type) {
      case kFloat:
        return NumberAs<float>(tensor, i);
      case kInt8:
        return NumberAs<int8_t>(tensor, i);
      case kInt64:
        return NumberAs<int64_t>(tensor, i);
      default:
        return NumberAs<int32_t>(tensor, i);
    }
  }

  Status AddCall(const document::FlatTable& table) {
    HR_ASSIGN(const int64_t index, table.Integer(0, 4, 0));
    if (index < 0 || static_cast<size_t>(index) >= codes_.size()) {
      return document::MalformedAt(table.offset(), "an operator that is not there");
    }
    const document::FlatTable& code = codes_[static_cast<size_t>(index)];
    HR_ASSIGN(const int64_t old_code, code.Integer(0, 1, 0));
    HR_ASSIGN(const int64_t new_code, code.Integer(3, 4, 0));
    Call call;
    call.builtin = static_cast<Builtin>(std::max(old_code, new_code));
    call.offset = table.offset();
    HR_ASSIGN(call.inputs, table.Integers(1));
    HR_ASSIGN(call.outputs, table.Integers(2));
    HR_ASSIGN(call.options, table.Table(4));
    if (call.inputs.empty() || call.inputs.size() > kOperandsMax || call.outputs.size() != 1) {
      return document::MalformedAt(call.offset,
                                   "an operator without inputs, or with several outputs");
    }
    return Rewrite(call);
  }

  Status Rewrite(const Call& call) {
    switch (call.builtin) {
      case Builtin::kAdd:
        return AddArithmetic(call, "Add");
      case Builtin::kSub:
        return AddArithmetic(call, "Sub");
      case Builtin::kMul:
        return AddArithmetic(call, "Mul");
      case Builtin::kDiv:
        return AddArithmetic(call, "Div");
      case Builtin::kLogistic:
        return AddFunction(call, "Sigmoid", [](float x) { return 1 / (1 + std::exp(-x)); });
      case Builtin::kTanh:
        return AddFunction(call, "Tanh", [](float x) { return std::tanh(x); });
      case Builtin::kRelu:
        return AddFunction(call, "Relu", [](float x) { return std::max(x, 0.0F); });
      case Builtin::kRelu6:
        return AddRelu6(call);
      case Builtin::kSoftmax:
        return AddSoftmax(call);
      case Builtin::kReshape:
        return AddReshape(call);
      case Builtin::kConcatenation:
        return AddConcatenation(call);
      case Builtin::kFullyConnected:
        return AddFullyConnected(call);
      case Builtin::kQuantize:
        return AddByteCode(call, "QUANTIZE", call.outputs[0]);
      case Builtin::kDequantize:
        return AddByteCode(call, "DEQUANTIZE", call.inputs[0]);
    }
    return Error(ErrorKind::kUnavailable, "HR3006",
                 "the model needs TensorFlow Lite's operator " +
                     std::to_string(static_cast<int64_t>(call.builtin)) +
                     ", which headrace does not compute")
        .AtPlace("byte " + std::to_string(call.offset))
        .WithHint(
            "export the model without it; docs/internals/models.md lists the operators. headrace "
            "does not use TensorFlow Lite, so installing it does not help");
  }

  // A name of the translation's own.
  std::string_view Keep(std::string name) { return names_.emplace_back(std::move(name)); }
  std::string_view FreshName() {
    return Keep("value " + std::to_string(graph_.nodes.size()) + " of the translation");
  }

  Result<std::string_view> NameAt(int32_t index, size_t offset) const {
    if (index == -1) return std::string_view();  // left out
    HR_ASSIGN(const Tensor* tensor, TensorAt(index, offset));
    return std::string_view(tensor->name);
  }

  OnnxNode& AddNode(std::string_view domain, std::string_view op,
                    std::vector<std::string_view> inputs, std::string_view output, size_t offset) {
    OnnxNode& node = graph_.nodes.emplace_back();
    node.domain = domain;
    node.op = op;
    node.inputs = std::move(inputs);
    node.outputs = {output};
    node.offset = offset;
    return node;
  }

  static OnnxAttribute& AddAttribute(OnnxNode& node, std::string_view name, AttributeKind kind) {
    OnnxAttribute& attribute = node.attributes.emplace_back();
    attribute.name = name;
    attribute.kind = kind;
    return attribute;
  }
  static void SetInteger(OnnxNode& node, std::string_view name, int64_t value) {
    AddAttribute(node, name, AttributeKind::kInteger).integer = value;
  }

  std::string_view AddConstant(ElementType type, Shape shape, std::vector<double> numbers) {
    OnnxTensor& constant = graph_.initializers.emplace_back();
    constant.name =
        Keep("constant " + std::to_string(graph_.initializers.size()) + " of the translation");
    constant.type = type;
    constant.shape = std::move(shape);
    constant.numbers = std::move(numbers);
    return constant.name;
  }

  // The names of inputs and output; bytes are refused where only floats are computed.
  struct Ends {
    std::vector<std::string_view> inputs;
    std::string_view output;
  };
  Result<Ends> FloatEnds(const Call& call) const {
    Ends ends;
    for (int32_t index : call.inputs) {
      HR_ASSIGN(const std::string_view name, NameAt(index, call.offset));
      ends.inputs.push_back(name);
    }
    HR_ASSIGN(const Tensor* output, TensorAt(call.outputs[0], call.offset));
    if (output->type == kInt8) {
      return Unsupported(call.offset, "operator " +
                                          std::to_string(static_cast<int64_t>(call.builtin)) +
                                          " on bytes is not supported");
    }
    ends.output = output->name;
    return ends;
  }

  Result<Activation> ActivationOf(const Call& call, size_t field) const {
    if (!call.options) return Activation::kNone;
    HR_ASSIGN(const int64_t number, call.options->Integer(field, 1, 0));
    if (number == 0 || number == 1 || number == 3 || number == 4) {
      return static_cast<Activation>(number);
    }
    return Unsupported(call.offset, "the activation " + std::to_string(number));
  }

  void AddActivation(Activation activation, std::string_view from, std::string_view to,
                     size_t offset) {
    switch (activation) {
      case Activation::kNone:
        AddNode(kOnnxDomain, "Identity", {from}, to, offset);
        return;
      case Activation::kRelu:
        AddNode(kOnnxDomain, "Relu", {from}, to, offset);
        return;
      case Activation::kTanh:
        AddNode(kOnnxDomain, "Tanh", {from}, to, offset);
        return;
      case Activation::kRelu6: {
        const std::string_view low = AddConstant(kFloat, {}, {0});
        const std::string_view high = AddConstant(kFloat, {}, {6});
        AddNode(kOnnxDomain, "Clip", {from, low, high}, to, offset);
        return;
      }
    }
  }

  Status AddArithmetic(const Call& call, std::string_view op) {
    HR_ASSIGN(Ends ends, FloatEnds(call));
    HR_ASSIGN(const Activation activation, ActivationOf(call, 0));
    const std::string_view result = FreshName();
    AddNode(kOnnxDomain, op, std::move(ends.inputs), result, call.offset);
    AddActivation(activation, result, ends.output, call.offset);
    return Ok();
  }

  Status AddConcatenation(const Call& call) {
    HR_ASSIGN(Ends ends, FloatEnds(call));
    HR_ASSIGN(const Activation activation, ActivationOf(call, 1));
    int64_t axis = 0;
    if (call.options) {
      HR_ASSIGN(axis, call.options->Integer(0, 4, 0));
    }
    const std::string_view result = FreshName();
    SetInteger(AddNode(kOnnxDomain, "Concat", std::move(ends.inputs), result, call.offset), "axis",
               axis);
    AddActivation(activation, result, ends.output, call.offset);
    return Ok();
  }

  Status AddRelu6(const Call& call) {
    HR_ASSIGN(const Ends ends, FloatEnds(call));
    AddActivation(Activation::kRelu6, ends.inputs[0], ends.output, call.offset);
    return Ok();
  }

  Status AddSoftmax(const Call& call) {
    HR_ASSIGN(Ends ends, FloatEnds(call));
    if (call.options) {
      HR_ASSIGN(const int64_t beta, call.options->Integer(0, 4, 0x3F800000));
      if (beta != 0x3F800000) return Unsupported(call.offset, "a softmax whose beta is not 1");
    }
    SetInteger(AddNode(kOnnxDomain, "Softmax", {ends.inputs[0]}, ends.output, call.offset), "axis",
               -1);
    return Ok();
  }

  // The output's shape is in the file, for one row.
  Status AddReshape(const Call& call) {
    HR_ASSIGN(const std::string_view from, NameAt(call.inputs[0], call.offset));
    HR_ASSIGN(const Tensor* to, TensorAt(call.outputs[0], call.offset));
    const std::string_view shape = AddConstant(kInt64, {static_cast<int64_t>(to->shape.size())},
                                               {to->shape.begin(), to->shape.end()});
    AddNode(kOnnxDomain, "Reshape", {from, shape}, to->name, call.offset);
    return Ok();
  }

  Status AddByteCode(const Call& call, std::string_view op, int32_t coded_index) {
    HR_ASSIGN(const std::string_view from, NameAt(call.inputs[0], call.offset));
    HR_ASSIGN(const std::string_view to, NameAt(call.outputs[0], call.offset));
    HR_ASSIGN(const Tensor* coded, TensorAt(coded_index, call.offset));
    HR_TRY(CheckByteCode(*coded, call.offset));
    OnnxNode& node = AddNode(kTfliteDomain, op, {from}, to, call.offset);
    AddAttribute(node, "scale", AttributeKind::kFloat).number = coded->scales[0];
    SetInteger(node, "zero_point", coded->zero_point);
    return Ok();
  }

  static Status CheckByteCode(const Tensor& tensor, size_t offset) {
    if (tensor.type != kInt8) {
      return Unsupported(offset, "only bytes (int8) are supported beside floats");
    }
    if (tensor.scales.size() != 1 || !(tensor.scales[0] > 0) || !std::isfinite(tensor.scales[0]) ||
        std::abs(tensor.zero_point) > 128) {
      return document::MalformedAt(offset, "bytes without one scale and zero point");
    }
    return Ok();
  }

  // A function of floats; on bytes, a table of what it gives for each.
  Status AddFunction(const Call& call, std::string_view op, float (*function)(float)) {
    HR_ASSIGN(const Tensor* from, TensorAt(call.inputs[0], call.offset));
    HR_ASSIGN(const Tensor* to, TensorAt(call.outputs[0], call.offset));
    if (to->type != kInt8) {
      AddNode(kOnnxDomain, op, {from->name}, to->name, call.offset);
      return Ok();
    }
    HR_TRY(CheckByteCode(*from, call.offset));
    HR_TRY(CheckByteCode(*to, call.offset));
    OnnxNode& node = AddNode(kTfliteDomain, "LOOK_UP", {from->name}, to->name, call.offset);
    OnnxAttribute& table = AddAttribute(node, "table", AttributeKind::kIntegers);
    for (int64_t byte = -128; byte <= 127; ++byte) {
      const float x = from->scales[0] * static_cast<float>(byte - from->zero_point);
      const float y = std::round(function(x) * (1 / to->scales[0]));
      const double q = static_cast<double>(y) + static_cast<double>(to->zero_point);
      table.integers.push_back(static_cast<int64_t>(std::clamp(q, -128.0, 127.0)));
    }
    return Ok();
  }

  Status AddFullyConnected(const Call& call) {
    if (call.inputs.size() < 2)
      return document::MalformedAt(call.offset, "a layer without weights");
    HR_ASSIGN(const Tensor* x, TensorAt(call.inputs[0], call.offset));
    HR_ASSIGN(const Tensor* w, TensorAt(call.inputs[1], call.offset));
    HR_ASSIGN(const std::string_view bias,
              NameAt(call.inputs.size() > 2 ? call.inputs[2] : -1, call.offset));
    HR_ASSIGN(const Tensor* y, TensorAt(call.outputs[0], call.offset));
    HR_ASSIGN(const Activation activation, ActivationOf(call, 0));
    if (call.options) {
      HR_ASSIGN(const int64_t format, call.options->Integer(1, 1, 0));
      HR_ASSIGN(const int64_t keeps, call.options->Integer(2, 1, 0));
      if (format != 0) return Unsupported(call.offset, "shuffled weights");
      if (keeps != 0 && x->shape.size() != 2) {
        return Unsupported(call.offset, "a layer over more than one vector");
      }
    }
    if (x->type == kFloat && w->type == kFloat) {
      std::string_view from = x->name;
      if (x->shape.size() != 2 && w->shape.size() == 2) {
        const std::string_view shape =
            AddConstant(kInt64, {2}, {-1, static_cast<double>(w->shape[1])});
        from = FreshName();
        AddNode(kOnnxDomain, "Reshape", {x->name, shape}, from, call.offset);
      }
      const std::string_view result = FreshName();
      SetInteger(AddNode(kOnnxDomain, "Gemm", {from, w->name, bias}, result, call.offset), "transB",
                 1);
      AddActivation(activation, result, y->name, call.offset);
      return Ok();
    }
    return AddConnectBytes(call, {x, w, y}, bias, activation);
  }

  struct Layer {
    const Tensor* x;
    const Tensor* w;
    const Tensor* y;
  };

  Status AddConnectBytes(const Call& call, Layer layer, std::string_view bias,
                         Activation activation) {
    const auto [x, w, y] = layer;
    if (w->type != kInt8 || x->type != kInt8) {
      return Unsupported(call.offset, "a layer of bytes on floats");
    }
    HR_TRY(CheckByteCode(*x, call.offset));
    HR_TRY(CheckByteCode(*y, call.offset));
    if (w->zero_point != 0) return Unsupported(call.offset, "weights with a zero point");
    if (w->shape.size() != 2 || w->shape[0] < 1 || w->shape[0] > int64_t{kTensorElementsMax} ||
        (w->scales.size() != 1 && w->scales.size() != static_cast<size_t>(w->shape[0]))) {
      return document::MalformedAt(call.offset, "the weights' scales are not one for each output");
    }
    if (activation == Activation::kTanh) {
      return Unsupported(call.offset, "tanh fused with a layer of bytes");
    }
    OnnxNode& node =
        AddNode(kTfliteDomain, "CONNECT_BYTES", {x->name, w->name, bias}, y->name, call.offset);
    OnnxAttribute& scales = AddAttribute(node, "scales", AttributeKind::kFloats);
    for (int64_t o = 0; o < w->shape[0]; ++o) {
      const size_t at = w->scales.size() == 1 ? 0 : static_cast<size_t>(o);
      scales.floats.push_back(x->scales[0] * w->scales[at] / y->scales[0]);
    }
    SetInteger(node, "zero_in", x->zero_point);
    SetInteger(node, "zero_out", y->zero_point);
    if (activation != Activation::kNone)
      SetInteger(node, "low", std::max<int64_t>(-128, y->zero_point));
    if (activation == Activation::kRelu6) {
      const double six = std::round(6.0 / static_cast<double>(y->scales[0]));
      SetInteger(node, "high",
                 static_cast<int64_t>(std::min(127.0, six + static_cast<double>(y->zero_point))));
    }
    return Ok();
  }

  std::string_view file_;
  std::vector<document::FlatTable> buffers_;
  std::vector<document::FlatTable> codes_;
  std::deque<Tensor> tensors_;     // stable: the graph points at their names
  std::deque<std::string> names_;  // stable as well
  OnnxGraph graph_;
};

}  // namespace

bool LooksLikeTflite(std::string_view bytes) {
  return bytes.size() >= 8 && bytes.substr(4, 4) == "TFL3";
}

Result<CompiledGraph> LoadTflite(std::string_view bytes) {
  TfliteTranslator translator(bytes);
  HR_ASSIGN(const OnnxGraph graph, translator.Translate());
  return CompileOnnx(graph);
}

}  // namespace headrace::onnx
