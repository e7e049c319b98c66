// Any bytes as the saved state of a learner or of a policy: refused, or the same again when it is
// saved, and it goes on with values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flow/policy_node.h"
#include "headrace/check.h"
#include "learn/adwin.h"
#include "learn/learner.h"
#include "learn/policy.h"

namespace {

using namespace headrace;

template <typename State>
std::string Saved(const State& state) {
  std::string bytes;
  base::ByteWriter writer(bytes);
  state.Save(writer);
  return bytes;
}

void LoadAdwin(std::string_view bytes) {
  learn::Adwin adwin;
  base::ByteReader reader(bytes);
  if (!adwin.Load(reader)) return;
  const std::string saved = Saved(adwin);
  learn::Adwin again;
  base::ByteReader saved_reader(saved);
  HR_CHECK(again.Load(saved_reader) && Saved(again) == saved);
  for (int i = 0; i < 200; ++i)
    HR_CHECK(adwin.Add(i % 7) == again.Add(i % 7));
}

// A learner of the kind that the first byte chooses.
void LoadLearner(uint8_t choice, std::string_view bytes) {
  const std::vector<std::string> kinds = learn::LearnerKinds();
  learn::LearnerSpec spec;
  spec.kind = kinds[choice % kinds.size()];
  const learn::LearnerShape shape = learn::ShapeOf(spec.kind);
  spec.features = shape.features == 0 ? 3 : shape.features;
  spec.label = shape.label;
  const auto learner = learn::Learner::Make(spec);
  HR_CHECK(learner.ok());
  base::ByteReader reader(bytes);
  if (!(*learner)->Load(reader)) return;
  const std::string saved = Saved(**learner);
  const auto again = learn::Learner::Make(spec);
  base::ByteReader saved_reader(saved);
  HR_CHECK((*again)->Load(saved_reader) && Saved(**again) == saved);
  for (int i = 0; i < 20; ++i) {
    const double x[] = {i * 0.5, i % 3 * 1.0, 7.0 - i};
    (*learner)->Learn(x, {i % 2, i * 1.0, {}});
  }
}

std::string Saved(const flow::PolicyNode& node) {
  std::string bytes;
  node.Save(bytes);
  return bytes;
}

// A policy of the type that the first byte chooses, with its open choices.
void LoadPolicy(uint8_t choice, std::string_view bytes) {
  const learn::BanditKind& kind = learn::BanditKinds()[choice % learn::BanditKinds().size()];
  const auto plan = std::make_shared<flow::PolicyPlan>();
  plan->name = "p";
  plan->arms = {"a", "b", "c"};
  for (size_t i = 0; kind.linear && i < 2; ++i)
    plan->context.push_back({"x", {row::TypeKind::kDouble, 0, 0}, false});
  plan->spec = {std::string(kind.name), 3, plan->context.size(), 0, {{"discount", "0.9"}}};
  plan->reward_within = 1000;
  plan->open_choices = 1000;
  plan->expired_reward = 0.5;
  flow::PolicyNode node(plan);
  if (!node.Load(bytes).ok()) return;
  const std::string saved = Saved(node);
  flow::PolicyNode again(plan);
  HR_CHECK(again.Load(saved).ok() && Saved(again) == saved);
  for (int i = 0; i < 100; ++i) {
    const double x[] = {i * 0.5, i % 3 * 1.0};
    row::Row row;
    row.event_time = row.watermark = i * 100;
    const auto drawn = node.Choose(row, std::span<const double>(x, plan->context.size()));
    HR_CHECK(drawn.choice.arm < 3);
    node.Name(drawn.number, "s", 0, i);
    node.Reward(row, {"s:0:" + std::to_string(i / 2), 1.0, {}, false});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 255) {
    LoadAdwin(bytes);
  } else if (data[0] >= 128) {
    LoadPolicy(data[0], bytes);
  } else {
    LoadLearner(data[0], bytes);
  }
  return 0;
}
