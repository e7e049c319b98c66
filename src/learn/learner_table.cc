#include "learn/learner_table.h"

#include <algorithm>
#include <initializer_list>

#include "learn/adaptive_forest.h"
#include "learn/extremely_fast_tree.h"
#include "learn/half_space_trees.h"
#include "learn/hoeffding_adaptive_tree.h"
#include "learn/hoeffding_tree.h"
#include "learn/leveraging_bagging.h"
#include "learn/matrix_factorization.h"
#include "learn/naive_bayes.h"
#include "learn/nearest_neighbours.h"
#include "learn/running_kmeans.h"

namespace headrace::learn {
namespace {

using Rules = std::vector<OptionRule>;

constexpr OptionRule kOutput{"output", 0, 0, 0, false, "class|probability"};
constexpr OptionRule kSeed{"seed", 1, 0, 9e15, true};
constexpr OptionRule kMaxDepth{"max_depth", 100, 1, 100, true};
constexpr OptionRule kTau{"tau", 0.05, 0, 10};
constexpr OptionRule kLambda{"lambda", 6, 1e-3, 50};
constexpr OptionRule kModels{"models", 10, 1, 100, true};
constexpr OptionRule kMaxFeatures{"max_features", 0, 0, kFeaturesMax, true};

OptionRule Grace(double standard) {
  return {"grace_period", standard, 1, 1e6, true};
}
OptionRule Delta(std::string_view name, double standard) {
  return {name, standard, 1e-12, 0.999};
}
OptionRule MemoryMb(double standard) {
  return {"memory_mb", standard, 1, 4096, true};
}

TreeOptions TreeFrom(const OptionValues& options) {
  TreeOptions tree;
  tree.grace_period = options.Number("grace_period");
  tree.delta = options.Number("delta");
  tree.tau = options.Number("tau");
  tree.max_depth = options.Count("max_depth");
  tree.memory_max = options.Count("memory_mb") << 20;
  return tree;
}

uint64_t SeedFrom(const OptionValues& options) {
  return static_cast<uint64_t>(options.Number("seed"));
}

LinearOptions LinearFrom(const OptionValues& options) {
  LinearOptions linear;
  linear.optimizer = options.Number("optimizer") == 1 ? Optimizer::kFtrl : Optimizer::kSgd;
  linear.standardize = options.Number("standardize") == 1;
  linear.rate = options.Number("rate");
  linear.intercept_rate = options.Number("intercept_rate");
  linear.l1 = options.Number("l1");
  linear.l2 = options.Number("l2");
  linear.beta = options.Number("beta");
  return linear;
}

Rules LinearRules() {
  return {{"beta", 1, 0, 1e6},
          {"intercept_rate", 0.01, 0, 10},
          {"l1", 0, 0, 1e6},
          {"l2", 0, 0, 1e6},
          {"optimizer", 0, 0, 0, false, "sgd|ftrl"},
          {"rate", 0.01, 1e-9, 10},
          {"standardize", 1, 0, 0, false, "false|true"}};
}

Rules With(Rules rules, std::initializer_list<OptionRule> more) {
  rules.insert(rules.end(), more);
  return rules;
}

std::unique_ptr<Classifier> MakeForest(size_t features, const OptionValues& options,
                                       Subspace subspace) {
  ForestOptions forest;
  forest.models = options.Count("models");
  forest.lambda = options.Number("lambda");
  forest.subspace = subspace;
  forest.max_features = options.Count("max_features");
  forest.drift_delta = options.Number("drift_delta");
  forest.warning_delta = options.Number("warning_delta");
  forest.tree = TreeFrom(options);
  return std::make_unique<AdaptiveForest>(features, forest, SeedFrom(options));
}

LearnerKind AdaptiveRandomForest() {
  return {"adaptive_random_forest",
          {kOutput, kSeed, kMaxDepth, kTau, kLambda, kModels, kMaxFeatures, Grace(50),
           Delta("delta", 0.01), Delta("drift_delta", 0.001), Delta("warning_delta", 0.01),
           MemoryMb(64)},
          [](size_t features, const OptionValues& options) {
            return MakeForest(features, options, Subspace::kLeaf);
          },
          nullptr};
}

LearnerKind StreamingRandomPatches() {
  return {"streaming_random_patches",
          {kOutput, kSeed, kMaxDepth, kTau, kLambda, kModels, kMaxFeatures, Grace(50),
           Delta("delta", 0.01), Delta("drift_delta", 1e-5), Delta("warning_delta", 1e-4),
           MemoryMb(64)},
          [](size_t features, const OptionValues& options) {
            return MakeForest(features, options, Subspace::kTree);
          },
          nullptr};
}

LearnerKind ExtremelyFastTreeKind() {
  return {"extremely_fast_decision_tree",
          {kOutput,
           kSeed,
           kMaxDepth,
           kTau,
           Grace(200),
           Delta("delta", 1e-7),
           MemoryMb(32),
           {"reevaluate_after", 20, 1, 1e6, true}},
          [](size_t features, const OptionValues& options) -> std::unique_ptr<Classifier> {
            FastTreeOptions fast;
            fast.reevaluate_after = options.Number("reevaluate_after");
            fast.tree = TreeFrom(options);
            return std::make_unique<ExtremelyFastTree>(features, fast);
          },
          nullptr};
}

LearnerKind NearestNeighboursKind() {
  return {"nearest_neighbours",
          {kOutput,
           kSeed,
           {"neighbours", 5, 1, 1000, true},
           {"window", 1000, 1, 100'000, true},
           {"standardize", 1, 0, 0, false, "false|true"}},
          [](size_t features, const OptionValues& options) -> std::unique_ptr<Classifier> {
            return std::make_unique<NearestNeighbours>(
                features, NeighbourOptions{options.Count("neighbours"), options.Count("window"),
                                           options.Number("standardize") == 1});
          },
          nullptr};
}

LearnerKind HoeffdingTreeKind() {
  return {"hoeffding_tree",
          {kOutput, kSeed, kMaxDepth, kTau, Grace(200), Delta("delta", 1e-7), MemoryMb(32)},
          [](size_t features, const OptionValues& options) -> std::unique_ptr<Classifier> {
            return std::make_unique<HoeffdingTree>(features, TreeFrom(options));
          },
          nullptr};
}

LearnerKind HoeffdingAdaptiveTreeKind() {
  return {"hoeffding_adaptive_tree",
          {kOutput, kSeed, kMaxDepth, kTau, Grace(200), Delta("delta", 1e-7),
           Delta("drift_delta", 0.002), MemoryMb(32)},
          [](size_t features, const OptionValues& options) -> std::unique_ptr<Classifier> {
            AdaptiveTreeOptions adaptive;
            adaptive.drift_delta = options.Number("drift_delta");
            adaptive.tree = TreeFrom(options);
            return std::make_unique<HoeffdingAdaptiveTree>(features, adaptive, SeedFrom(options));
          },
          nullptr};
}

LearnerKind LeveragingBaggingKind() {
  return {"leveraging_bagging",
          {kOutput, kSeed, kMaxDepth, kTau, kLambda, kModels, Grace(200), Delta("delta", 1e-7),
           Delta("drift_delta", 0.002), MemoryMb(64)},
          [](size_t features, const OptionValues& options) -> std::unique_ptr<Classifier> {
            BaggingOptions bagging;
            bagging.models = options.Count("models");
            bagging.lambda = options.Number("lambda");
            bagging.drift_delta = options.Number("drift_delta");
            bagging.tree = TreeFrom(options);
            return std::make_unique<LeveragingBagging>(features, bagging, SeedFrom(options));
          },
          nullptr};
}

LearnerKind LogisticRegressionKind() {
  return {"logistic_regression", With(LinearRules(), {kOutput, kSeed}),
          [](size_t features, const OptionValues& options) -> std::unique_ptr<Classifier> {
            return std::make_unique<LogisticRegression>(features, LinearFrom(options));
          },
          nullptr};
}

LearnerKind LinearRegressionKind() {
  return {"linear_regression", With(LinearRules(), {kSeed}), nullptr,
          [](size_t features, const OptionValues& options) -> std::unique_ptr<Regressor> {
            return std::make_unique<LinearRegression>(features, LinearFrom(options));
          }};
}

LearnerKind NaiveBayesKind() {
  return {"naive_bayes",
          {kOutput, kSeed},
          [](size_t features, const OptionValues&) -> std::unique_ptr<Classifier> {
            return std::make_unique<NaiveBayes>(features);
          },
          nullptr};
}

LearnerKind HalfSpaceTreesKind() {
  return {"half_space_trees",
          {kSeed,
           {"models", 25, 1, 100, true},
           {"depth", 10, 1, 15, true},
           {"window", 250, 2, 1e6, true},
           {"scale", 1, 0, 0, false, "false|true"}},
          nullptr,
          nullptr,
          [](size_t features, const OptionValues& options) -> std::unique_ptr<Unlabelled> {
            return std::make_unique<HalfSpaceTrees>(
                features,
                HalfSpaceOptions{options.Count("models"), options.Count("depth"),
                                 options.Count("window"), options.Number("scale") == 1},
                SeedFrom(options));
          }};
}

LearnerKind KMeansKind() {
  return {"k_means",
          {kSeed,
           {"groups", 5, 1, 256, true},
           {"warm_start", 200, 1, 10'000, true},
           {"decay", 1, 1e-3, 1},
           {"standardize", 1, 0, 0, false, "false|true"}},
          nullptr,
          nullptr,
          [](size_t features, const OptionValues& options) -> std::unique_ptr<Unlabelled> {
            return std::make_unique<RunningKMeans>(
                features,
                KMeansOptions{options.Count("groups"), options.Count("warm_start"),
                              options.Number("decay"), options.Number("standardize") == 1},
                SeedFrom(options));
          },
          true};
}

LearnerKind MatrixFactorizationKind() {
  return {"matrix_factorization",
          {kSeed,
           {"factors", 10, 1, 1000, true},
           {"rate", 0.025, 1e-9, 1},
           {"l2", 0.02, 0, 100},
           MemoryMb(64)},
          nullptr,
          [](size_t, const OptionValues& options) -> std::unique_ptr<Regressor> {
            return std::make_unique<MatrixFactorization>(
                FactorOptions{options.Count("factors"), options.Number("rate"),
                              options.Number("l2"), options.Count("memory_mb") << 20},
                SeedFrom(options));
          },
          nullptr,
          false,
          2};
}

}  // namespace

const std::vector<LearnerKind>& AllLearnerKinds() {
  static const std::vector<LearnerKind> kKinds{
      AdaptiveRandomForest(),      ExtremelyFastTreeKind(), HalfSpaceTreesKind(),
      HoeffdingAdaptiveTreeKind(), HoeffdingTreeKind(),     KMeansKind(),
      LeveragingBaggingKind(),     LinearRegressionKind(),  LogisticRegressionKind(),
      MatrixFactorizationKind(),   NaiveBayesKind(),        NearestNeighboursKind(),
      StreamingRandomPatches()};
  return kKinds;
}

const LearnerKind* FindLearnerKind(std::string_view name) {
  const std::vector<LearnerKind>& kinds = AllLearnerKinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const LearnerKind& kind) { return kind.name == name; });
  return found == kinds.end() ? nullptr : &*found;
}

}  // namespace headrace::learn
