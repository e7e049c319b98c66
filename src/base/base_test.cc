#include <gtest/gtest.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/metrics.h"
#include "headrace/result.h"

namespace headrace::base {
namespace {

TEST(HashTest, KnownVectors) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), 0xe3069283U);
  // However the bytes are cut: long ones are taken in stretches.
  std::string bytes;
  for (uint32_t i = 0; i < 10'000; ++i)
    bytes.push_back(static_cast<char>(i * 2654435761U >> 24));
  uint32_t whole = 0;
  for (char c : bytes)
    whole = Crc32c({&c, 1}, whole);
  for (size_t cut : {0U, 1U, 7U, 3000U, 3072U, 3073U, 6144U, 9216U, 10'000U}) {
    std::string_view all = bytes;
    EXPECT_EQ(Crc32c(all.substr(cut), Crc32c(all.substr(0, cut))), whole) << cut;
  }
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(BytesTest, RoundTripsAndStopsAtTheEnd) {
  std::string out;
  ByteWriter w(out);
  w.U32Be(7);
  w.Zigzag(-12345678901LL);
  w.String("hello");
  ByteReader r(out);
  EXPECT_EQ(r.U32Be(), 7U);
  EXPECT_EQ(r.Zigzag(), -12345678901LL);
  EXPECT_EQ(r.String(), "hello");
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r.U64Le(), 0U);
  EXPECT_FALSE(r.ok());
}

TEST(ArenaTest, ResetKeepsItsBlocks) {
  Arena arena(1024);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i)
      arena.Copy("0123456789");
    arena.Allocate(5000);
    arena.Reset();
  }
  EXPECT_LT(arena.bytes_reserved(), 10000U);
}

TEST(HistogramTest, QuantilesAreWithinABucket) {
  Histogram h;
  for (uint64_t i = 1; i <= 100000; ++i)
    h.Record(i * 1000);
  EXPECT_NEAR(double(h.Quantile(0.5)), 50e6, 50e6 * 0.07);
  EXPECT_NEAR(double(h.Quantile(0.99)), 99e6, 99e6 * 0.07);
  EXPECT_EQ(h.Quantile(1.0), 100'000'000U);
}

TEST(MetricsTest, WritesPrometheusText) {
  MetricsRegistry registry;
  registry.GetCounter("headrace_events_total", "Events.", "stream=\"a\"").Add(3);
  EXPECT_NE(registry.Text().find("headrace_events_total{stream=\"a\"} 3\n"), std::string::npos);
}

}  // namespace
}  // namespace headrace::base
