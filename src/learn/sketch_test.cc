// Sketches against the truth, and distances of distributions against scipy.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "learn/distinct_sketch.h"
#include "learn/distribution_distance.h"
#include "learn/distribution_shift.h"
#include "learn/frequency_sketch.h"
#include "learn/quantile_sketch.h"
#include "learn/running_quantile.h"

namespace headrace::learn {
namespace {

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

template <typename Sketch>
std::string Saved(const Sketch& sketch) {
  std::string bytes;
  base::ByteWriter writer(bytes);
  sketch.Save(writer);
  return bytes;
}

// Loads what was saved into `next`; every prefix of it is refused.
template <typename Sketch>
void Reload(const Sketch& sketch, const Sketch& fresh, Sketch& next) {
  const std::string bytes = Saved(sketch);
  const size_t step = std::max<size_t>(1, bytes.size() / 200);
  for (size_t cut = 0; cut < bytes.size(); cut += step) {
    Sketch other = fresh;
    base::ByteReader damaged(std::string_view(bytes).substr(0, cut));
    ASSERT_FALSE(other.Load(damaged) && damaged.ok()) << cut << " of " << bytes.size();
  }
  base::ByteReader reader(bytes);
  ASSERT_TRUE(next.Load(reader));
  ASSERT_EQ(reader.remaining(), 0U);
  ASSERT_EQ(Saved(next), bytes);
}

WeightedValues Exact(const std::vector<double>& values) {
  QuantileSketch sketch(QuantileSketch::kMostK);
  for (double value : values)
    sketch.Add(value);
  return sketch.Values();
}

// The largest error of the share of values up to a number.
double RankError(const QuantileSketch& sketch, const std::vector<double>& values) {
  return KolmogorovSmirnov(sketch.Values(), Exact(values));
}

std::vector<double> Drawn(uint64_t seed, int count, int shape) {
  Draws draws(seed);
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    const double u = draws.Unit();
    values.push_back(shape == 0   ? u
                     : shape == 1 ? std::floor(u * 30)
                     : shape == 2 ? static_cast<double>(i)
                                  : std::exp(8 * u));
  }
  return values;
}

TEST(QuantileSketch, KeepsItsBound) {
  size_t beyond = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const std::vector<double> values = Drawn(seed, 20'000, static_cast<int>(seed % 4));
    QuantileSketch sketch(200, seed);
    for (double value : values)
      sketch.Add(value);
    const double error = RankError(sketch, values);
    EXPECT_LT(error, 0.025);
    beyond += error > 0.0165 ? 1 : 0;  // of all numbers at once, where one has 0.014
    EXPECT_EQ(sketch.count(), values.size());
    EXPECT_EQ(sketch.min(), *std::min_element(values.begin(), values.end()));
    EXPECT_EQ(sketch.max(), *std::max_element(values.begin(), values.end()));
    EXPECT_LT(sketch.Values().size(), 650U);
    uint64_t weight = 0;
    for (const WeightedValue& value : sketch.Values())
      weight += value.weight;
    EXPECT_EQ(weight, values.size());
  }
  EXPECT_LE(beyond, 3U);
}

TEST(QuantileSketch, OfPartsMergesToThatOfTheWhole) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const std::vector<double> values = Drawn(seed, 30'000, static_cast<int>(seed % 4));
    QuantileSketch whole(200);
    for (size_t part = 0; part < 10; ++part) {
      QuantileSketch sketch(200, seed + part);
      for (size_t i = part * part * 300; i < (part + 1) * (part + 1) * 300; ++i)
        sketch.Add(values[i]);
      whole.Merge(sketch);
    }
    EXPECT_EQ(whole.count(), 30'000U);
    EXPECT_LT(RankError(whole, values), 0.025);
    EXPECT_LT(whole.Values().size(), 650U);
  }
}

TEST(QuantileSketch, GoesOnFromItsSavedState) {
  QuantileSketch whole(20);
  QuantileSketch sketch(20);
  const std::vector<double> values = Drawn(3, 3000, 0);
  for (size_t i = 0; i < values.size(); ++i) {
    whole.Add(values[i]);
    sketch.Add(values[i]);
    if (i % 97 != 0) continue;
    QuantileSketch next(20);
    Reload(sketch, QuantileSketch(20), next);
    sketch = next;
  }
  EXPECT_EQ(Saved(sketch), Saved(whole));
}

// numpy.quantile
TEST(QuantileSketch, InterpolatesAsNumpyDoes) {
  const std::vector<double> series = Series();
  const WeightedValues values = Exact({series.begin(), series.begin() + 800});
  EXPECT_EQ(QuantileOf(values, 0), -1.8435169860436775);
  EXPECT_NEAR(QuantileOf(values, 0.001), -1.838566514107328, 1e-15);
  EXPECT_NEAR(QuantileOf(values, 0.1), -1.3456856047987524, 1e-15);
  EXPECT_NEAR(QuantileOf(values, 0.5), 0.35982703022032014, 1e-15);
  EXPECT_NEAR(QuantileOf(values, 0.77), 1.3367381587997722, 1e-15);
  EXPECT_EQ(QuantileOf(values, 1), 2.928895108662461);
  EXPECT_EQ(QuantileOf({{3, 5}, {7, 1}, {8, 2}}, 0.5), 3);
  EXPECT_EQ(QuantileOf({{3, 4}, {7, 1}, {8, 3}}, 0.5), 5);
}

TEST(RunningQuantile, StaysNearTheQuantile) {
  for (double share : {0.0, 0.01, 0.5, 0.99, 1.0}) {
    RunningQuantile quantile({share, 200});
    Draws draws(5);
    for (int i = 0; i < 20'000; ++i) {
      const double got = quantile.Add(draws.Unit());
      if (i > 1000 && share > 0 && share < 1) {
        ASSERT_NEAR(got, share, 0.04) << i;
      }
      if (i % 999 != 0) continue;
      RunningQuantile next({share, 200});
      Reload(quantile, RunningQuantile({share, 200}), next);
      quantile = next;
    }
  }
}

struct Distances {
  double ks;
  double wasserstein;
  double psi;
  double js;
};

void ExpectDistances(const std::vector<double>& a, const std::vector<double>& b,
                     const Distances& wanted) {
  const WeightedValues before = Exact(a);
  const WeightedValues now = Exact(b);
  EXPECT_NEAR(KolmogorovSmirnov(before, now), wanted.ks, 1e-14);
  EXPECT_NEAR(Wasserstein(before, now), wanted.wasserstein, 1e-12 * wanted.wasserstein);
  const std::vector<double> bounds = EqualShares(before, 10);
  EXPECT_NEAR(PopulationStability(SharesOf(before, bounds), SharesOf(now, bounds)), wanted.psi,
              1e-13);
  EXPECT_NEAR(JensenShannon(SharesOf(before, bounds), SharesOf(now, bounds)), wanted.js, 1e-14);
}

// scipy 1.17; the index by numpy.
TEST(Distances, AreWhatScipyGives) {
  const std::vector<double> series = Series();
  const auto part = [&](size_t from, size_t to) {
    return std::vector<double>(series.begin() + static_cast<ptrdiff_t>(from),
                               series.begin() + static_cast<ptrdiff_t>(to));
  };
  const std::vector<double> a = part(0, 800);
  ExpectDistances(a, part(900, 1500),
                  {0.38875, 1.250911882549762, 2.631684859330294, 0.49319492240015345});
  ExpectDistances(a, a, {0, 0, 0, 0});
  std::vector<double> c = part(300, 900);
  std::vector<double> d = part(2000, 2500);
  for (std::vector<double>* values : {&c, &d}) {
    for (double& value : *values)
      value = std::floor(value * 3);
  }
  ExpectDistances(c, d,
                  {0.20833333333333334, 2.167333333333333, 1.322554837808466, 0.35549028014592143});
  std::vector<double> far = a;
  for (double& value : far)
    value += 100;
  ExpectDistances(a, far, {1, 100, 8.283089355027482, 0.8707908228691708});
}

TEST(DistributionShift, ComparesEachWindowWithTheFirstValues) {
  using Measure = DistributionShift::Measure;
  const std::vector<double> series = Series();
  const double wanted[] = {2.631684859330294, 0.38875, 0.49319492240015345, 1.250911882549762};
  for (Measure measure : {Measure::kPsi, Measure::kKs, Measure::kJs, Measure::kWasserstein}) {
    const DistributionShift::Options options{measure, 800, 600, 10, 1000};
    DistributionShift shift(options);
    std::vector<double> given(series.begin(), series.begin() + 800);
    given.insert(given.end(), series.begin() + 900, series.begin() + 1500);
    given.insert(given.end(), series.begin() + 900, series.begin() + 1499);
    for (size_t i = 0; i < given.size(); ++i) {
      const std::optional<double> got = shift.Add(given[i]);
      ASSERT_EQ(got.has_value(), i >= 1399) << i;
      if (got) {
        ASSERT_NEAR(*got, wanted[static_cast<size_t>(measure)], 1e-12);
      }
      if (i % 101 != 0) continue;
      DistributionShift next(options);
      Reload(shift, DistributionShift(options), next);
      shift = next;
    }
    EXPECT_LT(*shift.Add(series[1499]), wanted[static_cast<size_t>(measure)] + 1e-12);
  }
}

// Of sketches: within the sum of their bounds.
TEST(DistributionShift, IsNearTheExactDistanceOfManyValues) {
  DistributionShift shift({DistributionShift::Measure::kKs, 50'000, 50'000, 10, 200});
  Draws draws(11);
  std::optional<double> got;
  for (int i = 0; i < 100'000; ++i)
    got = shift.Add(draws.Unit() + (i < 50'000 ? 0 : 0.2));
  EXPECT_NEAR(*got, 0.2, 0.035);
  EXPECT_LT(shift.memory(), 50'000U);
}

TEST(DistinctSketch, KeepsItsBoundAndMerges) {
  for (int precision : {10, 12}) {
    const double error = 1.04 / std::sqrt(static_cast<double>(1 << precision));
    double squares = 0;
    int runs = 0;
    for (uint64_t seed = 1; seed <= 30; ++seed) {
      DistinctSketch sketch(precision);
      DistinctSketch parts[2] = {DistinctSketch(precision), DistinctSketch(precision)};
      for (uint64_t i = 0; i < 60'000; ++i) {
        const uint64_t hash = base::MixHash(i * 1000 + seed);
        sketch.Add(hash);
        if (i % 3 == 0) sketch.Add(hash);
        parts[i % 2].Add(hash);
        if (i != 9 && i != 999 && i != 59'999) continue;
        const double off = sketch.Estimate() / static_cast<double>(i + 1) - 1;
        if (i > 9) squares += off * off;
        if (i > 9) ++runs;
        ASSERT_LT(std::abs(off), 4.5 * error + 1.5 / static_cast<double>(i + 1)) << i;
      }
      parts[0].Merge(parts[1]);
      ASSERT_EQ(Saved(parts[0]), Saved(sketch));
      ASSERT_EQ(parts[0].Estimate(), sketch.Estimate());
      DistinctSketch next(precision);
      Reload(sketch, DistinctSketch(precision), next);
      EXPECT_EQ(next.Estimate(), sketch.Estimate());
    }
    EXPECT_LT(std::sqrt(squares / runs), 1.25 * error);
  }
  EXPECT_EQ(DistinctSketch().Estimate(), 0);
}

// Values i with frequencies like 1 / i.
std::vector<uint64_t> Skewed(uint64_t seed, size_t count) {
  Draws draws(seed);
  std::vector<uint64_t> values;
  for (size_t i = 0; i < count; ++i)
    values.push_back(base::MixHash(static_cast<uint64_t>(std::exp(draws.Unit() * 9))));
  return values;
}

void ExpectBound(const FrequencySketch& sketch, const std::map<uint64_t, uint64_t>& truth,
                 size_t counters) {
  const uint64_t bound = sketch.count() / counters;
  std::set<uint64_t> kept;
  for (const FrequencySketch::Counter& counter : sketch.Counters()) {
    const auto found = truth.find(counter.hash);
    const uint64_t count = found == truth.end() ? 0 : found->second;
    EXPECT_GE(counter.count, count);
    EXPECT_LE(counter.count - counter.too_high, count);
    EXPECT_LE(counter.too_high, bound);
    kept.insert(counter.hash);
  }
  for (const auto& [hash, count] : truth)
    EXPECT_TRUE(count <= bound || kept.contains(hash));
}

TEST(FrequencySketch, KeepsItsBoundAndMerges) {
  for (size_t counters : {1U, 10U, 100U}) {
    FrequencySketch sketch(static_cast<int32_t>(counters));
    FrequencySketch parts[2] = {sketch, sketch};
    std::map<uint64_t, uint64_t> truth;
    const std::vector<uint64_t> values = Skewed(counters, 20'000);
    for (size_t i = 0; i < values.size(); ++i) {
      const uint64_t count = sketch.Add(values[i]);
      ASSERT_GE(count, ++truth[values[i]]);
      ASSERT_LE(count - truth[values[i]], (i + 1) / counters);
      parts[i < 7000 ? 0 : 1].Add(values[i]);
      if (i % 999 != 0) continue;
      FrequencySketch next(static_cast<int32_t>(counters));
      Reload(sketch, next, next);
      sketch = next;
    }
    ExpectBound(sketch, truth, counters);
    parts[0].Merge(parts[1]);
    EXPECT_EQ(parts[0].count(), values.size());
    ExpectBound(parts[0], truth, counters);
    EXPECT_EQ(parts[0].Counters().size(), counters);
  }
}

TEST(FrequencySketch, IsExactWhileThereIsRoom) {
  FrequencySketch sketch(5);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(sketch.Add(static_cast<uint64_t>(i % 5)), static_cast<uint64_t>(i / 5 + 1));
}

}  // namespace
}  // namespace headrace::learn
