#include "serve/http/mlflow_filter.h"

#include <random>

#include <gtest/gtest.h>

namespace headrace::serve {
namespace {

const std::map<std::string, std::string> kTags = {{"team", "Blue"}, {"k y", "it's"}};

bool Holds(const std::string& text, bool versions = true) {
  SearchedItem item{"fraud-model", &kTags, 10, 20, "run1", "/m.txt", 12};
  auto filter = ParseFilter(text, versions);
  EXPECT_TRUE(filter.ok()) << text;
  if (!filter.ok()) return false;
  for (const FilterClause& clause : *filter) {
    if (!clause.Holds(item)) return false;
  }
  return true;
}

TEST(MlflowFilter, HoldsAsMlflowSays) {
  for (const char* text :
       {"", "name = 'fraud-model'", "name LIKE 'fraud%'", "name like '%d-m_del'",
        "name ILIKE 'FRAUD%'", "name != 'x' AND tags.team = 'Blue'", "tag.`k y` = 'it''s'",
        "tag.\"team\" ILIKE 'b%'", "tag.`mlflow.prompt.is_prompt` != 'true'",
        "run_id IN ('x', 'run1')", "version_number >= 12", "version_number = '12'",
        "source_path LIKE '%.txt'", "name LIKE '%%%%'"}) {
    EXPECT_TRUE(Holds(text)) << text;
  }
  for (const char* text :
       {"name = 'fraud'", "name LIKE 'FRAUD%'", "tag.absent = 'x'", "run_id IN ('x')",
        "version_number < 12", "name LIKE '_'", "tags.team != 'Blue'"}) {
    EXPECT_FALSE(Holds(text)) << text;
  }
}

TEST(MlflowFilter, WhatIsNoFilterIsRefused) {
  for (const char* text :
       {"name", "name =", "name = x", "name = 'x", "= 'x'", "name = 'x' OR name = 'y'",
        "name = 'x' AND", "size = '1'", "name > 'x'", "name IN ('x')", "run_id IN ('x'",
        "run_id IN 'x'", "tag. = 'x'", "tag = 'x'", "version_number LIKE '1'",
        "version_number = 'one'", "name = 'x' 'y'"}) {
    EXPECT_EQ("HR8092", ParseFilter(text, true).error().code()) << text;
  }
  EXPECT_FALSE(ParseFilter("run_id = 'x'", false).ok());
  std::string long_one = "name != 'x'";
  for (size_t i = 0; i < kFilterClausesMax; ++i)
    long_one += " AND name != 'x'";
  EXPECT_FALSE(ParseFilter(long_one, true).ok());
  const auto of_bytes = [](size_t bytes) {
    std::string text = "name LIKE ''";
    return text.insert(text.size() - 1, bytes - text.size(), '%');
  };
  EXPECT_TRUE(ParseFilter(of_bytes(kFilterBytesMax), true).ok());
  EXPECT_FALSE(ParseFilter(of_bytes(kFilterBytesMax + 1), true).ok());
}

TEST(MlflowFilter, HostileTextsEndWithoutHarm) {
  std::mt19937_64 random(5);
  const std::string letters = "name tag.`\"'=!<>(),%_ANDIN";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (size_t n = random() % 40; n > 0; --n)
      text += letters[random() % letters.size()];
    auto filter = ParseFilter(text, i % 2 == 0);
    if (!filter.ok()) {
      EXPECT_EQ("HR8092", filter.error().code());
    }
    auto order = ParseSearchOrder(text);
    if (order.ok()) {
      EXPECT_LE(order->size(), text.size());
    }
  }
}

TEST(MlflowFilter, OrdersByColumnsInTurn) {
  auto order = ParseSearchOrder("last_updated_timestamp DESC, name, version_number asc");
  ASSERT_TRUE(order.ok());
  SearchedItem a{"a", &kTags, 0, 5, "", "", 1};
  SearchedItem b{"b", &kTags, 0, 5, "", "", 1};
  SearchedItem newer{"z", &kTags, 0, 6, "", "", 1};
  EXPECT_TRUE(ComesBefore(*order, a, b));
  EXPECT_TRUE(ComesBefore(*order, newer, a));
  EXPECT_FALSE(ComesBefore(*order, a, a));
  for (const char* wrong : {"size", "name up", "name asc x", ",", "name,,name"})
    EXPECT_FALSE(ParseSearchOrder(wrong).ok()) << wrong;
}

}  // namespace
}  // namespace headrace::serve
