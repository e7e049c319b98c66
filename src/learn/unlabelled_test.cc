// Learners without labels, and of ratings, against what is known of their examples.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "learn/learn_testing.h"
#include "learn/learner.h"

namespace headrace::learn {
namespace {

std::unique_ptr<Learner> Made(const std::string& kind, size_t features,
                              std::vector<std::pair<std::string, std::string>> options = {}) {
  LearnerSpec spec;
  spec.kind = kind;
  spec.features = features;
  spec.label = ShapeOf(kind).label;
  spec.options = std::move(options);
  return Learner::Make(spec).value();
}

// A cloud in the middle of a cube; one in a hundred lies anywhere.
std::vector<Example> Cloud(size_t rows) {
  Draws draws(21);
  std::vector<Example> examples;
  for (size_t i = 0; i < rows; ++i) {
    Example example;
    example.label = draws.Unit() < 0.01 ? 1 : 0;
    for (int f = 0; f < 5; ++f) {
      double bell = -2;
      for (int u = 0; u < 4; ++u)
        bell += draws.Unit();
      const double anywhere = draws.Unit();
      example.x.push_back(example.label == 1 ? anywhere : 0.5 + 0.1 * bell);
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

// The share of pairs of an unusual and a usual example in which the unusual scores higher.
double RocAuc(const std::vector<std::pair<double, int>>& scored) {
  double pairs = 0;
  double right = 0;
  for (const auto& [score, label] : scored) {
    if (label == 0) continue;
    for (const auto& [other, usual] : scored) {
      if (usual == 1) continue;
      pairs += 1;
      right += score > other ? 1 : score == other ? 0.5 : 0;
    }
  }
  return right / pairs;
}

// River 0.26.1 has 0.9950 on the same examples (25 trees of height 10, mean of five seeds).
TEST(HalfSpaceTrees, UnusualExamplesScoreHigher) {
  for (const std::string scale : {"true", "false"}) {
    const auto learner = Made("half_space_trees", 5, {{"scale", scale}});
    std::vector<std::pair<double, int>> scored;
    for (const Example& example : Cloud(4'000)) {
      const std::optional<Label> score = learner->Learn(example.x, {});
      if (!score) continue;
      EXPECT_GE(score->number, 0);
      EXPECT_LE(score->number, 1);
      scored.emplace_back(score->number, example.label);
    }
    EXPECT_EQ(4'000U - 250U, scored.size()) << "nothing is said during the first window";
    EXPECT_GT(RocAuc(scored), 0.985) << scale;
  }
}

TEST(RunningKMeans, GroupsAreTheBlobs) {
  const auto learner = Made("k_means", 2, {{"groups", "4"}});
  Draws draws(3);
  std::map<int, std::map<int64_t, int>> groups;  // by blob
  for (int i = 0; i < 4'000; ++i) {
    const auto blob = static_cast<int>(draws.Below(4));
    const double x[] = {10.0 * (blob % 2) + draws.Unit(), 1000.0 * (blob / 2) + 50 * draws.Unit()};
    const std::optional<Label> group = learner->Learn(x, {});
    EXPECT_EQ(i >= 200, group.has_value()) << i;
    if (group) ++groups[blob][group->integer];
  }
  std::set<int64_t> seen;
  for (const auto& [blob, counts] : groups) {
    EXPECT_EQ(1U, counts.size()) << blob;
    seen.insert(counts.begin()->first);
  }
  EXPECT_EQ(4U, seen.size());
}

// Blobs that wander: with decay the centres go along.
TEST(RunningKMeans, DecayFollowsWhatMoves) {
  const auto wrong = [](const char* decay) {
    const auto learner =
        Made("k_means", 1, {{"groups", "2"}, {"decay", decay}, {"standardize", "false"}});
    Draws draws(4);
    int off = 0;
    for (int i = 0; i < 6'000; ++i) {
      const auto blob = static_cast<int>(draws.Below(2));
      const double x[] = {10.0 * blob + draws.Unit() + i * 0.01};
      const std::optional<Label> group = learner->Learn(x, {});
      const double low[] = {i * 0.01};
      if (group && (learner->Ask(low)->integer == group->integer) != (blob == 0)) ++off;
    }
    return off;
  };
  EXPECT_EQ(0, wrong("0.98"));
  EXPECT_GT(wrong("1"), 1000);
}

// Ratings of low rank with a little noise: what biases alone cannot tell is learned.
TEST(MatrixFactorization, RatingsOfLowRankAreLearned) {
  const auto error_with = [](const char* factors) {
    const auto learner =
        Made("matrix_factorization", 2, {{"factors", factors}, {"rate", "0.05"}, {"l2", "0.005"}});
    Draws draws(5);
    std::vector<double> tastes;
    for (int i = 0; i < 2 * (40 + 30); ++i)
      tastes.push_back(2 * draws.Unit() - 1);
    double squares = 0;
    int counted = 0;
    for (int i = 0; i < 60'000; ++i) {
      const size_t user = draws.Below(40);
      const size_t item = draws.Below(30);
      const double rating = 3 + 2 * tastes[2 * user] * tastes[80 + 2 * item] +
                            2 * tastes[2 * user + 1] * tastes[81 + 2 * item] +
                            0.1 * (draws.Unit() - 0.5);
      const double x[] = {1000.0 + static_cast<double>(user), static_cast<double>(item)};
      const std::optional<Label> guess = learner->Learn(x, {0, rating, {}});
      if (i < 40'000) continue;
      squares += (guess->number - rating) * (guess->number - rating);
      ++counted;
    }
    return std::sqrt(squares / counted);
  };
  const double one = error_with("1");
  const double four = error_with("4");
  EXPECT_LT(four, 0.05);
  EXPECT_GT(one, 5 * four);
}

TEST(MatrixFactorization, WhoIsUnknownCountsAsTheMean) {
  const auto learner = Made("matrix_factorization", 2);
  const double known[] = {1, 2};
  for (int i = 0; i < 100; ++i)
    learner->Learn(known, {0, 4.0, {}});
  const double stranger[] = {7, 9};
  EXPECT_DOUBLE_EQ(4, learner->Ask(stranger)->number);
  const double missing[] = {std::nan(""), 2};
  const std::string before = Saved(*learner);
  EXPECT_TRUE(learner->Learn(missing, {0, 1.0, {}}).has_value());
  EXPECT_NEAR(4, learner->Ask(stranger)->number, 1e-9) << before.size();
}

TEST(Learner, WhatItLearnsFromIsChecked) {
  const auto refusal = [](const std::string& kind, size_t features, LabelKind label) {
    LearnerSpec spec;
    spec.kind = kind;
    spec.features = features;
    spec.label = label;
    const auto made = Learner::Make(spec);
    return made.ok() ? "" : made.error().code();
  };
  EXPECT_EQ("HR3083", refusal("k_means", 2, LabelKind::kInteger));
  EXPECT_EQ("HR3083", refusal("naive_bayes", 2, LabelKind::kNone));
  EXPECT_EQ("HR3083", refusal("matrix_factorization", 2, LabelKind::kText));
  EXPECT_EQ("HR3084", refusal("matrix_factorization", 3, LabelKind::kNumber));
  EXPECT_EQ("", refusal("matrix_factorization", 2, LabelKind::kNumber));
}

}  // namespace
}  // namespace headrace::learn
