#include "onnx/compiler.h"

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "document/document.h"
#include "onnx/graph.h"
#include "onnx/op.h"
#include "onnx/tflite.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

const OnnxOperator* FindOperator(std::string_view domain, std::string_view name) {
  for (std::span<const OnnxOperator> group :
       {OnnxElementwiseOperators(), OnnxShapeOperators(), OnnxReduceOperators(),
        OnnxDenseOperators(), OnnxConvolutionOperators(), OnnxRecurrentOperators(),
        OnnxFeatureOperators(), OnnxLinearOperators(), OnnxSvmOperators(), OnnxTreeOperators(),
        TfliteOperators()}) {
    for (const OnnxOperator& known : group) {
      if (known.domain == domain && known.name == name) return &known;
    }
  }
  return nullptr;
}

Error NotComputed(const OnnxNode& node, size_t number) {
  return Error(ErrorKind::kUnavailable, "HR3006",
               "node " + std::to_string(number) + " needs the operator " +
                   std::string(node.domain) + "." + std::string(node.op) +
                   ", which headrace does not compute")
      .AtPlace("byte " + std::to_string(node.offset))
      .WithHint("export the model without it; docs/internals/models.md lists the operators");
}

// Compiles a graph: inputs, constants, nodes in the order of the file, outputs. Confined to one
// load.
class OnnxCompiler {
 public:
  explicit OnnxCompiler(const OnnxGraph& graph) : graph_(graph) {}

  Result<CompiledGraph> Compile() {
    HR_TRY(AddInitializers());
    HR_TRY(AddInputs());
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      HR_TRY(AddNode(graph_.nodes[i], i));
    }
    for (const OnnxPort& output : graph_.outputs) {
      HR_TRY(AddOutput(output));
    }
    if (made_.outputs.empty()) return document::MalformedAt(0, "the graph has no output");
    DescribeTexts();
    ChoosePrediction();
    made_.program = std::move(target_.program);
    return std::move(made_);
  }

 private:
  Status Define(std::string_view name, OnnxValue value, size_t offset) {
    const auto [place, added] = values_.emplace(name, &store_.emplace_back(std::move(value)));
    if (added) return Ok();
    return document::MalformedAt(offset, "`" + std::string(name) + "` is made twice");
  }

  Status AddInitializers() {
    for (const OnnxTensor& tensor : graph_.initializers) {
      OnnxValue value;
      value.type = tensor.type;
      value.shape = tensor.shape;
      std::vector<double> elements = tensor.numbers;
      for (std::string_view text : tensor.texts) {
        elements.push_back(target_.texts.Code(text));
      }
      value.operand.fixed = target_.program.Keep(std::move(elements));
      HR_TRY(Define(tensor.name, std::move(value), tensor.offset));
    }
    return Ok();
  }

  Status AddInputs() {
    for (const OnnxPort& input : graph_.inputs) {
      if (values_.contains(input.name)) continue;  // old files list their constants here as well
      HR_TRY(AddInput(input));
    }
    if (!made_.inputs.empty()) return Ok();
    return document::MalformedAt(0, "the graph has no input");
  }

  Status AddInput(const OnnxPort& input) {
    const auto refuse = [&](std::string message) {
      return Error(ErrorKind::kInvalidArgument, "HR3003",
                   "the input `" + std::string(input.name) + "` " + std::move(message))
          .AtPlace("byte " + std::to_string(input.offset))
          .WithHint("a row must be one vector of known size; export the model that way");
    };
    if (!input.tensor) return refuse("is not a tensor");
    OnnxValue value;
    value.type = input.type;
    value.shape = input.shape;
    value.open_text = input.type == kText;
    if (!value.shape.empty()) {
      if (value.shape[0] > 1) return refuse("wants " + std::to_string(value.shape[0]) + " rows");
      value.shape[0] = 1;
    }
    for (int64_t extent : value.shape) {
      if (extent < 1) return refuse("has the shape " + ToString(input.shape));
    }
    const std::optional<size_t> count = CountElements(value.shape);
    const std::optional<size_t> slot = count ? target_.program.Reserve(*count) : std::nullopt;
    if (!slot || made_.inputs.size() + *count > kGraphInputsMax) {
      return Error(ErrorKind::kLimitExceeded, "HR3004", "the model has too many inputs")
          .AtPlace("byte " + std::to_string(input.offset));
    }
    value.operand.slot = *slot;
    for (size_t i = 0; i < *count; ++i) {
      made_.inputs.push_back({*slot + i, input.type});
      const std::string name(input.name);
      made_.description.features.push_back(*count == 1 ? name : name + "_" + std::to_string(i));
    }
    return Define(input.name, std::move(value), input.offset);
  }

  Status AddNode(const OnnxNode& node, size_t number) {
    const OnnxOperator* known = FindOperator(node.domain, node.op);
    if (known == nullptr) return NotComputed(node, number);
    const auto opset = graph_.opsets.find(node.domain);
    if (opset == graph_.opsets.end()) {
      return document::MalformedAt(node.offset,
                                   "the model does not say which version of the operators of " +
                                       std::string(node.domain) + " it uses");
    }
    std::vector<const OnnxValue*> inputs;
    for (std::string_view name : node.inputs) {
      inputs.push_back(nullptr);
      if (name.empty()) continue;
      const auto found = values_.find(name);
      if (found == values_.end()) {
        return document::MalformedAt(
            node.offset, "node " + std::to_string(number) + " (" + std::string(node.op) +
                             ") reads `" + std::string(name) + "`, which nothing before it makes");
      }
      inputs.back() = found->second;
    }
    OnnxOp op(node, number, opset->second, std::move(inputs), &target_);
    known->compile(op);
    if (op.failed()) return *op.error();
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (!op.Wants(i)) continue;
      std::optional<OnnxValue>& made = op.given()[i];
      if (!made) {
        return document::MalformedAt(node.offset, "node " + std::to_string(number) + " (" +
                                                      std::string(node.op) + ") has no output " +
                                                      std::to_string(i));
      }
      HR_TRY(Define(node.outputs[i], std::move(*made), node.offset));
    }
    return Ok();
  }

  Status AddOutput(const OnnxPort& output) {
    const auto found = values_.find(output.name);
    if (found == values_.end()) {
      return document::MalformedAt(output.offset,
                                   "nothing makes the output `" + std::string(output.name) + "`");
    }
    const OnnxValue& value = *found->second;
    if (output.tensor && output.type != value.type) {
      return document::MalformedAt(output.offset,
                                   "the output `" + std::string(output.name) + "` is of " +
                                       std::string(ToString(value.type)) + ", not of " +
                                       std::string(ToString(output.type)));
    }
    if (value.open_text) {
      return Error(ErrorKind::kInvalidArgument, "HR3003",
                   "the output `" + std::string(output.name) + "` is a text of the row itself")
          .AtPlace("byte " + std::to_string(output.offset))
          .WithHint("take the column from the row");
    }
    const size_t count = value.count();
    if (made_.outputs.size() + count > kGraphOutputsMax) {
      return Error(ErrorKind::kLimitExceeded, "HR3004",
                   "the model has more than " + std::to_string(kGraphOutputsMax) + " outputs")
          .AtPlace("byte " + std::to_string(output.offset));
    }
    ranges_.push_back({made_.outputs.size(), count, value.type});
    for (size_t i = 0; i < count; ++i) {
      Operand element = value.operand;
      if (element.fixed != nullptr) {
        element.fixed += i;
      } else {
        element.slot += i;
      }
      made_.outputs.push_back(element);
      std::string name(output.name);
      if (!value.keys.empty()) {
        name += "_" + value.keys[i];
      } else if (count > 1) {
        name += "_" + std::to_string(i);
      }
      made_.description.output_names.push_back(std::move(name));
      made_.description.text_outputs.push_back(value.type == kText);
    }
    return Ok();
  }

  void DescribeTexts() {
    made_.description.categories.resize(made_.description.features.size());
    for (size_t f = 0; f < made_.inputs.size(); ++f) {
      if (made_.inputs[f].type != kText) continue;
      made_.description.categories[f] = target_.texts.texts();
      // Texts that the model compares with nothing are still texts.
      if (made_.description.categories[f].empty()) made_.description.categories[f].emplace_back();
    }
    made_.description.output_texts = target_.texts.texts();
  }

  void ChoosePrediction() {
    made_.description.predicted = PredictedOf(ranges_);
    made_.description.text_prediction =
        ranges_[0].type == kText && made_.description.predicted[0] == 0;
  }

  const OnnxGraph& graph_;
  CompiledGraph made_;
  OnnxTarget target_;
  std::deque<OnnxValue> store_;  // stable addresses
  std::unordered_map<std::string_view, const OnnxValue*> values_;
  std::vector<OutputRange> ranges_;
};

}  // namespace

bool LooksLikeOnnx(std::string_view bytes) {
  // Field 1 is the version of the format, and writers write fields in order.
  return bytes.starts_with('\x08');
}

std::vector<size_t> PredictedOf(std::span<const OutputRange> ranges) {
  std::vector<size_t> predicted;
  bool labelled = false;
  for (const OutputRange& range : ranges) {
    const bool scores = range.type == kFloat || range.type == kDouble;
    labelled = labelled || !scores;
    for (size_t i = 0; scores && i < range.count; ++i) {
      predicted.push_back(range.first + i);
    }
  }
  if (labelled && predicted.size() == 2) predicted.erase(predicted.begin());
  if (!predicted.empty()) return predicted;
  for (size_t i = 0; i < ranges[0].count; ++i) {
    predicted.push_back(i);
  }
  return predicted;
}

Result<CompiledGraph> LoadOnnx(std::string_view bytes) {
  HR_ASSIGN(const OnnxGraph graph, ParseOnnx(bytes));
  return CompileOnnx(graph);
}

Result<CompiledGraph> CompileOnnx(const OnnxGraph& graph) {
  return OnnxCompiler(graph).Compile();
}

}  // namespace headrace::onnx
