#include "model/catboost.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "document/members.h"
#include "model/tree_model.h"

namespace headrace::model {
namespace {

using document::MemberOf;
using document::Value;

// An oblivious tree has a leaf for every combination of its splits; CatBoost allows 16 of them.
constexpr size_t kObliviousDepthMax = 16;
constexpr int64_t kOutputsMax = 10'000;

struct Loss {
  std::string_view name;
  TransformKind transform;
};

constexpr Loss kLosses[] = {
    {"RMSE", TransformKind::kIdentity},
    {"MAE", TransformKind::kIdentity},
    {"Quantile", TransformKind::kIdentity},
    {"MultiQuantile", TransformKind::kIdentity},
    {"Expectile", TransformKind::kIdentity},
    {"Lq", TransformKind::kIdentity},
    {"Huber", TransformKind::kIdentity},
    {"MAPE", TransformKind::kIdentity},
    {"LogCosh", TransformKind::kIdentity},
    {"MultiRMSE", TransformKind::kIdentity},
    {"QueryRMSE", TransformKind::kIdentity},
    {"PairLogit", TransformKind::kIdentity},
    {"YetiRank", TransformKind::kIdentity},
    {"PairLogitPairwise", TransformKind::kIdentity},
    {"Poisson", TransformKind::kExp},
    {"Tweedie", TransformKind::kExp},
    {"LogLinQuantile", TransformKind::kExp},
    {"Logloss", TransformKind::kSigmoid},
    {"CrossEntropy", TransformKind::kSigmoid},
    {"MultiLogloss", TransformKind::kSigmoid},
    {"MultiCrossEntropy", TransformKind::kSigmoid},
    {"MultiClassOneVsAll", TransformKind::kSigmoid},
    {"MultiClass", TransformKind::kSoftmax},
};

Error Unsupported(const Value& at, std::string message, std::string hint) {
  return Error(ErrorKind::kInvalidArgument, "HR3003", std::move(message))
      .AtPlace("byte " + std::to_string(at.offset()))
      .WithHint(std::move(hint));
}

// CatBoost asks float(x) > border and goes right. The largest double that a float no greater than
// the border stands for asks the same of x itself.
double LargestRoundedTo(float border) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float above = std::nextafter(border, kInfinity);
  if (std::isinf(above)) return static_cast<double>(border);
  const double middle = (static_cast<double>(border) + static_cast<double>(above)) / 2;
  // A tie goes to the even one of the two.
  if (static_cast<float>(middle) == border) return middle;
  return std::nextafter(middle, -std::numeric_limits<double>::infinity());
}

// Reads one document. Confined to one load.
class CatboostLoader {
 public:
  explicit CatboostLoader(ModelInfo info) : info_(std::move(info)) {}

  Result<std::shared_ptr<const Model>> Load(const Value& root) {
    HR_ASSIGN(const Value* features, MemberOf(root, "features_info"));
    HR_TRY(ReadFeatures(*features));
    HR_TRY(ReadScale(root));
    HR_TRY(ReadLoss(root));
    const Value* oblivious = root.Find("oblivious_trees");
    if (oblivious == nullptr) {
      HR_ASSIGN(const Value* trees, MemberOf(root, "trees"));
      HR_TRY(ReadTrees(*trees, &CatboostLoader::ReadTree));
    } else {
      HR_TRY(ReadTrees(*oblivious, &CatboostLoader::ReadObliviousTree));
    }
    return std::shared_ptr<const Model>(
        std::make_shared<TreeModel>(std::move(info_), std::move(forest_), transform_));
  }

 private:
  Status ReadFeatures(const Value& features) {
    for (const char* kind : {"categorical_features", "text_features", "embedding_features"}) {
      const Value* found = features.Find(kind);
      if (found == nullptr || (found->array() != nullptr && found->array()->empty()) ||
          (found->numbers() != nullptr && found->numbers()->empty())) {
        continue;
      }
      return Unsupported(*found, std::string("CatBoost's ") + kind + " are not computed here",
                         "train on numbers (encode categories before), or export to ONNX");
    }
    static const Value::Array kNone;
    const Value* floats = features.Find("float_features");
    const Value::Array& list =
        floats == nullptr || floats->array() == nullptr ? kNone : *floats->array();
    if (list.size() > static_cast<size_t>(forest::kFeaturesMax)) {
      return Error(ErrorKind::kLimitExceeded, "HR3004", "too many features")
          .AtPlace("byte " + std::to_string(features.offset()));
    }
    for (size_t i = 0; i < list.size(); ++i) {
      HR_TRY(ReadFeature(list[i], i));
    }
    forest_.features = static_cast<int32_t>(list.size());
    info_.categories.assign(list.size(), {});
    return Ok();
  }

  Status ReadFeature(const Value& feature, size_t number) {
    HR_ASSIGN(const int64_t index, document::IntegerOf(feature, "feature_index"));
    if (index != static_cast<int64_t>(number)) {
      return document::MalformedAt(feature.offset(), "float_features are not in order");
    }
    const Value* name = feature.Find("feature_id");
    info_.features.push_back(name != nullptr && name->text() != nullptr && !name->text()->empty()
                                 ? *name->text()
                                 : "f" + std::to_string(number));
    HR_ASSIGN(const std::string_view missing, document::TextOf(feature, "nan_value_treatment"));
    // A comparison with NaN is false, and so goes left.
    if (missing != "AsIs" && missing != "AsFalse" && missing != "AsTrue") {
      return document::MalformedAt(feature.offset(), "unknown nan_value_treatment \"" +
                                                         std::string(missing.substr(0, 40)) + "\"");
    }
    missing_goes_left_.push_back(missing != "AsTrue");
    return Ok();
  }

  // "scale_and_bias": [scale, [bias of each output]], or one bias in old files.
  Status ReadScale(const Value& root) {
    forest_.base = {0};
    const Value* pair = root.Find("scale_and_bias");
    if (pair == nullptr) return Ok();
    const auto bad = [pair] {
      return document::MalformedAt(pair->offset(), "\"scale_and_bias\" is not [scale, [bias]]");
    };
    if (pair->numbers() != nullptr && pair->numbers()->size() == 2) {
      scale_ = (*pair->numbers())[0];
      forest_.base = {(*pair->numbers())[1]};
    } else {
      if (pair->array() == nullptr || pair->array()->size() != 2) return bad();
      const Value& scale = (*pair->array())[0];
      const Value& bias = (*pair->array())[1];
      if (scale.number() == nullptr || bias.numbers() == nullptr) return bad();
      scale_ = *scale.number();
      if (!bias.numbers()->empty()) forest_.base = *bias.numbers();
    }
    if (forest_.base.size() > static_cast<size_t>(kOutputsMax)) return bad();
    forest_.outputs = static_cast<int32_t>(forest_.base.size());
    forest_.leaf_width = forest_.outputs;
    transform_.outputs = forest_.outputs;
    info_.outputs = info_.predictions = forest_.outputs;
    return Ok();
  }

  Status ReadLoss(const Value& root) {
    HR_ASSIGN(const Value* info, MemberOf(root, "model_info"));
    HR_ASSIGN(const Value* parameters, MemberOf(*info, "params"));
    HR_ASSIGN(const Value* loss, MemberOf(*parameters, "loss_function"));
    HR_ASSIGN(const std::string_view name, document::TextOf(*loss, "type"));
    info_.objective = name;
    const auto* known = std::find_if(std::begin(kLosses), std::end(kLosses),
                                     [name](const Loss& one) { return one.name == name; });
    if (known == std::end(kLosses)) {
      return Unsupported(*loss,
                         "the loss \"" + std::string(name.substr(0, 60)) +
                             "\" is not supported: what its raw scores mean is unknown",
                         "docs/models.md lists the losses that are known");
    }
    transform_.kind = known->transform;
    return Ok();
  }

  Status ReadTrees(const Value& list, Status (CatboostLoader::*read)(const Value&)) {
    static const Value::Array kNone;
    const Value::Array& trees = list.array() == nullptr ? kNone : *list.array();
    if (trees.size() > static_cast<size_t>(forest::kTreesMax)) {
      return Error(ErrorKind::kLimitExceeded, "HR3004", "too many trees")
          .AtPlace("byte " + std::to_string(list.offset()));
    }
    for (const Value& tree : trees) {
      tree_ = forest::Tree();
      HR_TRY((this->*read)(tree));
      HR_TRY(forest::CheckShape(&tree_, "byte " + std::to_string(tree.offset())));
      forest_.trees.push_back(std::move(tree_));
    }
    info_.trees = static_cast<int32_t>(forest_.trees.size());
    return Ok();
  }

  Result<forest::TreeNode> ReadSplit(const Value& split) {
    HR_ASSIGN(const std::string_view type, document::TextOf(split, "split_type"));
    if (type != "FloatFeature") {
      return Unsupported(
          split, "the split \"" + std::string(type.substr(0, 40)) + "\" is not computed here",
          "train on numbers (encode categories before), or export to ONNX");
    }
    HR_ASSIGN(const int64_t feature, document::IntegerOf(split, "float_feature_index"));
    HR_ASSIGN(const double border, document::NumberOf(split, "border"));
    if (feature < 0 || feature >= forest_.features || !std::isfinite(border)) {
      return document::MalformedAt(split.offset(), "a split of no feature, or without a border");
    }
    forest::TreeNode node;
    node.feature = static_cast<int32_t>(feature);
    node.threshold = LargestRoundedTo(static_cast<float>(border));
    node.missing = forest::MissingRule::kNan;
    node.default_left = missing_goes_left_[static_cast<size_t>(feature)];
    return node;
  }

  Status AddLeaf(const Value& at, const double* values, double cover) {
    for (int32_t output = 0; output < forest_.outputs; ++output) {
      if (!std::isfinite(values[output])) {
        return document::MalformedAt(at.offset(), "a leaf has a value that is no number");
      }
      tree_.leaf_values.push_back(scale_ * values[output]);
    }
    tree_.leaf_covers.push_back(cover);
    tree_.leaf_names.push_back(static_cast<int32_t>(tree_.leaf_names.size()));
    return Ok();
  }

  // Split i is bit i of the leaf's number. The tree is laid out as a full one, the last split at
  // the root: node n of a level has the children 2n + 1 and 2n + 2.
  Status ReadObliviousTree(const Value& tree) {
    HR_ASSIGN(const Value::Numbers* values, document::NumbersOf(tree, "leaf_values"));
    static const Value::Array kNone;
    const Value* splits = tree.Find("splits");
    const Value::Array& list =
        splits == nullptr || splits->array() == nullptr ? kNone : *splits->array();
    const auto width = static_cast<size_t>(forest_.outputs);
    if (list.size() > kObliviousDepthMax || values->size() != (size_t{1} << list.size()) * width) {
      return document::MalformedAt(tree.offset(), std::to_string(values->size()) +
                                                      " leaf values for " +
                                                      std::to_string(list.size()) + " splits");
    }
    const size_t leaves = size_t{1} << list.size();
    const Value* weights = tree.Find("leaf_weights");
    const Value::Numbers* covers = weights == nullptr ? nullptr : weights->numbers();
    if (covers == nullptr || covers->size() != leaves) covers = nullptr;
    forest_.has_covers = forest_.has_covers && covers != nullptr;
    for (size_t level = 0; level < list.size(); ++level) {
      HR_ASSIGN(forest::TreeNode node, ReadSplit(list[list.size() - 1 - level]));
      tree_.nodes.insert(tree_.nodes.end(), size_t{1} << level, node);
    }
    const size_t inner = tree_.nodes.size();
    for (size_t n = 0; n < inner; ++n) {
      const size_t left = 2 * n + 1;
      tree_.nodes[n].left = ChildPlace(left, inner);
      tree_.nodes[n].right = ChildPlace(left + 1, inner);
    }
    for (size_t leaf = 0; leaf < leaves; ++leaf) {
      HR_TRY(AddLeaf(tree, values->data() + leaf * width, covers ? (*covers)[leaf] : 0));
    }
    AddUpCovers();
    return Ok();
  }

  static int32_t ChildPlace(size_t child, size_t inner) {
    return child < inner ? static_cast<int32_t>(child) : ~static_cast<int32_t>(child - inner);
  }

  // {"split":…, "left":…, "right":…} or {"value":…, "weight":…}. Does not recurse: parsed
  // documents nest deeper than a stack should.
  Status ReadTree(const Value& tree) {
    struct Visit {
      const Value* at;
      int32_t parent;
      bool is_left;
    };
    std::vector<Visit> open = {{&tree, -1, false}};
    while (!open.empty()) {
      const Visit visit = open.back();
      open.pop_back();
      int32_t place = 0;
      if (const Value* split = visit.at->Find("split")) {
        HR_ASSIGN(const forest::TreeNode node, ReadSplit(*split));
        HR_ASSIGN(const Value* left, MemberOf(*visit.at, "left"));
        HR_ASSIGN(const Value* right, MemberOf(*visit.at, "right"));
        place = static_cast<int32_t>(tree_.nodes.size());
        tree_.nodes.push_back(node);
        open.push_back({right, place, false});
        open.push_back({left, place, true});
      } else {
        place = ~tree_.leaves();
        HR_TRY(ReadLeaf(*visit.at));
      }
      if (visit.parent >= 0) {
        forest::TreeNode& parent = tree_.nodes[static_cast<size_t>(visit.parent)];
        (visit.is_left ? parent.left : parent.right) = place;
      }
    }
    AddUpCovers();
    return Ok();
  }

  Status ReadLeaf(const Value& leaf) {
    HR_ASSIGN(const Value* value, MemberOf(leaf, "value"));
    const Value* weight = leaf.Find("weight");
    const bool known = weight != nullptr && weight->number() != nullptr;
    forest_.has_covers = forest_.has_covers && known;
    const double cover = known ? *weight->number() : 0;
    if (value->number() != nullptr && forest_.outputs == 1) {
      return AddLeaf(leaf, value->number(), cover);
    }
    if (value->numbers() == nullptr ||
        value->numbers()->size() != static_cast<size_t>(forest_.outputs)) {
      return document::MalformedAt(leaf.offset(), "a leaf without one value per output");
    }
    return AddLeaf(leaf, value->numbers()->data(), cover);
  }

  // Children stand behind their parents.
  void AddUpCovers() {
    const auto cover_of = [this](int32_t child) {
      return child < 0 ? tree_.leaf_covers[static_cast<size_t>(~child)]
                       : tree_.nodes[static_cast<size_t>(child)].cover;
    };
    for (size_t n = tree_.nodes.size(); n-- > 0;) {
      tree_.nodes[n].cover = cover_of(tree_.nodes[n].left) + cover_of(tree_.nodes[n].right);
    }
  }

  ModelInfo info_;
  forest::Forest forest_;
  forest::Tree tree_;
  OutputTransform transform_;
  double scale_ = 1;
  std::vector<bool> missing_goes_left_;
};

}  // namespace

bool LooksLikeCatboost(std::string_view text) {
  constexpr std::string_view kKeys[] = {"ctr_data",        "features_info",  "model_info",
                                        "oblivious_trees", "scale_and_bias", "trees"};
  const size_t quote = text.find_first_not_of(" \t\r\n", 1);
  if (quote == std::string_view::npos || text[quote] != '"') return false;
  const std::string_view rest = text.substr(quote + 1);
  return std::any_of(std::begin(kKeys), std::end(kKeys), [rest](std::string_view key) {
    return rest.starts_with(key) && rest.substr(key.size()).starts_with('"');
  });
}

Result<std::shared_ptr<const Model>> LoadCatboost(const Value& root, ModelInfo info) {
  info.format = Format::kCatboostJson;
  return CatboostLoader(std::move(info)).Load(root);
}

}  // namespace headrace::model
