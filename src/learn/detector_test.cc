// Detectors of change, against what River 0.26.1 reports for the same values.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "learn/ddm.h"
#include "learn/draws.h"
#include "learn/eddm.h"
#include "learn/hddm_a.h"
#include "learn/hddm_w.h"
#include "learn/kswin.h"
#include "learn/page_hinkley.h"

namespace headrace::learn {
namespace {

// Twenty pieces of 50 to 1,549 values, each around a level of its own.
std::vector<double> Series(bool bits) {
  Draws draws(7);
  std::vector<double> series;
  for (int piece = 0; piece < 20; ++piece) {
    const int values = 50 + static_cast<int>(draws.Unit() * 1500);
    const double level = draws.Unit();
    const double spread = 0.05 + draws.Unit();
    for (int i = 0; i < values; ++i) {
      const double u = draws.Unit();
      series.push_back(bits ? (u < level ? 1 : 0) : level * 2 + spread * (u - 0.5) * 4);
    }
  }
  return series;
}

template <typename Detector>
bool Warned(const Detector& detector) {
  if constexpr (requires { detector.warned(); }) return detector.warned();
  return false;
}

// Where the detector reports a change, and how often it warns. Every now and then it is saved and
// another one goes on.
template <typename Detector>
void Expect(const typename Detector::Options& options, bool bits, const std::vector<int>& changes,
            int warnings) {
  const std::vector<double> series = Series(bits);
  for (bool saved : {false, true}) {
    Detector detector(options);
    std::vector<int> got;
    int warned = 0;
    for (size_t i = 0; i < series.size(); ++i) {
      if (detector.Add(series[i])) got.push_back(static_cast<int>(i));
      if (Warned(detector)) ++warned;
      if (!saved || i % 7 != 0) continue;
      std::string bytes;
      base::ByteWriter writer(bytes);
      detector.Save(writer);
      Detector next(options);
      base::ByteReader reader(bytes);
      ASSERT_TRUE(next.Load(reader));
      ASSERT_EQ(reader.remaining(), 0U);
      detector = std::move(next);
    }
    EXPECT_EQ(got, changes);
    EXPECT_EQ(warned, warnings);
  }
}

TEST(PageHinkley, ReportsWhatRiverReports) {
  using Mode = PageHinkley::Mode;
  Expect<PageHinkley>({}, true,
                      {707, 1529, 2394, 3103, 3865, 4592, 6604, 6961, 7950, 9189, 10392, 11687,
                       12405, 13895, 14489},
                      0);
  Expect<PageHinkley>({}, false,
                      {664,  1211, 1825,  2342,  3038,  3693,  4217,  5158,  6535,  6780, 7907,
                       8912, 9140, 10312, 11329, 11616, 11790, 12304, 13233, 13841, 14448},
                      0);
  Expect<PageHinkley>(
      {50, 0.01, 20, 0.999, Mode::kUp}, false,
      {642,  1046, 1243, 1650, 2238, 2735, 4213, 4418,  4548,  4752,  5044,  5301, 5389,
       5765, 6054, 6385, 6518, 6750, 9124, 9986, 11564, 13085, 13817, 14006, 15758},
      0);
  Expect<PageHinkley>(
      {5, 0.1, 10, 1, Mode::kDown}, false,
      {220,  378,   2313,  2815,  3051,  3243,  3261,  3667,  4463,  4895,  4945, 4997,
       5126, 5440,  5591,  5864,  5999,  6122,  6228,  6272,  6477,  7886,  8373, 8988,
       9039, 10253, 11257, 11786, 12282, 12347, 12564, 12606, 12955, 13469, 14429},
      0);
}

TEST(Ddm, ReportsWhatRiverReports) {
  Expect<Ddm>({}, true, {81, 169, 209, 384, 637, 1194, 6786, 9277, 14036}, 1519);
  Expect<Ddm>({100, 1.5, 2.5}, true, {209, 384, 636, 1127, 6757, 9241, 13973}, 3414);
}

TEST(Eddm, ReportsWhatRiverReports) {
  Expect<Eddm>({}, true,
               {666, 1049, 7131, 7176, 7219, 7278, 7329, 7411, 7521, 7602, 7655, 9276, 9447}, 1424);
  Expect<Eddm>({60, 0.9, 0.8}, true, {705, 1127, 7820, 9415}, 1106);
}

TEST(HddmA, ReportsWhatRiverReports) {
  Expect<HddmA>({}, true, {637, 1285, 6579, 6768, 9155, 11584, 13845}, 137);
  Expect<HddmA>({0.01, 0.05, true}, true,
                {636,  1572, 2296,  2844,  3702,  4114,  5687,  6226,  6514,  6753,  7889, 8796,
                 9135, 9747, 10273, 10698, 11540, 11712, 11787, 12274, 13832, 14419, 15723},
                1441);
}

TEST(HddmW, ReportsWhatRiverReports) {
  Expect<HddmW>({}, true, {656, 1462, 6505, 6766, 9121, 11542, 13831}, 121);
  Expect<HddmW>({0.0001, 0.01, 0.02, true}, true,
                {661, 2300, 2873, 3734, 4488, 6523, 6827, 7899, 9128, 10296, 11558, 11829, 12305,
                 13844, 14438},
                1064);
}

// Of scipy.stats.ks_2samp, exact.
TEST(Kswin, ComputesTheExactChanceOfADistance) {
  EXPECT_NEAR(Kswin::ChanceOf(3, 10), 0.7869297884777761, 1e-15);
  EXPECT_NEAR(Kswin::ChanceOf(10, 20), 0.012298612583953778, 1e-16);
  EXPECT_NEAR(Kswin::ChanceOf(13, 30), 0.006548396368058784, 1e-16);
  EXPECT_NEAR(Kswin::ChanceOf(14, 30), 0.0025300622362698397, 1e-16);
  EXPECT_NEAR(Kswin::ChanceOf(30, 30) * 59132290782430712, 1, 1e-12);  // C(60, 30) / 2
  EXPECT_NEAR(Kswin::ChanceOf(25, 50), 4.8075337049514946e-06, 1e-20);
}

// It draws other samples than River, so only how often it reports can be compared: River does so 6
// to 14 times in the first 6,000 values, in the mean of twelve seeds 10.2.
TEST(Kswin, ReportsAsOftenAsRiver) {
  const std::vector<double> series = Series(false);
  int changes = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Kswin detector({0.005, 100, 30, seed});
    for (size_t i = 0; i < 6000; ++i)
      changes += detector.Add(series[i]) ? 1 : 0;
  }
  EXPECT_NEAR(changes / 40.0, 10.2, 1.5);
}

TEST(Kswin, FindsAShiftWithinItsNewestValues) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Draws draws(seed);
    Kswin detector({0.0001, 100, 30, seed});
    int found = -1;
    for (int i = 0; i < 400; ++i) {
      const bool changed = detector.Add(draws.Unit() + (i < 200 ? 0 : 0.8));
      if (changed && found < 0) found = i;
    }
    EXPECT_GE(found, 200);
    EXPECT_LT(found, 230);
  }
}

TEST(Kswin, GoesOnFromItsSavedState) {
  const std::vector<double> series = Series(false);
  Kswin whole({0.05, 60, 20, 5});
  Kswin detector({0.05, 60, 20, 5});
  int changes = 0;
  for (size_t i = 0; i < 5000; ++i) {
    const bool changed = whole.Add(series[i]);
    changes += changed ? 1 : 0;
    ASSERT_EQ(detector.Add(series[i]), changed) << i;
    if (i % 13 != 0) continue;
    std::string bytes;
    base::ByteWriter writer(bytes);
    detector.Save(writer);
    Kswin next({0.05, 60, 20, 5});
    base::ByteReader reader(bytes);
    ASSERT_TRUE(next.Load(reader));
    detector = std::move(next);
  }
  EXPECT_GT(changes, 20);
}

TEST(Kswin, SeesNoChangeInEqualValues) {
  Kswin detector({});
  for (int i = 0; i < 1000; ++i)
    EXPECT_FALSE(detector.Add(5));
}

// Bytes that no detector wrote are refused, and every prefix of those that one did.
template <typename Detector>
void ExpectRefusals() {
  Detector detector({});
  for (int i = 0; i < 500; ++i)
    detector.Add(i % 5 == 0 ? 1 : 0);
  std::string bytes;
  base::ByteWriter writer(bytes);
  detector.Save(writer);
  for (size_t size = 0; size < bytes.size(); ++size) {
    base::ByteReader reader(std::string_view(bytes).substr(0, size));
    Detector other({});
    EXPECT_FALSE(other.Load(reader)) << size;
  }
  bytes[0] = 100;
  base::ByteReader reader(bytes);
  Detector other({});
  EXPECT_FALSE(other.Load(reader));
}

TEST(Detectors, RefuseDamagedState) {
  ExpectRefusals<PageHinkley>();
  ExpectRefusals<Ddm>();
  ExpectRefusals<Eddm>();
  ExpectRefusals<HddmA>();
  ExpectRefusals<HddmW>();
  ExpectRefusals<Kswin>();
}

}  // namespace
}  // namespace headrace::learn
