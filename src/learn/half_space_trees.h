#pragma once

#include <cstdint>
#include <vector>

#include "learn/draws.h"
#include "learn/unlabelled.h"

namespace headrace::learn {

struct HalfSpaceOptions {
  size_t models = 25;
  size_t depth = 10;
  size_t window = 250;  // examples between two looks at how many came where
  bool scale = true;    // features by the least and the largest value so far; else they are 0 to 1
};

// How unusual an example is, from 0 to 1: few of the window before came where it lies. Tan, Ting
// and Liu, "Fast Anomaly Detection for Streaming Data", IJCAI 2011, with its size limit of a tenth
// of the window; told is 1 - score / largest score there can be, so that larger is more unusual.
// Only the order of scores says something: most lie just below 1.
//
// Trees are drawn from the seed before anything is seen. A missing value lies in the middle of its
// feature. Memory: 24 bytes a node, models * 2^(depth + 1) of them; a step visits models * depth.
class HalfSpaceTrees final : public Unlabelled {
 public:
  HalfSpaceTrees(size_t features, const HalfSpaceOptions& options, uint64_t seed);

  // Nothing during the first window.
  std::optional<double> Answer(Features x) const override;
  void Learn(Features x) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

 private:
  struct Node {
    double threshold = 0;
    uint32_t feature = 0;
    uint32_t reference = 0;  // examples of the window before
    uint32_t latest = 0;     // of this one
  };
  struct Range {
    double least = 0;
    double most = 0;
  };

  void Grow(size_t first, Draws& draws);
  // A node's children stand at 2 i + 1 and 2 i + 2 behind the first of its tree.
  size_t NodesOfTree() const { return (size_t{2} << options_.depth) - 1; }
  double Scaled(Features x, uint32_t feature) const;
  void TurnWindow();

  HalfSpaceOptions options_;
  std::vector<Node> nodes_;
  std::vector<Range> ranges_;  // by feature; least above most: no value yet
  uint64_t count_ = 0;         // of examples in this window
  bool ready_ = false;
};

}  // namespace headrace::learn
