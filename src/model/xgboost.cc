#include "model/xgboost.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "document/members.h"
#include "model/linear_model.h"
#include "model/tree_model.h"
#include "model/xgboost_tree.h"

namespace headrace::model {
namespace {

// The most outputs a model may have; beyond, it is a broken file, not a model.
constexpr int64_t kOutputsMax = 10'000;

// How base_score, which is a prediction, becomes a raw score.
enum class BaseRule { kAsIs, kLogit, kLog };

struct Objective {
  std::string_view name;
  TransformKind transform;
  BaseRule base;
};

constexpr Objective kObjectives[] = {
    {"reg:squarederror", TransformKind::kIdentity, BaseRule::kAsIs},
    {"reg:linear", TransformKind::kIdentity, BaseRule::kAsIs},
    {"reg:squaredlogerror", TransformKind::kIdentity, BaseRule::kAsIs},
    {"reg:pseudohubererror", TransformKind::kIdentity, BaseRule::kAsIs},
    {"reg:absoluteerror", TransformKind::kIdentity, BaseRule::kAsIs},
    {"reg:quantileerror", TransformKind::kIdentity, BaseRule::kAsIs},
    {"reg:logistic", TransformKind::kSigmoid, BaseRule::kLogit},
    {"binary:logistic", TransformKind::kSigmoid, BaseRule::kLogit},
    {"binary:logitraw", TransformKind::kIdentity, BaseRule::kAsIs},
    {"binary:hinge", TransformKind::kStep, BaseRule::kAsIs},
    {"count:poisson", TransformKind::kExp, BaseRule::kLog},
    {"reg:gamma", TransformKind::kExp, BaseRule::kLog},
    {"reg:tweedie", TransformKind::kExp, BaseRule::kLog},
    {"survival:cox", TransformKind::kExp, BaseRule::kLog},
    {"survival:aft", TransformKind::kExp, BaseRule::kLog},
    {"multi:softprob", TransformKind::kSoftmax, BaseRule::kAsIs},
    {"multi:softmax", TransformKind::kArgMax, BaseRule::kAsIs},
    {"rank:ndcg", TransformKind::kIdentity, BaseRule::kAsIs},
    {"rank:map", TransformKind::kIdentity, BaseRule::kAsIs},
    {"rank:pairwise", TransformKind::kIdentity, BaseRule::kAsIs},
};

Error Unsupported(const document::Value& at, std::string message) {
  return Error(ErrorKind::kInvalidArgument, "HR3003", std::move(message))
      .AtPlace("byte " + std::to_string(at.offset()));
}

class XgboostLoader {
 public:
  explicit XgboostLoader(ModelInfo info) : info_(std::move(info)) {}

  Result<std::shared_ptr<const Model>> Load(const document::Value& document) {
    if (document.Find("learner") == nullptr) {
      return Error(ErrorKind::kInvalidArgument, "HR3001",
                   "a document without \"learner\" is not an XGBoost model")
          .AtPlace("byte 0")
          .WithHint("save it with Booster.save_model('model.json') or 'model.ubj'");
    }
    HR_ASSIGN(const document::Value* learner, document::MemberOf(document, "learner"));
    ReadVersion(document);
    HR_TRY(ReadSizes(*learner));
    HR_TRY(ReadObjective(*learner));
    HR_TRY(ReadNames(*learner));
    HR_ASSIGN(const document::Value* booster, document::MemberOf(*learner, "gradient_booster"));
    HR_ASSIGN(const std::string_view kind, document::TextOf(*booster, "name"));
    if (kind == "gblinear") return LoadLinear(*booster);
    if (kind == "gbtree") {
      HR_TRY(ReadTrees(*booster));
    } else if (kind == "dart") {
      HR_ASSIGN(const document::Value* trees, document::MemberOf(*booster, "gbtree"));
      HR_TRY(ReadTrees(*trees));
      HR_TRY(ReadTreeWeights(*booster));
    } else {
      return Unsupported(*booster, "the booster \"" + std::string(kind.substr(0, 60)) +
                                       "\" is not supported (gbtree, dart and gblinear are)");
    }
    return std::shared_ptr<const Model>(
        std::make_shared<TreeModel>(std::move(info_), std::move(forest_), transform_));
  }

 private:
  // Saves from before there was a version are as old as any.
  void ReadVersion(const document::Value& document) {
    const document::Value* version = document.Find("version");
    if (version == nullptr || version->numbers() == nullptr || version->numbers()->size() < 2)
      return;
    const document::Value::Numbers& parts = *version->numbers();
    before_1_3_ = parts[0] < 1 || (parts[0] == 1 && parts[1] < 3);
  }

  Status ReadSizes(const document::Value& learner) {
    HR_ASSIGN(parameters_, document::MemberOf(learner, "learner_model_param"));
    HR_ASSIGN(const int64_t features, document::IntegerOf(*parameters_, "num_feature"));
    HR_ASSIGN(const int64_t classes, document::IntegerOf(*parameters_, "num_class"));
    int64_t targets = 1;
    if (parameters_->Find("num_target") != nullptr) {
      HR_ASSIGN(targets, document::IntegerOf(*parameters_, "num_target"));
    }
    if (features < 0 || classes < 0 || targets < 0) {
      return document::MalformedAt(parameters_->offset(),
                                   "a negative num_feature, num_class or num_target");
    }
    const int64_t outputs = std::max({classes, targets, int64_t{1}});
    if (features > forest::kFeaturesMax || outputs > kOutputsMax) {
      return Error(ErrorKind::kLimitExceeded, "HR3004", "too many features, classes or targets")
          .AtPlace("byte " + std::to_string(parameters_->offset()));
    }
    forest_.arithmetic = forest::Arithmetic::kFloat32;
    forest_.members_go_left = false;
    forest_.features = static_cast<int32_t>(features);
    forest_.outputs = static_cast<int32_t>(outputs);
    transform_.outputs = forest_.outputs;
    transform_.single_precision = true;
    return Ok();
  }

  Status ReadObjective(const document::Value& learner) {
    HR_ASSIGN(const document::Value* objective, document::MemberOf(learner, "objective"));
    HR_ASSIGN(const std::string_view name, document::TextOf(*objective, "name"));
    info_.objective = name;
    const auto* known = std::find_if(std::begin(kObjectives), std::end(kObjectives),
                                     [name](const Objective& o) { return o.name == name; });
    if (known == std::end(kObjectives)) {
      return Unsupported(*objective, "the objective \"" + std::string(name.substr(0, 60)) +
                                         "\" is not supported: its output transform is unknown");
    }
    transform_.kind = known->transform;
    // Its base score has been a raw score since 1.3 only.
    const bool logit = name == "binary:logitraw" && before_1_3_;
    return ReadBase(logit ? BaseRule::kLogit : known->base);
  }

  // base_score: one number, or since 3.1 a list in brackets with one number or one per output.
  Status ReadBase(BaseRule rule) {
    HR_ASSIGN(std::string_view text, document::TextOf(*parameters_, "base_score"));
    std::vector<float> base;
    const bool list = text.starts_with('[') && text.ends_with(']');
    if (list) text = text.substr(1, text.size() - 2);
    const char* at = text.data();
    const char* const end = at + text.size();
    for (;;) {
      float value = 0;
      const auto parsed = std::from_chars(at, end, value);
      if (parsed.ec != std::errc() || !std::isfinite(value)) return BadBase();
      base.push_back(value);
      at = parsed.ptr;
      if (at == end) break;
      if (!list || *at++ != ',') return BadBase();
    }
    const auto outputs = static_cast<size_t>(forest_.outputs);
    if (base.size() == 1) base.resize(outputs, base[0]);
    if (base.size() != outputs) return BadBase();
    for (float value : base) {
      forest_.base.push_back(static_cast<double>(RawOf(value, rule)));
      if (!std::isfinite(forest_.base.back())) return BadBase();
    }
    return Ok();
  }

  Error BadBase() const {
    return document::MalformedAt(parameters_->offset(),
                                 "base_score is not a number of the objective's range");
  }

  static float RawOf(float prediction, BaseRule rule) {
    switch (rule) {
      case BaseRule::kLogit:
        return -std::log(1.0F / prediction - 1.0F);
      case BaseRule::kLog:
        return std::log(prediction);
      case BaseRule::kAsIs:
        break;
    }
    return prediction;
  }

  Status ReadNames(const document::Value& learner) {
    const auto features = static_cast<size_t>(forest_.features);
    info_.features.clear();
    info_.categories.assign(features, {});
    const document::Value* names = learner.Find("feature_names");
    if (names != nullptr && names->array() != nullptr) {
      for (const document::Value& name : *names->array()) {
        if (name.text() == nullptr) {
          return document::MalformedAt(name.offset(), "a feature name must be text");
        }
        info_.features.push_back(*name.text());
      }
      if (info_.features.size() != features) {
        return document::MalformedAt(names->offset(),
                                     "feature_names has " + std::to_string(info_.features.size()) +
                                         " names for " + std::to_string(features) + " features");
      }
      return Ok();
    }
    for (size_t i = 0; i < features; ++i) {
      info_.features.push_back("f" + std::to_string(i));
    }
    return Ok();
  }

  Status ReadTrees(const document::Value& booster) {
    HR_ASSIGN(const document::Value* model, document::MemberOf(booster, "model"));
    HR_ASSIGN(const document::Value* parameters, document::MemberOf(*model, "gbtree_model_param"));
    HR_ASSIGN(const int64_t count, document::IntegerOf(*parameters, "num_trees"));
    HR_ASSIGN(const document::Value::Numbers* outputs, document::NumbersOf(*model, "tree_info"));
    HR_ASSIGN(const document::Value* trees, document::MemberOf(*model, "trees"));
    static const document::Value::Array kNone;
    const document::Value::Array& items = trees->array() != nullptr ? *trees->array() : kNone;
    if (count < 0 || static_cast<size_t>(count) != items.size() ||
        outputs->size() != items.size() || items.size() > static_cast<size_t>(forest::kTreesMax)) {
      return document::MalformedAt(trees->offset(),
                                   "num_trees is " + std::to_string(count) + " with " +
                                       std::to_string(items.size()) + " trees and " +
                                       std::to_string(outputs->size()) + " in tree_info");
    }
    HR_TRY(ReadCategoryNames(*model));
    HR_TRY(ReadLeafWidth(*parameters, items));
    for (size_t i = 0; i < items.size(); ++i) {
      const double output = (*outputs)[i];
      if (!(output >= 0 && output < forest_.outputs)) {
        return document::MalformedAt(items[i].offset(),
                                     "tree_info names an output that is not there");
      }
      HR_ASSIGN(forest::Tree tree, ReadXgboostTree(items[i], &forest_));
      tree.output = static_cast<int32_t>(output);
      forest_.trees.push_back(std::move(tree));
    }
    // Since 3.4 the weights of dart are here, and the booster's name says gbtree.
    return model->Find("weight_drop") == nullptr ? Ok() : ReadTreeWeights(*model);
  }

  // Leaves are all single numbers or all vectors of every output.
  Status ReadLeafWidth(const document::Value& parameters, const document::Value::Array& trees) {
    const document::Value* holder = &parameters;
    if (!trees.empty()) {
      HR_ASSIGN(holder, document::MemberOf(trees.front(), "tree_param"));
    }
    if (holder->Find("size_leaf_vector") == nullptr) return Ok();
    HR_ASSIGN(const int64_t width, document::IntegerOf(*holder, "size_leaf_vector"));
    if (width > 1 && width != forest_.outputs) {
      return document::MalformedAt(holder->offset(),
                                   "size_leaf_vector is " + std::to_string(width) + " with " +
                                       std::to_string(forest_.outputs) + " outputs");
    }
    forest_.leaf_width = width > 1 ? static_cast<int32_t>(width) : 1;
    return Ok();
  }

  // A weight per tree; trees behind the last one have 1.
  Status ReadTreeWeights(const document::Value& holder) {
    HR_ASSIGN(const document::Value::Numbers* weights, document::NumbersOf(holder, "weight_drop"));
    if (weights->size() > forest_.trees.size()) {
      return document::MalformedAt(
          holder.offset(), "weight_drop has " + std::to_string(weights->size()) + " values for " +
                               std::to_string(forest_.trees.size()) + " trees");
    }
    for (size_t i = 0; i < weights->size(); ++i) {
      forest::Tree& tree = forest_.trees[i];
      tree.weight = (*weights)[i];
      const auto weight = static_cast<float>((*weights)[i]);
      for (double& value : tree.leaf_values) {
        value = static_cast<double>(static_cast<float>(value) * weight);
      }
    }
    return Ok();
  }

  // cats.enc (since 3.1): for each feature the categories in the order of their codes, as one text
  // and the offsets of its parts, or as numbers.
  Status ReadCategoryNames(const document::Value& model) {
    const document::Value* cats = model.Find("cats");
    const document::Value* encodings = cats == nullptr ? nullptr : cats->Find("enc");
    if (encodings == nullptr || encodings->array() == nullptr) return Ok();
    const document::Value::Array& list = *encodings->array();
    if (list.size() != info_.categories.size()) {
      return document::MalformedAt(encodings->offset(), "cats.enc needs one entry per feature");
    }
    for (size_t i = 0; i < list.size(); ++i) {
      HR_ASSIGN(const document::Value::Numbers* values, document::NumbersOf(list[i], "values"));
      if (list[i].Find("offsets") == nullptr) {
        info_.categories[i] = NumberTexts(*values);
        continue;
      }
      HR_ASSIGN(const document::Value::Numbers* offsets, document::NumbersOf(list[i], "offsets"));
      HR_ASSIGN(info_.categories[i], CutTexts(*values, *offsets, list[i].offset()));
    }
    return Ok();
  }

  static std::vector<std::string> NumberTexts(const document::Value::Numbers& values) {
    std::vector<std::string> texts;
    for (double value : values) {
      char digits[32];
      texts.emplace_back(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    }
    return texts;
  }

  static Result<std::vector<std::string>> CutTexts(const document::Value::Numbers& bytes,
                                                   const document::Value::Numbers& offsets,
                                                   size_t place) {
    std::string all;
    for (double byte : bytes) {
      if (!(byte >= -128 && byte < 256))
        return document::MalformedAt(place, "a category's byte is no byte");
      all.push_back(static_cast<char>(static_cast<int32_t>(byte)));
    }
    std::vector<std::string> texts;
    for (size_t i = 1; i < offsets.size(); ++i) {
      const double from = offsets[i - 1];
      const double to = offsets[i];
      if (!(from >= 0 && from <= to && to <= static_cast<double>(all.size()))) {
        return document::MalformedAt(place,
                                     "the offsets of categories must rise within their text");
      }
      texts.push_back(all.substr(static_cast<size_t>(from), static_cast<size_t>(to - from)));
    }
    return texts;
  }

  Result<std::shared_ptr<const Model>> LoadLinear(const document::Value& booster) {
    HR_ASSIGN(const document::Value* model, document::MemberOf(booster, "model"));
    HR_ASSIGN(const document::Value::Numbers* weights, document::NumbersOf(*model, "weights"));
    const auto outputs = static_cast<size_t>(forest_.outputs);
    if (weights->size() != (info_.features.size() + 1) * outputs) {
      return document::MalformedAt(
          model->offset(), "gblinear has " + std::to_string(weights->size()) + " weights for " +
                               std::to_string(info_.features.size()) + " features and a bias");
    }
    std::vector<float> narrow;
    for (double weight : *weights) {
      narrow.push_back(static_cast<float>(weight));
    }
    return std::shared_ptr<const Model>(std::make_shared<LinearModel>(
        std::move(info_), std::move(narrow), forest_.base, transform_));
  }

  ModelInfo info_;
  forest::Forest forest_;
  OutputTransform transform_;
  const document::Value* parameters_ = nullptr;  // learner_model_param
  bool before_1_3_ = true;
};

}  // namespace

Result<std::shared_ptr<const Model>> LoadXgboost(const document::Value& document, ModelInfo info) {
  return XgboostLoader(std::move(info)).Load(document);
}

}  // namespace headrace::model
