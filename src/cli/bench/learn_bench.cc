#include <vector>

#include "cli/bench/bench.h"
#include "learn/learner.h"
#include "os/random.h"

namespace headrace::cli {
namespace {

constexpr size_t kFeatures = 8;

struct Examples {
  std::vector<double> values;  // rows of kFeatures
  std::vector<int64_t> labels;

  size_t size() const { return labels.size(); }
  learn::Features row(size_t i) const {
    return std::span<const double>(values).subspan(i * kFeatures, kFeatures);
  }
};

// Two classes on the sides of a plane that moves four times; a tenth of the labels are wrong.
Examples MakeExamples(size_t rows) {
  os::SeededRandom random(1);
  const auto unit = [&] { return static_cast<double>(random.Next() >> 11) * 0x1p-53; };
  Examples examples;
  for (size_t i = 0; i < rows; ++i) {
    double sum = 0;
    for (size_t f = 0; f < kFeatures; ++f) {
      examples.values.push_back(unit());
      const bool counts = f % 4 == i * 4 / rows || f % 3 == 0;
      if (counts) sum += examples.values.back();
    }
    const bool wrong = unit() < 0.1;
    examples.labels.push_back((sum > 2) != wrong ? 1 : 0);
  }
  return examples;
}

// Guesses and learns; examples a second.
Status BenchLearner(Bench& bench, const std::string& kind, const Examples& examples) {
  learn::LearnerSpec spec;
  spec.kind = kind;
  spec.features = kFeatures;
  spec.label = learn::LabelKind::kInteger;
  HR_ASSIGN(std::unique_ptr<learn::Learner> learner, learn::Learner::Make(spec));
  size_t right = 0;
  const int64_t start = bench.clock().MonotonicNanoseconds();
  for (size_t i = 0; i < examples.size(); ++i) {
    const auto guess = learner->Learn(examples.row(i), {examples.labels[i], 0, {}});
    if (guess && guess->integer == examples.labels[i]) ++right;
  }
  const auto spent = static_cast<double>(bench.clock().MonotonicNanoseconds() - start);
  const auto count = static_cast<double>(examples.size());
  bench.Report("learn." + kind + ".per_second", count * 1e9 / spent, "examples/s");
  bench.Report("learn." + kind + ".accuracy", static_cast<double>(right) / count, "share");
  return Ok();
}

}  // namespace

Status BenchLearn(Bench& bench) {
  const Examples many = MakeExamples(400'000);
  const Examples few = MakeExamples(40'000);
  HR_TRY(BenchLearner(bench, "hoeffding_tree", many));
  HR_TRY(BenchLearner(bench, "hoeffding_adaptive_tree", many));
  HR_TRY(BenchLearner(bench, "logistic_regression", many));
  HR_TRY(BenchLearner(bench, "adaptive_random_forest", few));
  return BenchLearner(bench, "leveraging_bagging", few);
}

}  // namespace headrace::cli
