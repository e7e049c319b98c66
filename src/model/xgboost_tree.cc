#include "model/xgboost_tree.h"

#include <cmath>
#include <limits>
#include <utility>

#include "document/members.h"

namespace headrace::model {
namespace {

// Codes at and above this are no categories to XGBoost either; a set is at most 2 MB.
constexpr double kCategoryEnd = 1 << 24;

// Left if x < threshold, as the x <= bound that the evaluator asks.
double BoundBelow(float threshold) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (threshold == -kInfinity) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(std::nextafter(threshold, -kInfinity));
}

class TreeReader {
 public:
  TreeReader(const document::Value& tree, forest::Forest* forest)
      : source_(tree), forest_(*forest) {}

  Result<forest::Tree> Read() {
    HR_TRY(FindArrays());
    HR_TRY(FindVectorLeaves());
    HR_TRY(ReadCategories());
    HR_TRY(TakeNodes());
    HR_TRY(forest::CheckShape(&tree_, "byte " + std::to_string(source_.offset())));
    return std::move(tree_);
  }

 private:
  Error Malformed(std::string message) const {
    return document::MalformedAt(source_.offset(), std::move(message));
  }

  // The array of that name, which has one value for each node.
  Status FindArray(std::string_view key, const document::Value::Numbers** array) {
    HR_ASSIGN(*array, document::NumbersOf(source_, key));
    if ((*array)->size() == nodes_) return Ok();
    return Malformed(std::string(key) + " has " + std::to_string((*array)->size()) +
                     " values for " + std::to_string(nodes_) + " nodes");
  }

  Status FindArrays() {
    HR_ASSIGN(const document::Value* parameters, document::MemberOf(source_, "tree_param"));
    HR_ASSIGN(const int64_t nodes, document::IntegerOf(*parameters, "num_nodes"));
    HR_ASSIGN(const document::Value::Numbers* first, document::NumbersOf(source_, "left_children"));
    if (nodes < 1 || static_cast<size_t>(nodes) != first->size()) {
      return Malformed("num_nodes is " + std::to_string(nodes) + " with " +
                       std::to_string(first->size()) + " left_children");
    }
    nodes_ = static_cast<size_t>(nodes);
    HR_TRY(FindArray("left_children", &left_));
    HR_TRY(FindArray("right_children", &right_));
    HR_TRY(FindArray("split_indices", &features_));
    HR_TRY(FindArray("split_conditions", &conditions_));
    HR_TRY(FindArray("default_left", &default_left_));
    if (source_.Find("split_type") != nullptr) HR_TRY(FindArray("split_type", &types_));
    if (source_.Find("sum_hessian") != nullptr) HR_TRY(FindArray("sum_hessian", &covers_));
    if (covers_ == nullptr) forest_.has_covers = false;
    return Ok();
  }

  // Leaves that are vectors: in base_weights by node until 3.0, in leaf_weights by leaf since.
  Status FindVectorLeaves() {
    if (forest_.leaf_width == 1) return Ok();
    leaf_weights_by_leaf_ = source_.Find("leaf_weights") != nullptr;
    const char* key = leaf_weights_by_leaf_ ? "leaf_weights" : "base_weights";
    HR_ASSIGN(vectors_, document::NumbersOf(source_, key));
    if (vectors_->size() % static_cast<size_t>(forest_.leaf_width) != 0) {
      return Malformed(std::string(key) + " is no multiple of the leaf vector's size");
    }
    return Ok();
  }

  Status ReadCategories() {
    set_of_node_.assign(nodes_, -1);
    if (types_ == nullptr || source_.Find("categories_nodes") == nullptr) return Ok();
    HR_ASSIGN(const document::Value::Numbers* nodes,
              document::NumbersOf(source_, "categories_nodes"));
    HR_ASSIGN(const document::Value::Numbers* starts,
              document::NumbersOf(source_, "categories_segments"));
    HR_ASSIGN(const document::Value::Numbers* sizes,
              document::NumbersOf(source_, "categories_sizes"));
    HR_ASSIGN(const document::Value::Numbers* categories,
              document::NumbersOf(source_, "categories"));
    if (starts->size() != nodes->size() || sizes->size() != nodes->size()) {
      return Malformed("categories_nodes, _segments and _sizes differ in length");
    }
    const auto total = static_cast<double>(categories->size());
    for (size_t i = 0; i < nodes->size(); ++i) {
      const double node = (*nodes)[i];
      const double start = (*starts)[i];
      const double size = (*sizes)[i];
      if (!document::IsWhole(node, 0, static_cast<double>(nodes_)) ||
          !document::IsWhole(start, 0, total + 1) ||
          !document::IsWhole(size, 0, total - start + 1)) {
        return Malformed("a slice of categories is outside its array");
      }
      forest::CategorySet set;
      for (size_t k = 0; k < static_cast<size_t>(size); ++k) {
        const double category = (*categories)[static_cast<size_t>(start) + k];
        if (!document::IsWhole(category, 0, kCategoryEnd)) {
          return Malformed("a category is outside 0 to 2^24");
        }
        HR_TRY(Insert(static_cast<uint32_t>(category), &set));
      }
      set_of_node_[static_cast<size_t>(node)] = static_cast<int32_t>(forest_.category_sets.size());
      forest_.category_sets.push_back(std::move(set));
    }
    return Ok();
  }

  Status Insert(uint32_t category, forest::CategorySet* set) {
    // A set's size is not bounded by the file's: one high code makes a large one.
    constexpr size_t kTreeWordsMax = size_t{8} << 20;
    const size_t word = category / 32;
    if (word >= set->words.size()) {
      words_ += word + 1 - set->words.size();
      if (words_ > kTreeWordsMax) {
        return Error(ErrorKind::kLimitExceeded, "HR3004", "a tree's categories are too many")
            .AtPlace("byte " + std::to_string(source_.offset()));
      }
      set->words.resize(word + 1);
    }
    set->words[word] |= 1u << (category % 32);
    return Ok();
  }

  // Numbers nodes and leaves in the order in which the walk from the root meets them.
  Status TakeNodes() {
    struct Visit {
      size_t node;
      int32_t parent;
      bool is_left;
    };
    std::vector<Visit> open = {{0, -1, false}};
    std::vector<bool> seen(nodes_);
    while (!open.empty()) {
      const Visit visit = open.back();
      open.pop_back();
      if (seen[visit.node]) {
        return Malformed("node " + std::to_string(visit.node) + " is reached twice");
      }
      seen[visit.node] = true;
      const bool leaf = (*left_)[visit.node] == -1;
      int32_t place = 0;
      if (leaf) {
        HR_ASSIGN(place, TakeLeaf(visit.node));
      } else {
        HR_ASSIGN(place, TakeSplit(visit.node));
        open.push_back({static_cast<size_t>((*right_)[visit.node]), place, false});
        open.push_back({static_cast<size_t>((*left_)[visit.node]), place, true});
      }
      if (visit.parent >= 0) {
        forest::TreeNode& parent = tree_.nodes[static_cast<size_t>(visit.parent)];
        (visit.is_left ? parent.left : parent.right) = leaf ? ~place : place;
      }
    }
    return Ok();
  }

  double CoverOf(size_t node) const { return covers_ == nullptr ? 0 : (*covers_)[node]; }

  Result<int32_t> TakeLeaf(size_t node) {
    const auto width = static_cast<size_t>(forest_.leaf_width);
    for (size_t k = 0; k < width; ++k) {
      double value = (*conditions_)[node];
      if (vectors_ != nullptr) {
        const double row = leaf_weights_by_leaf_ ? (*right_)[node] : static_cast<double>(node);
        if (!document::IsWhole(row, 0, static_cast<double>(vectors_->size() / width))) {
          return Malformed("leaf " + std::to_string(node) + " has no vector");
        }
        value = (*vectors_)[static_cast<size_t>(row) * width + k];
      }
      if (std::isnan(value)) return Malformed("leaf " + std::to_string(node) + " is NaN");
      tree_.leaf_values.push_back(static_cast<double>(static_cast<float>(value)));
    }
    tree_.leaf_covers.push_back(CoverOf(node));
    tree_.leaf_names.push_back(static_cast<int32_t>(node));
    return tree_.leaves() - 1;
  }

  Result<int32_t> TakeSplit(size_t node) {
    const auto end = static_cast<double>(nodes_);
    if (!document::IsWhole((*left_)[node], 0, end) || !document::IsWhole((*right_)[node], 0, end)) {
      return Malformed("a child of node " + std::to_string(node) + " is outside the tree");
    }
    if (!document::IsWhole((*features_)[node], 0, forest_.features)) {
      return Malformed("the feature of node " + std::to_string(node) +
                       " is not a feature of the model");
    }
    forest::TreeNode split;
    split.feature = static_cast<int32_t>((*features_)[node]);
    split.default_left = (*default_left_)[node] != 0;
    split.missing = forest::MissingRule::kNan;
    split.cover = CoverOf(node);
    const double type = types_ == nullptr ? 0 : (*types_)[node];
    if (type == 1) {
      split.category_set = set_of_node_[node];
      if (split.category_set < 0) {
        return Malformed("the categories of node " + std::to_string(node) + " are missing");
      }
    } else if (type == 0) {
      const double condition = (*conditions_)[node];
      if (std::isnan(condition)) {
        return Malformed("the threshold of node " + std::to_string(node) + " is NaN");
      }
      split.threshold = BoundBelow(static_cast<float>(condition));
    } else {
      return Malformed("unknown split_type of node " + std::to_string(node));
    }
    tree_.nodes.push_back(split);
    return static_cast<int32_t>(tree_.nodes.size()) - 1;
  }

  const document::Value& source_;
  forest::Forest& forest_;
  forest::Tree tree_;
  size_t nodes_ = 0;
  size_t words_ = 0;
  const document::Value::Numbers* left_ = nullptr;
  const document::Value::Numbers* right_ = nullptr;
  const document::Value::Numbers* features_ = nullptr;
  const document::Value::Numbers* conditions_ = nullptr;
  const document::Value::Numbers* default_left_ = nullptr;
  const document::Value::Numbers* types_ = nullptr;
  const document::Value::Numbers* covers_ = nullptr;
  const document::Value::Numbers* vectors_ = nullptr;
  bool leaf_weights_by_leaf_ = false;
  std::vector<int32_t> set_of_node_;
};

}  // namespace

Result<forest::Tree> ReadXgboostTree(const document::Value& tree, forest::Forest* forest) {
  return TreeReader(tree, forest).Read();
}

}  // namespace headrace::model
