#include "state/row_queue.h"

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "state/test_pages.h"
#include "state/test_spill.h"

namespace headrace::state {
namespace {

// Rows here are numbers that end with a semicolon.
bool AreRows(std::string_view rows, int64_t) {
  return rows.ends_with(';') && rows.find_first_not_of("0123456789;") == std::string_view::npos;
}

std::unique_ptr<RowQueue> MakeQueue(os::SpillFile* spill = nullptr) {
  return std::make_unique<RowQueue>(spill, AreRows);
}

std::string TakeUpTo(RowQueue& queue, int64_t bound) {
  std::string all;
  while (!queue.empty() && queue.oldest() <= bound) {
    all += "@" + std::to_string(queue.oldest()) + ":";
    queue.TakeOldest([&](std::string_view rows) { all += rows; });
  }
  return all;
}

// Row i: about its number's time, several of one time.
void Feed(RowQueue& queue, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; ++i) {
    const uint64_t chance = static_cast<uint64_t>(i) * 0x9E3779B97F4A7C15;
    // Some times have thousands of rows, so that they stand in many pieces.
    const int64_t time = i % 3 == 0 ? i / 5000 * 1000 : i / 5 - static_cast<int64_t>(chance >> 59);
    queue.Add(time, std::to_string(i) + ";");
  }
}

TEST(RowQueue, GivesRowsByTimeAndThenAsTheyCame) {
  std::map<int64_t, std::string> expected;
  auto queue = MakeQueue();
  std::mt19937_64 random(2);
  for (int64_t i = 0; i < 50'000; ++i) {
    const auto time = static_cast<int64_t>(random() % 60) - 30;
    const std::string row = std::to_string(i) + ";";
    queue->Add(time, row);
    expected[time] += row;
    if (i % 10'000 != 9999) continue;
    const int64_t bound = i / 10'000 * 8 - 20;
    std::string wanted;
    while (!expected.empty() && expected.begin()->first <= bound) {
      wanted += "@" + std::to_string(expected.begin()->first) + ":" + expected.begin()->second;
      expected.erase(expected.begin());
    }
    EXPECT_EQ(TakeUpTo(*queue, bound), wanted);
  }
  EXPECT_GT(queue->bytes(), 0U);
  TakeUpTo(*queue, INT64_MAX);
  EXPECT_TRUE(queue->empty());
  EXPECT_EQ(queue->bytes(), 0U);
}

TEST(RowQueue, ARowMayBeLongerThanAPiece) {
  auto queue = MakeQueue();
  const std::string longer = std::string(3 * RowQueue::kPieceBytes, '7') + ";";
  for (const std::string& row : {std::string("1;"), longer, std::string("2;")})
    queue->Add(5, row);
  EXPECT_EQ(TakeUpTo(*queue, 5), "@5:1;" + longer + "2;");
}

// Snapshots that are taken page by page while rows come and go hold the moments they began.
TEST(RowQueue, PagesKeepTheMomentWhileRowsComeAndGo) {
  auto queue = MakeQueue();
  int64_t next = 30'000;
  Feed(*queue, 0, next);
  TakeUpTo(*queue, 300);
  StoredPages stored;
  for (bool whole : {true, false, false}) {
    stored.Begin(*queue, whole);
    const int64_t begin = next;
    std::string taken;
    for (bool more = true; more; next += 20) {
      more = stored.Take(*queue, 1);
      Feed(*queue, next, next + 20);
      taken += TakeUpTo(*queue, next / 5 - 3000);
    }
    auto loaded = MakeQueue();
    stored.LoadInto(*loaded);
    std::string taken_again;
    for (int64_t at = begin; at < next; at += 20) {
      Feed(*loaded, at, at + 20);
      taken_again += TakeUpTo(*loaded, at / 5 - 3000);
    }
    EXPECT_EQ(taken_again, taken);
    EXPECT_EQ(loaded->bytes(), queue->bytes());
    if (whole) continue;
    EXPECT_EQ(TakeUpTo(*loaded, next / 5 - 1500), TakeUpTo(*queue, next / 5 - 1500));
  }
  stored.Begin(*queue, false);
  stored.TakeAll(*queue);
  queue->Add(1 << 30, "1;");
  stored.Begin(*queue, false);
  stored.TakeAll(*queue);
  EXPECT_EQ(stored.written(), 1U);
  EXPECT_GT(stored.pages().size(), 20U);
}

TEST(RowQueue, APageIsTheBytesOfItsDescription) {
  auto queue = MakeQueue();
  queue->Add(5, "1;");
  StoredPages stored;
  stored.Begin(*queue, true);
  stored.TakeAll(*queue);
  EXPECT_EQ(stored.pages().at(0), std::string("\x01\x00\x0a\x00\x02\x31\x3b", 7));
}

TEST(RowQueue, DamagedPagesAreRefused) {
  auto queue = MakeQueue();
  Feed(*queue, 0, 20);
  StoredPages stored;
  stored.Begin(*queue, true);
  stored.TakeAll(*queue);
  ExpectDamagedPagesAreRefused(stored, [] { return MakeQueue(); });
  auto loaded = MakeQueue();
  ASSERT_TRUE(loaded->BeginLoad(stored.head()).ok());
  std::string page = stored.pages().at(0);
  page.back() = 'x';
  EXPECT_EQ(loaded->LoadPage(0, page).error().code(), "HR4207");
}

TEST(RowQueue, WhatIsPutOutToAFileDoesNotShow) {
  auto spill = SpillOfNothing();
  auto spilled = MakeQueue(spill.get());
  auto whole = MakeQueue();
  for (int64_t i = 0; i < 60'000; i += 500) {
    Feed(*spilled, i, i + 500);
    Feed(*whole, i, i + 500);
    spill->KeepWithin();
    ASSERT_EQ(TakeUpTo(*spilled, i / 5 - 5000), TakeUpTo(*whole, i / 5 - 5000));
  }
  EXPECT_GT(spill->put_out(), 0U);
  EXPECT_EQ(TakeUpTo(*spilled, INT64_MAX), TakeUpTo(*whole, INT64_MAX));
  spilled.reset();
  EXPECT_EQ(spill->bytes(), 0U);
}

}  // namespace
}  // namespace headrace::state
