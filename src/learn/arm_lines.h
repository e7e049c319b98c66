#pragma once

#include <cstdint>
#include <vector>

#include "learn/bandit.h"
#include "learn/best_arm.h"

namespace headrace::learn {

// Bandits whose arms each believe in a line: reward = theta . x, by ridge regression over what the
// arm brought, with x as given and, if asked, a constant 1 behind it.
//
// epsilon_greedy: the arm with the best estimate. linucb: the best upper bound, estimate + alpha *
// sqrt(x' A^-1 x); Li, Chu, Langford and Schapire, "A Contextual-Bandit Approach to Personalized
// News Article Recommendation", WWW 2010, disjoint. linear_thompson: an arm is drawn with the
// probability that it is the best when theta is Normal(estimate, alpha^2 A^-1); Agrawal and Goyal,
// "Thompson Sampling for Contextual Bandits with Linear Payoffs", ICML 2013.
//
// A^-1 is kept up to date by Sherman and Morrison's formula and computed anew from the sums every
// kRefresh rewards, which is also when a discount below 1 makes the sums of all arms smaller: by
// discount^kRefresh (as Russac, Vernade and Cappé, NeurIPS 2019, do at each). Memory: 20 bytes for
// each arm and pair of features, at most kCellsMax pairs.
class ArmLines final : public Bandit {
 public:
  static constexpr size_t kCellsMax = 1 << 21;
  static constexpr uint64_t kRefresh = 64;
  enum class Rule : uint8_t { kGreedy, kUpperBound, kNormal };
  struct Options {
    Rule rule = Rule::kUpperBound;
    double alpha = 1;
    double lambda = 1;  // the ridge
    bool intercept = true;
    double discount = 1;
  };

  ArmLines(size_t arms, size_t features, const Options& options);
  // Pairs of features that it would keep.
  static size_t Cells(size_t arms, size_t features) {
    return arms * (features + 1) * (features + 1);
  }

  void Weigh(Features x, std::span<double> shares, std::span<double> means) override;
  void Chosen(size_t arm) override { ++chosen_[arm]; }
  bool Accepts(double) const override { return true; }
  void Learn(const Lesson& lesson) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

  // What the arm is believed to bring, and the deviation sqrt(x' A^-1 x).
  void Judge(Features x, size_t arm, double* mean, double* deviation);

 private:
  void Extend(Features x);
  // x' A^-1 x.
  double Quadratic(size_t arm) const;
  // Brings packed_ to what the arm's A^-1 is.
  void Pack(size_t arm);
  size_t packed_size() const { return size_ * (size_ + 1) / 2; }
  // Every kRefresh rewards, of which the newest is this arm's: forgets, refreshes.
  void Renew(size_t arm);
  // A^-1 and theta of the arm from its sums.
  void Refresh(size_t arm);

  Options options_;
  size_t arms_;
  size_t size_;  // of x with its constant
  uint64_t learned_ = 0;
  std::vector<uint64_t> chosen_;
  // By arm: sums of x x' and of reward x; A^-1, which is (lambda I + sums)^-1; theta.
  std::vector<double> squares_, products_, inverses_, thetas_;
  // Derived: the upper half of A^-1, line by line, what is off the diagonal twice, and the products
  // of two features in that order: x' A^-1 x is one sum of products.
  std::vector<double> packed_, pairs_;
  std::vector<double> x_, v_, deviations_, bounds_, factor_;
  BestArm best_;
};

}  // namespace headrace::learn
