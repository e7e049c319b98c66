#include "flow/column_watch.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace headrace::flow {
namespace {

ColumnWatch WatchOfRange(int from, int to) {
  ColumnWatch watch;
  for (int i = from; i < to; ++i)
    watch.Add(i, 0, i, nullptr);
  return watch;
}

TEST(ColumnWatchTest, TellsWhatItSaw) {
  ColumnWatch watch = WatchOfRange(0, 100);
  watch.Add(std::nan(""), 0, 500, nullptr);
  watch.Add(std::numeric_limits<double>::infinity(), 0, 500, nullptr);
  EXPECT_EQ(watch.weight(), 102U);
  EXPECT_DOUBLE_EQ(watch.null_share(), 2.0 / 102);
  EXPECT_EQ(watch.least(), 0);
  EXPECT_EQ(watch.most(), 99);
  EXPECT_DOUBLE_EQ(watch.mean(), 49.5);
  EXPECT_NEAR(watch.distinct(), 100, 10);
  EXPECT_EQ(watch.newest(), 99);
}

TEST(ColumnWatchTest, RowsOfASampleStandForSeveral) {
  ColumnWatch all;
  ColumnWatch sampled;
  for (int i = 0; i < 8192; ++i) {
    all.Add(i % 1000, 0, i, nullptr);
    if (i % 8 == 0) sampled.Add(i % 1000, 3, i, nullptr);
  }
  EXPECT_EQ(sampled.weight(), all.weight());
  EXPECT_NEAR(sampled.mean(), all.mean(), 20);
  EXPECT_NEAR(learn::QuantileOf(sampled.Values(), 0.5), learn::QuantileOf(all.Values(), 0.5), 40);
}

TEST(ColumnWatchTest, IsNotFarFromItselfAndFarFromWhatMoved) {
  const ColumnReference reference = WatchOfRange(0, 1000).AsReference();
  const ColumnWatch same = WatchOfRange(0, 1000);
  const auto near = same.DistancesFrom(reference, same.Values());
  ASSERT_TRUE(near.has_value());
  EXPECT_LT(near->psi, 0.01);
  EXPECT_LT(near->ks, 0.03);
  ColumnWatch moved;
  for (int i = 500; i < 1500; ++i)
    moved.Add(i, 0, i, &reference);
  const auto far = moved.DistancesFrom(reference, moved.Values());
  ASSERT_TRUE(far.has_value());
  EXPECT_GT(far->psi, 1);
  EXPECT_NEAR(far->ks, 0.5, 0.03);
  EXPECT_NEAR(far->wasserstein, 500, 15);
  EXPECT_NEAR(moved.out_of_range(), 0.5, 0.01);
}

TEST(ColumnWatchTest, ComparesNothingWithTooFewValues) {
  const ColumnReference reference = WatchOfRange(0, 1000).AsReference();
  const ColumnWatch few = WatchOfRange(0, 99);
  EXPECT_FALSE(few.DistancesFrom(reference, few.Values()).has_value());
  ColumnWatch missing;
  for (int i = 0; i < 500; ++i)
    missing.Add(std::nan(""), 0, i, nullptr);
  EXPECT_FALSE(missing.DistancesFrom(reference, missing.Values()).has_value());
  EXPECT_FALSE(few.DistancesFrom(missing.AsReference(), few.Values()).has_value());
}

TEST(ColumnWatchTest, TakesTheBaselineOfAFile) {
  model::ColumnBaseline baseline;
  baseline.null_share = 0.5;
  baseline.quantiles = {0, 0, 0, 1};
  const ColumnReference reference = ColumnReference::Of(baseline);
  const learn::WeightedValues wanted = {{0, 3}, {1, 1}};
  EXPECT_EQ(reference.values, wanted);
  EXPECT_EQ(reference.least, 0);
  EXPECT_EQ(reference.most, 1);
  EXPECT_EQ(reference.null_share, 0.5);
}

TEST(ColumnWatchTest, IsTheSameAfterItWasSaved) {
  ColumnWatch watch = WatchOfRange(0, 5000);
  watch.Add(std::nan(""), 2, 5000, nullptr);
  std::string state;
  base::ByteWriter writer(state);
  watch.Save(writer);
  ColumnWatch loaded;
  base::ByteReader reader(state);
  ASSERT_TRUE(loaded.Load(reader));
  watch.Add(3, 1, 1, nullptr);
  loaded.Add(3, 1, 1, nullptr);
  std::string one;
  std::string other;
  base::ByteWriter one_writer(one);
  base::ByteWriter other_writer(other);
  watch.Save(one_writer);
  loaded.Save(other_writer);
  EXPECT_EQ(one, other);
}

}  // namespace
}  // namespace headrace::flow
