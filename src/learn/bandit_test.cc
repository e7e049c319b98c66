#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <sstream>

#include <gtest/gtest.h>

#include "learn/arm_lines.h"
#include "learn/best_arm.h"
#include "learn/learn_testing.h"
#include "learn/off_policy.h"
#include "learn/policy.h"

namespace headrace::learn {
namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

std::unique_ptr<Policy> Made(const std::string& type, size_t arms, size_t features,
                             Options options = {}) {
  PolicySpec spec{type, arms, features, 0, std::move(options)};
  Result<std::unique_ptr<Policy>> policy = Policy::Make(spec);
  HR_CHECK(policy.ok());
  return std::move(*policy);
}

// Box and Muller's: independent of what is tested.
double Bell(Draws& draws) {
  const double radius = std::sqrt(-2 * std::log(1 - draws.Unit()));
  return radius * std::cos(6.283185307179586 * draws.Unit());
}

// Marsaglia and Tsang's gamma distribution, shape at least 1.
double Gamma(double shape, Draws& draws) {
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = Bell(draws);
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(1 - draws.Unit()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

// How often each of the numbers that `draw` makes is the greatest.
std::vector<double> Greatest(size_t arms, int rounds, const std::function<double(size_t)>& draw) {
  std::vector<double> shares(arms);
  for (int i = 0; i < rounds; ++i) {
    size_t best = 0;
    double most = -INFINITY;
    for (size_t k = 0; k < arms; ++k) {
      const double value = draw(k);
      if (value > most) {
        most = value;
        best = k;
      }
    }
    shares[best] += 1.0 / rounds;
  }
  return shares;
}

TEST(BestArm, OfNormalsIsHowOftenEachIsTheGreatest) {
  struct Case {
    std::vector<double> means, deviations;
  };
  const Case cases[] = {{{0, 0}, {1, 1}},
                        {{0, 0.5}, {1, 0.01}},
                        {{1, 1.2, 0.8, -5}, {0.3, 0.1, 1, 0.5}},
                        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
                        {{0.02, 0.03, 0.05, 0.12}, {0.01, 0.01, 0.02, 0.05}}};
  Draws draws(3);
  BestArm best;
  for (const Case& c : cases) {
    std::vector<double> shares(c.means.size());
    best.OfNormals(c.means, c.deviations, shares);
    const std::vector<double> wanted = Greatest(shares.size(), 100'000, [&](size_t k) {
      return c.means[k] + c.deviations[k] * Bell(draws);
    });
    for (size_t k = 0; k < shares.size(); ++k)
      EXPECT_NEAR(wanted[k], shares[k], 0.015) << k << " of " << shares.size();
    EXPECT_NEAR(1, std::accumulate(shares.begin(), shares.end(), 0.0), 1e-12);
  }
}

TEST(BestArm, OfBetasIsHowOftenEachIsTheGreatest) {
  struct Case {
    std::vector<double> a, b;
  };
  const Case cases[] = {{{1, 1, 1}, {1, 1, 1}},
                        {{3, 1, 10}, {50, 1, 60}},
                        {{1, 2, 1, 4}, {100, 90, 1, 200}},
                        {{300, 310, 1.5}, {5000, 5000, 40}}};
  Draws draws(4);
  BestArm best;
  for (const Case& c : cases) {
    std::vector<double> shares(c.a.size());
    best.OfBetas(c.a, c.b, shares);
    const std::vector<double> wanted = Greatest(shares.size(), 100'000, [&](size_t k) {
      const double one = Gamma(c.a[k], draws);
      return one / (one + Gamma(c.b[k], draws));
    });
    for (size_t k = 0; k < shares.size(); ++k)
      EXPECT_NEAR(wanted[k], shares[k], 0.015) << k << " of " << shares.size();
  }
}

TEST(BestArm, TiesAreSharedAndNothingIsDividedByZero) {
  BestArm best;
  const std::vector<double> zeros(3);
  std::vector<double> shares(3);
  best.OfNormals(zeros, zeros, shares);
  for (double share : shares)
    EXPECT_NEAR(1.0 / 3, share, 1e-9);
  // More arms than cells could be made for.
  const std::vector<double> means(400, 1.0);
  const std::vector<double> deviations(400, 2.0);
  shares.resize(400);
  best.OfNormals(means, deviations, shares);
  for (double share : shares)
    EXPECT_NEAR(1.0 / 400, share, 1e-9);
}

// For whole numbers it is a sum of binomial probabilities.
TEST(BetaDistribution, IsTheSumOfBinomialProbabilities) {
  for (const auto& [a, b] : {std::pair{1, 1}, {2, 5}, {19, 3}, {25, 30}, {200, 40}, {3, 400}}) {
    const int n = a + b - 1;
    for (double x : {0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.85, 0.99}) {
      double sum = 0;
      for (int j = a; j <= n; ++j)
        sum += std::exp(std::lgamma(n + 1) - std::lgamma(j + 1) - std::lgamma(n - j + 1) +
                        j * std::log(x) + (n - j) * std::log1p(-x));
      EXPECT_NEAR(sum, BetaDistribution(a, b).Cdf(x), 1e-4) << a << " " << b << " " << x;
    }
  }
  EXPECT_NEAR(std::lgamma(0.3), LogGamma(0.3), 1e-11);
  EXPECT_NEAR(std::lgamma(1234.5), LogGamma(1234.5), 1e-9);
}

std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');)
    cells.push_back(cell);
  return cells;
}

// Contexts, rewards, chosen arms and upper bounds of an independent program.
TEST(Policy, LinUcbGoesTheWayOfTheReferenceProgram) {
  const char* const kTrace = "../shared/data/models/online/trace_linucb.csv";
  if (!std::filesystem::exists(kTrace)) GTEST_SKIP() << "skipped: no ../shared/data";
  ArmLines::Options options;
  options.intercept = false;
  ArmLines lines(5, 8, options);
  const auto policy = Made("linucb", 5, 8, {{"intercept", "false"}});
  std::ifstream in(kTrace);
  std::string line;
  std::getline(in, line);
  int rows = 0;
  for (; std::getline(in, line); ++rows) {
    const std::vector<std::string> cells = Cells(line);
    ASSERT_EQ(19u, cells.size());
    std::vector<double> values;
    for (const std::string& cell : cells)
      values.push_back(std::stod(cell));
    const Features x(values.data(), 8);
    for (size_t k = 0; k < 5; ++k) {
      double mean = 0;
      double deviation = 0;
      lines.Judge(x, k, &mean, &deviation);
      ASSERT_NEAR(values[14 + k], mean + deviation, 1e-9) << rows;
    }
    const Choice choice = policy->Choose(x);
    ASSERT_EQ(static_cast<size_t>(values[13]), choice.arm) << rows;
    EXPECT_EQ(1, choice.propensity);
    const Lesson lesson{choice.arm, x, values[8 + choice.arm], 1};
    policy->Learn(lesson);
    lines.Learn(lesson);
  }
  EXPECT_GE(rows, 500);
}

// Two environments of which others' regret curves are known, at these rounds, over as many seeds:
// ../shared/data/models/online/bandit_bars.json.
constexpr double kThetas[5][8] = {
    {0.012089, 0.480743, 0.433004, -0.180421, -0.105348, -0.186458, 0.201429, -0.019822},
    {0.264064, -0.653128, 0.553859, -0.034094, 0.24055, -0.048283, -0.134032, 0.163734},
    {0.29151, -0.071605, -0.054018, 0.242431, -0.307712, -0.535415, 0.139647, -0.237081},
    {-0.678943, -0.287811, -0.165321, -0.421861, -0.527666, 0.012953, 0.317226, -0.082425},
    {-0.262901, 0.136116, 0.253581, -0.10607, 0.192569, 0.368712, -0.07317, -0.287621}};
constexpr double kChances[] = {0.02, 0.03, 0.05, 0.05, 0.08, 0.1, 0.04, 0.12, 0.01, 0.09};

double LinearRegret(Policy& policy, int rounds, uint64_t seed) {
  Draws draws(seed);
  double regret = 0;
  for (int i = 0; i < rounds; ++i) {
    double x[8];
    for (double& value : x)
      value = Bell(draws);
    double best = -INFINITY;
    double means[5];
    for (size_t k = 0; k < 5; ++k) {
      means[k] = std::inner_product(x, x + 8, kThetas[k], 0.0);
      best = std::max(best, means[k]);
    }
    const Choice choice = policy.Choose(x);
    regret += best - means[choice.arm];
    policy.Learn({choice.arm, x, means[choice.arm] + 0.5 * Bell(draws), choice.propensity});
  }
  return regret;
}

double BernoulliRegret(Policy& policy, int rounds, uint64_t seed) {
  Draws draws(seed);
  double regret = 0;
  for (int i = 0; i < rounds; ++i) {
    const Choice choice = policy.Choose({});
    regret += 0.12 - kChances[choice.arm];
    const double reward = draws.Unit() < kChances[choice.arm] ? 1 : 0;
    policy.Learn({choice.arm, {}, reward, choice.propensity});
  }
  return regret;
}

struct Bar {
  double mean, deviation;
  int seeds;
};

// The mean over our seeds is not above the reference's by more than both may be off (3 sigma).
void ExpectNoWorse(const Bar& bar, int seeds, const std::function<double(uint64_t)>& regret,
                   const std::string& what) {
  double sum = 0;
  for (int seed = 1; seed <= seeds; ++seed)
    sum += regret(static_cast<uint64_t>(seed));
  const double off = bar.deviation * std::sqrt(1.0 / bar.seeds + 1.0 / seeds);
  EXPECT_LE(sum / seeds, bar.mean + 3 * off) << what;
}

TEST(Policy, RegretOfLinearPoliciesIsNoWorseThanTheReferenceCurves) {
  const auto of = [](const std::string& type, int rounds) {
    return [=](uint64_t seed) {
      Options options = {{"intercept", "false"}, {"seed", std::to_string(seed)}};
      // The deviation of the rewards.
      if (type == "linear_thompson") options.emplace_back("alpha", "0.5");
      const auto policy = Made(type, 5, 8, options);
      return LinearRegret(*policy, rounds, seed + 100);
    };
  };
  ExpectNoWorse({34.69, 7.06, 20}, 10, of("linucb", 100), "linucb 100");
  ExpectNoWorse({52.58, 6.78, 20}, 10, of("linucb", 1000), "linucb 1000");
  ExpectNoWorse({60.47, 7.73, 20}, 10, of("linucb", 3000), "linucb 3000");
  ExpectNoWorse({145.36, 13.45, 20}, 10, of("epsilon_greedy", 1000), "epsilon_greedy 1000");
  ExpectNoWorse({358.62, 19.27, 20}, 5, of("epsilon_greedy", 3000), "epsilon_greedy 3000");
  ExpectNoWorse({80.85, 6.23, 8}, 10, of("linear_thompson", 1000), "linear_thompson 1000");
  ExpectNoWorse({96.0, 6.86, 8}, 5, of("linear_thompson", 3000), "linear_thompson 3000");
}

TEST(Policy, RegretOfPlainPoliciesIsNoWorseThanTheReferenceCurves) {
  const auto of = [](const std::string& type, int rounds) {
    return [=](uint64_t seed) {
      const auto policy = Made(type, 10, 0, {{"seed", std::to_string(seed)}});
      return BernoulliRegret(*policy, rounds, seed + 100);
    };
  };
  ExpectNoWorse({37.62, 5.11, 30}, 10, of("thompson", 1000), "thompson 1000");
  ExpectNoWorse({85.29, 19.24, 30}, 5, of("thompson", 5000), "thompson 5000");
  ExpectNoWorse({54.64, 1.58, 30}, 10, of("ucb1", 1000), "ucb1 1000");
  ExpectNoWorse({238.24, 7.07, 30}, 10, of("ucb1", 5000), "ucb1 5000");
  ExpectNoWorse({28.60, 16.1, 30}, 20, of("epsilon_greedy", 1000), "epsilon_greedy 1000");
  ExpectNoWorse({91.32, 51.28, 30}, 20, of("epsilon_greedy", 5000), "epsilon_greedy 5000");
  // Without a curve of its own: far below that of random choices (60.9, 305).
  ExpectNoWorse({55, 0, 30}, 10, of("gaussian_thompson", 1000), "gaussian_thompson 1000");
  ExpectNoWorse({280, 0, 30}, 10, of("exp3", 5000), "exp3 5000");
}

// What was logged is the chance with which the arm was drawn.
TEST(Policy, ArmsAreDrawnAsOftenAsTheirPropensitySays) {
  for (const char* const type :
       {"epsilon_greedy", "thompson", "gaussian_thompson", "exp3", "linear_thompson"}) {
    const size_t features = PolicyTakes(type, false) ? 0 : 2;
    const auto policy = Made(type, 3, features, {{"epsilon", "0.15"}});
    const double given[] = {1, -0.5};
    const Features x(given, features);
    for (int i = 0; i < 30; ++i) {
      const Choice choice = policy->Choose(x);
      policy->Learn({choice.arm, x, (i + static_cast<int>(choice.arm)) % 3 == 0 ? 1.0 : 0.0,
                     choice.propensity});
    }
    std::vector<double> shares(3);
    policy->Weigh(x, shares);
    std::vector<double> drawn(3);
    constexpr int kRounds = 20'000;
    for (int i = 0; i < kRounds; ++i) {
      const Choice choice = policy->Choose(x);
      EXPECT_EQ(shares[choice.arm], choice.propensity);
      drawn[choice.arm] += 1.0 / kRounds;
    }
    for (size_t k = 0; k < 3; ++k) {
      EXPECT_NEAR(shares[k], drawn[k], 0.015) << type << " " << k;
      EXPECT_GE(shares[k], 0.05 - 1e-12) << type;
    }
  }
}

// The linear posterior, drawn from with a factor of its own.
TEST(Policy, LinearThompsonDrawsByTheChanceOfBeingBest) {
  const auto policy = Made("linear_thompson", 2, 2, {{"intercept", "false"}, {"alpha", "0.7"}});
  // A = I + sum x x', b = sum reward x; of the arms apart, by hand.
  double a[2][3] = {{1, 0, 1}, {1, 0, 1}};
  double b[2][2] = {};
  Draws draws(8);
  for (int i = 0; i < 12; ++i) {
    const double x[] = {Bell(draws), Bell(draws)};
    const auto arm = static_cast<size_t>(i % 2);
    const double reward = Bell(draws) + x[arm];
    policy->Learn({arm, x, reward, 1});
    a[arm][0] += x[0] * x[0];
    a[arm][1] += x[0] * x[1];
    a[arm][2] += x[1] * x[1];
    b[arm][0] += reward * x[0];
    b[arm][1] += reward * x[1];
  }
  const double x[] = {0.6, 0.8};
  std::vector<double> shares(2);
  policy->Weigh(x, shares);
  const std::vector<double> wanted = Greatest(2, 100'000, [&](size_t k) {
    const double det = a[k][0] * a[k][2] - a[k][1] * a[k][1];
    const double inv[] = {a[k][2] / det, -a[k][1] / det, a[k][0] / det};
    const double theta[] = {inv[0] * b[k][0] + inv[1] * b[k][1],
                            inv[1] * b[k][0] + inv[2] * b[k][1]};
    // Cholesky's factor of the covariance.
    const double l00 = std::sqrt(inv[0]);
    const double l10 = inv[1] / l00;
    const double l11 = std::sqrt(inv[2] - l10 * l10);
    const double z0 = Bell(draws);
    const double z1 = Bell(draws);
    return x[0] * (theta[0] + 0.7 * l00 * z0) + x[1] * (theta[1] + 0.7 * (l10 * z0 + l11 * z1));
  });
  EXPECT_NEAR(wanted[0], shares[0], 0.01);
}

TEST(Policy, Ucb1IsWhatItsFormulaSays) {
  const auto policy = Made("ucb1", 3, 0);
  double sums[3] = {};
  double counts[3] = {};
  Draws draws(5);
  for (int t = 0; t < 500; ++t) {
    size_t wanted = 0;
    double most = -1;
    for (size_t k = 0; k < 3; ++k) {
      const double bound =
          counts[k] == 0 ? INFINITY : sums[k] / counts[k] + std::sqrt(2 * std::log(t) / counts[k]);
      if (bound > most) {
        most = bound;
        wanted = k;
      }
    }
    const Choice choice = policy->Choose({});
    ASSERT_EQ(wanted, choice.arm) << t;
    const double reward = draws.Unit() < 0.2 + 0.2 * static_cast<double>(choice.arm) ? 1 : 0;
    policy->Learn({choice.arm, {}, reward, 1});
    sums[choice.arm] += reward;
    counts[choice.arm] += 1;
  }
}

// Weights as they stand in the paper, not their logarithms.
TEST(Policy, Exp3IsWhatItsPaperSays) {
  const auto policy = Made("exp3", 4, 0, {{"epsilon", "0.2"}});
  double weights[4] = {1, 1, 1, 1};
  Draws draws(6);
  for (int t = 0; t < 300; ++t) {
    std::vector<double> shares(4);
    policy->Weigh({}, shares);
    const double sum = std::accumulate(weights, weights + 4, 0.0);
    for (size_t k = 0; k < 4; ++k)
      ASSERT_NEAR(0.8 * weights[k] / sum + 0.05, shares[k], 1e-12);
    const Choice choice = policy->Choose({});
    const double reward = draws.Unit() * (choice.arm == 2 ? 1 : 0.3);
    policy->Learn({choice.arm, {}, reward, choice.propensity});
    weights[choice.arm] *= std::exp(0.2 * reward / choice.propensity / 4);
  }
}

// Refreshed from its sums, and after thousands of updates by the formula, it is the same line.
TEST(ArmLines, StayTheRidgeRegressionOfTheirRewards) {
  ArmLines::Options options;
  options.lambda = 0.5;
  ArmLines lines(1, 2, options);
  double a[3][3] = {{0.5, 0, 0}, {0, 0.5, 0}, {0, 0, 0.5}};
  double b[3] = {};
  Draws draws(9);
  for (int i = 0; i < 1003; ++i) {
    const double x[] = {Bell(draws) * 3, Bell(draws), 1};
    const double reward = 2 * x[0] - x[1] + 0.5 + Bell(draws);
    lines.Learn({0, Features(x, 2), reward, 1});
    for (int r = 0; r < 3; ++r) {
      b[r] += reward * x[r];
      for (int c = 0; c < 3; ++c)
        a[r][c] += x[r] * x[c];
    }
  }
  // Gauss' elimination of A theta = b.
  for (int p = 0; p < 3; ++p) {
    for (int r = p + 1; r < 3; ++r) {
      const double f = a[r][p] / a[p][p];
      for (int c = p; c < 3; ++c)
        a[r][c] -= f * a[p][c];
      b[r] -= f * b[p];
    }
  }
  double theta[3];
  for (int r = 2; r >= 0; --r) {
    theta[r] = b[r];
    for (int c = r + 1; c < 3; ++c)
      theta[r] -= a[r][c] * theta[c];
    theta[r] /= a[r][r];
  }
  const double x[] = {1.5, -2};
  double mean = 0;
  double deviation = 0;
  lines.Judge(x, 0, &mean, &deviation);
  EXPECT_NEAR(theta[0] * 1.5 - theta[1] * 2 + theta[2], mean, 1e-9);
  EXPECT_GT(deviation, 0);
}

// The best arm becomes the worst: with a discount the policy leaves it; Thompson's, which has no
// bound that grows, is quicker with one.
TEST(Policy, ADiscountForgetsAWorldThatChanged) {
  for (const char* const type : {"ucb1", "thompson", "gaussian_thompson", "exp3", "linucb"}) {
    const size_t features = PolicyTakes(type, false) ? 0 : 1;
    const double one[] = {1};
    const auto late = [&](const char* discount) {
      int good = 0;
      for (int seed = 1; seed <= 5; ++seed) {
        const auto policy =
            Made(type, 2, features, {{"discount", discount}, {"seed", std::to_string(seed)}});
        Draws draws(static_cast<uint64_t>(seed) + 100);
        for (int i = 0; i < 3000; ++i) {
          const Choice choice = policy->Choose(Features(one, features));
          const bool best = (choice.arm == 0) == (i < 2000);
          if (i >= 2500 && best) ++good;
          const double reward = draws.Unit() < (best ? 0.8 : 0.2) ? 1 : 0;
          policy->Learn({choice.arm, Features(one, features), reward, choice.propensity});
        }
      }
      return good / 2500.0;
    };
    EXPECT_GT(late("0.99"), 0.75) << type;
    if (type == std::string("thompson")) {
      EXPECT_GT(late("0.99"), late("1"));
    }
  }
}

TEST(Policy, TheBudgetBoundsHowOftenItExplores) {
  const auto policy =
      Made("epsilon_greedy", 4, 0, {{"epsilon", "0.5"}, {"explore_budget", "0.05"}});
  bool certain = false;
  for (int i = 0; i < 2000; ++i) {
    const Choice choice = policy->Choose({});
    certain = certain || choice.propensity == 1;
    policy->Learn({choice.arm, {}, choice.arm == 1 ? 1.0 : 0.0, choice.propensity});
    EXPECT_LE(static_cast<double>(policy->explored()), 0.05 * (i + 1) + 4);
  }
  EXPECT_GT(policy->explored(), 80u);
  EXPECT_TRUE(certain);  // what is chosen without a choice is logged as that
}

TEST(Policy, TheGuardrailStopsItForGood) {
  PolicySpec spec{"thompson", 3, 0, 2, {{"guardrail_min", "0.3"}, {"guardrail_window", "50"}}};
  const auto policy = std::move(Policy::Make(spec)).value();
  for (int i = 0; i < 49; ++i)
    policy->Watch(0);
  EXPECT_FALSE(policy->stopped());
  policy->Watch(0);
  EXPECT_TRUE(policy->stopped());
  for (int i = 0; i < 100; ++i)
    policy->Watch(1);
  const Choice choice = policy->Choose({});
  EXPECT_EQ(2u, choice.arm);
  EXPECT_EQ(1, choice.propensity);
}

TEST(Policy, SavedAndLoadedItGoesOnWithTheSameBits) {
  for (const BanditKind& kind : BanditKinds()) {
    const std::string type(kind.name);
    const size_t features = kind.linear ? 3 : 0;
    const Options options = {{"epsilon", "0.1"}, {"discount", "0.999"}, {"seed", "7"}};
    auto policy = Made(type, 4, features, options);
    auto undisturbed = Made(type, 4, features, options);
    Draws draws(1);
    for (int i = 0; i < 500; ++i) {
      double x[3];
      for (double& value : x)
        value = draws.Unit();
      const double reward = draws.Unit();
      const Choice choice = policy->Choose(Features(x, features));
      const Choice wanted = undisturbed->Choose(Features(x, features));
      ASSERT_EQ(wanted.arm, choice.arm) << type;
      ASSERT_EQ(wanted.propensity, choice.propensity) << type;
      for (Policy* each : {policy.get(), undisturbed.get()}) {
        each->Learn({choice.arm, Features(x, features), reward, choice.propensity});
        each->Watch(reward);
      }
      if (i % 41 != 0) continue;
      const std::string bytes = Saved(*policy);
      EXPECT_EQ(Saved(*undisturbed), bytes) << type;
      policy = Made(type, 4, features, options);
      base::ByteReader reader(bytes);
      ASSERT_TRUE(policy->Load(reader)) << type;
      EXPECT_EQ(0u, reader.remaining());
      for (size_t cut = 0; cut < bytes.size(); cut += 7) {
        base::ByteReader part(std::string_view(bytes).substr(0, cut));
        const auto other = Made(type, 4, features, options);
        EXPECT_FALSE(other->Load(part) && part.ok()) << type << " " << cut;
      }
    }
  }
}

TEST(Policy, RefusesWhatItCannotBe) {
  const auto code = [](PolicySpec spec) {
    const auto policy = Policy::Make(spec);
    return policy.ok() ? "" : std::string(policy.error().code());
  };
  EXPECT_EQ("HR3045", code({"softmax", 3, 0, 0, {}}));
  EXPECT_EQ("HR3045", code({"linucb", 3, 0, 0, {}}));
  EXPECT_EQ("HR3045", code({"ucb1", 3, 2, 0, {}}));
  EXPECT_EQ("HR3046", code({"ucb1", 1, 0, 0, {}}));
  EXPECT_EQ("HR3046", code({"linucb", 1000, 256, 0, {}}));
  EXPECT_EQ("HR3081", code({"ucb1", 3, 0, 0, {{"lambda", "1"}}}));
  EXPECT_EQ("HR3082", code({"linucb", 3, 2, 0, {{"alpha", "-1"}}}));
  EXPECT_EQ("HR3082", code({"linucb", 3, 2, 0, {{"alpha", "nan"}}}));
  EXPECT_FALSE(Made("thompson", 2, 0)->Accepts(1.5));
  EXPECT_FALSE(Made("linucb", 2, 1)->Accepts(std::nan("")));
  EXPECT_TRUE(Made("linucb", 2, 1)->Accepts(-1.5));
}

// A log by one policy with known chances: the estimates hold what another earns, about as often as
// their intervals say.
TEST(OffPolicy, HoldsWhatTheTargetEarns) {
  constexpr double kLogged[] = {0.7, 0.2, 0.1};
  constexpr double kTarget[] = {0.1, 0.2, 0.7};
  constexpr double kEarned[] = {0.1, 0.3, 0.2};
  const double truth = 0.1 * 0.1 + 0.2 * 0.3 + 0.7 * 0.2;
  Draws draws(2);
  int held[3] = {};
  double widths[3] = {};
  constexpr int kLogs = 400;
  for (int log = 0; log < kLogs; ++log) {
    OffPolicy estimate(INFINITY);
    for (int i = 0; i < 1000; ++i) {
      const double u = draws.Unit();
      const size_t arm = u < 0.7 ? 0 : u < 0.9 ? 1 : 2;
      const double reward = draws.Unit() < kEarned[arm] ? 1 : 0;
      // A model that is a little wrong.
      const auto predicted = [&](size_t k) { return kEarned[k] * 0.9; };
      const double expected =
          kTarget[0] * predicted(0) + kTarget[1] * predicted(1) + kTarget[2] * predicted(2);
      estimate.Add({reward, kLogged[arm], kTarget[arm], predicted(arm), expected});
    }
    const OffPolicy::Estimate all[] = {estimate.Ips(), estimate.Snips(), estimate.DoublyRobust()};
    for (int e = 0; e < 3; ++e) {
      if (all[e].low <= truth && truth <= all[e].high) ++held[e];
      widths[e] += all[e].high - all[e].low;
    }
  }
  for (int count : held) {
    EXPECT_GT(count, kLogs * 0.91);
    EXPECT_LT(count, kLogs * 0.98);
  }
  EXPECT_LT(widths[1], widths[0]);
  EXPECT_LT(widths[2], widths[0]);
}

TEST(OffPolicy, IsWhatIsWorkedOutByHand) {
  OffPolicy estimate(3);
  estimate.Add({1, 0.5, 0.25, 0.5, 0.6});
  estimate.Add({0, 0.1, 0.8, 0.2, 0.4});  // weight 8, cut to 3
  EXPECT_DOUBLE_EQ(0.25, estimate.Ips().value);
  EXPECT_DOUBLE_EQ(0.5 / 3.5, estimate.Snips().value);
  EXPECT_DOUBLE_EQ((0.6 + 0.5 * 0.5 + 0.4 + 3 * -0.2) / 2, estimate.DoublyRobust().value);
  EXPECT_DOUBLE_EQ(0.5, estimate.Logged().value);
  EXPECT_DOUBLE_EQ(3.5 * 3.5 / 9.25, estimate.effective_rows());
  EXPECT_EQ(8, estimate.largest_weight());
  EXPECT_EQ(1u, estimate.clipped());
  // Deviation of 0.5 and 0 is 0.3536, over the root of 2, times 1.96.
  EXPECT_NEAR(0.25 + 1.96 * 0.25, estimate.Ips().high, 1e-4);
}

}  // namespace
}  // namespace headrace::learn
