#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "headrace/result.h"
#include "learn/bandit.h"
#include "learn/draws.h"

namespace headrace::learn {

// A policy as a user declares it. Options are name and value as written: `alpha`, `0.5`.
struct PolicySpec {
  std::string type;
  size_t arms = 0;
  size_t features = 0;
  size_t fallback = 0;  // the arm that is chosen when the policy is stopped
  std::vector<std::pair<std::string, std::string>> options;
};

struct Choice {
  size_t arm = 0;
  double propensity = 1;  // the probability with which just this arm was drawn; never 0
};

// Chooses between arms and learns from what they bring: one of the bandits there are, with an even
// share of the draws for every arm, a budget for exploring and a guardrail around it.
//
// A choice is exploring when another arm is believed to bring more. When more than the
// share explore_budget of all choices were (one an arm is free), the best is chosen until the
// budget allows it again. The guardrail watches a running mean, of rewards or of another metric:
// once it has seen guardrail_window of them and is out of bounds, the policy stops for good and
// always chooses the fallback.
//
// The same specification, choices, rewards and metrics give the same draws and the same saved bytes
// on every machine; random numbers are its own, and part of the state. Confined.
class Policy {
 public:
  static constexpr size_t kArmsMax = 1000;
  static constexpr size_t kFeaturesMax = 256;
  static constexpr double kNumberMax = 1e9;  // of features, rewards and metrics, in size

  // Errors: HR3045 (no such type, or not with, or without, features), HR3046 (too few or too many
  // arms or features), HR3081 (no such option), HR3082 (a value outside its range).
  static Result<std::unique_ptr<Policy>> Make(const PolicySpec& spec);

  Choice Choose(Features x);
  // The probabilities of the next choice, before the budget and the guardrail have their say.
  void Weigh(Features x, std::span<double> shares);
  // Whether Learn takes it: finite, within kNumberMax and, where rewards are shares, from 0 to 1.
  bool Accepts(double reward) const;
  // A reward that Accepts takes, for features as they were given to Choose.
  void Learn(const Lesson& lesson) { bandit_->Learn(lesson); }
  // A finite value of what the guardrail watches.
  void Watch(double metric);

  bool stopped() const { return stopped_; }
  uint64_t choices() const { return choices_; }
  uint64_t explored() const { return explored_; }

  // With a version in front. Load goes into one that was just made from the same specification.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);
  size_t memory() const { return sizeof *this + bandit_->memory(); }

 private:
  Policy() = default;
  size_t Draw();

  std::unique_ptr<Bandit> bandit_;
  size_t fallback_ = 0;
  double epsilon_ = 0;
  double budget_ = 1;
  double least_ = 0;  // of the guardrail
  double most_ = 0;
  double window_ = 1;

  Draws draws_;
  uint64_t choices_ = 0;
  uint64_t explored_ = 0;
  double watched_ = 0;
  double watched_mean_ = 0;
  bool stopped_ = false;
  std::vector<double> shares_, means_;
};

// The types there are, ascending, each once.
std::vector<std::string> PolicyTypes();
// Whether a type can do with features, or without.
bool PolicyTakes(const std::string& type, bool features);

}  // namespace headrace::learn
