#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "learn/classifier.h"
#include "learn/linear.h"

namespace headrace::learn {

struct NeighbourOptions {
  size_t neighbours = 5;
  size_t window = 1000;     // newest examples that are kept
  bool standardize = true;  // distances in running deviations of each feature
};

// The k nearest of the newest examples vote, each with the inverse of its Euclidean distance; one
// at distance 0 alone decides, of several the newest. Features that either lacks count as equal.
// Cover and Hart, "Nearest Neighbor Pattern Classification", IEEE Trans. Information Theory 1967;
// as River's KNNClassifier with LazySearch when features are not standardized. Memory: 8 bytes a
// feature and example of the window, all of which an answer looks at.
class NearestNeighbours final : public Classifier {
 public:
  NearestNeighbours(size_t features, const NeighbourOptions& options);

  void Vote(Features x, Votes& votes) const override;
  void Learn(Features x, size_t label, Votes& before) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

 private:
  struct Neighbour {
    double distance = 0;  // squared
    size_t age = 0;       // 0: the newest
    size_t at = 0;
  };

  // Squared distances are taken in units of these.
  std::vector<double> InverseVariances() const;
  std::vector<Neighbour> Nearest(Features x) const;

  size_t features_;
  NeighbourOptions options_;
  Standardizer standardizer_;
  size_t classes_ = 0;
  size_t next_ = 0;             // where the next example goes
  std::vector<double> values_;  // of the examples, a ring once the window is full
  std::vector<uint16_t> labels_;
};

}  // namespace headrace::learn
