#include "train/split_finder.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "train/train_testing.h"

namespace headrace::train {
namespace {

constexpr unsigned kCountBits = 10;
constexpr GradientScale kScale = {1024, 1024, kCountBits};

// One feature of a node: the sums of each bin.
struct Given {
  FeatureBins feature;
  std::vector<Sums> bins;  // the last is what is missing
  std::vector<Cell> cells;
  Sums all;

  void Add(size_t bin, const Sums& sums) {
    bins[bin] += sums;
    all += sums;
    cells[bin].sums += Cell::Pair{sums.first, (sums.second << kCountBits) | sums.rows};
  }
};

Given RandomNode(Draws& draws, size_t values, bool categorical, bool missing) {
  Given given;
  given.feature.categorical = categorical;
  for (size_t b = 0; b < values; ++b) {
    categorical ? given.feature.categories.push_back(static_cast<int32_t>(b))
                : given.feature.upper.push_back(static_cast<double>(b));
  }
  given.bins.resize(values + 1);
  given.cells.resize(values + 1);
  for (size_t b = 0; b < values + (missing ? 1 : 0); ++b) {
    const size_t rows = draws.Below(30);
    for (size_t i = 0; i < rows; ++i)
      given.Add(b, {static_cast<int64_t>(draws.Below(4096)) - 2048 + static_cast<int64_t>(b) * 40,
                    static_cast<int64_t>(draws.Below(1024)) + 1, 1});
  }
  return given;
}

double GainOf(const Sums& left, const Sums& right, double l2) {
  const auto part = [&](const Sums& sums) {
    const double first = static_cast<double>(sums.first) / 1024;
    return first * first / (static_cast<double>(sums.second) / 1024 + l2);
  };
  Sums all = left;
  all += right;
  return part(left) + part(right) - part(all);
}

Split Find(const Given& given, const SplitRules& rules, int8_t monotone = 0, Bounds bounds = {}) {
  return SplitFinder(rules, kCountBits)
      .Find(given.feature, monotone, {given.cells.data(), given.all, bounds}, 0);
}

SplitRules Rules(double l2, int64_t min_rows) {
  return {.l2 = l2, .min_rows = min_rows, .scale = kScale};
}

TEST(SplitFinder, FindsTheBestOfAllSplitsOfNumbers) {
  Draws draws(11);
  for (int round = 0; round < 500; ++round) {
    const Given given = RandomNode(draws, 1 + draws.Below(12), false, round % 2 == 0);
    const double l2 = round % 3 == 0 ? 0 : 2.5;
    const int64_t min_rows = 1 + static_cast<int64_t>(draws.Below(25));
    double best = 0;
    for (size_t bin = 0; bin < given.feature.values(); ++bin) {
      for (const bool missing_left : {false, true}) {
        Sums left;
        for (size_t b = 0; b <= bin; ++b)
          left += given.bins[b];
        if (missing_left) left += given.bins.back();
        const Sums right = given.all - left;
        if (left.rows < min_rows || right.rows < min_rows) continue;
        best = std::max(best, GainOf(left, right, l2));
      }
    }
    const Split split = Find(given, Rules(l2, min_rows));
    EXPECT_NEAR(best, split.gain, 1e-9 * (1 + best)) << round;
    if (!split.found()) continue;
    EXPECT_NEAR(split.gain, GainOf(split.left, split.right, l2), 1e-9);
    Sums left;
    for (size_t b = 0; b <= split.bin; ++b)
      left += given.bins[b];
    if (split.missing_left) left += given.bins.back();
    EXPECT_EQ(left.rows, split.left.rows);
    EXPECT_EQ(left.first, split.left.first);
    EXPECT_EQ(given.all.second, split.left.second + split.right.second);
    EXPECT_NEAR(-static_cast<double>(left.first) / (static_cast<double>(left.second) + l2 * 1024),
                split.left_value, 1e-12);
  }
}

TEST(SplitFinder, NeverCutsAtABoundThatIsInfinite) {
  Draws draws(5);
  Given given = RandomNode(draws, 1, false, false);
  given.Add(0, {2000, 1000, 20});
  given.Add(1, {-2000, 1000, 20});
  EXPECT_TRUE(Find(given, Rules(0, 1)).found());
  given.feature.upper = {std::numeric_limits<double>::infinity()};
  EXPECT_FALSE(Find(given, Rules(0, 1)).found());
}

TEST(SplitFinder, SendsWhatWasNeverMissingToTheSideWithMoreRows) {
  for (const bool left_is_larger : {false, true}) {
    Given given;
    given.feature.upper = {1, 2};
    given.bins.resize(3);
    given.cells.resize(3);
    given.Add(0, {2000, 1000, left_is_larger ? 30 : 20});
    given.Add(1, {-2000, 1000, left_is_larger ? 20 : 30});
    EXPECT_EQ(left_is_larger, Find(given, Rules(0, 1)).missing_left);
  }
}

// The best of all subsets of the categories is one that is sorted by slope (Fisher 1958).
TEST(SplitFinder, ACutOfSortedCategoriesIsTheBestOfAllSubsets) {
  Draws draws(23);
  for (int round = 0; round < 50; ++round) {
    Given given;
    given.feature.categorical = true;
    const size_t values = 6;
    given.bins.resize(values + 1);
    given.cells.resize(values + 1);
    for (size_t b = 0; b < values; ++b) {
      given.feature.categories.push_back(static_cast<int32_t>(b));
      // Equal second derivatives, so that smoothing keeps the order.
      given.Add(b, {static_cast<int64_t>(draws.Below(200'000)) - 100'000, 120 * 1024, 120});
    }
    double best = 0;
    for (size_t subset = 1; subset + 1 < (size_t{1} << values); ++subset) {
      Sums left;
      for (size_t b = 0; b < values; ++b)
        if ((subset >> b & 1) != 0) left += given.bins[b];
      const double l2 = 10;  // added for categories
      best = std::max(best, GainOf(left, given.all - left, l2));
    }
    // The parent's score is without what is added for categories.
    const auto first = static_cast<double>(given.all.first) / 1024;
    const auto second = static_cast<double>(given.all.second) / 1024;
    best += first * first / (second + 10) - first * first / second;
    const Split split = Find(given, Rules(0, 20));
    EXPECT_NEAR(std::max(best, 0.0), split.gain, 1e-9 * (1 + std::abs(best)));
    if (split.found()) {
      EXPECT_LE(split.left_bins.size(), values / 2);
    }
  }
}

TEST(SplitFinder, TakesOneOfFewCategoriesAgainstTheRest) {
  Draws draws(29);
  for (int round = 0; round < 100; ++round) {
    const Given given = RandomNode(draws, 3, true, true);
    double best = 0;
    for (size_t b = 0; b < 3; ++b) {
      const Sums right = given.all - given.bins[b];
      if (given.bins[b].rows < 5 || right.rows < 5) continue;
      best = std::max(best, GainOf(given.bins[b], right, 1));
    }
    const Split split = Find(given, Rules(1, 5));
    EXPECT_NEAR(best, split.gain, 1e-9);
    if (split.found()) {
      EXPECT_EQ(1u, split.left_bins.size());
    }
  }
}

TEST(SplitFinder, KeepsValuesInOrderAndWithinBounds) {
  Draws draws(31);
  int found = 0;
  for (int round = 0; round < 400; ++round) {
    const Given given = RandomNode(draws, 8, false, round % 2 == 0);
    const auto monotone = static_cast<int8_t>(round % 4 < 2 ? 1 : -1);
    Bounds bounds;
    if (round % 3 == 0) bounds = {-0.2, 0.1};
    const Split split = Find(given, Rules(1, 5), monotone, bounds);
    if (!split.found()) continue;
    ++found;
    EXPECT_GE((split.right_value - split.left_value) * monotone, 0);
    for (double value : {split.left_value, split.right_value}) {
      EXPECT_GE(value, bounds.low);
      EXPECT_LE(value, bounds.high);
    }
    EXPECT_LE(split.gain, Find(given, Rules(1, 5)).gain + 1e-9 + (bounds.any() ? 1e9 : 0));
  }
  EXPECT_GT(found, 100);
}

TEST(SplitFinder, FindsNothingWhereRowsAreAlike) {
  Given given;
  given.feature.upper = {1, 2};
  given.bins.resize(3);
  given.cells.resize(3);
  given.Add(0, {777, 100, 30});
  given.Add(1, {777, 100, 30});
  EXPECT_FALSE(Find(given, Rules(0, 1)).found());
  EXPECT_FALSE(Find(given, Rules(0, 31)).found());
}

}  // namespace
}  // namespace headrace::train
