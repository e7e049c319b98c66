#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "learn/bandit.h"
#include "learn/best_arm.h"

namespace headrace::learn {

// Bandits whose arms have no features: of each arm how many rewards came, and their sum.
//
// epsilon_greedy: the arm with the best mean, or one of several. ucb1: the best upper bound, mean +
// alpha * sqrt(ln t / n); Auer, Cesa-Bianchi and Fischer, Machine Learning 2002. thompson: rewards
// of 0 to 1, Beta(1
// + rewards, 1 + what is missing to 1) for each arm; gaussian_thompson: any rewards, Normal(sum /
// (n + 1), noise^2 / (n + 1)); Agrawal and Goyal, AISTATS 2013: an arm is drawn with the
// probability that it is the best (best_arm.h). An arm that was never chosen comes first in the
// first two.
//
// With a discount below 1 each reward makes the counts of all arms smaller first (Garivier and
// Moulines, "On Upper-Confidence Bound Policies for Switching Bandit Problems", ALT 2011).
class ArmCounts final : public Bandit {
 public:
  enum class Rule : uint8_t { kGreedy, kUcb1, kBeta, kNormal };
  struct Options {
    Rule rule = Rule::kGreedy;
    double alpha = 1.41421356237309504880;  // of kUcb1
    double noise = 1;                       // of kNormal: the deviation of a reward
    double discount = 1;
  };

  ArmCounts(size_t arms, const Options& options) : options_(options), arms_(arms) {}

  void Weigh(Features x, std::span<double> shares, std::span<double> means) override;
  void Chosen(size_t arm) override { ++arms_[arm].chosen; }
  bool Accepts(double reward) const override;
  void Learn(const Lesson& lesson) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override { return sizeof *this + arms_.size() * (sizeof(Arm) + 64); }

 private:
  struct Arm {
    uint64_t chosen = 0;
    double rewards = 0;  // how many, less what was discounted
    double sum = 0;

    double mean() const { return rewards > 0 ? sum / rewards : 0; }
  };
  void Sample(std::span<double> shares);
  size_t BestBound() const;

  Options options_;
  std::vector<Arm> arms_;
  // What Sample gave, until the next reward: derived, no part of the state.
  std::vector<double> sampled_;
  BestArm best_;
  std::vector<double> first_, second_;
};

// EXP3: rewards of 0 to 1 from an adversary. Weights grow by exp(gamma * reward / (propensity *
// arms)); the share gamma of the draws goes evenly to all arms. Auer, Cesa-Bianchi, Freund and
// Schapire, SIAM Journal on Computing 2002. A discount below 1 draws the logarithms of the weights
// together before each reward.
class Exp3 final : public Bandit {
 public:
  // `gamma`: above 0, at most 1. The even share is the caller's to add.
  Exp3(size_t arms, double gamma, double discount)
      : gamma_(gamma), discount_(discount), logs_(arms) {}

  void Weigh(Features x, std::span<double> shares, std::span<double> means) override;
  void Chosen(size_t) override {}
  bool Accepts(double reward) const override { return reward >= 0 && reward <= 1; }
  void Learn(const Lesson& lesson) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override { return sizeof *this + logs_.size() * sizeof(double); }

 private:
  double gamma_;
  double discount_;
  std::vector<double> logs_;  // of the weights; the greatest is 0
};

// Puts the one arm in.
void ShareAll(size_t arm, std::span<double> shares);
// Evenly to all whose mean is the greatest.
void ShareAmongBest(std::span<const double> means, std::span<double> shares);
// The place of the greatest, of several the first.
size_t Greatest(std::span<const double> values);

}  // namespace headrace::learn
