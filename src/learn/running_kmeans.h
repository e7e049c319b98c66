#pragma once

#include <cstdint>
#include <vector>

#include "learn/draws.h"
#include "learn/linear.h"
#include "learn/unlabelled.h"

namespace headrace::learn {

struct KMeansOptions {
  size_t groups = 5;
  size_t warm_start = 200;  // examples before there are groups; at least `groups`
  double decay = 1;         // what the weight of earlier examples shrinks to with each of its group
  bool standardize = true;  // distances in running deviations of each feature
};

// In which of k groups an example lies: whose centre is nearest, of equal ones the first. Centres
// are those of the first examples (drawn far from each other: Arthur and Vassilvitskii, "k-means++:
// The Advantages of Careful Seeding", SODA 2007; then Lloyd's steps), and move with each example
// that comes to them (MacQueen, "Some Methods for Classification", 1967), the more the smaller
// `decay` is: with 1 a centre is the mean of all it was given.
//
// A missing value counts as equal. Memory: 8 bytes a feature for each centre, and for each of the
// first examples as long as they are gathered.
class RunningKMeans final : public Unlabelled {
 public:
  RunningKMeans(size_t features, const KMeansOptions& options, uint64_t seed);

  std::optional<double> Answer(Features x) const override;
  void Learn(Features x) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

  // By group and feature; empty while examples are gathered.
  const std::vector<double>& centres() const { return centres_; }

 private:
  double Distance(Features x, const double* centre) const;  // squared
  size_t Nearest(Features x) const;
  void Move(size_t group, Features x, double decay);
  void Seed();
  size_t DrawByDistance(const std::vector<double>& nearest);
  // False: no example changes its group any more.
  bool LloydStep(std::vector<size_t>& groups);
  Features Gathered(size_t i) const { return {gathered_.data() + i * features_, features_}; }
  size_t GatheredCount() const { return gathered_.size() / features_; }

  size_t features_;
  KMeansOptions options_;
  Draws draws_;
  Standardizer standardizer_;
  std::vector<double> gathered_;  // the first examples
  std::vector<double> centres_;
  std::vector<double> weights_;  // by group
};

}  // namespace headrace::learn
