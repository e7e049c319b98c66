#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "headrace/result.h"

namespace headrace::forest {

// In which precision inputs are compared and leaves are added. It is part of the answer.
enum class Arithmetic : uint8_t { kFloat32, kFloat64 };

// What a numeric split does with a value that is not there.
enum class MissingRule : uint8_t {
  kNone,  // NaN counts as 0
  kZero,  // NaN and |x| <= 1e-35f go the default way
  kNan,   // NaN goes the default way
};

// A split. Children below 0 are leaves: ~child is the leaf's place in the tree.
struct TreeNode {
  double threshold = 0;  // numeric: left if x <= threshold; NaN here means never left
  double cover = 0;      // training weight that reached the node; 0 when the file does not say
  int32_t feature = 0;
  int32_t left = 0;
  int32_t right = 0;
  int32_t category_set = -1;  // index into Forest::category_sets, or -1 for a numeric split
  MissingRule missing = MissingRule::kNone;
  bool default_left = false;
};

// The categories of one categorical split.
struct CategorySet {
  std::vector<uint32_t> words;  // bit c of the set is bit c % 32 of word c / 32
  bool Has(int64_t category) const {
    const auto word = static_cast<uint64_t>(category) / 32;
    return category >= 0 && word < words.size() && ((words[word] >> (category % 32)) & 1) != 0;
  }
};

// The linear model in a leaf of a LightGBM linear tree.
struct LinearLeaf {
  double constant = 0;
  std::vector<int32_t> features;
  std::vector<double> coefficients;
};

// One tree. Without splits it is its only leaf.
struct Tree {
  std::vector<TreeNode> nodes;      // nodes[0] is the root
  std::vector<double> leaf_values;  // leaf-major, Forest::leaf_width values each
  std::vector<double> leaf_covers;  // as TreeNode::cover
  std::vector<int32_t> leaf_names;  // what the library calls the leaf
  std::vector<LinearLeaf> linear;   // one per leaf, or empty
  int32_t output = 0;               // the output its leaves add to, when leaf_width is 1
  int32_t depth = 0;                // splits on the longest way from the root
  double weight = 1;                // XGBoost's dart; already multiplied into leaf_values

  int32_t leaves() const { return static_cast<int32_t>(leaf_names.size()); }
  int32_t root() const { return nodes.empty() ? ~0 : 0; }
};

// A tree ensemble as plain data: what both loaders produce, and the reference for every faster
// layout. Immutable after loading; functions of it are pure and thread-safe.
struct Forest {
  Arithmetic arithmetic = Arithmetic::kFloat64;
  std::vector<Tree> trees;  // in the order in which their leaves are added
  std::vector<CategorySet> category_sets;
  // LightGBM: a member goes left. XGBoost: a member goes right.
  bool members_go_left = true;
  bool has_covers = true;
  int32_t features = 0;
  int32_t outputs = 1;
  int32_t leaf_width = 1;    // 1, or `outputs` when leaves are vectors
  std::vector<double> base;  // one per output: what the sum starts from

  bool has_linear_leaves() const;
};

// The largest value that LightGBM takes for zero.
inline constexpr double kZeroThreshold = static_cast<double>(1e-35F);

// Longer ways from root to leaf are refused when loading (HR3004).
// What a model may have; readers refuse more with HR3004.
inline constexpr int32_t kTreesMax = 100'000;
inline constexpr int32_t kFeaturesMax = 100'000;
inline constexpr int32_t kTreeDepthMax = 10'000;

// Checks that children form one tree with every leaf reached once, and fills `depth`. `place` is
// for the error. Errors: HR3002, HR3004. Does not recurse.
Status CheckShape(Tree* tree, const std::string& place);

// The value that the library would compare: rounded to float32, or with tiny values made zero.
double CleanInput(const Forest& forest, double x);

// The child that a cleaned value takes.
int32_t ChildOf(const Forest& forest, const TreeNode& node, double x);

// The leaf (its place in the tree) of one row of cleaned values.
int32_t LeafOf(const Forest& forest, const Tree& tree, std::span<const double> cleaned);

// What a leaf adds: its value, or its linear model's answer.
double LeafValue(const Tree& tree, int32_t leaf, std::span<const double> cleaned);

}  // namespace headrace::forest
