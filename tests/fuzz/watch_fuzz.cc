// Any bytes as the saved state of the watch of a model, or as the baseline of a model's file:
// refused, or the same again when it is saved, and it goes on with rows.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "flow/watch_block.h"
#include "headrace/check.h"
#include "model/baseline.h"
#include "model/model.h"
#include "model/test_models.h"

namespace {

using namespace headrace;

constexpr size_t kFingerprint = 8;

flow::WatchPlan Plan() {
  flow::WatchPlan plan;
  plan.model = "m";
  plan.options.window = 60'000'000;
  plan.options.rows = 100;
  plan.options.baseline_rows = 100;
  plan.names = {"x", "kind", "y"};
  plan.slots = {0, 1, 2};
  plan.types.assign(3, {row::TypeKind::kDouble, 0, 0});
  plan.score_slot = 3;
  plan.version_slot = 4;
  return plan;
}

std::string Saved(const flow::WatchBlock& block) {
  std::string state;
  block.Save(state);
  return state;
}

void Watch(flow::WatchBlock& block, const flow::ModelVersions& versions) {
  row::Batch batch;
  row::Batch health;
  for (int i = 0; i < 500; ++i) {
    row::Row& row = batch.Add(5);
    row.watermark = row.event_time = 1'000'000'000'000'000 + i * 1'000'000;
    row.values[0] = row::Value::Double(i % 10);
    row.values[3] = row::Value::Double(0.5);
    row.values[4] = row::Value::Integer(1);
  }
  block.Watch(batch, versions, health);
}

void LoadState(std::string_view body, const flow::ModelVersions& versions) {
  flow::WatchBlock block(Plan());
  std::string state = Saved(block).substr(0, kFingerprint) + std::string(body);
  base::ByteWriter(state).U32Le(base::Crc32c(state));
  if (!block.Load(state).ok()) return;
  flow::WatchBlock again(Plan());
  HR_CHECK(again.Load(Saved(block)).ok());
  Watch(block, versions);
  Watch(again, versions);
  HR_CHECK(Saved(block) == Saved(again));
}

void ReadBaseline(std::string_view text) {
  const Result<model::Baseline> read = model::Baseline::Decode(text, 4);
  if (!read.ok()) return;
  const Result<model::Baseline> again = model::Baseline::Decode(read->Encode(), 4);
  HR_CHECK(again.ok() && again->Encode() == read->Encode());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const flow::ModelVersions versions = [] {
    flow::ModelVersions made;
    made.versions.push_back(model::Model::Load(model::HandMadeLightGbm()).value());
    made.activations.push_back({0, 1});
    return made;
  }();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty()) return 0;
  if (bytes[0] % 2 == 0) {
    ReadBaseline(bytes.substr(1));
  } else {
    LoadState(bytes.substr(1), versions);
  }
  return 0;
}
