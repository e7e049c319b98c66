#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "onnx/graph.h"
#include "onnx/tensor_program.h"

namespace headrace::onnx {

// A tensor of the graph while it is compiled. The first extent of what comes from the model's
// inputs is the row, which is always 1 here.
struct OnnxValue {
  ElementType type = ElementType::kFloat;
  Shape shape;
  Operand operand;
  bool open_text = false;         // texts that may be ones the model does not know
  std::vector<std::string> keys;  // of a map: the name of each column

  size_t count() const { return CountElements(shape).value_or(0); }
  bool fixed() const { return operand.fixed != nullptr; }
};

// Type and shape of a tensor that an operation makes.
struct OnnxShape {
  ElementType type = ElementType::kFloat;
  Shape shape;
};

// What all nodes of a graph are compiled into.
struct OnnxTarget {
  TensorProgram program;
  TextTable texts;
  uint64_t work = 0;    // roughly the multiplications for one row
  size_t computed = 0;  // elements computed while compiling, kept as fixed ones
};

// More work for a row is refused: it would hold up the rows behind it for tens of milliseconds.
inline constexpr uint64_t kOnnxWorkMax = uint64_t{1} << 26;
inline constexpr size_t kOnnxComputedMax = size_t{1} << 24;

// Compiles one node. The first thing that does not fit is kept as the error; what is asked for
// afterwards is empty or a default, so that a compile function only returns early where it would
// read what is not there. Confined to one compilation.
class OnnxOp {
 public:
  // An input that the node leaves out is nullptr.
  OnnxOp(const OnnxNode& node, size_t number, int64_t opset, std::vector<const OnnxValue*> inputs,
         OnnxTarget* target);

  int64_t opset() const { return opset_; }
  bool failed() const { return error_.has_value(); }
  const std::optional<Error>& error() const { return error_; }
  void Malformed(std::string message);    // HR3002
  void Unsupported(std::string message);  // HR3003
  void OverLimit(std::string message);    // HR3004

  size_t inputs() const { return inputs_.size(); }
  bool Has(size_t input) const { return input < inputs_.size() && inputs_[input] != nullptr; }
  // A missing input is an error.
  const OnnxValue& In(size_t input);
  const OnnxValue& NumbersIn(size_t input);  // and texts are one
  // The elements of an input that is the same for all rows; anything else is an error.
  std::span<const double> FixedIn(size_t input);
  std::vector<int64_t> FixedIntegersIn(size_t input);

  bool HasAttribute(std::string_view name) const;
  int64_t Integer(std::string_view name, int64_t otherwise);
  float Number(std::string_view name, float otherwise);
  std::string_view Text(std::string_view name, std::string_view otherwise);
  const std::vector<int64_t>& Integers(std::string_view name);
  const std::vector<float>& Numbers(std::string_view name);
  const std::vector<std::string_view>& Texts(std::string_view name);
  const OnnxTensor* Tensor(std::string_view name);  // nullptr when it is not there
  // An axis, counted from the end when negative; out of range is an error and gives 0.
  size_t Axis(int64_t axis, size_t rank);

  OnnxValue Fixed(std::vector<double> elements, OnnxShape shape);
  OnnxValue Fixed(const OnnxTensor& tensor);
  double TextCode(std::string_view text) { return target_.texts.Code(text); }

  // Runs `operation` on the inputs; at once when all are the same for every row. `work` is about
  // the multiplications it takes. nullptr among `inputs` is an input that is left out.
  std::vector<OnnxValue> Apply(std::unique_ptr<const Operation> operation,
                               const std::vector<const OnnxValue*>& inputs,
                               const std::vector<OnnxShape>& outputs, uint64_t work);
  OnnxValue ApplyOne(std::unique_ptr<const Operation> operation,
                     const std::vector<const OnnxValue*>& inputs, OnnxShape output, uint64_t work);

  bool Wants(size_t output) const;
  void Give(size_t output, OnnxValue value);
  std::vector<std::optional<OnnxValue>>& given() { return given_; }

 private:
  const OnnxAttribute* Find(std::string_view name, AttributeKind kind);
  void Fail(Error error);
  std::string Where(std::string message) const;

  const OnnxNode& node_;
  size_t number_;
  int64_t opset_;
  std::vector<const OnnxValue*> inputs_;
  OnnxTarget& target_;
  std::optional<Error> error_;
  std::vector<std::optional<OnnxValue>> given_;
};

// An operator: its name, and what compiles a node of it.
struct OnnxOperator {
  std::string_view domain;
  std::string_view name;
  void (*compile)(OnnxOp& op);
};

inline constexpr std::string_view kOnnxDomain = "ai.onnx";
inline constexpr std::string_view kOnnxMlDomain = "ai.onnx.ml";

// All operators, by the file that has them.
std::span<const OnnxOperator> OnnxElementwiseOperators();
std::span<const OnnxOperator> OnnxShapeOperators();
std::span<const OnnxOperator> OnnxReduceOperators();
std::span<const OnnxOperator> OnnxDenseOperators();
std::span<const OnnxOperator> OnnxConvolutionOperators();
std::span<const OnnxOperator> OnnxRecurrentOperators();
std::span<const OnnxOperator> OnnxFeatureOperators();
std::span<const OnnxOperator> OnnxLinearOperators();
std::span<const OnnxOperator> OnnxSvmOperators();
std::span<const OnnxOperator> OnnxTreeOperators();

}  // namespace headrace::onnx
