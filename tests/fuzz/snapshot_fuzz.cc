// Any bytes as the manifest of a snapshot, as the state in it, as a page of any kind of state, or
// as the report of a scrub: refused, or the same again when they are written back.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine_state.h"
#include "engine/scrubber.h"
#include "engine/snapshot_manifest.h"
#include "headrace/check.h"
#include "state/group_table.h"
#include "state/key_block.h"
#include "state/row_queue.h"

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

state::GroupTableSpec Groups() {
  state::GroupTableSpec spec;
  spec.key_slots = {0, 1};
  spec.key_types = {{row::TypeKind::kBigint, 0, 0}, {row::TypeKind::kText, 0, 0}};
  for (state::AggregateKind kind :
       {state::AggregateKind::kSum, state::AggregateKind::kCountDistinct}) {
    state::GroupAggregate aggregate;
    aggregate.kind = kind;
    aggregate.argument_slot = 2;
    aggregate.argument_type = {row::TypeKind::kBigint, 0, 0};
    aggregate.result_type = state::ResultType(kind, aggregate.argument_type).value();
    spec.aggregates.push_back(aggregate);
  }
  return spec;
}

// Whether they are a page; what is loaded is written and loaded again.
bool LoadAsPage(std::string_view bytes, state::PagedState& state, state::PagedState& again) {
  state::BlockHead head = state.BeginSnapshot(true);
  head.slots = 256;
  HR_CHECK(state.BeginLoad(head).ok());
  if (!state.LoadPage(0, bytes).ok()) return false;
  state.EndLoad();
  head = state.BeginSnapshot(true);
  std::vector<state::StatePage> pages;
  while (state.TakePages(1 << 20, pages)) {
  }
  HR_CHECK(again.BeginLoad(head).ok());
  for (const state::StatePage& page : pages)
    HR_CHECK(again.LoadPage(page.number, page.bytes).ok());
  again.EndLoad();
  return true;
}

// With Save, which writes the same of the same state.
template <typename Make>
void LoadAsPageOf(std::string_view bytes, const Make& make) {
  auto state = make();
  auto again = make();
  if (!LoadAsPage(bytes, *state, *again)) return;
  std::string saved;
  state->Save(saved);
  std::string saved_again;
  again->Save(saved_again);
  HR_CHECK(saved == saved_again);
  HR_CHECK(make()->Load(saved).ok());
}

void LoadAsRows(std::string_view bytes) {
  const auto any = [](std::string_view, int64_t) { return true; };
  state::RowQueue queue(nullptr, any);
  state::RowQueue again(nullptr, any);
  if (!LoadAsPage(bytes, queue, again)) return;
  HR_CHECK(queue.bytes() == again.bytes());
  while (!queue.empty()) {
    HR_CHECK(queue.oldest() == again.oldest());
    std::string taken;
    std::string taken_again;
    queue.TakeOldest([&](std::string_view rows) { taken += rows; });
    again.TakeOldest([&](std::string_view rows) { taken_again += rows; });
    HR_CHECK(taken.size() == taken_again.size());
  }
  HR_CHECK(again.empty());
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
  LoadAsPageOf(bytes, [] { return state::KeyBlock::Make(Spec()); });
  LoadAsPageOf(bytes, [] { return state::GroupTable::Make(Groups()); });
  LoadAsPageOf(bytes, [] { return std::make_unique<state::Deduplicator>(100, 10); });
  LoadAsRows(bytes);
  return 0;
}
