#include "train/link.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/portable_math.h"

namespace headrace::train {
namespace {

using base::Exp;
using base::Log;
using base::Sigmoid;

// log(1 + e^x) without overflow.
double SoftPlus(double x) {
  return x > 0 ? x + Log(1 + Exp(-x)) : Log(1 + Exp(x));
}

}  // namespace

Link::Link(const Options& options, const Table& table)
    : labels_(table.labels), objective_(options.objective), classes_(table.classes) {
  if (objective_ == Objective::kBinary) classes_ = 2;
  if (objective_ == Objective::kRegression) classes_ = 1;
  weights_.assign(classes_, 1.0);
  Weigh(options);
}

void Link::Weigh(const Options& options) {
  const auto all = static_cast<double>(labels_.size());
  std::vector<double> rows(classes_);
  for (size_t row = 0; row < labels_.size(); ++row)
    ++rows[ClassOf(row)];
  for (size_t k = 0; k < classes_; ++k) {
    if (options.balanced && rows[k] > 0)
      weights_[k] = all / (static_cast<double>(classes_) * rows[k]);
    if (objective_ == Objective::kBinary && k == 1) weights_[k] *= options.positive_weight;
    total_ += weights_[k] * rows[k];
  }
  if (objective_ == Objective::kBinary) {
    start_ = {Log(weights_[1] * rows[1] / (weights_[0] * rows[0]))};
  } else if (objective_ == Objective::kMulticlass) {
    for (size_t k = 0; k < classes_; ++k)
      start_.push_back(Log(std::max(weights_[k] * rows[k] / total_, 1e-15)));
  } else {
    double sum = 0;
    for (double label : labels_)
      sum += label;
    const double mean = sum / all;
    double squares = 0;
    for (double label : labels_)
      squares += (label - mean) * (label - mean);
    start_ = {mean};
    unit_ = squares > 0 ? std::sqrt(squares / all) : 1;
  }
}

double Link::LogSumOfOthers(size_t row, size_t k, const Planes& scores) const {
  double largest = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < scores.size(); ++i)
    if (i != k) largest = std::max(largest, scores[i][row]);
  double sum = 0;
  for (size_t i = 0; i < scores.size(); ++i)
    if (i != k) sum += Exp(scores[i][row] - largest);
  return largest + Log(sum);
}

double Link::LossAt(size_t row, size_t k, double score, const Planes& scores) const {
  const double label = labels_[row];
  switch (objective_) {
    case Objective::kBinary:
      return weight(row) * SoftPlus(label > 0.5 ? -score : score);
    case Objective::kMulticlass: {
      const auto correct = static_cast<size_t>(label);
      const double others = LogSumOfOthers(row, k, scores);
      const double all = std::max(others, score) + SoftPlus(-std::abs(others - score));
      return weight(row) * (all - (correct == k ? score : scores[correct][row]));
    }
    default:
      return (score - label) * (score - label) / 2;
  }
}

Link::Derivatives Link::DeriveAt(size_t row, size_t k, const Planes& scores) const {
  const double label = labels_[row];
  const double score = scores[k][row];
  if (objective_ == Objective::kRegression) return {score - label, 1};
  const bool several = objective_ == Objective::kMulticlass;
  const double p = Sigmoid(several ? score - LogSumOfOthers(row, k, scores) : score);
  const bool correct = several ? static_cast<size_t>(label) == k : label > 0.5;
  return {weight(row) * (p - (correct ? 1 : 0)), weight(row) * p * (1 - p)};
}

}  // namespace headrace::train
