#include "learn/linear.h"

#include <gtest/gtest.h>

#include "learn/learn_testing.h"

namespace headrace::learn {
namespace {

struct Step {
  size_t row;
  double value;  // what River 0.26.1 says before it learns the row
};

struct Case {
  LinearOptions options;
  std::vector<Step> steps;
};

LinearOptions Plain() {
  LinearOptions options;
  options.standardize = false;
  options.l2 = 0.01;
  return options;
}

LinearOptions Ftrl() {
  LinearOptions options;
  options.optimizer = Optimizer::kFtrl;
  options.rate = 0.1;
  options.l1 = 0.5;
  options.l2 = 1;
  return options;
}

TEST(LogisticRegression, ProbabilitiesAreThoseOfRiver) {
  const Case cases[] = {
      {{},
       {{1, 0.5012499973958399},
        {2, 0.5065399444407949},
        {10, 0.4897040814786533},
        {100, 0.447561205110887},
        {1000, 0.518438589547502},
        {1999, 0.01944069659060374}}},
      {Plain(),
       {{1, 0.5338460268087},
        {2, 0.6274948807440376},
        {10, 0.20126560367494717},
        {100, 0.763342248724303},
        {1000, 0.4781361219368641},
        {1999, 0.2709275622979601}}},
      {Ftrl(),
       {{1, 0.5012499973958399},
        {2, 0.5024968542514113},
        {10, 0.4971719019264689},
        {100, 0.41478831912445113},
        {1000, 0.5209433476540607},
        {1999, 0.021013894034505296}}},
  };
  const std::vector<Example> examples = Planes(2000);
  const int first = examples[0].label;  // the class of number 0
  for (const Case& each : cases) {
    LogisticRegression model(3, each.options);
    size_t next = 0;
    for (size_t i = 0; i < examples.size(); ++i) {
      Votes votes;
      model.Learn(examples[i].x, examples[i].label == first ? 0 : 1, votes);
      if (next == each.steps.size() || each.steps[next].row != i) continue;
      const double of_one = first == 1 ? votes[0] : 1 - votes[0];
      EXPECT_NEAR(each.steps[next].value, of_one, 1e-12) << i;
      ++next;
    }
    EXPECT_EQ(each.steps.size(), next);
  }
}

TEST(LinearRegression, EstimatesAreThoseOfRiver) {
  const std::vector<Step> steps{{1, 0.14609100024884167}, {2, -0.18662794158492332},
                                {10, 0.6919252923803191}, {100, 6.040656172977646},
                                {1000, 0.39920906532944}, {2999, 6.952685520151782}};
  const double weights[] = {2.0, -1.0, 0.5, 0.0};
  Draws draws(13);
  LinearRegression model(4, {});
  size_t next = 0;
  for (size_t i = 0; i < 3000; ++i) {
    std::vector<double> x;
    double label = 0;
    for (size_t f = 0; f < 4; ++f) {
      x.push_back(draws.Unit() * static_cast<double>(f + 1) * 3);
      label += weights[f] * x[f];
    }
    label = 1.5 + label + (draws.Unit() - 0.5);
    if (next < steps.size() && steps[next].row == i) {
      EXPECT_NEAR(steps[next].value, model.Estimate(x), 1e-12) << i;
      ++next;
    }
    model.Learn(x, label);
  }
  EXPECT_EQ(steps.size(), next);
}

TEST(LogisticRegression, AThirdClassIsLearnedBesideTheOthers) {
  LogisticRegression model(5, {});
  int right = 0;
  const std::vector<Example> examples = Blobs(6000);
  for (const Example& example : examples) {
    Votes votes;
    model.Learn(example.x, static_cast<size_t>(example.label), votes);
    if (MostVotes(votes) == example.label) ++right;
  }
  EXPECT_GT(right, 6000 * 0.45);
}

// One value of 1e300 has a gradient whose square is none.
TEST(LogisticRegression, OneHugeValueLeavesItsWeightsFinite) {
  for (const bool standardize : {false, true}) {
    LinearOptions options = Ftrl();
    options.standardize = standardize;
    LogisticRegression model(1, options);
    Votes votes;
    for (int i = 0; i < 20; ++i) {
      const double x[] = {i == 7 || i == 8 ? 1e300 : i - 10.0};
      model.Learn(x, i % 2, votes);
    }
    const double small[] = {1.0};
    model.Vote(small, votes);
    ASSERT_EQ(2U, votes.size());
    EXPECT_TRUE(std::isfinite(votes[0]) && std::isfinite(votes[1])) << standardize;
  }
}

}  // namespace
}  // namespace headrace::learn
