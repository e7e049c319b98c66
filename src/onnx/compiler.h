#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "onnx/tensor_program.h"

namespace headrace::onnx {

// How a feature's value gets into the program.
struct ProgramInput {
  size_t slot = 0;
  ElementType type = ElementType::kFloat;
};

// What a graph says of itself. `features` and `categories` have one entry for each feature, the
// others one for each raw score. Value type.
struct GraphDescription {
  std::vector<std::string> features;
  std::vector<std::vector<std::string>> categories;  // texts by code; empty for plain numbers
  std::vector<std::string> output_names;
  std::vector<bool> text_outputs;         // which are codes of texts
  std::vector<std::string> output_texts;  // by code
  std::vector<size_t> predicted;          // the raw scores that make the prediction, ascending
  bool text_prediction = false;           // it is a code of a text
};

// The elements of one output of the graph among the raw scores.
struct OutputRange {
  size_t first = 0;
  size_t count = 0;
  ElementType type = ElementType::kFloat;
};

// Which raw scores are the prediction: the outputs of floats. Of two floats beside a label it is
// the second, the score of what the model looks for. Without floats it is the first output.
std::vector<size_t> PredictedOf(std::span<const OutputRange> ranges);

// A graph as a program that computes one row at a time. Value type.
struct CompiledGraph {
  TensorProgram program;
  std::vector<ProgramInput> inputs;  // by feature
  std::vector<Operand> outputs;      // by raw score: the element itself
  GraphDescription description;
};

// What a graph may take and give; more is refused with HR3004.
inline constexpr size_t kGraphInputsMax = 100'000;
inline constexpr size_t kGraphOutputsMax = 10'000;

// Whether the bytes begin as an ONNX file does: with the version of its format.
bool LooksLikeOnnx(std::string_view bytes);

// Errors: HR3002, HR3003, HR3004, and HR3006 for an operator that is not computed here.
Result<CompiledGraph> LoadOnnx(std::string_view bytes);

struct OnnxGraph;
// Compiles a graph, which may be dropped afterwards.
Result<CompiledGraph> CompileOnnx(const OnnxGraph& graph);

}  // namespace headrace::onnx
