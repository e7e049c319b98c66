#include "learn/adwin.h"

#include <string>

#include <gtest/gtest.h>

#include "learn/draws.h"

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

struct Reference {
  bool bits;
  Adwin::Options options;
  std::vector<int> changes;
  uint64_t width;
  double total;
  double deviations;
};

// What river.drift.ADWIN 0.26.1 gave for these series and options.
const Reference kReferences[] = {
    {true,
     {},
     {671, 1599, 2303, 3007, 3775, 4159, 6399, 6687, 6975, 7903, 9151, 10303, 11615, 12319, 13855,
      14463},
     1335,
     352,
     259.1880149812728},
    {true,
     {0.3, 1, 1, 1},
     {637,  1125, 2274,  2844,  3706,  4073,  4504,  5309,  6498,  6765,
      7881, 9115, 10239, 10698, 11545, 11713, 12278, 13362, 13833, 14419},
     1379,
     360,
     266.01885424220444},
    {true,
     {1e-5, 100, 20, 500},
     {699, 2399, 3799, 6599, 7199, 7999, 9199, 10399, 11699, 12499, 13899, 14499},
     1299,
     344,
     252.9022324865281},
    {false,
     {},
     {671, 1375, 2335, 3519, 3807, 4351, 6623, 6783, 7903, 9151, 10303, 11327, 11615, 11807, 12351,
      13855, 14463},
     1335,
     767.5791182989286,
     354.0046905020423},
    {false,
     {0.3, 1, 1, 1},
     {640,   880,   1032,  1587,  1985,  2294,  2879,  3262,  3674,  4091, 4463,  4761,
      5871,  6331,  6431,  6518,  6749,  7883,  8255,  8874,  9118,  9449, 10249, 11085,
      11557, 11732, 12289, 12967, 13469, 13816, 13856, 14022, 14417, 14547},
     1251,
     722.8367403528615,
     331.2095180521119},
    {false,
     {1e-5, 100, 20, 500},
     {699, 2499, 3799, 6699, 7999, 9199, 10399, 11699, 12499, 13899, 14499},
     1299,
     742.837961948315,
     344.18851119075464},
};

TEST(Adwin, ChangesAreReportedWhereRiverReportsThem) {
  for (const Reference& reference : kReferences) {
    Adwin adwin(reference.options);
    std::vector<int> changes;
    int at = 0;
    for (double value : Series(reference.bits)) {
      if (adwin.Add(value)) changes.push_back(at);
      ++at;
    }
    EXPECT_EQ(reference.changes, changes);
    EXPECT_EQ(reference.width, adwin.width());
    EXPECT_EQ(reference.total, adwin.total());
    EXPECT_DOUBLE_EQ(reference.deviations / static_cast<double>(reference.width), adwin.variance());
  }
}

TEST(Adwin, ASavedStateGoesOnAsIfNothingHadHappened) {
  Adwin adwin;
  int at = 0;
  for (double value : Series(false)) {
    const bool changed = adwin.Add(value);
    if (++at % 37 != 0 && !changed) continue;
    std::string saved;
    base::ByteWriter writer(saved);
    adwin.Save(writer);
    Adwin other;
    base::ByteReader reader(saved);
    ASSERT_TRUE(other.Load(reader));
    EXPECT_EQ(0u, reader.remaining());
    std::string again;
    base::ByteWriter other_writer(again);
    other.Save(other_writer);
    ASSERT_EQ(saved, again);
    adwin = other;
  }
  EXPECT_EQ(1335u, adwin.width());
  EXPECT_EQ(767.5791182989286, adwin.total());
}

TEST(Adwin, WhatSaveDidNotWriteIsRefused) {
  Adwin adwin;
  for (double value : Series(true))
    adwin.Add(value);
  std::string saved;
  base::ByteWriter writer(saved);
  adwin.Save(writer);
  for (size_t size = 0; size < saved.size(); ++size) {
    base::ByteReader reader(std::string_view(saved).substr(0, size));
    EXPECT_FALSE(adwin.Load(reader));
    EXPECT_EQ(0u, adwin.width());
  }
}

TEST(Adwin, ALongSteadySeriesNeedsLittleMemory) {
  Adwin adwin;
  for (int i = 0; i < 1'000'000; ++i)
    EXPECT_FALSE(adwin.Add(i % 2));
  EXPECT_EQ(1'000'000u, adwin.width());
  EXPECT_LT(adwin.memory(), 7'000u);
}

}  // namespace
}  // namespace headrace::learn
