#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "learn/classifier.h"
#include "learn/learner_options.h"

namespace headrace::learn {

// What a choice taught: the arm, the features it was chosen for, what it brought.
struct Lesson {
  size_t arm = 0;
  Features x;
  double reward = 0;
  double propensity = 1;  // the probability with which the arm was drawn
};

// What is known of the arms of a policy, and how the next is to be drawn. A bandit says with which
// probability each arm is to be drawn and draws none itself, so that this probability is exact: it
// is what is logged, whatever the algorithm. Confined.
class Bandit {
 public:
  virtual ~Bandit() = default;
  // For features `x`: the probability of each arm, which sum up to 1, and the reward that each is
  // believed to bring. Both have one place an arm.
  virtual void Weigh(Features x, std::span<double> shares, std::span<double> means) = 0;
  // The arm was drawn; what it brings is not known yet.
  virtual void Chosen(size_t arm) = 0;
  // Whether a reward can be learned. Features and rewards are finite and not beyond 1e9 in size.
  virtual bool Accepts(double reward) const = 0;
  virtual void Learn(const Lesson& lesson) = 0;
  virtual void Save(base::ByteWriter& writer) const = 0;
  // Into a bandit that was just made. False when the bytes are damaged: it is then thrown away.
  virtual bool Load(base::ByteReader& reader) = 0;
  virtual size_t memory() const = 0;
};

// A kind of bandit: its name, its own options, and how it is made.
struct BanditKind {
  std::string_view name;
  bool linear = false;  // it looks at features; others have none
  double epsilon = 0;   // share of the draws that go evenly to all arms, when not given
  std::vector<OptionRule> options;
  std::unique_ptr<Bandit> (*make)(size_t arms, size_t features, const OptionValues& options);
};

// Ascending by name; a name may stand twice, once for each `linear`.
const std::vector<BanditKind>& BanditKinds();

}  // namespace headrace::learn
