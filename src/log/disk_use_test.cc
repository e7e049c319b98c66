// What a directory takes, and when the disk is full.

#include "log/disk_use.h"

#include <gtest/gtest.h>

#include "log/log_testing.h"

namespace headrace::log {
namespace {

constexpr double kDay = 86'400;
constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kStartMs = 1'800'000'000'000;

TopicUse Use(const char* topic, uint64_t bytes, double per_day,
             std::optional<double> most = std::nullopt) {
  return {topic, bytes, per_day / kDay, most, most ? "retention" : ""};
}

TEST(DiskForecast, WithoutGrowthTheDiskIsNeverFull) {
  EXPECT_FALSE(Forecast({}, 1000).full_in_seconds);
  EXPECT_FALSE(Forecast({Use("a", 10, 0)}, 1000).full_in_seconds);
}

TEST(DiskForecast, WhatGrowsFillsItUnlessItsLimitComesFirst) {
  const DiskForecast unlimited = Forecast({Use("a", 10, 100), Use("b", 10, 150)}, 1000);
  EXPECT_DOUBLE_EQ(250 / kDay, unlimited.bytes_per_second);
  EXPECT_NEAR(4 * kDay, unlimited.full_in_seconds.value(), 1e-6);
  EXPECT_EQ("", unlimited.first_stopped);

  const DiskForecast held = Forecast({Use("a", 10, 100, 210), Use("b", 10, 150, 310)}, 1000);
  EXPECT_FALSE(held.full_in_seconds);
  EXPECT_EQ("a", held.first_stopped);
  EXPECT_EQ("retention", held.first_limit);
  EXPECT_NEAR(2 * kDay, held.first_stopped_in_seconds, 1e-6);

  // `a` stops after two days at 500 of the 1000 that are free; `b` takes the rest alone.
  const DiskForecast later = Forecast({Use("a", 10, 100, 210), Use("b", 10, 150)}, 1000);
  EXPECT_EQ("a", later.first_stopped);
  EXPECT_NEAR((2 + 500.0 / 150) * kDay, later.full_in_seconds.value(), 1e-6);

  // The disk is full before either limit.
  const DiskForecast early = Forecast({Use("a", 10, 100, 5000), Use("b", 10, 150, 5000)}, 500);
  EXPECT_NEAR(2 * kDay, early.full_in_seconds.value(), 1e-6);
  EXPECT_EQ("", early.first_stopped);

  // What is at its limit does not grow.
  EXPECT_FALSE(Forecast({Use("a", 210, 100, 210)}, 50).full_in_seconds);
}

TEST(DiskUse, GrowthIsThatOfTheLastDay) {
  os::MemoryFileSystem memory;
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  ASSERT_TRUE(disk.log->CreateTopic("t", {.partitions = 2, .retention_ms = 7 * kDayMs}).ok());
  ASSERT_TRUE(disk.log->CreateTopic("small", {.retention_bytes = 1000}).ok());
  ASSERT_TRUE(disk.log->CreateTopic("empty", {}).ok());
  // One record an hour for three days, ten an hour on the fourth.
  for (int hour = 0; hour <= 4 * 24; ++hour) {
    for (int i = 0; i < (hour > 72 ? 10 : 1); ++i) {
      std::vector<Entry> group = {
          BatchOf({Noise(static_cast<uint64_t>(hour), 1000)}, 1, kStartMs + hour * kDayMs / 24)};
      ASSERT_TRUE(disk.log->Append(group).ok());
    }
  }
  std::vector<Entry> group = {BatchOf({"x"}, 0, kStartMs)};
  group[0].topic = "small";
  ASSERT_TRUE(disk.log->Append(group).ok());
  ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
  ASSERT_TRUE(disk.log->MoveDurable().ok());

  const auto uses = MeasureTopics(memory, kDirectory, *disk.log).value();
  ASSERT_EQ(3U, uses.size());
  EXPECT_EQ("empty", uses[0].topic);
  EXPECT_EQ(0U, uses[0].bytes);
  EXPECT_FALSE(uses[0].bytes_most);
  EXPECT_EQ("small", uses[1].topic);
  EXPECT_GT(uses[1].bytes, 0U);
  EXPECT_EQ(0, uses[1].bytes_per_second) << "a moment tells nothing";
  EXPECT_EQ(1250, uses[1].bytes_most.value());
  EXPECT_EQ("retention_bytes", uses[1].limited_by);
  EXPECT_EQ("t", uses[2].topic);
  const double record = static_cast<double>(uses[2].bytes) / (73 + 240);
  // 240 of the last day, and the one at its beginning.
  EXPECT_NEAR(241 * record, uses[2].bytes_per_second * kDay, 1e-3);
  EXPECT_NEAR(7 * 241 * record * 1.25, uses[2].bytes_most.value(), 1);
  EXPECT_EQ("retention", uses[2].limited_by);
}

}  // namespace
}  // namespace headrace::log
