#include "train/model_text.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <string_view>

namespace headrace::train {
namespace {

// decision_type: the kind, where missing values go, and that NaN is what is missing.
constexpr int kCategorical = 1;
constexpr int kDefaultLeft = 2;
constexpr int kMissingIsNan = 2 << 2;

template <typename Number>
std::string TextOf(Number number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

// name=a b c
template <typename Items, typename Value>
void AppendList(std::string_view name, const Items& items, Value value, std::string* out) {
  out->append(name);
  out->push_back('=');
  bool first = true;
  for (const auto& item : items) {
    if (!first) out->push_back(' ');
    first = false;
    out->append(TextOf(value(item)));
  }
  out->push_back('\n');
}

// The sets of categories of a tree, as bits in words of 32.
struct CategorySets {
  std::vector<size_t> bounds = {0};
  std::vector<uint32_t> words;

  void Add(const std::vector<int32_t>& categories) {
    const size_t first = words.size();
    words.resize(first + static_cast<size_t>(categories.back()) / 32 + 1);
    for (int32_t category : categories)
      words[first + static_cast<size_t>(category) / 32] |= uint32_t{1} << (category % 32);
    bounds.push_back(words.size());
  }
};

int DecisionOf(const TreeNode& node) {
  if (!node.categories.empty()) return kCategorical | kMissingIsNan;
  return kMissingIsNan | (node.missing_left ? kDefaultLeft : 0);
}

std::string LinearText(const LinearLeaf& leaf) {
  std::string out = "leaf_const=" + TextOf(leaf.constant) +
                    "\nnum_features=" + TextOf(leaf.columns.size()) + "\n";
  AppendList("leaf_features", leaf.columns, [](size_t c) { return c; }, &out);
  AppendList("leaf_coeff", leaf.coefficients, [](double x) { return x; }, &out);
  return out;
}

std::string TreeText(const Tree& tree, size_t number, double shrinkage) {
  CategorySets sets;
  std::vector<double> thresholds;
  for (const TreeNode& node : tree.nodes) {
    if (node.categories.empty()) {
      thresholds.push_back(node.threshold);
    } else {
      thresholds.push_back(static_cast<double>(sets.bounds.size() - 1));
      sets.Add(node.categories);
    }
  }
  const auto& nodes = tree.nodes;
  const auto& leaves = tree.leaves;
  const size_t set_count = sets.bounds.size() - 1;
  std::string out = "Tree=" + TextOf(number) + "\nnum_leaves=" + TextOf(leaves.size()) +
                    "\nnum_cat=" + TextOf(set_count) + "\n";
  AppendList("split_feature", nodes, [](const TreeNode& n) { return n.column; }, &out);
  AppendList("split_gain", nodes, [](const TreeNode& n) { return n.gain; }, &out);
  AppendList("threshold", thresholds, [](double x) { return x; }, &out);
  AppendList("decision_type", nodes, DecisionOf, &out);
  AppendList("left_child", nodes, [](const TreeNode& n) { return n.left; }, &out);
  AppendList("right_child", nodes, [](const TreeNode& n) { return n.right; }, &out);
  AppendList("leaf_value", leaves, [](const TreeLeaf& l) { return l.value; }, &out);
  AppendList("leaf_weight", leaves, [](const TreeLeaf& l) { return l.weight; }, &out);
  AppendList("leaf_count", leaves, [](const TreeLeaf& l) { return l.rows; }, &out);
  AppendList("internal_value", nodes, [](const TreeNode& n) { return n.value; }, &out);
  AppendList("internal_weight", nodes, [](const TreeNode& n) { return n.weight; }, &out);
  AppendList("internal_count", nodes, [](const TreeNode& n) { return n.rows; }, &out);
  if (set_count > 0) {
    AppendList("cat_boundaries", sets.bounds, [](size_t x) { return x; }, &out);
    AppendList("cat_threshold", sets.words, [](uint32_t x) { return x; }, &out);
  }
  out += "is_linear=" + TextOf(tree.linear ? 1 : 0) + "\n";
  if (tree.linear) out += LinearText(*tree.linear);
  return out + "shrinkage=" + TextOf(shrinkage) + "\n\n\n";
}

std::string InfoOf(const FeatureBins& bins) {
  if (!bins.splits()) return "none";
  if (!bins.categorical) return "[" + TextOf(bins.low) + ":" + TextOf(bins.high) + "]";
  std::vector<int32_t> categories = bins.categories;
  std::sort(categories.begin(), categories.end());
  std::string out;
  for (int32_t category : categories)
    out += (out.empty() ? "" : ":") + TextOf(category);
  return out;
}

template <typename Item>
std::string Joined(size_t count, std::string_view between, Item item) {
  std::string out;
  for (size_t i = 0; i < count; ++i)
    out += (i == 0 ? std::string() : std::string(between)) + item(i);
  return out;
}

std::string Header(const ModelParts& parts, const std::vector<std::string>& trees) {
  const std::vector<Column>& columns = parts.table.columns;
  std::string out = "tree\nversion=v4\nnum_class=" + TextOf(parts.outputs) +
                    "\nnum_tree_per_iteration=" + TextOf(parts.outputs) +
                    "\nlabel_index=0\nmax_feature_idx=" + TextOf(columns.size() - 1) +
                    "\nobjective=" + parts.objective + (parts.average ? "\naverage_output" : "") +
                    "\nfeature_names=";
  out += Joined(columns.size(), " ", [&](size_t c) { return columns[c].name; });
  const bool constrained = std::any_of(columns.begin(), columns.end(),
                                       [](const Column& column) { return column.monotone != 0; });
  if (constrained) {
    out += "\nmonotone_constraints=" +
           Joined(columns.size(), " ", [&](size_t c) { return TextOf(int{columns[c].monotone}); });
  }
  out += "\nfeature_infos=" +
         Joined(columns.size(), " ", [&](size_t c) { return InfoOf(parts.bins[c]); });
  return out + "\ntree_sizes=" +
         Joined(trees.size(), " ", [&](size_t t) { return TextOf(trees[t].size()); }) + "\n\n";
}

// How often each feature splits, the most frequent first.
std::string Importances(const ModelParts& parts) {
  std::vector<size_t> splits(parts.table.columns.size());
  for (const Tree& tree : parts.trees) {
    for (const TreeNode& node : tree.nodes)
      ++splits[node.column];
  }
  std::vector<size_t> order(splits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return splits[a] > splits[b]; });
  std::string out = "\nfeature_importances:\n";
  for (size_t c : order) {
    if (splits[c] > 0) out += parts.table.columns[c].name + "=" + TextOf(splits[c]) + "\n";
  }
  return out;
}

std::string Parameters(const ModelParts& parts) {
  const Options& options = parts.options;
  const bool linear = std::any_of(parts.trees.begin(), parts.trees.end(),
                                  [](const Tree& tree) { return tree.linear.has_value(); });
  std::vector<size_t> categorical;
  for (size_t c = 0; c < parts.table.columns.size(); ++c) {
    if (parts.table.columns[c].categorical) categorical.push_back(c);
  }
  return "\nparameters:\n[boosting: " + std::string(parts.average ? "rf" : "gbdt") +
         "]\n[objective: " + parts.objective.substr(0, parts.objective.find(' ')) +
         "]\n[num_iterations: " +
         TextOf(parts.whole_trees ? parts.trees.size() / parts.outputs : options.trees) +
         "]\n[learning_rate: " + TextOf(options.learning_rate) +
         "]\n[num_leaves: " + TextOf(options.leaves) +
         "]\n[min_data_in_leaf: " + TextOf(options.min_leaf_rows) +
         "]\n[lambda_l2: " + TextOf(options.l2) + (linear ? "]\n[linear_tree: 1" : "") +
         "]\n[categorical_feature: " +
         Joined(categorical.size(), ",", [&](size_t i) { return TextOf(categorical[i]); }) +
         "]\n\nend of parameters\n";
}

void AppendJson(std::string_view word, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  for (char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ') {
      out->append("\\u00");
      out->push_back(kHex[byte / 16]);
      out->push_back(kHex[byte % 16]);
      continue;
    }
    if (c == '"' || c == '\\') out->push_back('\\');
    out->push_back(c);
  }
  out->push_back('"');
}

// A list for every column of categories once any has words. One whose cells are codes gets the
// codes up to its largest, each at its own place.
std::string PandasCategories(const ModelParts& parts) {
  const std::vector<Column>& columns = parts.table.columns;
  const bool words = std::any_of(columns.begin(), columns.end(),
                                 [](const Column& c) { return !c.categories.empty(); });
  if (!words) return "\npandas_categorical:null\n";
  std::string out;
  for (size_t c = 0; c < columns.size(); ++c) {
    if (!columns[c].categorical) continue;
    out += out.empty() ? "[" : ", [";
    const bool coded = columns[c].categories.empty();
    const size_t count =
        coded ? static_cast<size_t>(parts.bins[c].high) + 1 : columns[c].categories.size();
    for (size_t code = 0; code < count; ++code) {
      if (code > 0) out += ", ";
      coded ? out.append(TextOf(code)) : (AppendJson(columns[c].categories[code], &out), out);
    }
    out += "]";
  }
  return "\npandas_categorical:[" + out + "]\n";
}

}  // namespace

std::string ModelText(const ModelParts& parts) {
  std::vector<std::string> trees;
  for (const Tree& tree : parts.trees) {
    const bool whole = parts.whole_trees || tree.nodes.empty();
    const double shrinkage = whole ? 1 : parts.options.learning_rate;
    trees.push_back(TreeText(tree, trees.size(), shrinkage));
  }
  std::string out = Header(parts, trees);
  for (const std::string& tree : trees)
    out += tree;
  return out + "end of trees\n" + Importances(parts) + Parameters(parts) + PandasCategories(parts);
}

}  // namespace headrace::train
