#pragma once

#include <cstddef>
#include <vector>

#include "learn/classifier.h"

namespace headrace::learn {

// Gaussian naive Bayes: a normal distribution for each feature and class, whose density is taken to
// be at least 1e-9. Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for
// Computing Sample Variances", COMPSTAT 1982; as River's GaussianNB. Memory: 24 bytes a feature and
// class.
class NaiveBayes final : public Classifier {
 public:
  explicit NaiveBayes(size_t features) : features_(features) {}

  void Vote(Features x, Votes& votes) const override;
  void Learn(Features x, size_t label, Votes& before) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

 private:
  struct Moment {
    double count = 0;
    double mean = 0;
    double squares = 0;  // sum of squared deviations

    double LogDensity(double value) const;
  };

  size_t features_;
  double examples_ = 0;
  std::vector<double> counts_;   // by class
  std::vector<Moment> moments_;  // a row of features for each class
};

}  // namespace headrace::learn
