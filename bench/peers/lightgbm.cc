#include <cstdint>

#include "os/shared_library.h"
#include "peers/scorer.h"

namespace headrace::bench {
namespace {

// Values of LightGBM's C API.
constexpr int kFloat64 = 1;
constexpr int kRawScore = 1;
constexpr int kContributions = 3;
constexpr int kAllTrees = -1;
// In the fast configuration itself, or the call starts threads.
constexpr const char* kParameters = "num_threads=1";

using Handle = void*;

struct Api {
  const char* (*last_error)();
  int (*load)(const char* text, int* iterations, Handle* booster);
  int (*prepare)(Handle booster, int kind, int first, int count, int type, int32_t columns,
                 const char* parameters, Handle* fast);
  int (*score_fast)(Handle fast, const void* row, int64_t* length, double* out);
  int (*score_many)(Handle booster, const void* data, int type, int32_t rows, int32_t columns,
                    int row_major, int kind, int first, int count, const char* parameters,
                    int64_t* length, double* out);
};

class LightGbm : public Scorer {
 public:
  LightGbm(const Api& api, int features) : api_(api), features_(features) {}

  Status Open(const std::string& text) {
    int iterations = 0;
    HR_TRY(Check(api_.load(text.c_str(), &iterations, &booster_)));
    HR_TRY(Check(api_.prepare(booster_, kRawScore, 0, kAllTrees, kFloat64, features_, kParameters,
                              &score_)));
    return Check(api_.prepare(booster_, kContributions, 0, kAllTrees, kFloat64, features_,
                              kParameters, &explain_));
  }

  bool ScoreOne(const double* row, double* raw) override {
    int64_t length = 0;
    return api_.score_fast(score_, row, &length, raw) == 0;
  }
  bool ScoreBlock(const double* features, size_t rows, double* raw) override {
    int64_t length = 0;
    return api_.score_many(booster_, features, kFloat64, static_cast<int32_t>(rows), features_, 1,
                           kRawScore, 0, kAllTrees, kParameters, &length, raw) == 0;
  }
  bool Explain(const double* row, double* contributions) override {
    int64_t length = 0;
    return api_.score_fast(explain_, row, &length, contributions) == 0;
  }
  double tolerance() const override { return 0; }

 private:
  Status Check(int code) const {
    if (code == 0) return Ok();
    return Error(ErrorKind::kUnavailable, "HR9008", std::string("LightGBM: ") + api_.last_error());
  }

  Api api_;
  int32_t features_;
  Handle booster_ = nullptr;
  Handle score_ = nullptr;
  Handle explain_ = nullptr;
};

template <typename Function>
Status Find(const os::SharedLibrary& library, const char* name, Function** function) {
  *function = library.Find<Function>(name);
  if (*function != nullptr) return Ok();
  return Error(ErrorKind::kUnavailable, "HR9008", std::string("LightGBM has no ") + name);
}

}  // namespace

Result<std::unique_ptr<Scorer>> MakeLightGbm(const std::string& library, const std::string& text,
                                             int features) {
  std::string problem;
  const auto loaded = os::SharedLibrary::Load(library, &problem);
  if (!loaded) return Error(ErrorKind::kUnavailable, "HR9008", problem);
  Api api = {};
  HR_TRY(Find(*loaded, "LGBM_GetLastError", &api.last_error));
  HR_TRY(Find(*loaded, "LGBM_BoosterLoadModelFromString", &api.load));
  HR_TRY(Find(*loaded, "LGBM_BoosterPredictForMatSingleRowFastInit", &api.prepare));
  HR_TRY(Find(*loaded, "LGBM_BoosterPredictForMatSingleRowFast", &api.score_fast));
  HR_TRY(Find(*loaded, "LGBM_BoosterPredictForMat", &api.score_many));
  auto scorer = std::make_unique<LightGbm>(api, features);
  HR_TRY(scorer->Open(text));
  return std::unique_ptr<Scorer>(std::move(scorer));
}

}  // namespace headrace::bench
