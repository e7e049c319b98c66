// Scores of values within their series, against what pandas and numpy give, and by brute force.

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "learn/draws.h"
#include "learn/ewma_score.h"
#include "learn/robust_z.h"

namespace headrace::learn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Pieces of values around a level of their own: the series of detector_test.cc.
std::vector<double> Series() {
  Draws draws(7);
  std::vector<double> series;
  for (int piece = 0; piece < 20; ++piece) {
    const int values = 50 + static_cast<int>(draws.Unit() * 1500);
    const double level = draws.Unit();
    const double spread = 0.05 + draws.Unit();
    for (int i = 0; i < values; ++i)
      series.push_back(level * 2 + spread * (draws.Unit() - 0.5) * 4);
  }
  return series;
}

using Scores = std::map<size_t, double>;

// Every now and then the function is saved and another one goes on.
template <typename Function>
void Expect(const typename Function::Options& options, const Scores& wanted) {
  const std::vector<double> series = Series();
  Function function(options);
  for (size_t i = 0; i < 3000; ++i) {
    const std::optional<double> score = function.Add(series[i]);
    EXPECT_EQ(score.has_value(), i >= static_cast<size_t>(options.warm_start));
    if (auto want = wanted.find(i); want != wanted.end()) {
      EXPECT_NEAR(*score, want->second, 1e-12 * std::abs(want->second)) << i;
    }
    if (i % 7 != 0) continue;
    std::string bytes;
    base::ByteWriter writer(bytes);
    function.Save(writer);
    for (size_t cut = 0; cut < bytes.size(); cut += 5) {
      Function other(options);
      base::ByteReader damaged(std::string_view(bytes).substr(0, cut));
      ASSERT_FALSE(other.Load(damaged));
    }
    Function next(options);
    base::ByteReader reader(bytes);
    ASSERT_TRUE(next.Load(reader));
    function = std::move(next);
  }
}

TEST(EwmaScore, IsWhatPandasGives) {
  Expect<EwmaScore>({0.05, 30}, {{30, -0.9604076170457583},
                                 {31, 0.08533697019256674},
                                 {500, -1.5787435705788464},
                                 {1234, 0.40252578166990344},
                                 {2999, -1.1841161843292407}});
  Expect<EwmaScore>({0.5, 30}, {{30, -0.3905876148201757},
                                {31, 1.0485082365176879},
                                {500, -1.260825030190979},
                                {1234, 0.42547437140329053},
                                {2999, -1.535465335729555}});
}

TEST(EwmaScore, IsInfiniteBehindEqualValues) {
  EwmaScore score({0.1, 2});
  EXPECT_EQ(score.Add(3), std::nullopt);
  EXPECT_EQ(score.Add(3), std::nullopt);
  EXPECT_EQ(score.Add(3), 0);
  EXPECT_EQ(score.Add(2), -kInfinity);
}

TEST(RobustZ, IsWhatNumpyGives) {
  Expect<RobustZ>({100, 30}, {{30, -0.46841904130664586},
                              {101, 1.487299917807821},
                              {500, -1.0827061517300798},
                              {1234, 0.3789971749293876},
                              {2999, -1.0860243388793045}});
  Expect<RobustZ>({25, 25}, {{30, -0.554764091203707},
                             {101, 0.9597572268222282},
                             {500, -1.0726517520191996},
                             {1234, 0.3369818333800308},
                             {2999, -0.9654057028810401}});
  Expect<RobustZ>({4, 4}, {{30, -0.4356620709338557},
                           {101, 3.5790884539992964},
                           {500, -3.193583577063844},
                           {1234, 0.07325475060883009},
                           {2999, -2.0812525510359365}});
}

double MedianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

// With many equal values, at every row.
TEST(RobustZ, IsTheMedianDistanceFromTheMedian) {
  for (int32_t window : {1, 2, 3, 8, 15}) {
    Draws draws(static_cast<uint64_t>(window));
    RobustZ function({window, 1});
    std::vector<double> seen;
    for (int i = 0; i < 2000; ++i) {
      const double value = std::floor(draws.Unit() * 6);
      const std::optional<double> score = function.Add(value);
      if (!seen.empty()) {
        const auto count = std::min<size_t>(seen.size(), static_cast<size_t>(window));
        const std::vector<double> before(seen.end() - static_cast<ptrdiff_t>(count), seen.end());
        const double median = MedianOf(before);
        std::vector<double> distances;
        for (double other : before)
          distances.push_back(std::abs(other - median));
        const double off = value - median;
        EXPECT_EQ(*score, off == 0 ? 0 : 0.6745 * off / MedianOf(distances)) << i;
      }
      seen.push_back(value);
    }
  }
}

}  // namespace
}  // namespace headrace::learn
