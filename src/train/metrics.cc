#include "train/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace headrace::train {
namespace {

constexpr double kNoMeaning = std::numeric_limits<double>::quiet_NaN();
constexpr double kProbabilityMin = std::numeric_limits<double>::epsilon();
constexpr size_t kCalibrationBins = 10;

// Weights of both classes among the rows with at least some score.
struct Counts {
  double positive = 0;
  double negative = 0;
};

// The counts at every distinct score, from the highest down.
std::vector<Counts> CountsByThreshold(const Answers& answers) {
  std::vector<size_t> order(answers.rows());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto& scores = answers.predictions;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  std::vector<Counts> counts;
  Counts sum;
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t row = order[i];
    (answers.labels[row] > 0.5 ? sum.positive : sum.negative) += answers.weight(row);
    if (i + 1 == order.size() || scores[order[i + 1]] != scores[row]) counts.push_back(sum);
  }
  return counts;
}

bool HasBothClasses(const std::vector<Counts>& counts) {
  return !counts.empty() && counts.back().positive > 0 && counts.back().negative > 0;
}

template <typename Loss>
double WeightedMean(const Answers& answers, Loss loss) {
  double sum = 0;
  double weights = 0;
  for (size_t row = 0; row < answers.rows(); ++row) {
    sum += answers.weight(row) * loss(row);
    weights += answers.weight(row);
  }
  return weights > 0 ? sum / weights : kNoMeaning;
}

double Clipped(double probability) {
  return std::clamp(probability, kProbabilityMin, 1 - kProbabilityMin);
}

std::span<const double> RowOf(const Answers& answers, size_t row) {
  return answers.predictions.subspan(row * answers.classes, answers.classes);
}

}  // namespace

double RocAuc(const Answers& answers) {
  const std::vector<Counts> counts = CountsByThreshold(answers);
  if (!HasBothClasses(counts)) return kNoMeaning;
  double area = 0;
  Counts last;
  for (const Counts& at : counts) {
    area += (at.negative - last.negative) * (at.positive + last.positive) / 2;
    last = at;
  }
  return area / (last.positive * last.negative);
}

double AveragePrecision(const Answers& answers) {
  const std::vector<Counts> counts = CountsByThreshold(answers);
  if (counts.empty() || counts.back().positive <= 0) return kNoMeaning;
  double sum = 0;
  double last = 0;
  for (const Counts& at : counts) {
    const double chosen = at.positive + at.negative;
    if (chosen > 0) sum += (at.positive - last) * at.positive / chosen;
    last = at.positive;
  }
  return sum / last;
}

double LogLoss(const Answers& answers) {
  return WeightedMean(answers, [&](size_t row) {
    const double p = Clipped(answers.predictions[row]);
    return answers.labels[row] > 0.5 ? -std::log(p) : -std::log1p(-p);
  });
}

double BrierScore(const Answers& answers) {
  return WeightedMean(answers, [&](size_t row) {
    const double distance = answers.predictions[row] - answers.labels[row];
    return distance * distance;
  });
}

double CalibrationError(const Answers& answers) {
  if (answers.rows() == 0) return kNoMeaning;
  double surplus[kCalibrationBins] = {};  // predicted less observed
  for (size_t row = 0; row < answers.rows(); ++row) {
    const double place = std::floor(answers.predictions[row] * double{kCalibrationBins});
    const double bin = std::clamp(place, 0.0, double{kCalibrationBins - 1});
    surplus[static_cast<size_t>(bin)] += answers.predictions[row] - answers.labels[row];
  }
  double sum = 0;
  for (double bin : surplus)
    sum += std::abs(bin);
  return sum / static_cast<double>(answers.rows());
}

double KolmogorovSmirnov(const Answers& answers) {
  const std::vector<Counts> counts = CountsByThreshold(answers);
  if (!HasBothClasses(counts)) return kNoMeaning;
  double largest = 0;
  for (const Counts& at : counts) {
    const double distance =
        at.positive / counts.back().positive - at.negative / counts.back().negative;
    largest = std::max(largest, std::abs(distance));
  }
  return largest;
}

double BinaryAccuracy(const Answers& answers) {
  return WeightedMean(answers, [&](size_t row) {
    return (answers.predictions[row] >= 0.5) == (answers.labels[row] > 0.5) ? 1.0 : 0.0;
  });
}

double RootMeanSquaredError(const Answers& answers) {
  return std::sqrt(BrierScore(answers));
}

double MeanAbsoluteError(const Answers& answers) {
  return WeightedMean(answers, [&](size_t row) {
    return std::abs(answers.predictions[row] - answers.labels[row]);
  });
}

double R2(const Answers& answers) {
  const double mean = WeightedMean(answers, [&](size_t row) { return answers.labels[row]; });
  const double variance = WeightedMean(answers, [&](size_t row) {
    const double distance = answers.labels[row] - mean;
    return distance * distance;
  });
  return variance > 0 ? 1 - BrierScore(answers) / variance : kNoMeaning;
}

double PinballLoss(const Answers& answers, double quantile) {
  return WeightedMean(answers, [&](size_t row) {
    const double under = answers.labels[row] - answers.predictions[row];
    return under * (under > 0 ? quantile : quantile - 1);
  });
}

double ClassLogLoss(const Answers& answers) {
  return WeightedMean(answers, [&](size_t row) {
    return -std::log(Clipped(RowOf(answers, row)[static_cast<size_t>(answers.labels[row])]));
  });
}

double ClassAccuracy(const Answers& answers) {
  return WeightedMean(answers, [&](size_t row) {
    const std::span<const double> scores = RowOf(answers, row);
    const auto chosen =
        answers.classes == 1
            ? scores[0]
            : static_cast<double>(std::max_element(scores.begin(), scores.end()) - scores.begin());
    return chosen == answers.labels[row] ? 1.0 : 0.0;
  });
}

double ClassRocAuc(const Answers& answers) {
  std::vector<double> labels(answers.rows());
  std::vector<double> scores(answers.rows());
  double sum = 0;
  for (size_t k = 0; k < answers.classes; ++k) {
    for (size_t row = 0; row < answers.rows(); ++row) {
      labels[row] = answers.labels[row] == static_cast<double>(k) ? 1 : 0;
      scores[row] = RowOf(answers, row)[k];
    }
    sum += RocAuc({labels, scores, answers.weights});
  }
  return sum / static_cast<double>(answers.classes);
}

}  // namespace headrace::train
