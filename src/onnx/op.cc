#include "onnx/op.h"

#include <algorithm>
#include <cmath>

#include "document/document.h"

namespace headrace::onnx {
namespace {

const OnnxValue kNothing;

}  // namespace

OnnxOp::OnnxOp(const OnnxNode& node, size_t number, int64_t opset,
               std::vector<const OnnxValue*> inputs, OnnxTarget* target)
    : node_(node),
      number_(number),
      opset_(opset),
      inputs_(std::move(inputs)),
      target_(*target),
      given_(node.outputs.size()) {}

std::string OnnxOp::Where(std::string message) const {
  return "node " + std::to_string(number_) + " (" + std::string(node_.op) +
         "): " + std::move(message);
}

void OnnxOp::Fail(Error error) {
  if (!error_) error_ = std::move(error);
}

void OnnxOp::Malformed(std::string message) {
  Fail(document::MalformedAt(node_.offset, Where(std::move(message))));
}

void OnnxOp::Unsupported(std::string message) {
  Fail(Error(ErrorKind::kInvalidArgument, "HR3003", Where(std::move(message)))
           .AtPlace("byte " + std::to_string(node_.offset))
           .WithHint("docs/internals/models.md lists what is computed"));
}

void OnnxOp::OverLimit(std::string message) {
  Fail(Error(ErrorKind::kLimitExceeded, "HR3004", Where(std::move(message)))
           .AtPlace("byte " + std::to_string(node_.offset)));
}

const OnnxValue& OnnxOp::In(size_t input) {
  if (Has(input)) return *inputs_[input];
  Malformed("input " + std::to_string(input) + " is missing");
  return kNothing;
}

const OnnxValue& OnnxOp::NumbersIn(size_t input) {
  const OnnxValue& value = In(input);
  if (value.type == ElementType::kText) Malformed("input " + std::to_string(input) + " is texts");
  return value;
}

std::span<const double> OnnxOp::FixedIn(size_t input) {
  const OnnxValue& value = In(input);
  if (failed()) return {};
  if (value.fixed()) return {value.operand.fixed, value.count()};
  Unsupported("input " + std::to_string(input) + " depends on the row");
  return {};
}

std::vector<int64_t> OnnxOp::FixedIntegersIn(size_t input) {
  std::vector<int64_t> integers;
  for (double x : FixedIn(input)) {
    // Ends of slices are as large as there are numbers; beyond the exact ones they mean the same.
    constexpr auto kMost = static_cast<double>(kExactIntegerMax);
    if (std::isnan(x) || x != std::trunc(x)) Malformed("a number where integers belong");
    integers.push_back(failed() ? 0 : static_cast<int64_t>(std::clamp(x, -kMost, kMost)));
  }
  return integers;
}

const OnnxAttribute* OnnxOp::Find(std::string_view name, AttributeKind kind) {
  for (const OnnxAttribute& attribute : node_.attributes) {
    if (attribute.name != name) continue;
    // An empty list of an old writer has no kind.
    if (attribute.kind == kind || attribute.kind == AttributeKind::kNone) return &attribute;
    Malformed("the attribute " + std::string(name) + " is of another kind");
    return nullptr;
  }
  return nullptr;
}

bool OnnxOp::HasAttribute(std::string_view name) const {
  for (const OnnxAttribute& attribute : node_.attributes) {
    if (attribute.name == name) return true;
  }
  return false;
}

int64_t OnnxOp::Integer(std::string_view name, int64_t otherwise) {
  const OnnxAttribute* attribute = Find(name, AttributeKind::kInteger);
  return attribute == nullptr ? otherwise : attribute->integer;
}

float OnnxOp::Number(std::string_view name, float otherwise) {
  const OnnxAttribute* attribute = Find(name, AttributeKind::kFloat);
  return attribute == nullptr ? otherwise : attribute->number;
}

std::string_view OnnxOp::Text(std::string_view name, std::string_view otherwise) {
  const OnnxAttribute* attribute = Find(name, AttributeKind::kText);
  return attribute == nullptr ? otherwise : attribute->text;
}

const std::vector<int64_t>& OnnxOp::Integers(std::string_view name) {
  static const std::vector<int64_t> kNone;
  const OnnxAttribute* attribute = Find(name, AttributeKind::kIntegers);
  return attribute == nullptr ? kNone : attribute->integers;
}

const std::vector<float>& OnnxOp::Numbers(std::string_view name) {
  static const std::vector<float> kNone;
  const OnnxAttribute* attribute = Find(name, AttributeKind::kFloats);
  return attribute == nullptr ? kNone : attribute->floats;
}

const std::vector<std::string_view>& OnnxOp::Texts(std::string_view name) {
  static const std::vector<std::string_view> kNone;
  const OnnxAttribute* attribute = Find(name, AttributeKind::kTexts);
  return attribute == nullptr ? kNone : attribute->texts;
}

const OnnxTensor* OnnxOp::Tensor(std::string_view name) {
  const OnnxAttribute* attribute = Find(name, AttributeKind::kTensor);
  return attribute == nullptr ? nullptr : &attribute->tensor;
}

size_t OnnxOp::Axis(int64_t axis, size_t rank) {
  const auto extents = static_cast<int64_t>(rank);
  if (axis < -extents || axis >= extents) {
    Malformed("the axis " + std::to_string(axis) + " of a tensor of " + std::to_string(rank) +
              " dimensions");
    return 0;
  }
  return static_cast<size_t>(axis < 0 ? axis + extents : axis);
}

OnnxValue OnnxOp::Fixed(std::vector<double> elements, OnnxShape shape) {
  OnnxValue value;
  value.type = shape.type;
  value.shape = std::move(shape.shape);
  value.operand.fixed = target_.program.Keep(std::move(elements));
  return value;
}

OnnxValue OnnxOp::Fixed(const OnnxTensor& tensor) {
  std::vector<double> elements = tensor.numbers;
  for (std::string_view text : tensor.texts) {
    elements.push_back(TextCode(text));
  }
  return Fixed(std::move(elements), {tensor.type, tensor.shape});
}

OnnxValue OnnxOp::ApplyOne(std::unique_ptr<const Operation> operation,
                           const std::vector<const OnnxValue*>& inputs, OnnxShape output,
                           uint64_t work) {
  return Apply(std::move(operation), inputs, {std::move(output)}, work)[0];
}

std::vector<OnnxValue> OnnxOp::Apply(std::unique_ptr<const Operation> operation,
                                     const std::vector<const OnnxValue*>& inputs,
                                     const std::vector<OnnxShape>& outputs, uint64_t work) {
  std::vector<OnnxValue> values(outputs.size());
  if (inputs.size() > kOperandsMax) OverLimit("too many inputs");
  target_.work += std::min(work, kOnnxWorkMax);
  if (target_.work > kOnnxWorkMax) OverLimit("the model takes too much work for each row");
  bool fixed = true;
  std::vector<Operand> operands;
  for (const OnnxValue* input : inputs) {
    operands.push_back(input == nullptr ? Operand{} : input->operand);
    fixed = fixed && (input == nullptr || input->fixed());
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    values[i].type = outputs[i].type;
    values[i].shape = outputs[i].shape;
    if (!CountElements(outputs[i].shape)) {
      OverLimit("a tensor of the shape " + ToString(outputs[i].shape));
    }
  }
  if (failed()) return values;
  if (fixed) {
    std::vector<std::vector<double>> results;
    std::vector<const double*> in;
    std::vector<double*> out;
    for (const Operand& operand : operands) {
      in.push_back(operand.fixed);
    }
    for (const OnnxValue& value : values) {
      target_.computed += value.count();
      if (target_.computed > kOnnxComputedMax) {
        OverLimit("the model has too many values that are the same for all rows");
        return values;
      }
      out.push_back(results.emplace_back(value.count() + 1).data());
    }
    operation->Run(in.data(), out.data());
    for (size_t i = 0; i < values.size(); ++i) {
      values[i].operand.fixed = target_.program.Keep(std::move(results[i]));
    }
    return values;
  }
  std::vector<size_t> slots;
  for (OnnxValue& value : values) {
    const std::optional<size_t> slot = target_.program.Reserve(value.count());
    if (!slot) {
      OverLimit("the model takes too much memory for each row");
      return values;
    }
    value.operand.slot = *slot;
    slots.push_back(*slot);
  }
  target_.program.Add(std::move(operation), std::move(operands), std::move(slots));
  return values;
}

bool OnnxOp::Wants(size_t output) const {
  return output < node_.outputs.size() && !node_.outputs[output].empty();
}

void OnnxOp::Give(size_t output, OnnxValue value) {
  if (output < given_.size()) given_[output] = std::move(value);
}

}  // namespace headrace::onnx
