#include "learn/forecast.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "headrace/check.h"

namespace headrace::learn {
namespace {

constexpr int32_t kErrorSketch = 200;
constexpr double kLargest = 1e150;
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

void CheckOptions(const ForecastOptions& options) {
  HR_CHECK(options.period >= 1 && options.period <= ForecastOptions::kPeriodMax &&
           options.ahead >= 1 && options.ahead <= ForecastOptions::kAheadMax && options.level > 0 &&
           options.level < 1);
}

// Of the errors, up to the end of the interval that is told.
double ShareOf(const ForecastOptions& options) {
  const double outside = (1 - options.level) / 2;
  return options.side == ForecastSide::kLower ? outside : 1 - outside;
}

void SaveNumbers(const std::vector<double>& numbers, base::ByteWriter& writer) {
  for (double number : numbers)
    SaveNumber(number, writer);
}

void LoadNumbers(size_t count, std::vector<double>& numbers, base::ByteReader& reader) {
  numbers.resize(count);
  for (double& number : numbers)
    number = LoadNumber(reader);
}

}  // namespace

ForecastErrors::ForecastErrors(const ForecastOptions& options)
    : options_(options), errors_({ShareOf(options), kErrorSketch}) {
  CheckOptions(options);
  if (options.side != ForecastSide::kMiddle)
    told_.assign(static_cast<size_t>(options.ahead), kNothing);
}

std::optional<double> ForecastErrors::Add(double value, std::optional<double> forecast) {
  if (forecast && !(std::abs(*forecast) < kLargest)) forecast.reset();
  if (options_.side == ForecastSide::kMiddle) return forecast;
  double& told = told_[next_];
  if (!std::isnan(told)) {
    bound_ = errors_.Add(value - told);
    ++count_;
  }
  told = forecast.value_or(kNothing);
  next_ = (next_ + 1) % told_.size();
  if (!forecast || count_ < kErrorsMin) return {};
  return *forecast + bound_;
}

size_t ForecastErrors::memory() const {
  return told_.capacity() * sizeof(double) + errors_.memory();
}

void ForecastErrors::Save(base::ByteWriter& writer) const {
  writer.Varint(next_);
  SaveNumbers(told_, writer);
  writer.Varint(count_);
  SaveNumber(bound_, writer);
  errors_.Save(writer);
}

bool ForecastErrors::Load(base::ByteReader& reader) {
  next_ = reader.Varint();
  if (next_ > 0 && next_ >= told_.size()) return false;
  LoadNumbers(told_.size(), told_, reader);
  count_ = reader.Varint();
  bound_ = LoadNumber(reader);
  return errors_.Load(reader) && reader.ok();
}

SeasonalNaive::SeasonalNaive(const Options& options) : options_(options), errors_(options) {}

std::optional<double> SeasonalNaive::Add(double value) {
  const auto period = static_cast<size_t>(options_.period);
  if (season_.size() < period) {
    season_.push_back(value);
  } else {
    season_[next_] = value;
  }
  next_ = (next_ + 1) % period;
  if (season_.size() < period) return errors_.Add(value, {});
  // next_ is the oldest, which is the one `period` before the value that comes next.
  const size_t place = (next_ + static_cast<size_t>(options_.ahead) - 1) % period;
  return errors_.Add(value, season_[place]);
}

void SeasonalNaive::Save(base::ByteWriter& writer) const {
  writer.Varint(season_.size());
  writer.Varint(next_);
  SaveNumbers(season_, writer);
  errors_.Save(writer);
}

bool SeasonalNaive::Load(base::ByteReader& reader) {
  const auto period = static_cast<size_t>(options_.period);
  const uint64_t count = reader.Varint();
  next_ = reader.Varint();
  if (count > period || next_ != (count < period ? count : next_ % period)) return false;
  if (count > reader.remaining() / sizeof(double)) return false;
  LoadNumbers(count, season_, reader);
  return errors_.Load(reader);
}

HoltWinters::HoltWinters(const Options& options) : options_(options), errors_(options) {
  const auto is_share = [](double weight) { return weight >= 0 && weight <= 1; };
  HR_CHECK(is_share(options.alpha) && is_share(options.beta) && is_share(options.gamma));
}

void HoltWinters::Begin() {
  const auto period = static_cast<size_t>(options_.period);
  double means[2] = {0, 0};
  for (size_t i = 0; i < 2 * period; ++i)
    means[i / period] += first_[i] / options_.period;
  trend_ = (means[1] - means[0]) / options_.period;
  // Of the line through the means, at place i of the first season.
  const auto line = [&](size_t i) {
    return means[0] + trend_ * (static_cast<double>(i) - (options_.period - 1) / 2.0);
  };
  season_.resize(period);
  for (size_t i = 0; i < period; ++i)
    season_[i] = (first_[i] - line(i) + first_[i + period] - line(i + period)) / 2;
  level_ = line(2 * period - 1);
  first_ = {};
}

void HoltWinters::Smooth(double value) {
  const double before = level_;
  const double expected = level_ + trend_;
  double& season = season_[place_];
  level_ = options_.alpha * (value - season) + (1 - options_.alpha) * expected;
  trend_ = options_.beta * (level_ - before) + (1 - options_.beta) * trend_;
  season = options_.gamma * (value - expected) + (1 - options_.gamma) * season;
  place_ = (place_ + 1) % season_.size();
}

std::optional<double> HoltWinters::Add(double value) {
  if (season_.empty()) {
    first_.push_back(value);
    if (first_.size() < 2 * static_cast<size_t>(options_.period)) return errors_.Add(value, {});
    Begin();
  } else {
    Smooth(value);
    if (!(std::abs(level_) < kLargest) || !(std::abs(trend_) < kLargest)) {
      // Weights near 1 may swing up: it begins anew.
      season_.clear();
      level_ = trend_ = 0;
      place_ = 0;
      first_.push_back(value);
      return errors_.Add(value, {});
    }
  }
  const size_t place = (place_ + static_cast<size_t>(options_.ahead) - 1) % season_.size();
  return errors_.Add(value, level_ + options_.ahead * trend_ + season_[place]);
}

size_t HoltWinters::memory() const {
  return (first_.capacity() + season_.capacity()) * sizeof(double) + errors_.memory();
}

void HoltWinters::Save(base::ByteWriter& writer) const {
  writer.U8(season_.empty() ? 0 : 1);
  writer.Varint(season_.empty() ? first_.size() : place_);
  SaveNumber(level_, writer);
  SaveNumber(trend_, writer);
  SaveNumbers(season_.empty() ? first_ : season_, writer);
  errors_.Save(writer);
}

bool HoltWinters::Load(base::ByteReader& reader) {
  const auto period = static_cast<size_t>(options_.period);
  const uint8_t begun = reader.U8();
  const uint64_t count = reader.Varint();
  if (begun > 1 || count >= (begun == 1 ? period : 2 * period)) return false;
  level_ = LoadNumber(reader);
  trend_ = LoadNumber(reader);
  const size_t numbers = begun == 1 ? period : count;
  if (numbers > reader.remaining() / sizeof(double)) return false;
  first_.clear();
  season_.clear();
  place_ = begun == 1 ? count : 0;
  LoadNumbers(numbers, begun == 1 ? season_ : first_, reader);
  return errors_.Load(reader);
}

}  // namespace headrace::learn
