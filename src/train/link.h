#pragma once

#include <vector>

#include "train/options.h"
#include "train/table.h"
#include "train/trained.h"

namespace headrace::train {

// The loss of a linear model at one row, in doubles: half the squared distance, or -log p with p by
// the logistic function or by softmax. Immutable, thread-safe; pure. The table must outlive it.
class Link {
 public:
  struct Derivatives {
    double first = 0;
    double second = 0;
  };

  Link(const Options& options, const Table& table);

  size_t outputs() const { return objective_ == Objective::kMulticlass ? classes_ : 1; }
  double weight(size_t row) const { return weights_[ClassOf(row)]; }
  double total_weight() const { return total_; }
  // The best constant scores.
  const std::vector<double>& start() const { return start_; }
  // How far apart scores are that differ much.
  double unit() const { return unit_; }

  // With the score of output k being `score` instead of that in the planes; times the row's weight.
  double LossAt(size_t row, size_t k, double score, const Planes& scores) const;
  Derivatives DeriveAt(size_t row, size_t k, const Planes& scores) const;

 private:
  size_t ClassOf(size_t row) const {
    return objective_ == Objective::kRegression ? 0 : static_cast<size_t>(labels_[row]);
  }
  void Weigh(const Options& options);
  // log of the sum of e^score over the outputs but k.
  double LogSumOfOthers(size_t row, size_t k, const Planes& scores) const;

  const std::vector<double>& labels_;
  Objective objective_;
  size_t classes_;
  std::vector<double> weights_;  // by class
  double total_ = 0;
  std::vector<double> start_;
  double unit_ = 1;
};

}  // namespace headrace::train
