#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "learn/classifier.h"
#include "learn/regressor.h"

namespace headrace::learn {

enum class Optimizer : uint8_t { kSgd, kFtrl };

struct LinearOptions {
  Optimizer optimizer = Optimizer::kSgd;
  bool standardize = true;  // features by their running mean and deviation
  double rate = 0.01;       // of gradient descent, or alpha of FTRL
  double intercept_rate = 0.01;
  double l1 = 0;  // of FTRL
  double l2 = 0;
  double beta = 1;  // of FTRL
};

// Means and population variances of features so far; Welford's recurrence, as River's
// StandardScaler. A value that is missing is passed over. Value type.
class Standardizer {
 public:
  explicit Standardizer(size_t features) : moments_(features) {}

  void Learn(Features x);
  // (x - mean) / deviation; 0 for what is missing or has not varied.
  void Transform(Features x, std::vector<double>& z) const;
  double variance(size_t feature) const { return moments_[feature].variance; }
  void Save(base::ByteWriter& writer) const;
  void Load(base::ByteReader& reader);

 private:
  struct Moment {
    double count = 0;
    double mean = 0;
    double variance = 0;
  };
  std::vector<Moment> moments_;
};

// A weighted sum of features and an intercept, moved against a gradient: by stochastic gradient
// descent, or by FTRL-proximal (McMahan et al., "Ad Click Prediction: a View from the Trenches",
// KDD 2013), in River's order of operations. Value type.
class LinearUnit {
 public:
  LinearUnit(size_t features, const LinearOptions& options);

  double Sum(Features z) const;
  // `slope`: of the loss by Sum(z). Beyond 1e12 in size it is cut.
  void Step(Features z, double slope);
  // The unit that gives the opposite.
  LinearUnit Negated() const;
  void Save(base::ByteWriter& writer) const;
  void Load(base::ByteReader& reader);
  const std::vector<double>& weights() const { return weights_; }
  double intercept() const { return intercept_; }

 private:
  void StepFtrl(Features z, double slope);

  LinearOptions options_;
  double intercept_ = 0;
  std::vector<double> weights_;
  std::vector<double> sums_;     // FTRL's z
  std::vector<double> squares_;  // FTRL's n
};

// Logistic regression: of the second of two classes; with more classes one unit each against all
// others, their probabilities scaled to a sum of 1. Log loss. Memory: 40 bytes a feature and class.
class LogisticRegression final : public Classifier {
 public:
  LogisticRegression(size_t features, const LinearOptions& options);

  void Vote(Features x, Votes& votes) const override;
  void Learn(Features x, size_t label, Votes& before) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

 private:
  void VoteOn(Features z, Votes& votes) const;
  // Until there is a unit for the class.
  void MakeUnits(size_t label);

  size_t features_;
  LinearOptions options_;
  Standardizer standardizer_;
  size_t classes_ = 0;
  std::vector<LinearUnit> units_;  // of class 1; from a third class on of each class
};

// Linear regression by squared loss. Memory: 48 bytes a feature.
class LinearRegression final : public Regressor {
 public:
  LinearRegression(size_t features, const LinearOptions& options);

  double Estimate(Features x) const override;
  void Learn(Features x, double label) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

 private:
  size_t features_;
  LinearOptions options_;
  Standardizer standardizer_;
  LinearUnit unit_;
};

}  // namespace headrace::learn
