#include "state/block_plan.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "base/hash.h"

namespace headrace::state {
namespace {

bool CountsRows(AggregateKind kind) {
  return kind == AggregateKind::kCountRows;
}

// Whether the value is read from the ring: by position, or by looking through the frame.
bool ReadsRing(AggregateKind kind) {
  switch (kind) {
    case AggregateKind::kMin:
    case AggregateKind::kMax:
    case AggregateKind::kFirstValue:
    case AggregateKind::kLastValue:
    case AggregateKind::kLag:
      return true;
    default:
      return false;
  }
}

int SharingRank(AggregateKind kind) {
  if (NeedsSquares(kind)) return 0;
  return kind == AggregateKind::kCount || CountsRows(kind) ? 2 : 1;
}

bool ServesBoth(AccumulatorKind have, AccumulatorKind want) {
  return have == want ||
         (have == AccumulatorKind::kNarrowSquares && want == AccumulatorKind::kNarrow);
}

}  // namespace

BlockPlan::BlockPlan(const KeyBlockSpec& spec) : lateness(spec.lateness), peers(spec.peers) {
  for (const FrameSpec& frame : spec.frames)
    frames.push_back({frame, {}, {}, false});
  AddFields(spec);
  // Richest totals first: plain sums and counts of the same values share them.
  for (int wanted = 0; wanted < 3; ++wanted) {
    for (const AggregateSpec& aggregate : spec.aggregates) {
      if (SharingRank(aggregate.kind) == wanted) AddOutput(aggregate);
    }
  }
  PlaceAccumulators();
  FindReach();
  TakeFingerprint(spec);
}

void BlockPlan::AddFields(const KeyBlockSpec& spec) {
  for (const AggregateSpec& aggregate : spec.aggregates) {
    layout.AddFilter(aggregate.filter_slot);
    if (aggregate.argument_slot < 0 || CountsRows(aggregate.kind)) continue;
    if (aggregate.kind == AggregateKind::kCount) continue;
    if (aggregate.kind == AggregateKind::kCountDistinct &&
        !EntryLayout::HasPlainEquality(aggregate.argument_type)) {
      layout.AddKeyBytes(aggregate.argument_slot, aggregate.argument_type);
    } else {
      layout.AddValue(aggregate.argument_slot, aggregate.argument_type);
    }
  }
  for (const AggregateSpec& aggregate : spec.aggregates) {
    if (aggregate.argument_slot >= 0 && aggregate.kind == AggregateKind::kCount) {
      layout.AddPresence(aggregate.argument_slot, aggregate.argument_type);
    }
  }
  layout.Finish();
}

int BlockPlan::AddAccumulator(const AggregateSpec& spec, int field) {
  AccumulatorPlan wanted;
  wanted.kind = AccumulatorFor(spec.kind, spec.argument_type);
  wanted.squares = NeedsSquares(spec.kind);
  wanted.field = field;
  wanted.filter_slot = spec.filter_slot;
  wanted.frame = spec.frame;
  bool counts = spec.kind == AggregateKind::kCount;
  for (size_t i = 0; i < accumulators.size(); ++i) {
    const AccumulatorPlan& have = accumulators[i];
    if (have.field != field || have.filter_slot != spec.filter_slot || have.frame != spec.frame) {
      continue;
    }
    bool sums =
        have.kind == AccumulatorKind::kNarrow || have.kind == AccumulatorKind::kNarrowSquares;
    if (ServesBoth(have.kind, wanted.kind) || (counts && sums)) return static_cast<int>(i);
  }
  accumulators.push_back(wanted);
  return static_cast<int>(accumulators.size()) - 1;
}

void BlockPlan::AddOutput(const AggregateSpec& spec) {
  OutputPlan output;
  output.spec = spec;
  output.filter = layout.filter(spec.filter_slot);
  if (!CountsRows(spec.kind) && spec.argument_slot >= 0) {
    bool as_key = spec.kind == AggregateKind::kCountDistinct &&
                  !EntryLayout::HasPlainEquality(spec.argument_type);
    bool any_form = spec.kind == AggregateKind::kCount;
    output.field = layout.Find(spec.argument_slot, as_key, any_form);
    output.source = layout.field(output.field);
  }
  bool unbounded =
      spec.kind != AggregateKind::kLag && frames[static_cast<size_t>(spec.frame)].spec.unbounded;
  bool all_rows = CountsRows(spec.kind) && spec.filter_slot < 0;
  if (!all_rows && (unbounded || !ReadsRing(spec.kind))) {
    output.accumulator = AddAccumulator(spec, output.field);
  }
  if (spec.kind == AggregateKind::kMin || spec.kind == AggregateKind::kMax) {
    output.extremum = extrema.Add({spec.kind == AggregateKind::kMax, output.field, spec.filter_slot,
                                   output.source, output.filter});
  }
  bool lazy =
      output.accumulator >= 0 && accumulators[static_cast<size_t>(output.accumulator)].on_heap();
  if (lazy || output.extremum >= 0) frames[static_cast<size_t>(spec.frame)].scanned = true;
  outputs.push_back(output);
}

void BlockPlan::PlaceAccumulators() {
  for (size_t i = 0; i < accumulators.size(); ++i) {
    AccumulatorPlan& plan = accumulators[i];
    if (plan.field >= 0) plan.source = layout.field(plan.field);
    plan.filter = layout.filter(plan.filter_slot);
    plan.offset = static_cast<uint32_t>(state_bytes);
    state_bytes += StateBytes(plan.kind);
    FramePlan& frame = frames[static_cast<size_t>(plan.frame)];
    (plan.holds_value() ? frame.held : frame.accumulators).push_back(static_cast<int>(i));
  }
}

void BlockPlan::FindReach() {
  for (const FramePlan& frame : frames) {
    int64_t back = frame.spec.unbounded ? frame.spec.end : frame.spec.start;
    int64_t& longest = frame.spec.rows ? reach.rows : reach.time;
    longest = std::max(longest, back);
    reach.unbounded = reach.unbounded || frame.spec.unbounded;
  }
  for (const OutputPlan& output : outputs) {
    if (output.spec.kind == AggregateKind::kLag) {
      reach.rows = std::max(reach.rows, output.spec.lag);
    }
  }
}

void BlockPlan::TakeFingerprint(const KeyBlockSpec& spec) {
  std::string text;
  base::ByteWriter writer(text);
  auto type = [&writer](row::Type t) { writer.String(row::ToString(t)); };
  writer.Varint(spec.key_types.size());
  for (row::Type key : spec.key_types)
    type(key);
  writer.Zigzag(spec.lateness);
  if (spec.peers) writer.U8(1);
  for (const FrameSpec& frame : spec.frames) {
    writer.U8(static_cast<uint8_t>((frame.rows ? 1 : 0) | (frame.unbounded ? 2 : 0)));
    writer.Zigzag(frame.unbounded ? 0 : frame.start);
    writer.Zigzag(frame.end);
  }
  // By what is kept, not by slot: slots move when a statement elsewhere in the plan changes.
  writer.Varint(layout.bytes());
  for (const OutputPlan& output : outputs) {
    writer.U8(static_cast<uint8_t>(output.spec.kind));
    writer.Zigzag(output.field);
    if (output.field >= 0) type(output.source.type);
    writer.Varint(output.filter.offset);
    writer.Varint(output.filter.mask);
    writer.Zigzag(output.accumulator);
    writer.Varint(static_cast<uint64_t>(output.spec.frame));
    writer.Zigzag(output.spec.lag);
  }
  fingerprint = base::Hash64(text);
}

}  // namespace headrace::state
