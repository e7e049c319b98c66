#pragma once

#include <cstddef>
#include <span>

namespace headrace::train {

// What a model's answers are measured against. A view; no weights means that every row weighs 1.
struct Answers {
  std::span<const double> labels;       // 0 or 1, or a number, or a class from 0
  std::span<const double> predictions;  // one a row; of several classes: a row of `classes`
  std::span<const double> weights;
  size_t classes = 1;

  size_t rows() const { return labels.size(); }
  double weight(size_t row) const { return weights.empty() ? 1 : weights[row]; }
};

// All are pure, add up in the order of the rows, and equal scikit-learn's function of that meaning
// (metrics_test.cc). NaN where the measure has no meaning: no rows, one class only.

// Of labels 0 and 1.

// Area under the receiver operating characteristic; equal scores count half (Fawcett 2006).
double RocAuc(const Answers& answers);
// Average precision: the sum over thresholds of precision times the gain in recall.
double AveragePrecision(const Answers& answers);
// Mean negative log likelihood; probabilities are kept 2^-52 away from 0 and 1.
double LogLoss(const Answers& answers);
// Mean squared distance of probability and label (Brier 1950).
double BrierScore(const Answers& answers);
// Expected calibration error over ten bins of equal width, each by its share of the rows
// (Naeini, Cooper, Hauskrecht 2015).
double CalibrationError(const Answers& answers);
// The largest distance of the two classes' distributions of scores (Kolmogorov and Smirnov).
double KolmogorovSmirnov(const Answers& answers);
// Share of the rows where (prediction is at least 0.5) is the label.
double BinaryAccuracy(const Answers& answers);

// Of labels that are numbers.
double RootMeanSquaredError(const Answers& answers);
double MeanAbsoluteError(const Answers& answers);
double R2(const Answers& answers);  // NaN when all labels are equal
// The mean of the loss whose least is at a quantile (Koenker and Bassett 1978).
double PinballLoss(const Answers& answers, double quantile);

// Of labels 0 .. classes-1 and a row of probabilities each.
double ClassLogLoss(const Answers& answers);
double ClassAccuracy(
    const Answers& answers);  // the first of the largest; one value a row: the class
// Mean over the classes of RocAuc of that class against the rest.
double ClassRocAuc(const Answers& answers);

}  // namespace headrace::train
