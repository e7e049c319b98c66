#include "model/lightgbm_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "document/json.h"
#include "document/text_block.h"
#include "model/tree_model.h"

namespace headrace::model {
namespace {

// decision_type of a node.
constexpr int32_t kCategoricalBit = 1;
constexpr int32_t kDefaultLeftBit = 2;
constexpr int32_t kMissingShift = 2;
constexpr int32_t kMissingMask = 3;

// The most outputs a model may have; beyond, it is a broken file, not a model.
constexpr int32_t kOutputsMax = 10'000;

Error Unsupported(size_t line, std::string message) {
  return Error(ErrorKind::kInvalidArgument, "HR3003", std::move(message))
      .AtPlace("line " + std::to_string(line));
}

// `name:` in the objective line, such as sigmoid:2.
double ParameterOf(std::string_view objective, std::string_view name, double otherwise) {
  for (std::string_view word = document::TakeWord(&objective); !word.empty();
       word = document::TakeWord(&objective)) {
    if (!word.starts_with(name)) continue;
    word.remove_prefix(name.size());
    double value = otherwise;
    std::from_chars(word.data(), word.data() + word.size(), value);
    return value;
  }
  return otherwise;
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The transform of an objective line, or nothing when the objective is not known.
std::optional<OutputTransform> TransformOf(std::string_view objective) {
  std::string_view rest = objective;
  const std::string_view name = document::TakeWord(&rest);
  OutputTransform transform;
  const bool square_root = document::TakeWord(&rest) == "sqrt";
  if (IsOneOf(name, {"binary", "multiclassova"})) {
    transform.kind = TransformKind::kSigmoid;
    transform.scale = ParameterOf(objective, "sigmoid:", 1);
  } else if (name == "cross_entropy") {
    transform.kind = TransformKind::kSigmoid;
  } else if (name == "multiclass") {
    transform.kind = TransformKind::kSoftmax;
  } else if (IsOneOf(name, {"poisson", "gamma", "tweedie"})) {
    transform.kind = TransformKind::kExp;
  } else if (name == "cross_entropy_lambda") {
    transform.kind = TransformKind::kLog1pExp;
  } else if (IsOneOf(name, {"regression", "regression_l1", "huber", "fair", "quantile", "mape"})) {
    transform.kind = square_root ? TransformKind::kSignedSquare : TransformKind::kIdentity;
  } else if (!IsOneOf(name, {"lambdarank", "rank_xendcg", "custom", "none", ""})) {
    return std::nullopt;
  }
  return transform;
}

class LightGbmLoader {
 public:
  LightGbmLoader(std::string_view bytes, ModelInfo info)
      : bytes_(bytes), reader_(bytes), info_(std::move(info)) {}

  Result<std::shared_ptr<const Model>> Load() {
    HR_TRY(ReadHeader());
    HR_TRY(ReadTrees());
    HR_TRY(ReadTail());
    if (average_) {
      transform_.divisor = static_cast<double>(forest_.trees.size() / forest_.base.size());
      transform_.divisor = std::max(transform_.divisor, 1.0);
    }
    info_.format = Format::kLightGbmText;
    return std::shared_ptr<const Model>(
        std::make_shared<TreeModel>(std::move(info_), std::move(forest_), transform_));
  }

 private:
  Status ReadHeader() {
    if (const size_t nul = bytes_.find('\0'); nul != std::string_view::npos) {
      const auto line =
          1 + std::count(bytes_.begin(), bytes_.begin() + static_cast<int64_t>(nul), '\n');
      return document::MalformedLine(static_cast<size_t>(line), "a NUL byte in a text model");
    }
    HR_ASSIGN(const document::TextBlock header, document::TextBlock::Read(&reader_));
    if (header.Has("version")) {
      HR_ASSIGN(const std::string_view version, header.Text("version"));
      if (!IsOneOf(version, {"v2", "v3", "v4"})) {
        return Unsupported(1, "LightGBM model version " + std::string(version.substr(0, 20)) +
                                  " is not supported (v2, v3 and v4 are)");
      }
    }
    HR_TRY(ReadOutputs(header));
    HR_ASSIGN(const int32_t last, header.Integer("max_feature_idx"));
    if (last < 0 || last >= forest::kFeaturesMax) {
      return Error(ErrorKind::kLimitExceeded, "HR3004",
                   "max_feature_idx is " + std::to_string(last) + "; a model has from 1 to " +
                       std::to_string(forest::kFeaturesMax) + " features")
          .AtPlace("line 1");
    }
    forest_.features = last + 1;
    return ReadNames(header);
  }

  Status ReadOutputs(const document::TextBlock& header) {
    HR_ASSIGN(const int32_t classes, header.Integer("num_class"));
    HR_ASSIGN(const int32_t outputs, header.Integer("num_tree_per_iteration"));
    if (outputs < 1 || outputs > kOutputsMax || classes < 1 || classes > kOutputsMax) {
      return Error(ErrorKind::kLimitExceeded, "HR3004",
                   "num_class and num_tree_per_iteration must be from 1 to " +
                       std::to_string(kOutputsMax))
          .AtPlace("line 1");
    }
    if (header.Has("objective")) {
      HR_ASSIGN(const std::string_view objective, header.Text("objective"));
      info_.objective = objective;
    }
    const std::optional<OutputTransform> transform = TransformOf(info_.objective);
    if (!transform) {
      return Unsupported(1, "the objective \"" + info_.objective.substr(0, 60) +
                                "\" is not supported: its output transform is unknown");
    }
    transform_ = *transform;
    if (transform_.kind == TransformKind::kSoftmax && outputs != classes) {
      return document::MalformedLine(1, "num_class and num_tree_per_iteration differ");
    }
    average_ = header.Has("average_output");
    transform_.outputs = outputs;
    forest_.outputs = outputs;
    forest_.base.assign(static_cast<size_t>(outputs), 0.0);
    return Ok();
  }

  Status ReadNames(const document::TextBlock& header) {
    const auto features = static_cast<size_t>(forest_.features);
    info_.features.clear();
    if (header.Has("feature_names")) {
      HR_ASSIGN(std::string_view names, header.Text("feature_names"));
      for (auto name = document::TakeWord(&names); !name.empty();
           name = document::TakeWord(&names)) {
        info_.features.emplace_back(name);
      }
      if (info_.features.size() != features) {
        return document::MalformedLine(
            1, "feature_names has " + std::to_string(info_.features.size()) + " names for " +
                   std::to_string(features) + " features");
      }
    } else {
      for (size_t i = 0; i < features; ++i) {
        info_.features.push_back("Column_" + std::to_string(i));
      }
    }
    info_.categories.assign(features, {});
    if (!header.Has("feature_infos")) return Ok();
    HR_ASSIGN(std::string_view infos, header.Text("feature_infos"));
    for (size_t i = 0; i < features; ++i) {
      const std::string_view text = document::TakeWord(&infos);
      // [low:high] is a number, none is unused, a list 3:1:2 is categorical.
      if (text.find(':') != std::string_view::npos && text[0] != '[') categorical_.insert(i);
    }
    return Ok();
  }

  Status ReadTrees() {
    for (;;) {
      const std::optional<std::string_view> line = reader_.Next();
      if (!line) {
        return document::MalformedLine(reader_.line(), "the file ends before \"end of trees\"");
      }
      if (line->starts_with("end of trees")) return Ok();
      if (forest_.trees.size() == static_cast<size_t>(forest::kTreesMax)) {
        return Error(ErrorKind::kLimitExceeded, "HR3004",
                     "more than " + std::to_string(forest::kTreesMax) + " trees");
      }
      HR_ASSIGN(const document::TextBlock block, document::TextBlock::Read(&reader_));
      HR_TRY(ReadTree(block));
    }
  }

  Status ReadTree(const document::TextBlock& block) {
    HR_ASSIGN(const int32_t leaves, block.Integer("num_leaves"));
    // More leaves than bytes cannot be; the arrays are checked against this count.
    if (leaves < 1 || static_cast<size_t>(leaves) > bytes_.size()) {
      return document::MalformedLine(block.first_line(), "num_leaves is " + std::to_string(leaves));
    }
    forest::Tree tree;
    tree.output = static_cast<int32_t>(forest_.trees.size() % forest_.base.size());
    HR_ASSIGN(tree.leaf_values, block.Numbers<double>("leaf_value", static_cast<size_t>(leaves)));
    if (std::any_of(tree.leaf_values.begin(), tree.leaf_values.end(),
                    [](double x) { return std::isnan(x); })) {
      return document::MalformedLine(block.first_line(), "a leaf value is NaN");
    }
    for (int32_t i = 0; i < leaves; ++i) {
      tree.leaf_names.push_back(i);
    }
    if (leaves > 1) {
      HR_TRY(ReadSplits(block, &tree));
      HR_TRY(ReadCovers(block, &tree));
    } else {
      tree.leaf_covers.assign(1, 1.0);
    }
    HR_TRY(ReadLinear(block, &tree));
    HR_TRY(forest::CheckShape(&tree, "line " + std::to_string(block.first_line())));
    forest_.trees.push_back(std::move(tree));
    return Ok();
  }

  Status ReadSplits(const document::TextBlock& block, forest::Tree* tree) {
    const size_t splits = tree->leaf_names.size() - 1;
    const auto first_set = static_cast<int32_t>(forest_.category_sets.size());
    HR_TRY(ReadCategorySets(block));
    const auto sets = static_cast<int32_t>(forest_.category_sets.size()) - first_set;
    HR_ASSIGN(const auto features, block.Numbers<int32_t>("split_feature", splits));
    HR_ASSIGN(const auto thresholds, block.Numbers<double>("threshold", splits));
    HR_ASSIGN(const auto left, block.Numbers<int32_t>("left_child", splits));
    HR_ASSIGN(const auto right, block.Numbers<int32_t>("right_child", splits));
    std::vector<int32_t> types(splits, 0);
    if (block.Has("decision_type")) {
      HR_ASSIGN(types, block.Numbers<int32_t>("decision_type", splits));
    }
    tree->nodes.resize(splits);
    for (size_t i = 0; i < splits; ++i) {
      forest::TreeNode& node = tree->nodes[i];
      node.feature = features[i];
      node.threshold = thresholds[i];
      node.left = left[i];
      node.right = right[i];
      if (features[i] < 0 || features[i] >= forest_.features) {
        return document::MalformedLine(
            block.first_line(),
            "split_feature " + std::to_string(features[i]) + " is not a feature of the model");
      }
      if (std::isnan(thresholds[i])) {
        return document::MalformedLine(block.first_line(), "a threshold is NaN");
      }
      if (!SetDecision(types[i], &node)) {
        return document::MalformedLine(block.first_line(),
                                       "unknown decision_type " + std::to_string(types[i]));
      }
      if ((types[i] & kCategoricalBit) == 0) continue;
      if (!(thresholds[i] >= 0 && thresholds[i] < sets)) {
        return document::MalformedLine(block.first_line(),
                                       "a categorical split outside cat_boundaries");
      }
      node.category_set = first_set + static_cast<int32_t>(thresholds[i]);
      node.default_left = false;  // NaN is in no set
    }
    return Ok();
  }

  static bool SetDecision(int32_t type, forest::TreeNode* node) {
    const int32_t missing = (type >> kMissingShift) & kMissingMask;
    if (type < 0 || type > 15 || missing > 2) return false;
    node->default_left = (type & kDefaultLeftBit) != 0;
    node->missing = static_cast<forest::MissingRule>(missing);
    return true;
  }

  Status ReadCategorySets(const document::TextBlock& block) {
    HR_ASSIGN(const int32_t sets, block.IntegerOr("num_cat", 0));
    if (sets == 0) return Ok();
    if (sets < 0 || static_cast<size_t>(sets) > bytes_.size()) {
      return document::MalformedLine(block.first_line(), "num_cat is " + std::to_string(sets));
    }
    HR_ASSIGN(const auto bounds,
              block.Numbers<int32_t>("cat_boundaries", static_cast<size_t>(sets) + 1));
    if (bounds[0] != 0 || !std::is_sorted(bounds.begin(), bounds.end())) {
      return document::MalformedLine(block.first_line(), "cat_boundaries must rise from 0");
    }
    HR_ASSIGN(const auto words,
              block.Numbers<uint32_t>("cat_threshold", static_cast<size_t>(bounds.back())));
    for (size_t i = 0; i < static_cast<size_t>(sets); ++i) {
      forest_.category_sets.push_back(
          {std::vector<uint32_t>(words.begin() + bounds[i], words.begin() + bounds[i + 1])});
    }
    return Ok();
  }

  Status ReadCovers(const document::TextBlock& block, forest::Tree* tree) {
    if (!block.Has("internal_count") || !block.Has("leaf_count")) {
      forest_.has_covers = false;
      tree->leaf_covers.assign(tree->leaf_names.size(), 0.0);
      return Ok();
    }
    HR_ASSIGN(const auto covers, block.Numbers<double>("internal_count", tree->nodes.size()));
    for (size_t i = 0; i < covers.size(); ++i) {
      tree->nodes[i].cover = covers[i];
    }
    HR_ASSIGN(tree->leaf_covers, block.Numbers<double>("leaf_count", tree->leaf_names.size()));
    return Ok();
  }

  Status ReadLinear(const document::TextBlock& block, forest::Tree* tree) {
    HR_ASSIGN(const int32_t linear, block.IntegerOr("is_linear", 0));
    if (linear == 0) return Ok();
    const size_t leaves = tree->leaf_names.size();
    HR_ASSIGN(const auto constants, block.Numbers<double>("leaf_const", leaves));
    HR_ASSIGN(const auto counts, block.Numbers<int32_t>("num_features", leaves));
    size_t total = 0;
    for (int32_t count : counts) {
      if (count < 0) return document::MalformedLine(block.first_line(), "a negative num_features");
      total += static_cast<size_t>(count);
    }
    HR_ASSIGN(const auto features, block.Numbers<int32_t>("leaf_features", total));
    HR_ASSIGN(const auto coefficients, block.Numbers<double>("leaf_coeff", total));
    for (int32_t feature : features) {
      if (feature < 0 || feature >= forest_.features) {
        return document::MalformedLine(
            block.first_line(),
            "leaf_features " + std::to_string(feature) + " is not a feature of the model");
      }
    }
    int64_t next = 0;
    for (size_t i = 0; i < leaves; ++i) {
      const int64_t end = next + counts[i];
      tree->linear.push_back({constants[i],
                              {features.begin() + next, features.begin() + end},
                              {coefficients.begin() + next, coefficients.begin() + end}});
      next = end;
    }
    return Ok();
  }

  // Behind the trees: importances, the training parameters, and pandas' categories.
  Status ReadTail() {
    size_t open_at = 0;  // line of "parameters:" until its end is seen
    for (std::optional<std::string_view> line = reader_.Next(); line; line = reader_.Next()) {
      constexpr std::string_view kColumns = "[categorical_feature: ";
      constexpr std::string_view kCategories = "pandas_categorical:";
      if (line->starts_with(kColumns)) {
        ReadCategoricalColumns(line->substr(kColumns.size()));
      } else if (line->starts_with(kCategories)) {
        HR_TRY(ReadCategories(line->substr(kCategories.size())));
      } else if (line->starts_with(kIsotonicLine)) {
        HR_TRY(ReadIsotonic(line->substr(kIsotonicLine.size())));
      } else if (*line == "parameters:") {
        open_at = reader_.line();
      } else if (*line == "end of parameters") {
        open_at = 0;
      }
    }
    if (open_at != 0) {
      return document::MalformedLine(open_at, "the file ends before \"end of parameters\"");
    }
    return Ok();
  }

  // Calibration of our own (train/calibration.h), in the place of the sigmoid.
  Status ReadIsotonic(std::string_view words) {
    if (transform_.kind != TransformKind::kSigmoid || transform_.outputs != 1) {
      return document::MalformedLine(reader_.line(),
                                     "an isotonic curve of a model that is not binary");
    }
    HR_ASSIGN(IsotonicCurve curve, IsotonicCurve::Parse(words, reader_.line()));
    transform_.kind = TransformKind::kIsotonic;
    transform_.curve = std::make_shared<const IsotonicCurve>(std::move(curve));
    return Ok();
  }

  // The parameter also names columns that no tree uses, which feature_infos does not.
  void ReadCategoricalColumns(std::string_view text) {
    std::set<size_t> columns;
    while (!text.empty()) {
      size_t column = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), column);
      if (error != std::errc() || column >= info_.features.size()) return;
      columns.insert(column);
      text.remove_prefix(static_cast<size_t>(end - text.data()));
      if (!text.starts_with(',')) break;
      text.remove_prefix(1);
    }
    if (!columns.empty()) categorical_ = std::move(columns);
  }

  Status ReadCategories(std::string_view json) {
    auto parsed = document::ParseJson(json, document::NumberWidth::kFloat64);
    if (!parsed.ok()) {
      return document::MalformedLine(reader_.line(),
                                     "pandas_categorical: " + parsed.error().message());
    }
    const document::Value::Array* lists = parsed->array();
    if (lists == nullptr) return Ok();  // null or []: no such columns
    if (lists->size() != categorical_.size()) {
      return document::MalformedLine(reader_.line(),
                                     "pandas_categorical has " + std::to_string(lists->size()) +
                                         " lists for " + std::to_string(categorical_.size()) +
                                         " categorical features");
    }
    auto list = lists->begin();
    for (size_t feature : categorical_) {
      info_.categories[feature] = TextsOf(*list++);
    }
    return Ok();
  }

  // The texts of a list of strings. Numeric categories are codes in the order of the list.
  static std::vector<std::string> TextsOf(const document::Value& list) {
    std::vector<std::string> texts;
    if (const document::Value::Numbers* numbers = list.numbers()) {
      for (double number : *numbers) {
        char digits[32];
        const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        texts.emplace_back(digits, end);
      }
    }
    if (const document::Value::Array* items = list.array()) {
      for (const document::Value& item : *items) {
        texts.push_back(item.text() != nullptr ? *item.text() : std::string());
      }
    }
    return texts;
  }

  std::string_view bytes_;
  document::LineReader reader_;
  ModelInfo info_;
  forest::Forest forest_;
  OutputTransform transform_;
  bool average_ = false;
  std::set<size_t> categorical_;  // features that are categories, in order
};

}  // namespace

Result<std::shared_ptr<const Model>> LoadLightGbm(std::string_view bytes, ModelInfo info) {
  return LightGbmLoader(bytes, std::move(info)).Load();
}

}  // namespace headrace::model
