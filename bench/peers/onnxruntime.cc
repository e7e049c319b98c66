// The library exports one function. It gives a table of functions for a version of the interface;
// the table only grows at its end, so a function is known by its place.
#include <cstdint>
#include <utility>

#include "os/shared_library.h"
#include "peers/scorer.h"

namespace headrace::bench {
namespace {

constexpr uint32_t kApiVersion = 14;
constexpr int kWarnings = 2;
constexpr int kFloat = 1;
constexpr int kArenaAllocator = 1;
constexpr int kDefaultMemory = 0;

using Handle = void*;

enum Place : size_t {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSessionFromArray = 8,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetIntraOpNumThreads = 24,
  kSetInterOpNumThreads = 25,
  kCreateTensorWithDataAsOrtValue = 49,
  kCreateCpuMemoryInfo = 69,
  kAddSessionConfigEntry = 130,
};

struct ApiBase {
  const Handle* (*get_api)(uint32_t version);
  const char* (*get_version)();
};

class OnnxRuntime : public Scorer {
 public:
  OnnxRuntime(const Handle* api, const forest::Forest& forest)
      : api_(api),
        run_(reinterpret_cast<RunFunction*>(api[kRun])),
        features_(static_cast<size_t>(forest.features)),
        in_(kBlockRows * features_),
        out_(kBlockRows) {}

  Status Open(const std::string& model) {
    HR_TRY((Call<int, const char*, Handle*>(kCreateEnv, kWarnings, "bench", &env_)));
    Handle options = nullptr;
    HR_TRY((Call<Handle*>(kCreateSessionOptions, &options)));
    HR_TRY((Call<Handle, int>(kSetIntraOpNumThreads, options, 1)));
    HR_TRY((Call<Handle, int>(kSetInterOpNumThreads, options, 1)));
    HR_TRY((Call<Handle, const char*, const char*>(kAddSessionConfigEntry, options,
                                                   "session.intra_op.allow_spinning", "0")));
    HR_TRY((Call<Handle, const void*, size_t, Handle, Handle*>(
        kCreateSessionFromArray, env_, model.data(), model.size(), options, &session_)));
    HR_TRY(
        (Call<int, int, Handle*>(kCreateCpuMemoryInfo, kArenaAllocator, kDefaultMemory, &memory_)));
    HR_TRY(MakeTables(1, &one_));
    return MakeTables(kBlockRows, &many_);
  }

  bool ScoreOne(const double* row, double* raw) override { return Score(row, 1, one_, raw); }
  bool ScoreBlock(const double* features, size_t rows, double* raw) override {
    return rows == kBlockRows && Score(features, rows, many_, raw);
  }
  bool Explain(const double*, double*) override { return false; }
  double tolerance() const override { return 1e-4; }

 private:
  using RunFunction = Handle(Handle session, Handle options, const char* const* input_names,
                             const Handle* inputs, size_t input_count,
                             const char* const* output_names, size_t output_count, Handle* outputs);
  struct Tables {
    Handle in = nullptr;
    Handle out = nullptr;
  };

  template <typename... Arguments>
  Status Call(Place place, Arguments... arguments) {
    const Handle problem = reinterpret_cast<Handle (*)(Arguments...)>(api_[place])(arguments...);
    if (problem == nullptr) return Ok();
    const auto message = reinterpret_cast<const char* (*)(Handle)>(api_[kGetErrorMessage]);
    return Error(ErrorKind::kUnavailable, "HR9008",
                 std::string("ONNX Runtime: ") + message(problem));
  }

  // Tensors over our own memory, made once: a run then takes no memory for its result.
  Status MakeTables(size_t rows, Tables* tables) {
    const int64_t in[] = {static_cast<int64_t>(rows), static_cast<int64_t>(features_)};
    const int64_t out[] = {static_cast<int64_t>(rows), 1};
    HR_TRY(MakeTable(in_.data(), in, &tables->in));
    return MakeTable(out_.data(), out, &tables->out);
  }
  Status MakeTable(float* data, const int64_t* shape, Handle* table) {
    return Call<Handle, void*, size_t, const int64_t*, size_t, int, Handle*>(
        kCreateTensorWithDataAsOrtValue, memory_, data,
        static_cast<size_t>(shape[0] * shape[1]) * sizeof(float), shape, 2, kFloat, table);
  }

  bool Score(const double* features, size_t rows, Tables tables, double* raw) {
    for (size_t i = 0; i < rows * features_; ++i) {
      in_[i] = static_cast<float>(features[i]);
    }
    const char* input = "x";
    const char* output = "raw";
    if (run_(session_, nullptr, &input, &tables.in, 1, &output, 1, &tables.out) != nullptr) {
      return false;
    }
    for (size_t r = 0; r < rows; ++r) {
      raw[r] = static_cast<double>(out_[r]);
    }
    return true;
  }

  const Handle* api_;
  RunFunction* run_;
  size_t features_;
  std::vector<float> in_;
  std::vector<float> out_;
  Handle env_ = nullptr;
  Handle session_ = nullptr;
  Handle memory_ = nullptr;
  Tables one_;
  Tables many_;
};

}  // namespace

Result<std::unique_ptr<Scorer>> MakeOnnxRuntime(const std::string& library,
                                                const forest::Forest& forest) {
  std::string problem;
  const auto loaded = os::SharedLibrary::Load(library, &problem);
  if (!loaded) return Error(ErrorKind::kUnavailable, "HR9008", problem);
  auto* get_base = loaded->Find<const ApiBase*()>("OrtGetApiBase");
  if (get_base == nullptr) {
    return Error(ErrorKind::kUnavailable, "HR9008", library + " is no ONNX Runtime");
  }
  const Handle* api = get_base()->get_api(kApiVersion);
  if (api == nullptr) {
    return Error(ErrorKind::kUnavailable, "HR9008", library + " does not know interface 14");
  }
  auto scorer = std::make_unique<OnnxRuntime>(api, forest);
  HR_TRY(scorer->Open(OnnxForest(forest)));
  return std::unique_ptr<Scorer>(std::move(scorer));
}

}  // namespace headrace::bench
