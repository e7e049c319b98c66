#include "flow/running_functions.h"

#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "flow/select_node.h"
#include "headrace/check.h"
#include "learn/adwin.h"
#include "learn/ddm.h"
#include "learn/distinct_sketch.h"
#include "learn/distribution_shift.h"
#include "learn/eddm.h"
#include "learn/ewma_score.h"
#include "learn/forecast.h"
#include "learn/frequency_sketch.h"
#include "learn/hddm_a.h"
#include "learn/hddm_w.h"
#include "learn/kswin.h"
#include "learn/matrix_profile.h"
#include "learn/page_hinkley.h"
#include "learn/quantile_sketch.h"
#include "learn/robust_z.h"
#include "learn/running_quantile.h"
#include "learn/spectral_residual.h"
#include "row/text.h"

namespace headrace::flow {
namespace {

using Constants = std::span<const double>;
using Types = std::span<const row::Type>;
using Function = std::unique_ptr<state::RunningFunction>;

constexpr row::Type kTruth{row::TypeKind::kBoolean, 0, 0};
constexpr row::Type kNumber{row::TypeKind::kDouble, 0, 0};
constexpr row::Type kWhole{row::TypeKind::kBigint, 0, 0};
constexpr double kLargest = 1e150;

// The number a row gives, or nothing when it is to be passed over.
std::optional<double> NumberOf(const row::Value& value, row::Type type) {
  static const std::vector<std::string> kNoCategories;
  const double number = FeatureOf(value, type, kNoCategories);
  if (!(std::abs(number) < kLargest)) return {};
  return number;
}

// What a detector of changes is asked at each row.
enum class Question : uint8_t { kChanged, kWarned };

// A detector of changes in a series: true at the row that shows one. With kShares it takes errors
// and shares alone, which are in [0, 1].
template <typename Detector, bool kShares = false, Question kAsked = Question::kChanged>
class ChangeFunction final : public state::RunningFunction {
 public:
  ChangeFunction(const typename Detector::Options& options, row::Type type)
      : detector_(options), type_(type) {}

  row::Value Step(const row::Value* arguments, base::Arena&) override {
    const std::optional<double> number = NumberOf(arguments[0], type_);
    if (!number || (kShares && (*number < 0 || *number > 1))) return row::Value::Null();
    const bool changed = detector_.Add(*number);
    if constexpr (kAsked == Question::kWarned) {
      return row::Value::Boolean(detector_.warned());
    } else {
      return row::Value::Boolean(changed);
    }
  }
  void Save(base::ByteWriter& writer) const override { detector_.Save(writer); }
  bool Load(base::ByteReader& reader) override { return detector_.Load(reader); }
  size_t bytes() const override { return sizeof *this + detector_.memory(); }

 private:
  Detector detector_;
  row::Type type_;
};

// How far a value is from where its series was.
template <typename Score>
class ScoreFunction final : public state::RunningFunction {
 public:
  ScoreFunction(const typename Score::Options& options, row::Type type)
      : score_(options), type_(type) {}

  row::Value Step(const row::Value* arguments, base::Arena&) override {
    const std::optional<double> number = NumberOf(arguments[0], type_);
    if (!number) return row::Value::Null();
    const std::optional<double> score = score_.Add(*number);
    return score ? row::Value::Double(*score) : row::Value::Null();
  }
  void Save(base::ByteWriter& writer) const override { score_.Save(writer); }
  bool Load(base::ByteReader& reader) override { return score_.Load(reader); }
  size_t bytes() const override { return sizeof *this + score_.memory(); }

 private:
  Score score_;
  row::Type type_;
};

// A sketch of different values, of any type. `Answer` makes the answer of sketch and hash.
template <typename Sketch, auto kAnswer>
class HashFunction final : public state::RunningFunction {
 public:
  HashFunction(int size, row::Type type) : sketch_(size), type_(type) {}

  row::Value Step(const row::Value* arguments, base::Arena&) override {
    if (arguments[0].null) return row::Value::Null();
    key_.clear();
    row::AppendKey(arguments[0], type_, key_);
    return row::Value::Integer(kAnswer(sketch_, base::Hash64(key_)));
  }
  void Save(base::ByteWriter& writer) const override { sketch_.Save(writer); }
  bool Load(base::ByteReader& reader) override { return sketch_.Load(reader); }
  size_t bytes() const override { return sizeof *this + sketch_.memory(); }

 private:
  Sketch sketch_;
  row::Type type_;
  std::string key_;
};

constexpr double kMany = 1e9;  // rows a constant may count

constexpr RunningParameter kAdwin[] = {
    {.name = "delta", .standard = 0.002, .least = 0, .most = 1, .inside = true},
    {.name = "clock", .standard = 32, .least = 1, .most = kMany, .whole = true},
    {.name = "min_window_length", .standard = 5, .least = 1, .most = kMany, .whole = true},
    {.name = "grace_period", .standard = 10, .least = 1, .most = kMany, .whole = true},
};
Function MakeAdwin(Constants c, Types types) {
  return std::make_unique<ChangeFunction<learn::Adwin>>(
      learn::Adwin::Options{c[0], static_cast<int32_t>(c[1]), static_cast<int32_t>(c[2]),
                            static_cast<int32_t>(c[3])},
      types[0]);
}

constexpr RunningParameter kPageHinkley[] = {
    {.name = "min_instances", .standard = 30, .least = 1, .most = kMany, .whole = true},
    {.name = "delta", .standard = 0.005, .least = 0, .most = kLargest},
    {.name = "threshold", .standard = 50, .least = 0, .most = kLargest, .inside = true},
    {.name = "alpha", .standard = 1 - 0.0001, .least = 1e-9, .most = 1},
    {.name = "mode", .words = "both|up|down"},
};
Function MakePageHinkley(Constants c, Types types) {
  return std::make_unique<ChangeFunction<learn::PageHinkley>>(
      learn::PageHinkley::Options{static_cast<int64_t>(c[0]), c[1], c[2], c[3],
                                  static_cast<learn::PageHinkley::Mode>(static_cast<int>(c[4]))},
      types[0]);
}

constexpr RunningParameter kDdm[] = {
    {.name = "warm_start", .standard = 30, .least = 1, .most = kMany, .whole = true},
    {.name = "warning_threshold", .standard = 2, .least = 0, .most = kMany},
    {.name = "drift_threshold", .standard = 3, .least = 0, .most = kMany},
};
template <Question kAsked>
Function MakeDdm(Constants c, Types types) {
  return std::make_unique<ChangeFunction<learn::Ddm, true, kAsked>>(
      learn::Ddm::Options{static_cast<int64_t>(c[0]), c[1], c[2]}, types[0]);
}

constexpr RunningParameter kEddm[] = {
    {.name = "warm_start", .standard = 30, .least = 1, .most = kMany, .whole = true},
    {.name = "alpha", .standard = 0.95, .least = 0, .most = 1},
    {.name = "beta", .standard = 0.9, .least = 0, .most = 1},
};
const char* RefuseEddm(Constants c) {
  return c[1] < c[2] ? "`alpha` of eddm must not be below `beta`" : nullptr;
}
template <Question kAsked>
Function MakeEddm(Constants c, Types types) {
  return std::make_unique<ChangeFunction<learn::Eddm, true, kAsked>>(
      learn::Eddm::Options{static_cast<int64_t>(c[0]), c[1], c[2]}, types[0]);
}

constexpr RunningParameter kHddmA[] = {
    {.name = "drift_confidence", .standard = 0.001, .least = 0, .most = 1, .inside = true},
    {.name = "warning_confidence", .standard = 0.005, .least = 0, .most = 1, .inside = true},
    {.name = "two_sided", .words = "false|true"},
};
template <Question kAsked>
Function MakeHddmA(Constants c, Types types) {
  return std::make_unique<ChangeFunction<learn::HddmA, true, kAsked>>(
      learn::HddmA::Options{c[0], c[1], c[2] != 0}, types[0]);
}

constexpr RunningParameter kHddmW[] = {
    {.name = "drift_confidence", .standard = 0.001, .least = 0, .most = 1, .inside = true},
    {.name = "warning_confidence", .standard = 0.005, .least = 0, .most = 1, .inside = true},
    {.name = "lambda", .standard = 0.05, .least = 0, .most = 1, .inside = true},
    {.name = "two_sided", .words = "false|true"},
};
template <Question kAsked>
Function MakeHddmW(Constants c, Types types) {
  return std::make_unique<ChangeFunction<learn::HddmW, true, kAsked>>(
      learn::HddmW::Options{c[0], c[1], c[2], c[3] != 0}, types[0]);
}

constexpr RunningParameter kKswin[] = {
    {.name = "alpha", .standard = 0.005, .least = 0, .most = 1, .inside = true},
    {.name = "window_size",
     .standard = 100,
     .least = 2,
     .most = learn::Kswin::kWindowMax,
     .whole = true},
    {.name = "stat_size",
     .standard = 30,
     .least = 1,
     .most = learn::Kswin::kWindowMax,
     .whole = true},
    {.name = "seed", .standard = 1, .least = 0, .most = 0x1p53, .whole = true},
};
const char* RefuseKswin(Constants c) {
  return c[1] < 2 * c[2] ? "`window_size` of kswin must be at least twice `stat_size`" : nullptr;
}
Function MakeKswin(Constants c, Types types) {
  return std::make_unique<ChangeFunction<learn::Kswin>>(
      learn::Kswin::Options{c[0], static_cast<int32_t>(c[1]), static_cast<int32_t>(c[2]),
                            static_cast<uint64_t>(c[3])},
      types[0]);
}

constexpr RunningParameter kEwmaScore[] = {
    {.name = "alpha", .standard = 0.05, .least = 0, .most = 1, .inside = true},
    {.name = "warm_start", .standard = 30, .least = 1, .most = kMany, .whole = true},
};
Function MakeEwmaScore(Constants c, Types types) {
  return std::make_unique<ScoreFunction<learn::EwmaScore>>(
      learn::EwmaScore::Options{c[0], static_cast<int64_t>(c[1])}, types[0]);
}

constexpr RunningParameter kRobustZ[] = {
    {.name = "window_size",
     .standard = 100,
     .least = 1,
     .most = learn::RobustZ::kWindowMax,
     .whole = true},
    {.name = "warm_start", .standard = 30, .least = 1, .most = kMany, .whole = true},
};
const char* RefuseRobustZ(Constants c) {
  return c[1] > c[0] ? "`warm_start` of robust_z must not be above `window_size`" : nullptr;
}
Function MakeRobustZ(Constants c, Types types) {
  return std::make_unique<ScoreFunction<learn::RobustZ>>(
      learn::RobustZ::Options{static_cast<int32_t>(c[0]), static_cast<int64_t>(c[1])}, types[0]);
}

constexpr RunningParameter kMatrixProfile[] = {
    {.name = "length", .standard = 50, .least = 3, .most = 10'000, .whole = true},
    {.name = "window_size",
     .standard = 1000,
     .least = 12,
     .most = learn::MatrixProfile::kWindowMax,
     .whole = true},
};
const char* RefuseMatrixProfile(Constants c) {
  return c[1] < 4 * c[0] ? "`window_size` of matrix_profile must be at least four times `length`"
                         : nullptr;
}
Function MakeMatrixProfile(Constants c, Types types) {
  return std::make_unique<ScoreFunction<learn::MatrixProfile>>(
      learn::MatrixProfile::Options{static_cast<int32_t>(c[0]), static_cast<int32_t>(c[1])},
      types[0]);
}

constexpr RunningParameter kSpectralResidual[] = {
    {.name = "window_size",
     .standard = 128,
     .least = 16,
     .most = learn::SpectralResidual::kWindowMax,
     .whole = true},
    {.name = "average", .standard = 21, .least = 1, .most = kMany, .whole = true},
};
const char* RefuseSpectralResidual(Constants c) {
  if (!std::has_single_bit(static_cast<uint64_t>(c[0])))
    return "`window_size` of spectral_residual must be a power of two";
  if (c[1] > c[0] / 2)
    return "`average` of spectral_residual must be half of `window_size` at most";
  return nullptr;
}
Function MakeSpectralResidual(Constants c, Types types) {
  return std::make_unique<ScoreFunction<learn::SpectralResidual>>(
      learn::SpectralResidual::Options{static_cast<int32_t>(c[0]), static_cast<int32_t>(c[1])},
      types[0]);
}

using learn::ForecastOptions;
using learn::ForecastSide;
constexpr RunningParameter kPeriod = {.name = "period",
                                      .standard = 24,
                                      .least = 1,
                                      .most = ForecastOptions::kPeriodMax,
                                      .whole = true};
constexpr RunningParameter kAhead = {
    .name = "ahead", .standard = 1, .least = 1, .most = ForecastOptions::kAheadMax, .whole = true};
constexpr RunningParameter kLevel = {
    .name = "level", .standard = 0.95, .least = 0, .most = 1, .inside = true};
constexpr RunningParameter kAlpha = {.name = "alpha", .standard = 0.3, .least = 0, .most = 1};
constexpr RunningParameter kBeta = {.name = "beta", .standard = 0.05, .least = 0, .most = 1};
constexpr RunningParameter kGamma = {.name = "gamma", .standard = 0.1, .least = 0, .most = 1};
constexpr RunningParameter kSeasonal[] = {kPeriod, kAhead};
constexpr RunningParameter kSeasonalBound[] = {kPeriod, kAhead, kLevel};
constexpr RunningParameter kSmoothing[] = {kPeriod, kAhead, kAlpha, kBeta, kGamma};
constexpr RunningParameter kSmoothingBound[] = {kPeriod, kAhead, kLevel, kAlpha, kBeta, kGamma};

// What stands in front of the constants of smoothing.
template <ForecastSide kSide>
void SetForecast(Constants c, ForecastOptions& options) {
  options.period = static_cast<int32_t>(c[0]);
  options.ahead = static_cast<int32_t>(c[1]);
  options.side = kSide;
  if (kSide != ForecastSide::kMiddle) options.level = c[2];
}
template <ForecastSide kSide>
Function MakeSeasonalNaive(Constants c, Types types) {
  learn::SeasonalNaive::Options options;
  SetForecast<kSide>(c, options);
  return std::make_unique<ScoreFunction<learn::SeasonalNaive>>(options, types[0]);
}
template <ForecastSide kSide>
Function MakeHoltWinters(Constants c, Types types) {
  learn::HoltWinters::Options options;
  SetForecast<kSide>(c, options);
  options.alpha = c[c.size() - 3];
  options.beta = c[c.size() - 2];
  options.gamma = c[c.size() - 1];
  return std::make_unique<ScoreFunction<learn::HoltWinters>>(options, types[0]);
}

constexpr RunningParameter kQuantile[] = {
    {.name = "share", .standard = 0.5, .least = 0, .most = 1},
    {.name = "k",
     .standard = 200,
     .least = learn::QuantileSketch::kLeastK,
     .most = learn::QuantileSketch::kMostK,
     .whole = true},
};
Function MakeQuantile(Constants c, Types types) {
  return std::make_unique<ScoreFunction<learn::RunningQuantile>>(
      learn::RunningQuantile::Options{c[0], static_cast<int32_t>(c[1])}, types[0]);
}

constexpr RunningParameter kDistinct[] = {
    {.name = "precision",
     .standard = 12,
     .least = learn::DistinctSketch::kLeastPrecision,
     .most = learn::DistinctSketch::kMostPrecision,
     .whole = true},
};
int64_t CountDistinct(learn::DistinctSketch& sketch, uint64_t hash) {
  sketch.Add(hash);
  return std::llround(sketch.Estimate());
}
Function MakeDistinct(Constants c, Types types) {
  return std::make_unique<HashFunction<learn::DistinctSketch, CountDistinct>>(
      static_cast<int>(c[0]), types[0]);
}

constexpr RunningParameter kCount[] = {
    {.name = "counters",
     .standard = 1000,
     .least = 1,
     .most = learn::FrequencySketch::kCountersMax,
     .whole = true},
};
int64_t CountValue(learn::FrequencySketch& sketch, uint64_t hash) {
  return static_cast<int64_t>(sketch.Add(hash));
}
Function MakeCount(Constants c, Types types) {
  return std::make_unique<HashFunction<learn::FrequencySketch, CountValue>>(static_cast<int>(c[0]),
                                                                            types[0]);
}

constexpr RunningParameter kBaseline = {
    .name = "baseline_size", .standard = 1000, .least = 2, .most = kMany, .whole = true};
constexpr RunningParameter kWindow = {
    .name = "window_size", .standard = 1000, .least = 2, .most = kMany, .whole = true};
constexpr RunningParameter kSketch = {.name = "k",
                                      .standard = 1000,
                                      .least = learn::QuantileSketch::kLeastK,
                                      .most = learn::QuantileSketch::kMostK,
                                      .whole = true};
constexpr RunningParameter kShift[] = {kBaseline, kWindow, kSketch};
constexpr RunningParameter kBinnedShift[] = {kBaseline,
                                             kWindow,
                                             {.name = "bins",
                                              .standard = 10,
                                              .least = 2,
                                              .most = learn::DistributionShift::kBinsMax,
                                              .whole = true},
                                             kSketch};
using learn::DistributionShift;
template <DistributionShift::Measure kMeasure>
Function MakeShift(Constants c, Types types) {
  const bool binned = c.size() == std::size(kBinnedShift);
  return std::make_unique<ScoreFunction<DistributionShift>>(
      DistributionShift::Options{kMeasure, static_cast<int64_t>(c[0]), static_cast<int64_t>(c[1]),
                                 binned ? static_cast<int32_t>(c[2]) : 2,
                                 static_cast<int32_t>(c.back())},
      types[0]);
}

using enum Question;
using enum ForecastSide;
using enum DistributionShift::Measure;
constexpr auto kEntries = std::to_array<RunningEntry>({
    {"adwin", 1, kAdwin, kTruth, MakeAdwin},
    {"approx_count", 1, kCount, kWhole, MakeCount, nullptr, true},
    {"approx_distinct", 1, kDistinct, kWhole, MakeDistinct, nullptr, true},
    {"approx_quantile", 1, kQuantile, kNumber, MakeQuantile},
    {"ddm", 1, kDdm, kTruth, MakeDdm<kChanged>},
    {"ddm_warning", 1, kDdm, kTruth, MakeDdm<kWarned>},
    {"eddm", 1, kEddm, kTruth, MakeEddm<kChanged>, RefuseEddm},
    {"eddm_warning", 1, kEddm, kTruth, MakeEddm<kWarned>, RefuseEddm},
    {"ewma_score", 1, kEwmaScore, kNumber, MakeEwmaScore},
    {"hddm_a", 1, kHddmA, kTruth, MakeHddmA<kChanged>},
    {"hddm_a_warning", 1, kHddmA, kTruth, MakeHddmA<kWarned>},
    {"hddm_w", 1, kHddmW, kTruth, MakeHddmW<kChanged>},
    {"hddm_w_warning", 1, kHddmW, kTruth, MakeHddmW<kWarned>},
    {"holt_winters", 1, kSmoothing, kNumber, MakeHoltWinters<kMiddle>},
    {"holt_winters_lower", 1, kSmoothingBound, kNumber, MakeHoltWinters<kLower>},
    {"holt_winters_upper", 1, kSmoothingBound, kNumber, MakeHoltWinters<kUpper>},
    {"js_distance", 1, kBinnedShift, kNumber, MakeShift<kJs>},
    {"ks_distance", 1, kShift, kNumber, MakeShift<kKs>},
    {"kswin", 1, kKswin, kTruth, MakeKswin, RefuseKswin},
    {"matrix_profile", 1, kMatrixProfile, kNumber, MakeMatrixProfile, RefuseMatrixProfile},
    {"page_hinkley", 1, kPageHinkley, kTruth, MakePageHinkley},
    {"psi", 1, kBinnedShift, kNumber, MakeShift<kPsi>},
    {"robust_z", 1, kRobustZ, kNumber, MakeRobustZ, RefuseRobustZ},
    {"seasonal_naive", 1, kSeasonal, kNumber, MakeSeasonalNaive<kMiddle>},
    {"seasonal_naive_lower", 1, kSeasonalBound, kNumber, MakeSeasonalNaive<kLower>},
    {"seasonal_naive_upper", 1, kSeasonalBound, kNumber, MakeSeasonalNaive<kUpper>},
    {"spectral_residual", 1, kSpectralResidual, kNumber, MakeSpectralResidual,
     RefuseSpectralResidual},
    {"wasserstein", 1, kShift, kNumber, MakeShift<kWasserstein>},
});

}  // namespace

std::string RunningEntry::Signature() const {
  std::string text = std::string(name) + "(value";
  for (size_t i = 1; i < values; ++i)
    text += ", value";
  for (const RunningParameter& parameter : parameters)
    text += ", " + std::string(parameter.name);
  return text + ")";
}

const RunningEntry* FindRunningFunction(std::string_view name) {
  for (const RunningEntry& entry : kEntries) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::vector<std::string> RunningFunctionNames() {
  std::vector<std::string> names;
  for (const RunningEntry& entry : kEntries)
    names.emplace_back(entry.name);
  return names;
}

state::RunningCall MakeRunningCall(const RunningEntry& entry, std::vector<double> constants,
                                   std::vector<row::Type> types) {
  HR_CHECK(constants.size() == entry.parameters.size() && types.size() == entry.values);
  state::RunningCall call;
  call.definition = std::string(entry.name) + "(";
  for (size_t i = 0; i < constants.size(); ++i) {
    if (i > 0) call.definition += ",";
    row::AppendText(row::Value::Double(constants[i]), {row::TypeKind::kDouble, 0, 0},
                    call.definition);
  }
  call.definition += ")";
  call.argument_types = types;
  call.result_type = entry.result;
  call.make = [make = entry.make, constants = std::move(constants), types = std::move(types)] {
    return make(constants, types);
  };
  return call;
}

}  // namespace headrace::flow
