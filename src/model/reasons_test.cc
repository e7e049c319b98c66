#include "model/reasons.h"

#include <gtest/gtest.h>

namespace headrace::model {
namespace {

std::string Told(const ReasonTexts& texts, const std::vector<double>& contributions) {
  std::string told;
  for (const Reason& reason : TopReasons(texts, contributions))
    told += (told.empty() ? "" : ", ") + reason.text;
  return told;
}

TEST(ReasonsTest, TheLargestContributionsComeFirstAndNoneThatLoweredTheScore) {
  const ReasonTexts texts = {{0, "amount"}, {1, "many"}, {2, "night"}, {3, "abroad"}, {4, "new"}};
  EXPECT_EQ(Told(texts, {0.1, 0.5, -2, 0.3, 0.2, 7}), "many, abroad, new");
  EXPECT_EQ(Told(texts, {0, -1, -1, -1, -1, 7}), "");
}

TEST(ReasonsTest, FeaturesOfOneTextCountTogetherAndFeaturesWithoutOneDoNotCount) {
  const ReasonTexts texts = {{0, "amount"}, {1, "often"}, {2, "often"}};
  EXPECT_EQ(Told(texts, {0.5, 0.3, 0.3, 9, 7}), "often, amount");
  EXPECT_EQ(Told(texts, {0.5, 0.9, -0.6, 9, 7}), "amount, often");
}

TEST(ReasonsTest, EqualContributionsComeInTheOrderOfTheFeatures) {
  EXPECT_EQ(Told({{0, "one"}, {1, "two"}}, {0.25, 0.25, 0}), "one, two");
}

}  // namespace
}  // namespace headrace::model
