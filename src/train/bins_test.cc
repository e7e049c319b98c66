#include "train/bins.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "train/binned_rows.h"
#include "train/train_testing.h"

namespace headrace::train {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLargest = std::numeric_limits<double>::max();

struct Binned {
  FeatureBins feature;
  std::vector<uint8_t> bins;
};

Binned Bin(std::vector<double> values, bool categorical = false) {
  Column column;
  column.values = std::move(values);
  column.categorical = categorical;
  Binned binned;
  binned.feature = MakeBins(column, SampleRows(column.values.size(), 1));
  binned.bins.resize(column.values.size());
  Encode(column, &binned.feature, binned.bins.data(), 1);
  return binned;
}

TEST(Bins, FewValuesHaveABinEachCutInTheMiddle) {
  const Binned got = Bin({3, 1, kMissing, 1, 2, 3});
  EXPECT_EQ((std::vector<double>{1.5, 2.5, kLargest}), got.feature.upper);
  EXPECT_EQ((std::vector<uint8_t>{2, 0, 3, 0, 1, 2}), got.bins);
  EXPECT_TRUE(got.feature.has_missing);
  EXPECT_EQ(1, got.feature.low);
  EXPECT_EQ(3, got.feature.high);
}

TEST(Bins, ABoundLiesBelowTheNextValueHoweverClose) {
  const double next = std::nextafter(1.0, 2.0);
  EXPECT_EQ((std::vector<double>{1, kLargest}), Bin({1, next}).feature.upper);
  const double bound = Bin({-kLargest, kLargest}).feature.upper[0];
  EXPECT_TRUE(bound >= -kLargest && bound < kLargest);
}

TEST(Bins, InfinitiesAreValuesAndNoBoundButTheLastIsInfinite) {
  const Binned got = Bin({-kInfinity, 0, kInfinity});
  EXPECT_EQ((std::vector<double>{-kLargest, 0, kInfinity}), got.feature.upper);
  EXPECT_EQ((std::vector<uint8_t>{0, 1, 2}), got.bins);
}

TEST(Bins, ManyValuesShareBinsAboutEvenlyAndAFrequentOneHasItsOwn) {
  std::vector<double> values;
  Draws draws(3);
  for (int i = 0; i < 20'000; ++i)
    values.push_back(i % 4 == 0 ? 0.5 : draws.Unit());
  const Binned got = Bin(values);
  EXPECT_EQ(kValueBinsMax, got.feature.values());
  std::vector<size_t> rows(256);
  for (size_t i = 0; i < values.size(); ++i) {
    const uint8_t bin = got.bins[i];
    ++rows[bin];
    EXPECT_LE(values[i], got.feature.upper[bin]);
    if (bin > 0) {
      EXPECT_GT(values[i], got.feature.upper[bin - 1]);
    }
  }
  const uint8_t frequent = got.bins[0];
  for (size_t bin = 0; bin < kValueBinsMax; ++bin) {
    if (bin == frequent) {
      EXPECT_EQ(5000u, rows[bin]);
    } else {
      EXPECT_LE(rows[bin], 20'000u / kValueBinsMax + 1);
    }
  }
}

TEST(Bins, CategoriesAreNumberedByFrequencyAndTheRestIsMissing) {
  const Binned got = Bin({7, 7, 7, 3, 9, 9, kMissing}, true);
  EXPECT_EQ((std::vector<int32_t>{7, 9, 3}), got.feature.categories);
  EXPECT_EQ((std::vector<uint8_t>{0, 0, 0, 2, 1, 1, 3}), got.bins);
  std::vector<double> many;
  for (int i = 0; i < 600; ++i)
    many.push_back(i % 300);
  const Binned most = Bin(many, true);
  EXPECT_EQ(kValueBinsMax, most.feature.values());
  EXPECT_EQ(kValueBinsMax, most.bins[299]);
}

TEST(Bins, AFeatureOfOneValueDoesNotSplit) {
  EXPECT_FALSE(Bin({2, 2, 2}).feature.splits());
  EXPECT_FALSE(Bin({kMissing, kMissing}).feature.splits());
  EXPECT_TRUE(Bin({2, kMissing}).feature.splits());
}

TEST(Bins, ASampleIsSpreadOverAllRowsAndDependsOnItsSeed) {
  const std::vector<uint32_t> sample = SampleRows(500'000, 1);
  ASSERT_EQ(kSampleRows, sample.size());
  for (size_t i = 0; i < sample.size(); ++i) {
    EXPECT_GE(sample[i], i * 500'000 / kSampleRows);
    EXPECT_LT(sample[i], (i + 1) * 500'000 / kSampleRows);
  }
  EXPECT_EQ(sample, SampleRows(500'000, 1));
  EXPECT_NE(sample, SampleRows(500'000, 2));
}

TEST(BinnedRows, LeaveOutWhatDoesNotSplitAndKeepTheRest) {
  Table table;
  for (size_t c = 0; c < 11; ++c) {
    Column& column = table.columns.emplace_back();
    for (size_t row = 0; row < 50; ++row)
      column.values.push_back(c == 4 ? 1 : static_cast<double>((row * (c + 3)) % 7));
  }
  table.labels.assign(50, 0);
  const std::vector<Column> columns = table.columns;
  os::WorkerTeam team(2);
  const BinnedRows rows = BinnedRows::Make(&table, 1, team);
  ASSERT_EQ(10u, rows.features());
  EXPECT_EQ(5u, rows.column(4));
  ASSERT_EQ(2u, rows.groups().size());
  for (size_t f = 0; f < rows.features(); ++f) {
    size_t stride = 0;
    const uint8_t* bins = rows.bins(f, &stride);
    for (size_t row = 0; row < 50; ++row)
      EXPECT_EQ(columns[rows.column(f)].values[row], bins[row * stride]);
  }
}

}  // namespace
}  // namespace headrace::train
