#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include <gtest/gtest.h>

#include "engine/test_program.h"

namespace headrace::engine {

// For tests of state. feed(program, from, to, batch) takes the events of these numbers.

// Two thousand events, a clean end or a power failure behind each hundred, and another number of
// workers then. A snapshot is used at each start; behind a clean end it stands for everything.
// `lines`: that are fed for one number.
template <typename Feed>
void FeedThroughRestarts(TestProgram& program, Feed feed, uint64_t lines = 1) {
  size_t spared = 0;
  for (int64_t at = 0; at < 2000; at += 100) {
    program.SetWorkers(static_cast<size_t>(1 + at / 100 % 3));
    feed(program, at, at + 100, 9);
    const bool clean = at % 300 == 0;
    ASSERT_TRUE(clean ? program.Restart().ok() : program.Crash(static_cast<uint64_t>(at)).ok());
    EXPECT_EQ(std::string::npos, program.engine().recovery_note().find("snapshot"));
    if (clean) {
      EXPECT_EQ(program.replayed(), 0U);
    }
    spared += program.replayed() < lines * static_cast<uint64_t>(at) ? 1 : 0;
  }
  EXPECT_GT(spared, 0U);
}

// What the script makes of so many events is `wanted`, with one worker and with three, however they
// come together; rows(program) gives it.
template <typename Feed, typename Rows>
void ExpectAlways(const std::string& wanted, const std::string& script, int64_t events,
                  std::initializer_list<size_t> batches, Feed feed, Rows rows) {
  for (size_t workers : {1U, 3U}) {
    for (size_t batch : batches) {
      TestProgram program(UINT64_MAX, workers);
      program.Run(script);
      feed(program, 0, events, batch);
      EXPECT_TRUE(rows(program) == wanted) << workers << " workers, batches of " << batch;
    }
  }
}

}  // namespace headrace::engine
