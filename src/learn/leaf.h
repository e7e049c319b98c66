#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learn/classifier.h"
#include "learn/draws.h"

namespace headrace::learn {

// The values of one feature in the examples of one class, as a normal distribution with its
// extremes. Welford's recurrence with weights (West, CACM 1979).
struct Observer {
  double weight = 0;
  double mean = 0;
  double squares = 0;  // weighted sum of squared deviations
  double min = 0;
  double max = 0;
  // From the above: of the logarithm of the density, the constant term and the factor of the
  // squared deviation; the factor is 0 while there is no density.
  double log_scale = 0;
  double steepness = 0;

  void Add(double value, double add_weight);
  void Derive();
  // The weight of what lies at or below the value.
  double WeightUpTo(double value) const;
};

// A test of one feature that an example passes to the left when its value is at most `threshold`.
struct Split {
  double merit = -1;  // bits of information gained; below 0: there is none
  size_t feature = 0;
  double threshold = 0;
  std::vector<double> left;  // weight of each class on that side
  std::vector<double> right;
};

// What a leaf of a Hoeffding tree knows of the examples that came to it: the weight of each class,
// an observer for each feature and class, and how often the majority and how often naive Bayes
// would have been right. The better of the two answers ("naive Bayes adaptive": Holmes, Kirkby and
// Pfahringer, "Stress-Testing Hoeffding Trees", PKDD 2005). A leaf may watch some of the features
// only. As in River, a feature whose density is not known yet says nothing. Confined.
class Leaf {
 public:
  // Watches all of `features`.
  explicit Leaf(size_t features);
  // Watches `watched` features, drawn without repetition.
  Leaf(size_t features, size_t watched, Draws& draws);

  void Vote(Features x, Votes& votes) const;
  // `room`: whether there is memory to observe a class that is new here. `before` becomes what Vote
  // would have said before.
  void Learn(Features x, size_t label, double weight, bool room, Votes& before);

  // As Learn, of a node whose answers are not asked for.
  void Count(Features x, size_t label, double weight, bool room);

  // The best split, and into `second` the merit of the next best feature (0 when no other has one:
  // not to split gains nothing).
  Split BestSplit(double* second) const;
  // Sees the best split of one feature only, or none.
  Split BestSplitOf(size_t feature) const;

  // Whether all examples were of one class.
  bool IsPure() const;
  // The share of the largest class.
  double LargestShare() const;
  // Classes with any weight.
  size_t ClassCount() const;
  double weight() const { return weight_; }
  std::span<const double> class_weights() const { return class_weights_; }
  void SetClassWeights(std::vector<double> weights);
  // Whether this weight has come since it was last so, or since the weights were set.
  bool HasTaken(double weight);
  // Forgets what was observed, but not the weights of the classes.
  void ForgetObservations() { observers_.clear(); }
  size_t observers() const { return observers_.size(); }

  void Save(base::ByteWriter& writer) const;
  bool Load(size_t features, base::ByteReader& reader);

 private:
  std::span<const Observer> Row(size_t label) const;
  void NaiveBayes(Features x, Votes& votes) const;
  void Observe(Features x, size_t label, double weight, bool room);
  void BestThreshold(size_t at, Split& best) const;
  // Bits gained over the entropy `before`, or -1 for a branch that is too light.
  static double Merit(double before, const std::vector<double>& left,
                      const std::vector<double>& right);
  bool LoadObservers(base::ByteReader& reader);

  std::vector<uint16_t> watched_;
  std::vector<double> class_weights_;
  std::vector<Observer> observers_;  // a row of watched_.size() for each class; rows may be missing
  double weight_ = 0;
  double last_attempt_ = 0;  // weight_ when HasTaken was last so
  double majority_right_ = 0;
  double bayes_right_ = 0;
};

}  // namespace headrace::learn
