// Walks trees of any size without branches that depend on the data, after Asadi, Lin and de Vries
// (IEEE TKDE 2014): a node is 16 bytes, its children are neighbours, and a step is
// `at = left + !(x <= threshold)`; a leaf is its own child. Sixteen independent walks go on at the
// same time, which hides the latency of each: sixteen trees for one row, or one tree for sixteen
// rows. Leaves are added in tree order in both.
//
// What missing values and categories mean is settled before the walk: for each way in which splits
// look at a feature the row gets a lane, a number for which the plain comparison is right.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "forest/forest_kernel.h"

namespace headrace::forest {
namespace {

constexpr size_t kWalks = 16;
constexpr size_t kLanesMax = 4096;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct WalkNode {
  double threshold;
  uint32_t lane;
  uint32_t left;  // the right child is the next one
};

// One way to look at a feature.
struct Lane {
  uint32_t feature;
  MissingRule missing;
  double missing_value;  // -inf goes left, NaN goes right
  int32_t category_set;  // or -1; then the lane is 0 for left and NaN for right
};

// `Number` is the precision in which leaves are added.
template <typename Number>
class NodeKernel : public ForestKernel {
 public:
  // False when the forest does not fit.
  bool Build(const Forest& forest) {
    features_ = static_cast<size_t>(forest.features);
    clean_to_float_ = forest.arithmetic == Arithmetic::kFloat32;
    for (double base : forest.base) {
      base_.push_back(static_cast<Number>(base));
    }
    // Lane 0 holds leaves in place.
    lanes_.push_back({0, MissingRule::kNone, 0, -1});
    for (const Tree& tree : forest.trees) {
      outputs_.push_back(static_cast<uint32_t>(tree.output));
      depths_.push_back(static_cast<uint32_t>(tree.depth));
      if (!AddTree(tree)) return false;
    }
    walk_order_.resize(depths_.size());
    std::iota(walk_order_.begin(), walk_order_.end(), 0U);
    std::sort(walk_order_.begin(), walk_order_.end(), [this](uint32_t a, uint32_t b) {
      return std::pair(depths_[a], a) < std::pair(depths_[b], b);
    });
    lane_of_.clear();
    TakeCategories(forest);
    return true;
  }

  void Score(std::span<const double> features, size_t rows, std::span<double> raw) const override {
    const size_t width = lanes_.size();
    std::array<double, 1024> few;
    std::vector<double> many;
    const size_t together = rows < kWalks ? 1 : kWalks;
    double* lanes = few.data();
    if (width * together > few.size()) {
      many.resize(width * together);
      lanes = many.data();
    }
    std::vector<Number> room(std::max(depths_.size(), kWalks * base_.size()));
    size_t r = 0;
    for (; r + kWalks <= rows; r += kWalks) {
      for (size_t k = 0; k < kWalks; ++k) {
        FillLanes(&features[(r + k) * features_], lanes + k * width);
      }
      WalkRows(lanes, room.data(), &raw[r * base_.size()]);
    }
    for (; r < rows; ++r) {
      FillLanes(&features[r * features_], lanes);
      WalkTrees(lanes, room.data(), &raw[r * base_.size()]);
    }
  }

 private:
  // The lane of a split, or kLanesMax when there are too many.
  size_t LaneOf(const TreeNode& node) {
    const auto key = std::tuple(node.feature, static_cast<int>(node.missing), node.default_left,
                                node.category_set);
    const auto [found, is_new] = lane_of_.emplace(key, lanes_.size());
    if (is_new && lanes_.size() < kLanesMax) {
      lanes_.push_back({static_cast<uint32_t>(node.feature), node.missing,
                        node.default_left ? -kInfinity : kNaN, node.category_set});
    }
    return found->second;
  }

  // Lays a tree out breadth first, so that siblings are neighbours.
  bool AddTree(const Tree& tree) {
    struct Place {
      int32_t child;
      uint32_t at;
    };
    const auto root = static_cast<uint32_t>(nodes_.size());
    roots_.push_back(root);
    std::vector<Place> places = {{tree.root(), root}};
    nodes_.emplace_back();
    values_.emplace_back();
    for (size_t i = 0; i < places.size(); ++i) {
      const Place place = places[i];
      if (place.child < 0) {
        nodes_[place.at] = {kInfinity, 0, place.at};
        values_[place.at] =
            static_cast<Number>(tree.leaf_values[static_cast<size_t>(~place.child)]);
        continue;
      }
      const TreeNode& node = tree.nodes[static_cast<size_t>(place.child)];
      // A split that never goes left cannot be told from a missing value that does.
      if (std::isnan(node.threshold)) return false;
      const size_t lane = LaneOf(node);
      if (lane >= kLanesMax) return false;
      const auto left = static_cast<uint32_t>(nodes_.size());
      nodes_[place.at] = {node.category_set >= 0 ? 0.0 : node.threshold,
                          static_cast<uint32_t>(lane), left};
      nodes_.resize(nodes_.size() + 2);
      values_.resize(nodes_.size());
      places.push_back({node.left, left});
      places.push_back({node.right, left + 1});
    }
    return true;
  }

  // Copies what the categorical lanes need of the forest.
  void TakeCategories(const Forest& forest) {
    categories_.members_go_left = forest.members_go_left;
    categories_.arithmetic = forest.arithmetic;
    for (Lane& lane : lanes_) {
      if (lane.category_set < 0) continue;
      categories_.category_sets.push_back(
          forest.category_sets[static_cast<size_t>(lane.category_set)]);
      lane.category_set = static_cast<int32_t>(categories_.category_sets.size()) - 1;
    }
  }

  void FillLanes(const double* row, double* lanes) const {
    lanes[0] = 0;
    for (size_t i = 1; i < lanes_.size(); ++i) {
      const Lane& lane = lanes_[i];
      double x = row[lane.feature];
      if (clean_to_float_) {
        x = static_cast<double>(static_cast<float>(x));
      } else {
        x = std::abs(x) <= kZeroThreshold ? 0.0 : x;
      }
      if (lane.category_set >= 0) {
        lanes[i] = GoesLeft(lane, x) ? 0.0 : kNaN;
        continue;
      }
      const bool nan = std::isnan(x);
      const bool zero = lane.missing == MissingRule::kZero && std::abs(x) <= kZeroThreshold;
      x = nan && lane.missing == MissingRule::kNone ? 0.0 : x;
      lanes[i] = zero || (nan && lane.missing != MissingRule::kNone) ? lane.missing_value : x;
    }
  }

  bool GoesLeft(const Lane& lane, double x) const {
    TreeNode split;
    split.left = 1;
    split.category_set = lane.category_set;
    split.default_left = !std::isnan(lane.missing_value);
    return ChildOf(categories_, split, x) == split.left;
  }

  // Sixteen walks go on from `at` until all are in leaves. The lanes of walk k start at
  // lanes + k * stride. Unrolled by force: the walks must be independent instructions.
  void Walk(const double* lanes, size_t stride, uint32_t depth,
            std::array<uint32_t, kWalks>* at_leaf) const {
    const WalkNode* nodes = nodes_.data();
    std::array<uint32_t, kWalks> at = *at_leaf;
    constexpr uint32_t kRound = 4;  // steps between looks at whether anything still moves
    for (uint32_t done = 0; done < depth; done += kRound) {
      const std::array<uint32_t, kWalks> before = at;
      for (uint32_t step = std::min(kRound, depth - done); step != 0; --step) {
#pragma GCC unroll 16
        for (size_t k = 0; k < kWalks; ++k) {
          const WalkNode& node = nodes[at[k]];
          at[k] =
              node.left + static_cast<uint32_t>(!(lanes[k * stride + node.lane] <= node.threshold));
        }
      }
      if (at == before) break;
    }
    *at_leaf = at;
  }

  // One row through all trees. `leaves` has room for a value per tree.
  void WalkTrees(const double* lanes, Number* leaves, double* raw) const {
    const size_t trees = roots_.size();
    for (size_t first = 0; first < trees; first += kWalks) {
      const size_t count = std::min(kWalks, trees - first);
      const uint32_t* order = walk_order_.data() + first;
      std::array<uint32_t, kWalks> at;
      for (size_t k = 0; k < kWalks; ++k) {
        at[k] = roots_[order[std::min(k, count - 1)]];
      }
      Walk(lanes, 0, depths_[order[count - 1]], &at);
      for (size_t k = 0; k < count; ++k) {
        leaves[order[k]] = values_[at[k]];
      }
    }
    const size_t outputs = base_.size();
    if (outputs == 1) {
      Number sum = base_[0];
      for (size_t t = 0; t < trees; ++t) {
        sum += leaves[t];
      }
      raw[0] = static_cast<double>(sum);
      return;
    }
    std::copy(base_.begin(), base_.end(), raw);
    for (size_t t = 0; t < trees; ++t) {
      double& sum = raw[outputs_[t]];
      sum = static_cast<double>(static_cast<Number>(sum) + leaves[t]);
    }
  }

  // Sixteen rows through all trees. `sums` has room for every output of each.
  void WalkRows(const double* lanes, Number* sums, double* raw) const {
    const size_t outputs = base_.size();
    for (size_t k = 0; k < kWalks; ++k) {
      std::copy(base_.begin(), base_.end(), sums + k * outputs);
    }
    for (size_t t = 0; t < roots_.size(); ++t) {
      std::array<uint32_t, kWalks> at;
      at.fill(roots_[t]);
      Walk(lanes, lanes_.size(), depths_[t], &at);
      for (size_t k = 0; k < kWalks; ++k) {
        sums[k * outputs + outputs_[t]] += values_[at[k]];
      }
    }
    std::copy(sums, sums + kWalks * outputs, raw);
  }

  size_t features_ = 0;
  bool clean_to_float_ = false;
  std::vector<Number> base_;
  std::vector<Lane> lanes_;
  Forest categories_;  // only the sets that categorical lanes ask, and how
  std::map<std::tuple<int32_t, int, bool, int32_t>, size_t> lane_of_;  // only while building
  std::vector<WalkNode> nodes_;
  std::vector<Number> values_;  // by node; of leaves
  std::vector<uint32_t> roots_;
  std::vector<uint32_t> depths_;
  std::vector<uint32_t> outputs_;
  std::vector<uint32_t> walk_order_;  // trees by depth: sixteen of like depth walk together
};

template <typename Number>
std::unique_ptr<const ForestKernel> Make(const Forest& forest) {
  auto kernel = std::make_unique<NodeKernel<Number>>();
  if (!kernel->Build(forest)) return nullptr;
  return kernel;
}

}  // namespace

double NodeKernelCost(const Forest& forest) {
  constexpr double kStepNs = 1.1;
  double steps = 0;
  for (const Tree& tree : forest.trees) {
    steps += tree.depth + 1;
  }
  return kStepNs * steps + 3.0 * forest.features;
}

std::unique_ptr<const ForestKernel> MakeNodeKernel(const Forest& forest) {
  if (forest.leaf_width != 1 || forest.has_linear_leaves()) return nullptr;
  if (forest.arithmetic == Arithmetic::kFloat32) return Make<float>(forest);
  return Make<double>(forest);
}

}  // namespace headrace::forest
