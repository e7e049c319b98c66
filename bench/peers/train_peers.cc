// train_peers --lightgbm LIBRARY
//
// LightGBM learning from the rows of `headrace bench train`, with its defaults and as many threads
// as there are cores, in memory: its data set and 100 trees, and how well these tell rows that they
// were not learned from.
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cli/bench/synthetic_table.h"
#include "headrace/result.h"
#include "os/clock.h"
#include "os/shared_library.h"
#include "train/metrics.h"

namespace headrace::bench {
namespace {

// Values of LightGBM's C API.
constexpr int kFloat32 = 0;
constexpr int kFloat64 = 1;
constexpr int kRawScore = 1;
constexpr int kTrees = 100;

using Handle = void*;

struct Api {
  const char* (*last_error)();
  int (*make_rows)(const void* data, int type, int32_t rows, int32_t columns, int row_major,
                   const char* parameters, Handle like, Handle* out);
  int (*set_field)(Handle rows, const char* name, const void* data, int count, int type);
  int (*make_booster)(Handle rows, const char* parameters, Handle* out);
  int (*add_tree)(Handle booster, int* finished);
  int (*score)(Handle booster, const void* data, int type, int32_t rows, int32_t columns,
               int row_major, int kind, int first, int count, const char* parameters,
               int64_t* length, double* out);
};

template <typename Function>
Status Find(const os::SharedLibrary& library, const char* name, Function** function) {
  *function = library.Find<Function>(name);
  if (*function != nullptr) return Ok();
  return Error(ErrorKind::kUnavailable, "HR9008", std::string("LightGBM has no ") + name);
}

Result<Api> Load(const std::string& path) {
  std::string problem;
  const auto library = os::SharedLibrary::Load(path, &problem);
  if (!library) return Error(ErrorKind::kUnavailable, "HR9008", problem);
  Api api = {};
  HR_TRY(Find(*library, "LGBM_GetLastError", &api.last_error));
  HR_TRY(Find(*library, "LGBM_DatasetCreateFromMat", &api.make_rows));
  HR_TRY(Find(*library, "LGBM_DatasetSetField", &api.set_field));
  HR_TRY(Find(*library, "LGBM_BoosterCreate", &api.make_booster));
  HR_TRY(Find(*library, "LGBM_BoosterUpdateOneIter", &api.add_tree));
  HR_TRY(Find(*library, "LGBM_BoosterPredictForMat", &api.score));
  return api;
}

// Column by column.
std::vector<double> MatrixOf(const train::Table& table) {
  std::vector<double> matrix;
  matrix.reserve(table.rows() * table.columns.size());
  for (const train::Column& column : table.columns)
    matrix.insert(matrix.end(), column.values.begin(), column.values.end());
  return matrix;
}

Status Run(const std::string& path) {
  HR_ASSIGN(const Api api, Load(path));
  const auto check = [&](int code) -> Status {
    if (code == 0) return Ok();
    return Error(ErrorKind::kUnavailable, "HR9008", std::string("LightGBM: ") + api.last_error());
  };
  const std::string parameters = "objective=binary verbosity=-1 num_threads=" +
                                 std::to_string(std::thread::hardware_concurrency());
  const train::Table table = cli::SyntheticTable(cli::kTableRows, cli::kTableSeed);
  const std::vector<double> matrix = MatrixOf(table);
  const std::vector<float> labels(table.labels.begin(), table.labels.end());
  const os::SystemClock clock;
  const int64_t start = clock.MonotonicNanoseconds();
  Handle rows = nullptr;
  Handle booster = nullptr;
  constexpr auto kColumns = static_cast<int32_t>(cli::kTableFeatures);
  HR_TRY(check(api.make_rows(matrix.data(), kFloat64, static_cast<int32_t>(table.rows()), kColumns,
                             0, parameters.c_str(), nullptr, &rows)));
  HR_TRY(check(
      api.set_field(rows, "label", labels.data(), static_cast<int>(labels.size()), kFloat32)));
  HR_TRY(check(api.make_booster(rows, parameters.c_str(), &booster)));
  for (int tree = 0; tree < kTrees; ++tree) {
    int finished = 0;
    HR_TRY(check(api.add_tree(booster, &finished)));
  }
  const int64_t spent = clock.MonotonicNanoseconds() - start;
  std::printf("train.gbdt.1m.lightgbm.seconds %.4g s\n", static_cast<double>(spent) / 1e9);
  const train::Table test = cli::SyntheticTable(cli::kTestRows, cli::kTestSeed);
  const std::vector<double> tested = MatrixOf(test);
  std::vector<double> scores(test.rows());
  int64_t length = 0;
  HR_TRY(
      check(api.score(booster, tested.data(), kFloat64, static_cast<int32_t>(test.rows()), kColumns,
                      0, kRawScore, 0, -1, parameters.c_str(), &length, scores.data())));
  std::printf("train.gbdt.1m.lightgbm.roc_auc %.6g share\n",
              train::RocAuc({test.labels, scores, {}}));
  return Ok();
}

}  // namespace
}  // namespace headrace::bench

int main(int count, char** arguments) {
  if (count != 3 || std::string_view(arguments[1]) != "--lightgbm") {
    std::fprintf(stderr, "usage: train_peers --lightgbm LIBRARY\n");
    return 2;
  }
  const headrace::Status done = headrace::bench::Run(arguments[2]);
  if (done.ok()) return 0;
  std::fprintf(stderr, "train_peers: %s\n", done.error().ToString().c_str());
  return 1;
}
