#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "learn/learner.h"

namespace headrace::learn {

// Measures a learner while it learns: each example is guessed before its label is learned (Dawid,
// "The Prequential Approach", JRSS A 1984), with a delay that many examples before it is. A guess
// that is not made counts as wrong.
//
// Of classes: accuracy; kappa, the share of what chance leaves that was gained (Cohen, 1960);
// no_change, the accuracy of the label that was known last; kappa_temporal, the same against that
// (Bifet et al., "Pitfalls in Benchmarking Data Stream Classification", ECML PKDD 2013). Of
// numbers: mae, rmse, r2. NaN: it has no meaning for these examples. Confined.
class Prequential {
 public:
  // `learner` answers labels, not probabilities.
  Prequential(std::unique_ptr<Learner> learner, LabelKind label, size_t delay);

  void Add(Features x, const Label& label);
  size_t examples() const { return examples_; }
  std::vector<std::pair<std::string, double>> Measures() const;

 private:
  struct Waiting {
    std::vector<double> x;
    Label label;
    std::string text;  // of the label
  };

  void CompareClass(const std::optional<Label>& guess, const Label& label);
  void CompareNumber(const std::optional<Label>& guess, const Label& label);
  void Teach(Features x, const Label& label);
  std::string NameOf(const Label& label) const;

  std::unique_ptr<Learner> learner_;
  LabelKind label_;
  size_t delay_;
  std::deque<Waiting> waiting_;
  size_t examples_ = 0;
  double right_ = 0;
  double no_change_right_ = 0;
  std::string last_;  // label that was known last
  bool has_last_ = false;
  std::map<std::string, std::pair<double, double>> counts_;  // of a class: guessed, true
  double errors_ = 0;
  double squares_ = 0;
  double mean_ = 0;
  double deviations_ = 0;  // of the labels
};

}  // namespace headrace::learn
