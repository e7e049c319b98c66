#pragma once

#include <memory>
#include <span>
#include <vector>

#include "onnx/tensor.h"

namespace headrace::onnx {

// Where a tensor's elements are: in the model, or in the frame of the row.
struct Operand {
  const double* fixed = nullptr;
  size_t slot = 0;
};

// The memory of some rows while a program runs: `stride` elements for each.
struct Frame {
  double* memory = nullptr;
  size_t stride = 0;
  size_t rows = 0;

  const double* At(const Operand& operand, size_t row) const {
    return operand.fixed != nullptr ? operand.fixed : memory + row * stride + operand.slot;
  }
  double* At(size_t slot, size_t row) const { return memory + row * stride + slot; }
};

inline constexpr size_t kOperandsMax = 512;

// One operation on tensors whose shapes it knows. Immutable, thread-safe. It sees one row at a
// time, so what it gives for a row does not depend on the others.
class Operation {
 public:
  virtual ~Operation() = default;

  // `inputs` and `outputs` are the elements of each. An input that was left out has an address that
  // must not be read: the operation knows which it has.
  virtual void Run(const double* const* inputs, double* const* outputs) const = 0;

  // All rows of a frame. One that has a faster way for several rows must give the same bits.
  virtual void RunFrame(const Frame& frame, std::span<const Operand> inputs,
                        std::span<const size_t> outputs) const;
};

// Operations in the order in which they run, for one row at a time or for several. A row of the
// frame holds every tensor that is not the same for all rows. Immutable once it is built.
class TensorProgram {
 public:
  TensorProgram() = default;
  TensorProgram(TensorProgram&&) = default;
  TensorProgram& operator=(TensorProgram&&) = default;

  // Elements that are the same for every row; kept until the program goes.
  const double* Keep(std::vector<double> elements);
  // Room in the frame, or nothing when it would hold more than kTensorElementsMax.
  std::optional<size_t> Reserve(size_t elements);
  // `inputs` has at most kOperandsMax.
  void Add(std::unique_ptr<const Operation> operation, std::vector<Operand> inputs,
           std::vector<size_t> outputs);

  size_t stride() const { return stride_; }
  // Rows that are best run together.
  size_t block_rows() const;
  void Run(const Frame& frame) const;

 private:
  struct Step {
    std::unique_ptr<const Operation> operation;
    std::vector<Operand> inputs;
    std::vector<size_t> outputs;
  };

  std::vector<Step> steps_;
  std::vector<std::vector<double>> kept_;
  size_t stride_ = 0;
};

}  // namespace headrace::onnx
