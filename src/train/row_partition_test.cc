#include "train/row_partition.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "train/train_testing.h"

namespace headrace::train {
namespace {

TEST(RowPartition, SplitsAsAStablePartitionDoes) {
  for (size_t threads : {1, 3}) {
    os::WorkerTeam team(threads);
    Draws draws(threads);
    constexpr size_t kRows = 70'000;
    std::vector<uint8_t> bins(kRows * 3);
    std::vector<Gradient> gradients(kRows);
    for (size_t row = 0; row < kRows; ++row) {
      for (size_t w = 0; w < 3; ++w)
        bins[row * 3 + w] = static_cast<uint8_t>(draws.Below(256));
      gradients[row] = {static_cast<int32_t>(row), static_cast<int32_t>(2 * row)};
    }
    RowPartition partition(kRows, team);
    partition.Reset(gradients);
    std::vector<uint32_t> want(kRows);
    for (size_t row = 0; row < kRows; ++row)
      want[row] = static_cast<uint32_t>(row);
    const size_t cuts[][2] = {{0, kRows}, {100, 60'000}, {59'000, 59'001}, {5, 5}};
    for (size_t cut = 0; cut < 4; ++cut) {
      RowPartition::Sides left{};
      for (uint8_t& side : left)
        side = draws.OneIn(3) ? 1 : 0;
      const auto [begin, end] = cuts[cut];
      const auto middle = std::stable_partition(
          want.begin() + static_cast<int64_t>(begin), want.begin() + static_cast<int64_t>(end),
          [&](uint32_t row) { return left[bins[row * 3 + cut % 3]] != 0; });
      EXPECT_EQ(static_cast<size_t>(middle - want.begin()),
                partition.Split(begin, end, bins.data() + cut % 3, 3, left));
      const NodeRows got = partition.Of(0, kRows);
      ASSERT_TRUE(std::equal(want.begin(), want.end(), got.rows.begin()));
      for (size_t i = 0; i < kRows; ++i)
        ASSERT_EQ(got.rows[i], static_cast<uint32_t>(got.gradients[i].first));
    }
  }
}

}  // namespace
}  // namespace headrace::train
