#include "train/loss.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/portable_math.h"
#include "headrace/check.h"

namespace headrace::train {
namespace {

using base::Exp;
using base::Log;
using base::Sigmoid;

constexpr size_t kPieceRows = 16'384;
constexpr double kProbabilityMin = 1e-15;

// Runs `rows(begin, end)` over pieces that do not depend on the number of threads.
template <typename Rows>
void ForRows(size_t count, os::WorkerTeam& team, const Rows& rows) {
  team.Run((count + kPieceRows - 1) / kPieceRows, [&](size_t piece, size_t) {
    rows(piece * kPieceRows, std::min(count, (piece + 1) * kPieceRows));
  });
}

// The largest power of two that leaves |x| <= `largest` within `bits` bits.
double ScaleFor(double largest, int bits) {
  if (!(largest > 0)) return 1;
  int exponent = 0;
  std::frexp(largest, &exponent);  // largest < 2^exponent
  return std::ldexp(1.0, std::clamp(bits - exponent, -1000, 1000));
}

// To the nearest whole number, of two the even one; |x| < 2^31.
int32_t Round(double x) {
  constexpr double kRounder = 6755399441055744.0;  // 1.5 * 2^52
  return static_cast<int32_t>(std::bit_cast<int64_t>(x + kRounder));
}

// Scales for derivatives that are at most so large. A count of the rows lies below the sum of
// second derivatives in 63 bits, which leaves these fewer bits when there are more rows.
GradientScale ScalesFor(double first, double second, size_t rows) {
  GradientScale scale;
  scale.count_bits = static_cast<unsigned>(std::bit_width(rows));
  scale.first = ScaleFor(first, kGradientBits);
  const int left = 62 - 2 * static_cast<int>(scale.count_bits);
  scale.second = ScaleFor(second, std::min(kGradientBits, left));
  return scale;
}

double LogisticLoss(double probability) {
  return -Log(std::clamp(probability, kProbabilityMin, 1.0));
}

// -log p of labels 0 and 1, p = 1 / (1 + e^-score).
class BinaryLoss final : public Loss {
 public:
  BinaryLoss(const Options& options, const Table& table) : labels_(table.labels) {
    double rows[2] = {0, 0};
    for (double label : labels_)
      ++rows[label > 0.5 ? 1 : 0];
    weight_[1] = options.positive_weight;
    if (options.balanced) {
      for (int k : {0, 1})
        weight_[k] = (rows[0] + rows[1]) / (2 * rows[k]);
    }
    const double positive = rows[1] * weight_[1];
    start_ = Log(positive / (rows[0] * weight_[0]));
  }

  std::vector<double> Start() const override { return {start_}; }
  std::string Text() const override { return "binary sigmoid:1"; }

  double ConstantFor(size_t, std::span<const uint32_t> rows) const override {
    const double share = Sigmoid(start_);
    double weight[2] = {1 - share, share};
    for (uint32_t row : rows)
      weight[labels_[row] > 0.5 ? 1 : 0] += weight_[labels_[row] > 0.5 ? 1 : 0];
    return Log(weight[1] / weight[0]);
  }

  GradientScale Derive(const Planes& scores, os::WorkerTeam& team,
                       GradientPlanes* gradients) const override {
    const double heaviest = std::max(weight_[0], weight_[1]);
    const GradientScale scale = ScalesFor(heaviest, heaviest / 4, labels_.size());
    ForRows(labels_.size(), team, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        const double p = Sigmoid(scores[0][row]);
        const double label = labels_[row];
        const double weight = weight_[label > 0.5 ? 1 : 0];
        (*gradients)[0][row] = {Round((p - label) * weight * scale.first),
                                Round(p * (1 - p) * weight * scale.second)};
      }
    });
    return scale;
  }

  double Mean(std::span<const double> labels, const Planes& scores) const override {
    double sum = 0;
    double weights = 0;
    for (size_t row = 0; row < labels.size(); ++row) {
      const bool positive = labels[row] > 0.5;
      const double score = scores[0][row];
      sum += weight_[positive ? 1 : 0] * LogisticLoss(Sigmoid(positive ? score : -score));
      weights += weight_[positive ? 1 : 0];
    }
    return sum / weights;
  }

 private:
  const std::vector<double>& labels_;
  double weight_[2] = {1, 1};
  double start_ = 0;
};

// Half the squared distance.
class SquaredLoss final : public Loss {
 public:
  explicit SquaredLoss(const Table& table) : labels_(table.labels) {
    double sum = 0;
    for (double label : labels_)
      sum += label;
    start_ = sum / static_cast<double>(labels_.size());
  }

  std::vector<double> Start() const override { return {start_}; }
  std::string Text() const override { return "regression"; }

  double ConstantFor(size_t, std::span<const uint32_t> rows) const override {
    double sum = 0;
    for (uint32_t row : rows)
      sum += labels_[row];
    return sum / static_cast<double>(rows.size());
  }

  GradientScale Derive(const Planes& scores, os::WorkerTeam& team,
                       GradientPlanes* gradients) const override {
    std::vector<double> largest((labels_.size() + kPieceRows - 1) / kPieceRows);
    ForRows(labels_.size(), team, [&](size_t begin, size_t end) {
      double most = 0;
      for (size_t row = begin; row < end; ++row)
        most = std::max(most, std::abs(scores[0][row] - labels_[row]));
      largest[begin / kPieceRows] = most;
    });
    const double most = *std::max_element(largest.begin(), largest.end());
    GradientScale scale = ScalesFor(most, 1, labels_.size());
    scale.second = 1;
    ForRows(labels_.size(), team, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row)
        (*gradients)[0][row] = {Round((scores[0][row] - labels_[row]) * scale.first), 1};
    });
    return scale;
  }

  double Mean(std::span<const double> labels, const Planes& scores) const override {
    double sum = 0;
    for (size_t row = 0; row < labels.size(); ++row) {
      const double distance = scores[0][row] - labels[row];
      sum += distance * distance;
    }
    return sum / static_cast<double>(labels.size());
  }

 private:
  const std::vector<double>& labels_;
  double start_ = 0;
};

// The loss whose least mean is at a quantile (Koenker and Bassett 1978).
class QuantileLoss final : public Loss {
 public:
  QuantileLoss(const Options& options, const Table& table)
      : labels_(table.labels), quantile_(options.quantile), start_(QuantileOf(labels_)) {}

  std::vector<double> Start() const override { return {start_}; }
  std::string Text() const override { return "quantile"; }

  double ConstantFor(size_t, std::span<const uint32_t> rows) const override {
    std::vector<double> values;
    for (uint32_t row : rows)
      values.push_back(labels_[row]);
    return QuantileOf(std::move(values));
  }

  GradientScale Derive(const Planes& scores, os::WorkerTeam& team,
                       GradientPlanes* gradients) const override {
    GradientScale scale = ScalesFor(1, 1, labels_.size());
    scale.second = 1;
    const Gradient above = {Round((1 - quantile_) * scale.first), 1};
    const Gradient below = {Round(-quantile_ * scale.first), 1};
    ForRows(labels_.size(), team, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row)
        (*gradients)[0][row] = scores[0][row] > labels_[row] ? above : below;
    });
    return scale;
  }

  double Mean(std::span<const double> labels, const Planes& scores) const override {
    double sum = 0;
    for (size_t row = 0; row < labels.size(); ++row) {
      const double under = labels[row] - scores[0][row];
      sum += under * (under > 0 ? quantile_ : quantile_ - 1);
    }
    return sum / static_cast<double>(labels.size());
  }

  double LeafValue(std::span<const uint32_t> rows, const Planes& scores) const override {
    std::vector<double> under;
    under.reserve(rows.size());
    for (uint32_t row : rows)
      under.push_back(labels_[row] - scores[0][row]);
    return QuantileOf(std::move(under));
  }

 private:
  // Between the two values next to it, in proportion.
  double QuantileOf(std::vector<double> values) const {
    const double place = quantile_ * static_cast<double>(values.size() - 1);
    const auto at = static_cast<size_t>(place);
    const auto low = values.begin() + static_cast<int64_t>(at);
    std::nth_element(values.begin(), low, values.end());
    if (at + 1 == values.size()) return *low;
    const double high = *std::min_element(low + 1, values.end());
    return *low + (high - *low) * (place - static_cast<double>(at));
  }

  const std::vector<double>& labels_;
  double quantile_;
  double start_;
};

// -log p of the class, p by softmax over the outputs.
class ClassLoss final : public Loss {
 public:
  ClassLoss(const Options& options, const Table& table)
      : labels_(table.labels), classes_(table.classes), weight_(classes_, 1.0) {
    std::vector<double> rows(classes_);
    for (double label : labels_)
      ++rows[static_cast<size_t>(label)];
    const auto all = static_cast<double>(labels_.size());
    double total = 0;
    for (size_t k = 0; k < classes_; ++k) {
      if (options.balanced && rows[k] > 0) {
        weight_[k] = all / (static_cast<double>(classes_) * rows[k]);
      }
      total += rows[k] * weight_[k];
    }
    for (size_t k = 0; k < classes_; ++k)
      start_.push_back(Log(std::max(rows[k] * weight_[k] / total, kProbabilityMin)));
  }

  size_t outputs() const override { return classes_; }
  std::vector<double> Start() const override { return start_; }
  std::string Text() const override { return "multiclass num_class:" + std::to_string(classes_); }

  double ConstantFor(size_t output, std::span<const uint32_t> rows) const override {
    double weight = Exp(start_[output]);
    double all = 1;
    for (uint32_t row : rows) {
      const auto label = static_cast<size_t>(labels_[row]);
      all += weight_[label];
      if (label == output) weight += weight_[label];
    }
    return Log(weight / all);
  }

  GradientScale Derive(const Planes& scores, os::WorkerTeam& team,
                       GradientPlanes* gradients) const override {
    const double heaviest = *std::max_element(weight_.begin(), weight_.end());
    // The diagonal of the second derivatives is too small a bound; this makes up for it.
    const double factor = static_cast<double>(classes_) / static_cast<double>(classes_ - 1);
    const GradientScale scale = ScalesFor(heaviest, heaviest * factor / 4, labels_.size());
    ForRows(labels_.size(), team, [&](size_t begin, size_t end) {
      std::vector<double> p(classes_);
      for (size_t row = begin; row < end; ++row) {
        Probabilities(scores, row, &p);
        const auto label = static_cast<size_t>(labels_[row]);
        const double weight = weight_[label];
        for (size_t k = 0; k < classes_; ++k) {
          const double first = p[k] - (k == label ? 1 : 0);
          (*gradients)[k][row] = {Round(first * weight * scale.first),
                                  Round(p[k] * (1 - p[k]) * factor * weight * scale.second)};
        }
      }
    });
    return scale;
  }

  double Mean(std::span<const double> labels, const Planes& scores) const override {
    double sum = 0;
    double weights = 0;
    std::vector<double> p(classes_);
    for (size_t row = 0; row < labels.size(); ++row) {
      Probabilities(scores, row, &p);
      const auto label = static_cast<size_t>(labels[row]);
      sum += weight_[label] * LogisticLoss(p[label]);
      weights += weight_[label];
    }
    return sum / weights;
  }

 private:
  void Probabilities(const Planes& scores, size_t row, std::vector<double>* p) const {
    double largest = scores[0][row];
    for (size_t k = 1; k < classes_; ++k)
      largest = std::max(largest, scores[k][row]);
    double sum = 0;
    for (size_t k = 0; k < classes_; ++k)
      sum += (*p)[k] = Exp(scores[k][row] - largest);
    for (double& probability : *p)
      probability /= sum;
  }

  const std::vector<double>& labels_;
  size_t classes_;
  std::vector<double> weight_;
  std::vector<double> start_;
};

}  // namespace

double Loss::LeafValue(std::span<const uint32_t>, const Planes&) const {
  return std::numeric_limits<double>::quiet_NaN();
}

std::unique_ptr<Loss> Loss::Make(const Options& options, const Table& table) {
  switch (options.objective) {
    case Objective::kBinary:
      return std::make_unique<BinaryLoss>(options, table);
    case Objective::kRegression:
      return std::make_unique<SquaredLoss>(table);
    case Objective::kQuantile:
      return std::make_unique<QuantileLoss>(options, table);
    case Objective::kMulticlass:
      return std::make_unique<ClassLoss>(options, table);
  }
  HR_CHECK(false);
  return nullptr;
}

}  // namespace headrace::train
