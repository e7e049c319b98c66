#include "os/worker_team.h"

#include <atomic>
#include <numeric>

#include <gtest/gtest.h>

namespace headrace::os {
namespace {

TEST(WorkerTeam, DoesEveryPieceOnceWhateverItsSize) {
  for (size_t workers : {1, 2, 4, 40}) {
    WorkerTeam team(workers);
    for (size_t pieces : {0, 1, 2, 3, 100}) {
      std::vector<int> done(pieces);
      team.Run(pieces, [&](size_t piece, size_t) { ++done[piece]; });
      EXPECT_EQ(std::accumulate(done.begin(), done.end(), size_t{0}), pieces);
    }
  }
}

TEST(WorkerTeam, HandsNoNumberToTwoAtATime) {
  WorkerTeam team(4);
  EXPECT_EQ(team.size(), 4U);
  std::vector<std::atomic<int>> inside(team.size());
  std::atomic<int> met{0};
  for (int job = 0; job < 200; ++job) {
    team.Run(16, [&](size_t, size_t worker) {
      if (inside[worker].fetch_add(1) != 0) ++met;
      inside[worker].fetch_sub(1);
    });
  }
  EXPECT_EQ(met, 0);
}

TEST(WorkerTeam, WhatThePiecesWroteIsThereWhenTheJobIsDone) {
  WorkerTeam team(3);
  std::vector<uint64_t> values(50);
  for (uint64_t job = 1; job <= 2000; ++job) {
    team.Run(values.size(), [&](size_t piece, size_t) { values[piece] += piece; });
    ASSERT_EQ(values.back(), job * 49);
  }
}

TEST(WorkerTeam, CutsRowsIntoPiecesThatCoverThemOnce) {
  for (size_t workers : {1, 3}) {
    WorkerTeam team(workers);
    for (size_t count : {0, 1, 63, 64, 65, 1000}) {
      std::vector<int> seen(count);
      std::vector<int> pieces(WorkerTeam::PiecesOf(count));
      team.RunRows(count, [&](size_t begin, size_t end, size_t) {
        ++pieces[begin / WorkerTeam::kPieceRows];
        for (size_t i = begin; i < end; ++i)
          ++seen[i];
      });
      EXPECT_EQ(seen, std::vector<int>(count, 1));
      EXPECT_EQ(pieces, std::vector<int>(pieces.size(), 1));
    }
  }
}

TEST(WorkerTeam, IsNeverLargerThanItsLimit) {
  EXPECT_EQ(WorkerTeam(1000).size(), WorkerTeam::kWorkersMax);
  EXPECT_EQ(WorkerTeam(0).size(), 1U);
}

}  // namespace
}  // namespace headrace::os
