#include <algorithm>
#include <vector>

#include "cli/bench/bench.h"
#include "cli/bench/synthetic_model.h"
#include "model/model.h"

namespace headrace::cli {
namespace {

constexpr size_t kRows = 4096;
constexpr int kRounds = 7;

// Nanoseconds a call of `work(row)` takes: the median of some rounds over all rows.
template <typename Work>
double MedianNanoseconds(Bench& bench, size_t rows, const Work& work) {
  std::vector<double> rounds;
  for (int round = 0; round < kRounds; ++round) {
    const int64_t start = bench.clock().MonotonicNanoseconds();
    for (size_t row = 0; row < rows; ++row)
      work(row);
    const int64_t spent = bench.clock().MonotonicNanoseconds() - start;
    rounds.push_back(static_cast<double>(spent) / static_cast<double>(rows));
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[rounds.size() / 2];
}

Status ScoreTrees(Bench& bench, int trees) {
  SyntheticModelOptions options;
  options.trees = trees;
  HR_ASSIGN(std::shared_ptr<const model::Model> model, model::Model::Load(SyntheticModel(options)));
  const auto width = static_cast<size_t>(options.features);
  const std::vector<double> table = SyntheticRows(kRows, width);
  std::vector<double> raw(kRows);
  const std::string name = std::to_string(trees) + "x31";
  auto row_of = [&](size_t row) {
    return std::span<const double>(table).subspan(row * width, width);
  };
  auto score_one = [&](size_t row) {
    model->ScoreRaw(row_of(row), 1, std::span<double>(raw).subspan(row, 1));
  };
  bench.Report("score." + name + ".ns", MedianNanoseconds(bench, kRows, score_one), "ns");
  auto score_all = [&](size_t) { model->ScoreRaw(table, kRows, raw); };
  bench.Report("score." + name + ".block.ns",
               MedianNanoseconds(bench, 1, score_all) / static_cast<double>(kRows), "ns");
  if (trees != 100) return Ok();
  double sink = 0;
  auto explain = [&](size_t row) {
    Result<std::vector<double>> parts = model->Contributions(row_of(row));
    if (parts.ok()) sink += parts->back();
  };
  const double nanoseconds = MedianNanoseconds(bench, kRows / 16, explain);
  if (sink == 0) return Error(ErrorKind::kInternal, "HR9008", "contributions gave nothing");
  bench.Report("shap." + name + ".us", nanoseconds / 1000, "us");
  return Ok();
}

}  // namespace

Status BenchScore(Bench& bench) {
  HR_TRY(ScoreTrees(bench, 100));
  return ScoreTrees(bench, 500);
}

}  // namespace headrace::cli
