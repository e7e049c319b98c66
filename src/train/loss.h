#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "os/worker_team.h"
#include "train/gradient.h"
#include "train/options.h"
#include "train/table.h"
#include "train/trained.h"

namespace headrace::train {

using GradientPlanes = std::vector<std::vector<Gradient>>;

// What a model is fitted to: the loss at each row, as a function of its raw scores (Friedman 2001;
// second derivatives as in Friedman, Hastie, Tibshirani 2000). Immutable, thread-safe; pure.
class Loss {
 public:
  // `table` is what is learned from; class weights come from its labels.
  static std::unique_ptr<Loss> Make(const Options& options, const Table& table);
  virtual ~Loss() = default;

  virtual size_t outputs() const { return 1; }
  // The best constant raw score of each output.
  virtual std::vector<double> Start() const = 0;
  // The derivatives at each row of the table for its scores; says what a unit is worth.
  virtual GradientScale Derive(const Planes& scores, os::WorkerTeam& team,
                               GradientPlanes* gradients) const = 0;
  // The weighted mean loss of these labels, summed in order.
  virtual double Mean(std::span<const double> labels, const Planes& scores) const = 0;
  // The value of a leaf with these rows, for a loss whose second derivative says nothing; NaN: the
  // tree's value stands.
  virtual double LeafValue(std::span<const uint32_t> rows, const Planes& scores) const;
  // The best constant raw score of an output for these rows alone, drawn towards that of all rows
  // by the weight of one more where it could be infinite.
  virtual double ConstantFor(size_t output, std::span<const uint32_t> rows) const = 0;
  // LightGBM's name of it.
  virtual std::string Text() const = 0;

 protected:
  Loss() = default;
};

}  // namespace headrace::train
