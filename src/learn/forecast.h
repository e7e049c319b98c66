#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "learn/running_quantile.h"

namespace headrace::learn {

// What is told of a value to come.
enum class ForecastSide : uint8_t {
  kMiddle,
  kLower,  // the ends of an interval that holds `level` of the values
  kUpper,
};

struct ForecastOptions {
  int32_t period = 24;  // values of a season, at most kPeriodMax
  int32_t ahead = 1;    // values from the newest to the one that is told, at most kAheadMax
  ForecastSide side = ForecastSide::kMiddle;
  double level = 0.95;  // in (0, 1)

  static constexpr int32_t kPeriodMax = 100'000;
  static constexpr int32_t kAheadMax = 10'000;
};

// The interval of a forecast: how far the values turned out to lie from what was told of them
// before, at the same distance. Quantiles of all errors so far (by a sketch of 200: 1.4 % of rank),
// so nothing is assumed of their distribution. Confined.
class ForecastErrors {
 public:
  static constexpr uint64_t kErrorsMin = 20;  // before there is an interval

  explicit ForecastErrors(const ForecastOptions& options);

  // A value has come, and `forecast`, if there is one, is of the value `ahead` from it. Gives what
  // is to be told.
  std::optional<double> Add(double value, std::optional<double> forecast);

  size_t memory() const;
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  ForecastOptions options_;
  std::vector<double> told_;  // of the values to come; NaN: nothing. The next at next_.
  size_t next_ = 0;
  RunningQuantile errors_;
  uint64_t count_ = 0;  // of errors
  double bound_ = 0;    // that is added to a forecast
};

// Forecasts that the value is the one of the season before: what every other has to beat. Hyndman
// and Athanasopoulos, "Forecasting: Principles and Practice", 5.2. Confined.
class SeasonalNaive {
 public:
  struct Options : ForecastOptions {};

  explicit SeasonalNaive(const Options& options);

  // The forecast after this value; nothing during the first season. `value` is finite and below
  // 1e150 in size.
  std::optional<double> Add(double value);

  size_t memory() const { return season_.capacity() * sizeof(double) + errors_.memory(); }
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  Options options_;
  std::vector<double> season_;  // the newest values, a ring once it is full
  size_t next_ = 0;
  ForecastErrors errors_;
};

// Exponential smoothing of level, trend and season, which add up. Holt 1957; Winters, "Forecasting
// Sales by Exponentially Weighted Moving Averages", Management Science 1960; the smoothing
// equations of Hyndman and Athanasopoulos, 8.3. It begins with the first two seasons: a line
// through the means of both is level and trend, what values are off it in the mean is the season.
//
// State is a function of the values added. Confined.
class HoltWinters {
 public:
  struct Options : ForecastOptions {
    double alpha = 0.3;  // of the level, all in [0, 1]
    double beta = 0.05;  // of the trend
    double gamma = 0.1;  // of the season
  };

  explicit HoltWinters(const Options& options);

  // As of SeasonalNaive; nothing during the first two seasons.
  std::optional<double> Add(double value);

  size_t memory() const;
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  void Begin();
  void Smooth(double value);

  Options options_;
  std::vector<double> first_;  // of the first two seasons, until they are complete
  double level_ = 0;
  double trend_ = 0;
  std::vector<double> season_;  // by place in it
  size_t place_ = 0;            // of the next value
  ForecastErrors errors_;
};

}  // namespace headrace::learn
