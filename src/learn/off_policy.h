#pragma once

#include <cstddef>

namespace headrace::learn {

// What another policy would have earned, estimated from what one earned that logged its
// propensities. With w = target's probability / logged propensity, of each logged choice:
//
// IPS, the mean of w * reward (Horvitz and Thompson 1952); SNIPS, the same divided by the mean of
// w, of less variance and a bias that vanishes (Swaminathan and Joachims, NIPS 2015); doubly
// robust, the mean of what a model of rewards expects of the target plus w * (reward - what it
// expects of the logged arm) (Dudik, Langford and Li, ICML 2011), right when either the
// propensities or the model are. Value type.
class OffPolicy {
 public:
  // One logged choice. Propensity is above 0; all are finite.
  struct Row {
    double reward = 0;
    double propensity = 1;
    double share = 0;      // the target's probability of the logged arm
    double predicted = 0;  // by a model that was not fitted to this row: of the logged arm,
    double expected = 0;   // and on average over the target's arms
  };
  // The value, and the interval that holds it with a probability of about 95% when there are many
  // rows: normal approximation, SNIPS by the delta method.
  struct Estimate {
    double value = 0;
    double low = 0;
    double high = 0;
  };

  // Weights above `clip` count as that: less variance for a bias downwards.
  explicit OffPolicy(double clip) : clip_(clip) {}

  void Add(const Row& row);
  size_t rows() const { return rows_; }
  // Of how many rows of the target's own they are worth: (sum w)^2 / sum w^2.
  double effective_rows() const;
  double largest_weight() const { return largest_; }
  size_t clipped() const { return clipped_; }
  double mean_weight() const;
  // Without rows all are 0.
  Estimate Logged() const;  // what the logged policy earned
  Estimate Ips() const;
  Estimate Snips() const;
  Estimate DoublyRobust() const;

 private:
  // A mean and the squares around it; Welford's recurrence.
  struct Moments {
    double mean = 0;
    double squares = 0;
    void Add(double value, double count);
  };
  Estimate Of(const Moments& moments) const;

  double clip_;
  size_t rows_ = 0;
  size_t clipped_ = 0;
  double largest_ = 0;
  Moments reward_, ips_, robust_;
  double w_ = 0, ww_ = 0, wr_ = 0, wwr_ = 0, wwrr_ = 0;  // sums of products
};

}  // namespace headrace::learn
