#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/compiler.h"
#include "onnx/graph.h"
#include "onnx/runtime_api.h"

namespace headrace::onnx {

// A graph that ONNX Runtime computes, because it has an operator that is not computed here. One
// thread, no arena, one row at a time, so that a row's bits do not depend on the rows beside it;
// they may depend on the processor, as ONNX Runtime's kernels do. Immutable, thread-safe.
class RuntimeSession {
 public:
  // `graph` is `file`, parsed: so the file has no tensors outside it, no subgraphs, and is within
  // our limits. Errors: HR3006 (no ONNX Runtime), HR3003 (it refuses the file; inputs of texts; no
  // output of numbers), HR3004.
  static Result<std::unique_ptr<const RuntimeSession>> Open(std::string_view file,
                                                            const OnnxGraph& graph);
  ~RuntimeSession();
  RuntimeSession(const RuntimeSession&) = delete;
  RuntimeSession& operator=(const RuntimeSession&) = delete;

  const GraphDescription& description() const { return description_; }

  // `features` and `raw` are one row, as described. When ONNX Runtime fails on the row, or gives
  // another number of values than it did for a row of zeros, all of `raw` is NaN.
  void Run(std::span<const double> features, std::span<double> raw) const;

 private:
  using Handle = RuntimeApi::Handle;
  struct Input {
    std::string name;
    ElementType type;
    Shape shape;
    size_t count;
  };
  class Values;  // the tensors of one run

  explicit RuntimeSession(RuntimeApi api) : api_(api) {}
  Status AddInput(const OnnxPort& port);
  Status Start(std::string_view file);
  Status DescribeOutputs(const OnnxGraph& graph);
  Status Compute(std::span<const double> features, Values* values) const;
  Status MakeInputs(std::span<const double> features, Values* values) const;

  RuntimeApi api_;
  Handle env_ = nullptr;
  Handle memory_ = nullptr;
  Handle session_ = nullptr;
  std::vector<Input> inputs_;
  std::vector<std::string> outputs_;
  std::vector<OutputRange> ranges_;
  GraphDescription description_;
};

}  // namespace headrace::onnx
