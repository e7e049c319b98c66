// A leaf is reached when all features on its way agree. Let z be the share of training rows that
// agree with a feature's splits on that way, and o be 1 when the row does and 0 when not. What the
// feature j has of the leaf's value is (o - z) times the sum over the sets S of the others,
// weighted by Shapley, of the product of o over S and of z over the rest. The weights are Beta
// integrals, so that sum is the integral, from 0 to 1, of the product over the others of f(t) = o t
// + z (1 - t): a polynomial, which Gauss and Legendre integrate exactly from half as many points as
// there are features. All terms are positive, which keeps rounding small however deep the tree is.
//
// The product over all features is carried down the tree, times leaf values summed up on the way
// back, and the factor of j taken out where j was met: each edge of the tree costs a few operations
// a point (after Yu, Xu, Liu: Linear TreeSHAP, NeurIPS 2022, which does it with polynomials).
#include "forest/tree_shap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace headrace::forest {
namespace {

// Two numbers, what every processor computes with at once.
using Pair = double __attribute__((vector_size(16)));

// A number for each of the points at which the polynomials are computed.
template <size_t kPoints>
struct Points {
  static constexpr size_t kPairs = kPoints / 2;
  std::array<Pair, kPairs> pair;
};

// Gauss and Legendre's rule on (0, 1); exact for polynomials of a degree below 2 kPoints.
template <size_t kPoints>
struct Rule {
  Points<kPoints> known;    // t: the weight of a feature that is known
  Points<kPoints> unknown;  // 1 - t
  Points<kPoints> away;     // (o - z) / f where o is 0
  Points<kPoints> weight;

  Rule() {
    for (size_t i = 0; i < kPoints / 2; ++i) {
      // The points lie on both sides of the middle alike. A cosine is a start that is good enough;
      // as a float, so that every C library's leads to the same bits.
      const double place = (static_cast<double>(i) + 0.75) / (kPoints + 0.5);
      auto x = static_cast<double>(static_cast<float>(std::cos(std::numbers::pi * place)));
      double slope = 0;
      for (int step = 0; step < 8; ++step) {
        const double value = Legendre(x, &slope);
        x -= value / slope;
      }
      Legendre(x, &slope);
      Set(i, (1 - x) / 2, 1 / ((1 - x * x) * slope * slope));
    }
  }

  static const Rule& Get() {
    static const Rule rule;
    return rule;
  }

 private:
  // The polynomial of degree kPoints and its slope at x.
  static double Legendre(double x, double* slope) {
    double before = 1;
    double value = x;
    for (size_t n = 2; n <= kPoints; ++n) {
      const auto k = static_cast<double>(n);
      const double next = ((2 * k - 1) * x * value - (k - 1) * before) / k;
      before = value;
      value = next;
    }
    *slope = kPoints * (x * value - before) / (x * x - 1);
    return value;
  }

  void Set(size_t i, double t, double w) {
    known.pair[i] = Pair{t, 1 - t};
    unknown.pair[i] = Pair{1 - t, t};
    away.pair[i] = Pair{-1 / (1 - t), -1 / t};
    weight.pair[i] = Pair{w, w};
  }
};

// Adds one tree's contributions. `last`, by feature, is 0 for all before and after.
template <size_t kPoints>
class TreeWalk {
 public:
  TreeWalk(const Forest& forest, const Tree& tree, std::span<const double> row,
           std::vector<uint32_t>* last)
      : forest_(forest), tree_(tree), row_(row), last_(*last) {
    edges_.resize(static_cast<size_t>(tree.depth) + 1);
  }

  void AddTo(std::span<double> contributions) {
    contributions_ = contributions;
    edges_[0].product = rule_.weight;
    Visit(tree_.root(), 0);
  }

 private:
  using Numbers = Points<kPoints>;

  // The edge into a node of some depth on the way that is walked. The feature is that of the split
  // above, and all its splits on the way to here count as one.
  struct Edge {
    Edge() {}         // the arrays are written before they are read
    Numbers product;  // of the factors of all features so far, and the rule's weight
    Numbers inverse;  // 1 / f, when taken
    Numbers share;    // (o - z) / f, when taken; else it is Rule::away
    Numbers below;    // the products of the leaves below times their values
    double fraction = 1;
    bool taken = false;
  };

  double CoverOf(int32_t child) const {
    const int32_t leaf = ~child;
    return child < 0 ? tree_.leaf_covers[static_cast<size_t>(leaf)]
                     : tree_.nodes[static_cast<size_t>(child)].cover;
  }

  // Fills `below` of the edge into `at`. Recurses as deep as the tree.
  void Visit(int32_t at, uint32_t depth) {
    Edge& above = edges_[depth];
    if (at < 0) {
      const int32_t leaf = ~at;
      const double value = tree_.leaf_values[static_cast<size_t>(leaf)];
      for (size_t i = 0; i < Numbers::kPairs; ++i) {
        above.below.pair[i] = above.product.pair[i] * value;
      }
      return;
    }
    const TreeNode& node = tree_.nodes[static_cast<size_t>(at)];
    const auto feature = static_cast<size_t>(node.feature);
    const double cover = node.cover > 0 ? node.cover : 1;
    const uint32_t before = last_[feature];
    const Edge* same = before == 0 ? nullptr : &edges_[before];
    // The way of the row first: what the processor expects does not depend on the row then.
    const int32_t near = ChildOf(forest_, node, row_[feature]);
    const int32_t far = near == node.left ? node.right : node.left;
    Edge& edge = edges_[depth + 1];
    last_[feature] = depth + 1;
    Enter(above, same, CoverOf(near) / cover, true, &edge);
    Visit(near, depth + 1);
    double share = ShareOf(edge, same);
    above.below = edge.below;
    Enter(above, same, CoverOf(far) / cover, false, &edge);
    Visit(far, depth + 1);
    share += ShareOf(edge, same);
    for (size_t i = 0; i < Numbers::kPairs; ++i) {
      above.below.pair[i] += edge.below.pair[i];
    }
    last_[feature] = before;
    contributions_[feature] += share;
  }

  // `same` is the edge behind the last split on the same feature, or nullptr; its factor gives way
  // to that of the new edge.
  void Enter(const Edge& above, const Edge* same, double fraction, bool taken, Edge* edge) const {
    edge->taken = taken && (same == nullptr || same->taken);
    const double z = fraction * (same == nullptr ? 1 : same->fraction);
    edge->fraction = z;
    if (same != nullptr && !same->taken) {
      for (size_t i = 0; i < Numbers::kPairs; ++i) {
        edge->product.pair[i] = above.product.pair[i] * fraction;
      }
      return;
    }
    for (size_t i = 0; i < Numbers::kPairs; ++i) {
      Pair product = above.product.pair[i];
      if (same != nullptr) product *= same->inverse.pair[i];
      Pair factor = rule_.unknown.pair[i] * z;
      if (edge->taken) {
        factor += rule_.known.pair[i];
        edge->inverse.pair[i] = 1 / factor;
        edge->share.pair[i] = edge->inverse.pair[i] * (1 - z);
      }
      edge->product.pair[i] = product * factor;
    }
  }

  // What the edge's feature has of the leaves below, less what its edge further up counts of them.
  double ShareOf(const Edge& edge, const Edge* same) const {
    if (same != nullptr && !same->taken) return 0;
    const Numbers& share = edge.taken ? edge.share : rule_.away;
    Pair sum = {0, 0};
    for (size_t i = 0; i < Numbers::kPairs; ++i) {
      const Pair more = same == nullptr ? share.pair[i] : share.pair[i] - same->share.pair[i];
      sum += edge.below.pair[i] * more;
    }
    return sum[0] + sum[1];
  }

  const Rule<kPoints>& rule_ = Rule<kPoints>::Get();
  const Forest& forest_;
  const Tree& tree_;
  std::span<const double> row_;
  std::vector<uint32_t>& last_;  // the depth of the feature's last edge on the way, or 0
  std::span<double> contributions_;
  std::vector<Edge> edges_;  // by depth; 0 is the way into the root
};

// Walks with enough points: the polynomials have a degree below the number of features that a way
// can have.
template <size_t kPoints, size_t... kMore>
void Explain(const Forest& forest, const Tree& tree, std::span<const double> row,
             std::vector<uint32_t>* last, std::span<double> contributions) {
  if constexpr (sizeof...(kMore) > 0) {
    const auto features = static_cast<size_t>(std::min(tree.depth, forest.features));
    if (features > 2 * kPoints) {
      return Explain<kMore...>(forest, tree, row, last, contributions);
    }
  }
  TreeWalk<kPoints>(forest, tree, row, last).AddTo(contributions);
}

// The mean of the leaves over the training rows.
double ExpectedValue(const Tree& tree) {
  double sum = 0;
  double cover = 0;
  for (size_t i = 0; i < tree.leaf_values.size(); ++i) {
    sum += tree.leaf_covers[i] * tree.leaf_values[i];
    cover += tree.leaf_covers[i];
  }
  if (tree.leaf_values.size() == 1) return tree.leaf_values[0];
  return cover > 0 ? sum / cover : 0;
}

// One leaf that is linear in one feature: its plain value is what is expected, being what it says
// of a missing one (train/linear.h) or what LightGBM had there before it fitted lines.
bool IsLine(const Tree& tree) {
  return tree.nodes.empty() && tree.linear.size() == 1 && tree.linear[0].features.size() == 1;
}

void ExplainLine(const Tree& tree, std::span<const double> cleaned, std::span<double> output) {
  const auto feature = static_cast<size_t>(tree.linear[0].features[0]);
  output[feature] += LeafValue(tree, 0, cleaned) - tree.leaf_values[0];
  output.back() += tree.leaf_values[0];
}

Error NotDefined(std::string why) {
  return Error(ErrorKind::kInvalidArgument, "HR3003",
               "contributions of this model are not supported: " + std::move(why));
}

}  // namespace

Result<std::vector<double>> TreeShap(const Forest& forest, std::span<const double> cleaned) {
  if (forest.leaf_width != 1) return NotDefined("its leaves are vectors");
  if (!forest.has_covers) return NotDefined("the file has no counts of training rows per node");
  const auto width = static_cast<size_t>(forest.features) + 1;
  std::vector<double> contributions(width * static_cast<size_t>(forest.outputs));
  std::vector<uint32_t> last(width - 1);
  for (size_t k = 0; k < static_cast<size_t>(forest.outputs); ++k) {
    contributions[k * width + width - 1] = forest.base[k];
  }
  for (const Tree& tree : forest.trees) {
    if (tree.depth > kShapDepthMax) {
      return NotDefined("a tree is " + std::to_string(tree.depth) + " splits deep");
    }
    const std::span<double> output =
        std::span(contributions).subspan(static_cast<size_t>(tree.output) * width, width);
    if (!tree.linear.empty()) {
      if (!IsLine(tree)) return NotDefined("its leaves are linear models");
      ExplainLine(tree, cleaned, output);
      continue;
    }
    output.back() += ExpectedValue(tree);
    if (tree.nodes.empty()) continue;
    Explain<2, 4, 6, 8, 12, 32, kShapDepthMax / 2>(forest, tree, cleaned, &last, output);
  }
  return contributions;
}

}  // namespace headrace::forest
