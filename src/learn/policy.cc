#include "learn/policy.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "learn/arm_counts.h"
#include "learn/arm_lines.h"

namespace headrace::learn {
namespace {

constexpr uint8_t kVersion = 1;
constexpr double kLargest = 1e6;

template <ArmCounts::Rule kRule>
std::unique_ptr<Bandit> MakeCounts(size_t arms, size_t, const OptionValues& options) {
  ArmCounts::Options chosen;
  chosen.rule = kRule;
  if (kRule == ArmCounts::Rule::kUcb1) chosen.alpha = options.Number("alpha");
  if (kRule == ArmCounts::Rule::kNormal) chosen.noise = options.Number("noise");
  chosen.discount = options.Number("discount");
  return std::make_unique<ArmCounts>(arms, chosen);
}

template <ArmLines::Rule kRule>
std::unique_ptr<Bandit> MakeLines(size_t arms, size_t features, const OptionValues& options) {
  ArmLines::Options chosen;
  chosen.rule = kRule;
  if (kRule != ArmLines::Rule::kGreedy) chosen.alpha = options.Number("alpha");
  chosen.lambda = options.Number("lambda");
  chosen.intercept = options.Number("intercept") != 0;
  chosen.discount = options.Number("discount");
  return std::make_unique<ArmLines>(arms, features, chosen);
}

std::unique_ptr<Bandit> MakeExp3(size_t arms, size_t, const OptionValues& options) {
  // Without an even share nothing would ever be learned of an arm that has had bad luck.
  const double gamma = std::max(options.Number("epsilon"), 1e-6);
  return std::make_unique<Exp3>(arms, gamma, options.Number("discount"));
}

const OptionRule kDiscount{"discount", 1, 0.5, 1};
const OptionRule kLambda{"lambda", 1, 1e-9, kLargest};
const OptionRule kIntercept{.name = "intercept", .standard = 1, .words = "false|true"};

// What every type has.
std::vector<OptionRule> RulesOf(const BanditKind& kind) {
  std::vector<OptionRule> rules = kind.options;
  rules.push_back({"epsilon", kind.epsilon, 0, 1});
  rules.push_back({"explore_budget", 1, 0, 1});
  rules.push_back({"guardrail_min", -INFINITY, -Policy::kNumberMax, Policy::kNumberMax});
  rules.push_back({"guardrail_max", INFINITY, -Policy::kNumberMax, Policy::kNumberMax});
  rules.push_back({"guardrail_window", 1000, 1, 1e9, true});
  rules.push_back({"seed", 1, 0, 0x1p53, true});
  return rules;
}

const BanditKind* FindKind(const std::string& type, bool linear) {
  for (const BanditKind& kind : BanditKinds()) {
    if (kind.name == type && kind.linear == linear) return &kind;
  }
  return nullptr;
}

Result<const BanditKind*> KindOf(const PolicySpec& spec) {
  const BanditKind* kind = FindKind(spec.type, spec.features > 0);
  if (kind != nullptr) return kind;
  if (FindKind(spec.type, spec.features == 0) != nullptr) {
    return Error(ErrorKind::kInvalidArgument, "HR3045",
                 "a policy of type `" + spec.type + "` " +
                     (spec.features > 0 ? "looks at no features" : "needs features to look at"))
        .WithHint(spec.features > 0 ? "leave CONTEXT out, or take linucb or linear_thompson"
                                    : "name them: CONTEXT (age DOUBLE PRECISION)");
  }
  std::string list;
  for (const std::string& known : PolicyTypes())
    list += (list.empty() ? "" : ", ") + known;
  return Error(ErrorKind::kInvalidArgument, "HR3045",
               "there is no type of policy `" + spec.type + "`")
      .WithHint("there are: " + list);
}

}  // namespace

const std::vector<BanditKind>& BanditKinds() {
  using Count = ArmCounts::Rule;
  using Line = ArmLines::Rule;
  static const std::vector<BanditKind> kKinds = {
      {"epsilon_greedy", false, 0.1, {kDiscount}, MakeCounts<Count::kGreedy>},
      {"epsilon_greedy", true, 0.1, {kDiscount, kLambda, kIntercept}, MakeLines<Line::kGreedy>},
      {"exp3", false, 0.1, {kDiscount}, MakeExp3},
      {"gaussian_thompson",
       false,
       0,
       {kDiscount, {"noise", 1, 1e-9, kLargest}},
       MakeCounts<Count::kNormal>},
      {"linear_thompson",
       true,
       0,
       {{"alpha", 1, 0, kLargest}, kDiscount, kLambda, kIntercept},
       MakeLines<Line::kNormal>},
      {"linucb",
       true,
       0,
       {{"alpha", 1, 0, kLargest}, kDiscount, kLambda, kIntercept},
       MakeLines<Line::kUpperBound>},
      {"thompson", false, 0, {kDiscount}, MakeCounts<Count::kBeta>},
      {"ucb1",
       false,
       0,
       {{"alpha", ArmCounts::Options{}.alpha, 0, kLargest}, kDiscount},
       MakeCounts<Count::kUcb1>},
  };
  return kKinds;
}

std::vector<std::string> PolicyTypes() {
  std::vector<std::string> types;
  for (const BanditKind& kind : BanditKinds()) {
    if (types.empty() || types.back() != kind.name) types.emplace_back(kind.name);
  }
  return types;
}

bool PolicyTakes(const std::string& type, bool features) {
  return FindKind(type, features) != nullptr;
}

Result<std::unique_ptr<Policy>> Policy::Make(const PolicySpec& spec) {
  HR_ASSIGN(const BanditKind* kind, KindOf(spec));
  HR_ASSIGN(const OptionValues options, OptionValues::Read(RulesOf(*kind), spec.options));
  const bool fits =
      spec.arms >= 2 && spec.arms <= kArmsMax && spec.features <= kFeaturesMax &&
      (!kind->linear || ArmLines::Cells(spec.arms, spec.features) <= ArmLines::kCellsMax);
  if (!fits) {
    return Error(ErrorKind::kInvalidArgument, "HR3046",
                 "a policy with " + std::to_string(spec.arms) + " arms and " +
                     std::to_string(spec.features) + " features is too small or too large")
        .WithHint("2 to 1000 arms, up to 256 features, and arms * (features + 1)^2 up to 2097152");
  }
  HR_CHECK(spec.fallback < spec.arms);
  std::unique_ptr<Policy> policy(new Policy());
  policy->bandit_ = kind->make(spec.arms, spec.features, options);
  policy->fallback_ = spec.fallback;
  policy->epsilon_ = options.Number("epsilon");
  policy->budget_ = options.Number("explore_budget");
  policy->least_ = options.Number("guardrail_min");
  policy->most_ = options.Number("guardrail_max");
  policy->window_ = options.Number("guardrail_window");
  policy->draws_ = Draws(static_cast<uint64_t>(options.Number("seed")));
  policy->shares_.resize(spec.arms);
  policy->means_.resize(spec.arms);
  return policy;
}

void Policy::Weigh(Features x, std::span<double> shares) {
  bandit_->Weigh(x, shares, means_);
  if (epsilon_ == 0) return;
  const double even = epsilon_ / static_cast<double>(shares.size());
  for (double& share : shares)
    share = (1 - epsilon_) * share + even;
}

Choice Policy::Choose(Features x) {
  ++choices_;
  if (stopped_) return {fallback_, 1};
  Weigh(x, shares_);
  const size_t best = Greatest(means_);
  const double allowed =
      budget_ * static_cast<double>(choices_) + static_cast<double>(shares_.size());
  if (budget_ < 1 && static_cast<double>(explored_) + 1 > allowed) ShareAll(best, shares_);
  const size_t arm = Draw();
  if (means_[arm] < means_[best]) ++explored_;
  bandit_->Chosen(arm);
  return {arm, shares_[arm]};
}

size_t Policy::Draw() {
  double left = draws_.Unit();
  size_t last = 0;
  for (size_t k = 0; k < shares_.size(); ++k) {
    if (shares_[k] <= 0) continue;
    last = k;
    if (left < shares_[k]) return k;
    left -= shares_[k];
  }
  return last;
}

bool Policy::Accepts(double reward) const {
  return std::abs(reward) <= kNumberMax && bandit_->Accepts(reward);
}

void Policy::Watch(double metric) {
  if (watched_ < window_) watched_ += 1;
  watched_mean_ += (metric - watched_mean_) / watched_;
  if (watched_ >= window_ && (watched_mean_ < least_ || watched_mean_ > most_)) stopped_ = true;
}

void Policy::Save(base::ByteWriter& writer) const {
  writer.U8(kVersion);
  draws_.Save(writer);
  writer.Varint(choices_);
  writer.Varint(explored_);
  SaveDouble(watched_, writer);
  SaveDouble(watched_mean_, writer);
  writer.U8(stopped_ ? 1 : 0);
  bandit_->Save(writer);
}

bool Policy::Load(base::ByteReader& reader) {
  if (reader.U8() != kVersion) return false;
  draws_.Load(reader);
  choices_ = reader.Varint();
  explored_ = reader.Varint();
  watched_ = LoadDouble(reader);
  watched_mean_ = LoadDouble(reader);
  const uint8_t stopped = reader.U8();
  stopped_ = stopped != 0;
  const bool good = reader.ok() && stopped <= 1 && explored_ <= choices_ && watched_ >= 0 &&
                    watched_ <= window_ && std::isfinite(watched_mean_);
  return good && bandit_->Load(reader);
}

}  // namespace headrace::learn
