#include "learn/prequential.h"

#include <gtest/gtest.h>

#include "learn/learn_testing.h"

namespace headrace::learn {
namespace {

std::unique_ptr<Learner> Made(const std::string& kind, LabelKind label) {
  LearnerSpec spec;
  spec.kind = kind;
  spec.features = 1;
  spec.label = label;
  Result<std::unique_ptr<Learner>> learner = Learner::Make(spec);
  HR_CHECK(learner.ok());
  return std::move(*learner);
}

double Measure(const Prequential& prequential, const std::string& name) {
  for (const auto& [known, value] : prequential.Measures())
    if (known == name) return value;
  return -2;
}

// Ten of one class, then ten of another: the prior of naive Bayes is right from the second on and
// wrong at the first of the others, which lie where nothing was.
TEST(Prequential, CountsAGuessThatIsNotMadeAsWrong) {
  Prequential prequential(Made("naive_bayes", LabelKind::kText), LabelKind::kText, 0);
  for (int i = 0; i < 20; ++i) {
    const double x[] = {i < 10 ? i * 0.1 : 100 + i * 0.1};
    prequential.Add(x, {0, 0, i < 10 ? "low" : "high"});
  }
  EXPECT_EQ(20u, prequential.examples());
  const double accuracy = Measure(prequential, "accuracy");
  EXPECT_LE(accuracy, 18.0 / 20);
  EXPECT_GE(accuracy, 16.0 / 20);
  EXPECT_DOUBLE_EQ(18.0 / 20, Measure(prequential, "no_change"));
  EXPECT_DOUBLE_EQ((accuracy - 0.9) / 0.1, Measure(prequential, "kappa_temporal"));
}

TEST(Prequential, ADelayKeepsLabelsBack) {
  const auto accuracy = [](size_t delay) {
    Prequential prequential(Made("nearest_neighbours", LabelKind::kInteger), LabelKind::kInteger,
                            delay);
    for (int i = 0; i < 100; ++i) {
      const double x[] = {static_cast<double>(i / 10)};
      prequential.Add(x, {i / 10, 0, {}});
    }
    return Measure(prequential, "accuracy");
  };
  EXPECT_DOUBLE_EQ(0.9, accuracy(0));  // the first of each ten is new
  EXPECT_DOUBLE_EQ(0.5, accuracy(4));
  EXPECT_DOUBLE_EQ(0, accuracy(200));
}

TEST(Prequential, NumbersAreMeasuredByTheirErrors) {
  Prequential prequential(Made("linear_regression", LabelKind::kNumber), LabelKind::kNumber, 0);
  double errors = 0;
  double squares = 0;
  const std::unique_ptr<Learner> beside = Made("linear_regression", LabelKind::kNumber);
  Draws draws(3);
  for (int i = 0; i < 500; ++i) {
    const double x[] = {draws.Unit()};
    const Label label{0, 3 * x[0] + draws.Unit(), {}};
    const std::optional<Label> guess = beside->Learn(x, label);
    const double error = label.number - (guess ? guess->number : 0);
    errors += std::abs(error);
    squares += error * error;
    prequential.Add(x, label);
  }
  EXPECT_DOUBLE_EQ(errors / 500, Measure(prequential, "mae"));
  EXPECT_DOUBLE_EQ(std::sqrt(squares / 500), Measure(prequential, "rmse"));
  EXPECT_GT(Measure(prequential, "r2"), 0.3);
}

}  // namespace
}  // namespace headrace::learn
