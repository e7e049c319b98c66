#include "train/linear.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "train/design.h"
#include "train/elastic_net.h"
#include "train/linear_trees.h"
#include "train/link.h"
#include "train/loss.h"
#include "train/model_text.h"
#include "train/ordered_sum.h"

namespace headrace::train {
namespace {

constexpr size_t kHalvingsMax = 40;
constexpr double kEnough = 1e-4;  // of the fall that the slope promises (Armijo 1966)

Error NotSettled(const char* what) {
  return Error(ErrorKind::kInvalidArgument, "HR3071",
               std::string("the weights did not settle within ") + what)
      .WithHint(
          "a larger --penalty makes the answer unique; columns that say the same, or that tell "
          "the classes apart without an error, make it slow");
}

// Adds w x x' above the diagonal, and r x to the slope.
void AddRow(const Design::Row& row, const Link::Derivatives& at, Quadratic* sum) {
  const size_t width = row.dense.size();
  for (size_t i = 0; i < width; ++i) {
    const double scaled = at.second * row.dense[i];
    double* cells = sum->row(i);
    for (size_t j = i; j < width; ++j)
      cells[j] += scaled * row.dense[j];
    for (uint32_t one : row.ones)
      cells[one] += scaled;
    sum->slope[i] += at.first * row.dense[i];
  }
  for (size_t a = 0; a < row.ones.size(); ++a) {
    for (size_t b = a; b < row.ones.size(); ++b)
      sum->row(row.ones[a])[row.ones[b]] += at.second;
    sum->slope[row.ones[a]] += at.first;
  }
}

double Times(const Design::Row& row, const std::vector<double>& weights) {
  double sum = 0;
  for (size_t i = 0; i < row.dense.size(); ++i)
    sum += row.dense[i] * weights[i];
  for (uint32_t one : row.ones)
    sum += weights[one];
  return sum;
}

// One fit.
class LinearFit {
 public:
  LinearFit(const Design& design, const Link& link, ElasticNet penalty, os::WorkerTeam& team)
      : design_(design), link_(link), penalty_(std::move(penalty)), team_(team) {
    for (double start : link.start()) {
      weights_.emplace_back(design.columns());
      weights_.back()[0] = start;
      scores_.emplace_back(design.rows(), start);
    }
    way_.resize(design.rows());
  }

  // Error: HR3071.
  Status Run() {
    const double settled = kLinearTolerance * link_.unit();
    for (size_t step = 0; step < kNewtonStepsMax; ++step) {
      double farthest = 0;
      for (size_t k = 0; k < weights_.size(); ++k) {
        HR_ASSIGN(const double moved, Step(k));
        farthest = std::max(farthest, moved);
      }
      farthest = std::max(farthest, Shift());
      if (farthest <= settled) return Ok();
    }
    return NotSettled("1000 steps of Newton's method");
  }

  const std::vector<std::vector<double>>& weights() const { return weights_; }
  const Planes& scores() const { return scores_; }

 private:
  // Moves the weights of one output; says how far the farthest went.
  Result<double> Step(size_t k) {
    const Quadratic quadratic = Derive(k);
    std::vector<double>& at = weights_[k];
    std::vector<double> target;
    if (!Descend(quadratic, at, penalty_, kLinearTolerance * link_.unit() / 10, &target)) {
      return NotSettled("100000 sweeps of coordinate descent");
    }
    double farthest = 0;
    double promised = penalty_.Of(target) - penalty_.Of(at);
    std::vector<double> way(at.size());
    for (size_t j = 0; j < at.size(); ++j) {
      way[j] = target[j] - at[j];
      farthest = std::max(farthest, std::abs(way[j]));
      promised += quadratic.slope[j] * way[j];
    }
    if (farthest == 0) return farthest;
    TakeWay(way);
    const double share = Search(k, way, promised);
    for (size_t j = 0; j < at.size(); ++j)
      at[j] = share == 1 ? target[j] : at[j] + share * way[j];
    for (size_t row = 0; row < way_.size(); ++row)
      scores_[k][row] += share * way_[row];
    return farthest;
  }

  // Takes from all classes what changes no probability; scores keep it, which changes none either.
  // Says how far the weights went.
  double Shift() {
    double farthest = 0;
    if (weights_.size() == 1 || penalty_.l1 + penalty_.l2 == 0) return farthest;
    for (size_t j = 1; j < design_.columns(); ++j) {
      if (penalty_.signs[j] != 0) continue;
      std::vector<double> weights;
      for (const std::vector<double>& of : weights_)
        weights.push_back(of[j]);
      const double shift = BestShift(std::move(weights), penalty_.l1, penalty_.l2);
      for (std::vector<double>& of : weights_)
        of[j] -= shift;
      farthest = std::max(farthest, std::abs(shift));
    }
    return farthest;
  }

  Quadratic Derive(size_t k) const {
    const size_t size = design_.columns();
    Quadratic sum(size);
    SumInOrder(
        design_.rows(), team_, Quadratic(size),
        [&](size_t begin, size_t end, Quadratic* part) {
          design_.ForRows(begin, end, [&](size_t row, const Design::Row& values) {
            AddRow(values, link_.DeriveAt(row, k, scores_), part);
          });
        },
        [&](const Quadratic& part) {
          for (size_t i = 0; i < sum.curvature.size(); ++i)
            sum.curvature[i] += part.curvature[i];
          for (size_t i = 0; i < size; ++i)
            sum.slope[i] += part.slope[i];
        });
    for (size_t i = 0; i < size; ++i) {
      sum.slope[i] /= link_.total_weight();
      for (size_t j = i; j < size; ++j)
        sum.row(j)[i] = sum.row(i)[j] /= link_.total_weight();
    }
    return sum;
  }

  void TakeWay(const std::vector<double>& way) {
    const size_t pieces = (design_.rows() + kSumPieceRows - 1) / kSumPieceRows;
    team_.Run(pieces, [&](size_t piece, size_t) {
      const size_t begin = piece * kSumPieceRows;
      design_.ForRows(
          begin, std::min(design_.rows(), begin + kSumPieceRows),
          [&](size_t row, const Design::Row& values) { way_[row] = Times(values, way); });
    });
  }

  // Mean loss with the scores of output k moved by a share of the way.
  double MeanLoss(size_t k, double share) const {
    double sum = 0;
    SumInOrder(
        design_.rows(), team_, 0.0,
        [&](size_t begin, size_t end, double* part) {
          for (size_t row = begin; row < end; ++row) {
            const double score = scores_[k][row] + share * way_[row];
            *part += link_.LossAt(row, k, score, scores_);
          }
        },
        [&](double part) { sum += part; });
    return sum / link_.total_weight();
  }

  // The first of 1, 1/2, 1/4 ... of the way on which the loss falls enough; where rounding hides
  // the fall, all of it.
  double Search(size_t k, const std::vector<double>& way, double promised) const {
    const auto total = [&](double share) {
      std::vector<double> moved = weights_[k];
      for (size_t j = 0; j < moved.size(); ++j)
        moved[j] += share * way[j];
      return MeanLoss(k, share) + penalty_.Of(moved);
    };
    const double before = total(0);
    const double rounding = 1e-12 * std::abs(before);
    double share = 1;
    for (size_t halving = 0; halving < kHalvingsMax; ++halving, share /= 2) {
      if (total(share) <= before + kEnough * share * promised + rounding) return share;
    }
    return share;
  }

  const Design& design_;
  const Link& link_;
  ElasticNet penalty_;
  os::WorkerTeam& team_;
  std::vector<std::vector<double>> weights_;  // by output
  Planes scores_;
  std::vector<double> way_;  // of each row's score
};

ElasticNet PenaltyOf(const Options& options, const Table& table, const Design& design) {
  ElasticNet penalty;
  penalty.l1 = options.penalty * options.l1_share;
  penalty.l2 = options.penalty * (1 - options.l1_share);
  penalty.signs.resize(design.columns());
  for (size_t i = 0; i < design.numbers().size(); ++i)
    penalty.signs[i + 1] = table.columns[design.numbers()[i].column].monotone;
  return penalty;
}

}  // namespace

Result<Trained> TrainLinear(Table table, const Table* validation, const Options& options) {
  os::WorkerTeam team(options.threads);
  HR_ASSIGN(const Design design, Design::Make(&table, options.seed));
  const Link link(options, table);
  const std::unique_ptr<Loss> loss = Loss::Make(options, table);
  LinearFit fit(design, link, PenaltyOf(options, table, design), team);
  HR_TRY(fit.Run());
  const std::vector<Tree> trees = LinearTrees(design, fit.weights());
  Trained trained;
  trained.rounds = trees.size() / link.outputs();
  trained.loss = loss->Mean(table.labels, fit.scores());
  if (validation != nullptr) {
    const Planes scores = SumOfTrees(trees, link.outputs(), *validation);
    trained.validation_loss = loss->Mean(validation->labels, scores);
  }
  trained.text = ModelText({.table = table,
                            .bins = design.bins(),
                            .trees = trees,
                            .outputs = link.outputs(),
                            .objective = loss->Text(),
                            .options = options,
                            .whole_trees = true});
  return trained;
}

}  // namespace headrace::train
