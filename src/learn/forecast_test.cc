// Forecasts against series whose future is known, and pieces of a series against brute force.

#include "learn/forecast.h"

#include <cmath>
#include <map>
#include <numbers>

#include <gtest/gtest.h>

#include "learn/draws.h"
#include "learn/learn_testing.h"
#include "learn/matrix_profile.h"
#include "learn/spectral_residual.h"

namespace headrace::learn {
namespace {

constexpr int kPeriod = 12;

// Goes on with another one that was loaded, every now and then; a state that was cut is refused.
template <typename Function>
void Replace(int i, const typename Function::Options& options, Function& function) {
  if (i % 61 != 0) return;
  const std::string bytes = Saved(function);
  for (size_t cut = 0; cut < bytes.size(); cut += 1 + bytes.size() / 9) {
    Function other(options);
    base::ByteReader damaged(std::string_view(bytes).substr(0, cut));
    ASSERT_FALSE(other.Load(damaged)) << cut;
  }
  Function next(options);
  base::ByteReader reader(bytes);
  ASSERT_TRUE(next.Load(reader));
  ASSERT_EQ(0U, reader.remaining());
  ASSERT_EQ(bytes, Saved(next));
  function = std::move(next);
}

double Seasonal(int i) {
  return 100 + 0.5 * i + 20 * std::sin(2 * std::numbers::pi * i / kPeriod) +
         (i % kPeriod == 3 ? 15 : 0);
}

template <typename Function>
typename Function::Options Asked(int ahead, ForecastSide side = ForecastSide::kMiddle) {
  typename Function::Options options;
  options.period = kPeriod;
  options.ahead = ahead;
  options.side = side;
  return options;
}

TEST(SeasonalNaive, TellsTheValueOfTheSeasonBefore) {
  for (const int ahead : {1, 5, 12, 13, 30}) {
    const auto options = Asked<SeasonalNaive>(ahead);
    SeasonalNaive function(options);
    for (int i = 0; i < 200; ++i) {
      const std::optional<double> told = function.Add(Seasonal(i));
      ASSERT_EQ(i >= kPeriod - 1, told.has_value()) << i;
      Replace(i, options, function);
      if (!told) continue;
      int like = i + ahead;
      while (like > i)
        like -= kPeriod;
      EXPECT_EQ(Seasonal(like), *told) << i << " " << ahead;
    }
  }
}

TEST(HoltWinters, IsExactWhereNothingIsRandom) {
  for (const int ahead : {1, 7, 12, 40}) {
    const auto options = Asked<HoltWinters>(ahead);
    HoltWinters function(options);
    for (int i = 0; i < 300; ++i) {
      const std::optional<double> told = function.Add(Seasonal(i));
      ASSERT_EQ(i >= 2 * kPeriod - 1, told.has_value()) << i;
      Replace(i, options, function);
      if (told) {
        EXPECT_NEAR(Seasonal(i + ahead), *told, 1e-9) << i << " " << ahead;
      }
    }
  }
}

// With given smoothing it takes the steps of the textbook, from a state that is known.
TEST(HoltWinters, SmoothsAsTheTextbookDoes) {
  HoltWinters::Options options;
  options.period = 2;
  options.alpha = 0.5;
  options.beta = 0.25;
  options.gamma = 0.4;
  HoltWinters function(options);
  for (double value : {9.0, 11.0, 13.0})
    EXPECT_FALSE(function.Add(value));
  // Means 10 and 14: trend 2, the line 9, 11, 13, 15; no season; level 15.
  EXPECT_EQ(17, function.Add(15));
  // Expected 17, came 21: level 0.5 * 21 + 0.5 * 17 = 19, trend 0.25 * 4 + 0.75 * 2 = 2.5, the
  // season of this place 0.4 * (21 - 17) = 1.6; next is the other place.
  EXPECT_EQ(21.5, function.Add(21));
  // Expected 21.5, came 21.5: level and trend go on; next is the place with 1.6.
  EXPECT_DOUBLE_EQ(21.5 + 2.5 + 1.6, *function.Add(21.5));
}

// Intervals hold as many of the values to come as they say.
template <typename Function>
void ExpectCoverage(int ahead) {
  const auto lower_options = Asked<Function>(ahead, ForecastSide::kLower);
  const auto upper_options = Asked<Function>(ahead, ForecastSide::kUpper);
  Function lower(lower_options);
  Function upper(upper_options);
  Draws draws(9);
  std::map<int, std::pair<double, double>> told;
  int within = 0;
  int counted = 0;
  for (int i = 0; i < 4000; ++i) {
    const double value = Seasonal(i % (50 * kPeriod)) + 10 * (draws.Unit() + draws.Unit() - 1);
    if (const auto known = told.find(i); known != told.end() && i > 1000) {
      ++counted;
      within += value >= known->second.first && value <= known->second.second ? 1 : 0;
    }
    const std::optional<double> low = lower.Add(value);
    const std::optional<double> high = upper.Add(value);
    Replace(i, lower_options, lower);
    ASSERT_EQ(low.has_value(), high.has_value());
    if (low) told[i + ahead] = {*low, *high};
  }
  EXPECT_NEAR(0.95, static_cast<double>(within) / counted, 0.02) << ahead;
}

TEST(Forecast, IntervalsHoldWhatTheySay) {
  for (const int ahead : {1, 6, 20}) {
    ExpectCoverage<HoltWinters>(ahead);
    ExpectCoverage<SeasonalNaive>(ahead);
  }
}

// The largest correlation with a piece that does not overlap, computed from the definition.
double BruteForce(const std::vector<double>& window, size_t length) {
  const auto standardized = [&](size_t begin) {
    std::vector<double> piece(window.begin() + static_cast<ptrdiff_t>(begin),
                              window.begin() + static_cast<ptrdiff_t>(begin + length));
    double mean = 0;
    for (double value : piece)
      mean += value / static_cast<double>(length);
    double variance = 0;
    for (double value : piece)
      variance += (value - mean) * (value - mean) / static_cast<double>(length);
    for (double& value : piece)
      value = (value - mean) / std::sqrt(variance);
    return piece;
  };
  const size_t newest = window.size() - length;
  const std::vector<double> here = standardized(newest);
  double least = 1e300;
  for (size_t begin = 0; begin + length <= newest; ++begin) {
    const std::vector<double> there = standardized(begin);
    double distance = 0;
    for (size_t i = 0; i < length; ++i)
      distance += (here[i] - there[i]) * (here[i] - there[i]);
    least = std::min(least, std::sqrt(distance));
  }
  return least;
}

TEST(MatrixProfile, IsTheDistanceToTheNearestPiece) {
  const MatrixProfile::Options options{8, 60};
  MatrixProfile function(options);
  Draws draws(31);
  std::vector<double> window;
  for (int i = 0; i < 700; ++i) {
    const double value = std::sin(i * 0.7) + draws.Unit() + (i > 300 ? 1000 : 0);
    window.push_back(value);
    if (window.size() > 60) window.erase(window.begin());
    const std::optional<double> distance = function.Add(value);
    Replace(i, options, function);
    ASSERT_EQ(i >= 59, distance.has_value()) << i;
    if (distance) {
      ASSERT_NEAR(BruteForce(window, 8), *distance, 1e-4) << i;
    }
  }
}

TEST(MatrixProfile, FlatPiecesAreLikeEachOther) {
  MatrixProfile function({4, 16});
  for (int i = 0; i < 40; ++i)
    function.Add(3);
  EXPECT_EQ(0, function.Add(3));
  EXPECT_EQ(2, function.Add(4)) << "sqrt(length)";
  for (const double huge : {1e149, -1e149, 5.0, 1e149}) {
    const std::optional<double> distance = function.Add(huge);
    EXPECT_TRUE(std::isfinite(*distance));
  }
}

// A shape that never was stands out, in a series that repeats; a value that is off, too.
TEST(SpectralResidual, AValueThatStandsOutScoresHigh) {
  const SpectralResidual::Options options;
  SpectralResidual function(options);
  MatrixProfile profile({24, 500});
  Draws draws(17);
  double usual = 0;
  double usual_distance = 0;
  for (int i = 0; i < 2000; ++i) {
    const double repeated = std::sin(2 * std::numbers::pi * i / 24) + 0.05 * draws.Unit();
    const bool strange = i >= 1500 && i < 1524;
    const double value = i == 1200 ? repeated + 3 : strange ? 0.5 * draws.Unit() : repeated;
    const std::optional<double> score = function.Add(value);
    const std::optional<double> distance = profile.Add(value);
    Replace(i, options, function);
    ASSERT_EQ(i >= 122, score.has_value()) << i;
    if (i > 600 && i < 1200) {
      usual = std::max(usual, *score);
      usual_distance = std::max(usual_distance, *distance);
    }
    if (i == 1200) {
      EXPECT_GT(*score, 3);
      EXPECT_GT(*score, usual);
    }
    if (i == 1523) {
      EXPECT_GT(*distance, 2 * usual_distance);
    }
  }
}

TEST(SpectralResidual, FlatAndHugeValuesHaveScores) {
  SpectralResidual function({16, 4});
  for (int i = 0; i < 100; ++i) {
    const double value = i < 40 ? 0 : i < 60 ? 7 : i % 9 == 0 ? 1e149 : -1e149;
    const std::optional<double> score = function.Add(value);
    if (score) {
      EXPECT_TRUE(std::isfinite(*score)) << i;
    }
  }
}

}  // namespace
}  // namespace headrace::learn
