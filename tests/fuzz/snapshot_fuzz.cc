// Any bytes as the manifest of a snapshot, as the state in it, as a page of a key block, or as the
// report of a scrub:
// refused, or the same again when they are written back.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/engine_state.h"
#include "engine/scrubber.h"
#include "engine/snapshot_manifest.h"
#include "headrace/check.h"
#include "state/key_block.h"

namespace {

using namespace headrace;

// Two windows over a text key and a number.
state::KeyBlockSpec Spec() {
  state::KeyBlockSpec spec;
  spec.key_slots = {0};
  spec.key_types = {{row::TypeKind::kText, 0, 0}};
  spec.frames.resize(2);
  spec.frames[0].start = 60;
  spec.frames[1].unbounded = true;
  for (int frame = 0; frame < 2; ++frame) {
    state::AggregateSpec sum;
    sum.kind = state::AggregateKind::kSum;
    sum.argument_slot = 1;
    sum.argument_type = {row::TypeKind::kBigint, 0, 0};
    sum.frame = frame;
    sum.result_slot = 2 + frame;
    sum.result_type = state::ResultType(sum.kind, sum.argument_type).value();
    spec.aggregates.push_back(sum);
  }
  return spec;
}

void LoadAsPage(std::string_view bytes) {
  auto block = state::KeyBlock::Make(Spec());
  state::BlockHead head = block->BeginSnapshot(true);
  head.slots = 64;
  HR_CHECK(block->BeginLoad(head).ok());
  if (!block->LoadPage(0, bytes).ok()) return;
  block->EndLoad();
  std::string saved;
  block->Save(saved);
  auto again = state::KeyBlock::Make(Spec());
  HR_CHECK(again->Load(saved).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto manifest = engine::SnapshotManifest::Decode(bytes); manifest.ok()) {
    const auto again = engine::SnapshotManifest::Decode(manifest->Encode());
    HR_CHECK(again.ok() && again->Encode() == manifest->Encode());
  }
  if (const auto state = engine::EngineState::Decode(bytes); state.ok()) {
    const auto again = engine::EngineState::Decode(state->Encode());
    HR_CHECK(again.ok() && again->Encode() == state->Encode());
  }
  if (const auto report = engine::ScrubReport::Decode(bytes); report.ok()) {
    const auto again = engine::ScrubReport::Decode(report->Encode());
    HR_CHECK(again.ok() && again->Encode() == report->Encode());
  }
  LoadAsPage(bytes);
  return 0;
}
