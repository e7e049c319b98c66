#include "state/accumulator.h"

#include <cstring>

#include "row/text.h"
#include "state/counted_set.h"
#include "state/sums.h"
#include "state/value_bytes.h"

namespace headrace::state {
namespace {

using row::TypeKind;
using row::Value;

struct BoolCounts {
  uint64_t trues;
  uint64_t falses;
};

// The extreme or outermost value of entries that are gone or going.
struct HeldValue {
  Value value;  // owns its bytes
  uint64_t any;
};

template <typename T>
T& As(char* state) {
  return *reinterpret_cast<T*>(state);
}
template <typename T>
const T& As(const char* state) {
  return *reinterpret_cast<const T*>(state);
}

size_t HeapBytes(AccumulatorKind kind) {
  switch (kind) {
    case AccumulatorKind::kDouble:
      return sizeof(DoubleSums);
    case AccumulatorKind::kWide:
      return sizeof(WideSums);
    case AccumulatorKind::kDistinct:
      return sizeof(CountedSet);
    default:
      return sizeof(HeldValue);
  }
}

void AccumulateNarrow(const AccumulatorPlan& plan, NarrowSum& sums, const char* entry,
                      bool negative) {
  auto value = LoadAs<int64_t>(entry + plan.source.offset);
  uint64_t step = negative ? ~uint64_t{0} : 1;
  if (plan.source.kind == FieldKind::kNarrow && EntryLayout::IsNarrowSpecial(value)) {
    if (value == EntryLayout::kNarrowNull) return;
    sums.count += step;
    sums.nans += step;
    return;
  }
  if (plan.source.kind == FieldKind::kInt64 && !plan.source.present.Passes(entry)) return;
  sums.count += step;
  if (negative) {
    sums.Subtract(value);
  } else {
    sums.Add(value);
  }
  if (plan.kind != AccumulatorKind::kNarrowSquares) return;
  auto& squares = static_cast<NarrowSquares&>(sums);
  if (negative) {
    squares.SubtractSquare(value);
  } else {
    squares.AddSquare(value);
  }
}

bool Replaces(const AccumulatorPlan& plan, const HeldValue& held, const Value& value) {
  if (held.any == 0) return true;
  switch (plan.kind) {
    case AccumulatorKind::kHeldFirst:
      return false;
    case AccumulatorKind::kHeldLast:
      return true;
    case AccumulatorKind::kHeldMin:
      return row::Compare(value, held.value, plan.source.type) <= 0;
    default:
      return row::Compare(value, held.value, plan.source.type) >= 0;
  }
}

void Hold(const AccumulatorPlan& plan, HeldValue& held, const char* entry, SlabPool& pool) {
  Value value = EntryLayout::Unpack(plan.source, entry);
  bool extreme = plan.kind == AccumulatorKind::kHeldMin || plan.kind == AccumulatorKind::kHeldMax;
  if (extreme && value.null) return;
  if (!Replaces(plan, held, value)) return;
  if (held.any != 0) ReleaseValue(held.value, plan.source.type, pool);
  held.value = CopyValue(value, plan.source.type, pool);
  held.any = 1;
}

Value ToArena(const Value& value, row::Type type, base::Arena& arena) {
  if (value.null || !IsTextLike(type)) return value;
  return Value::Text(arena.Copy(value.text()));
}

}  // namespace

AccumulatorKind AccumulatorFor(AggregateKind kind, row::Type argument) {
  switch (kind) {
    case AggregateKind::kCountRows:
    case AggregateKind::kCount:
      return AccumulatorKind::kCount;
    case AggregateKind::kCountDistinct:
      return AccumulatorKind::kDistinct;
    case AggregateKind::kMin:
      return AccumulatorKind::kHeldMin;
    case AggregateKind::kMax:
      return AccumulatorKind::kHeldMax;
    case AggregateKind::kFirstValue:
      return AccumulatorKind::kHeldFirst;
    case AggregateKind::kLastValue:
    case AggregateKind::kLag:
      return AccumulatorKind::kHeldLast;
    case AggregateKind::kBoolAnd:
    case AggregateKind::kBoolOr:
      return AccumulatorKind::kBool;
    default:
      break;
  }
  if (argument.kind == TypeKind::kDouble) return AccumulatorKind::kDouble;
  bool narrow = EntryLayout::IsNarrow(argument) || argument.kind == TypeKind::kBigint;
  if (!narrow) return AccumulatorKind::kWide;
  return NeedsSquares(kind) ? AccumulatorKind::kNarrowSquares : AccumulatorKind::kNarrow;
}

bool NeedsSquares(AggregateKind kind) {
  return kind == AggregateKind::kStddevSamp || kind == AggregateKind::kStddevPop ||
         kind == AggregateKind::kVarSamp || kind == AggregateKind::kVarPop;
}

size_t StateBytes(AccumulatorKind kind) {
  switch (kind) {
    case AccumulatorKind::kBool:
      return sizeof(BoolCounts);
    case AccumulatorKind::kNarrow:
      return sizeof(NarrowSum);
    case AccumulatorKind::kNarrowSquares:
      return sizeof(NarrowSquares);
    default:
      return 8;
  }
}

char* NewHeapState(AccumulatorKind kind, SlabPool& pool) {
  char* state = pool.Allocate(HeapBytes(kind));
  std::memset(state, 0, HeapBytes(kind));
  return state;
}

void DeleteHeapState(const AccumulatorPlan& plan, char* state, SlabPool& pool) {
  ClearState(plan, state, pool);
  pool.Free(state, HeapBytes(plan.kind));
}

void Accumulate(const AccumulatorPlan& plan, char* state, const char* entry, bool negative,
                SlabPool& pool) {
  if (!plan.filter.Passes(entry)) return;
  const Field& source = plan.source;
  switch (plan.kind) {
    case AccumulatorKind::kCount:
      if (plan.field >= 0 && !EntryLayout::Has(source, entry)) return;
      As<uint64_t>(state) += negative ? ~uint64_t{0} : 1;
      return;
    case AccumulatorKind::kBool: {
      if (!EntryLayout::Has(source, entry)) return;
      auto& counts = As<BoolCounts>(state);
      uint64_t& counter = source.truth.Passes(entry) ? counts.trues : counts.falses;
      counter += negative ? ~uint64_t{0} : 1;
      return;
    }
    case AccumulatorKind::kNarrow:
    case AccumulatorKind::kNarrowSquares:
      return AccumulateNarrow(plan, As<NarrowSum>(state), entry, negative);
    case AccumulatorKind::kDouble:
      if (!EntryLayout::Has(source, entry)) return;
      return As<DoubleSums>(state).Add(LoadAs<double>(entry + source.offset), negative,
                                       plan.squares, pool);
    case AccumulatorKind::kWide:
      if (!EntryLayout::Has(source, entry)) return;
      return As<WideSums>(state).Add(LoadAs<Value>(entry + source.offset), negative, plan.squares,
                                     pool);
    case AccumulatorKind::kDistinct: {
      if (!EntryLayout::Has(source, entry)) return;
      PackedText text = EntryLayout::EqualityText(source, entry);
      return negative ? As<CountedSet>(state).Remove(text, pool)
                      : As<CountedSet>(state).Add(text, pool);
    }
    default:
      return Hold(plan, As<HeldValue>(state), entry, pool);
  }
}

void ClearState(const AccumulatorPlan& plan, char* state, SlabPool& pool) {
  switch (plan.kind) {
    case AccumulatorKind::kCount:
    case AccumulatorKind::kBool:
    case AccumulatorKind::kNarrow:
    case AccumulatorKind::kNarrowSquares:
      std::memset(state, 0, StateBytes(plan.kind));
      return;
    case AccumulatorKind::kDouble:
      return As<DoubleSums>(state).Clear(pool);
    case AccumulatorKind::kWide:
      return As<WideSums>(state).Clear(pool);
    case AccumulatorKind::kDistinct:
      return As<CountedSet>(state).Clear(pool);
    default: {
      auto& held = As<HeldValue>(state);
      if (held.any != 0) ReleaseValue(held.value, plan.source.type, pool);
      held.any = 0;
    }
  }
}

FinishError Finish(AggregateKind kind, const AccumulatorPlan& plan, row::Type result,
                   const char* state, base::Arena& arena, Value* value) {
  switch (plan.kind) {
    case AccumulatorKind::kCount:
      *value = Value::Integer(As<int64_t>(state));
      return FinishError::kNone;
    case AccumulatorKind::kBool: {
      const auto& counts = As<BoolCounts>(state);
      bool truth = kind == AggregateKind::kBoolAnd ? counts.falses == 0 : counts.trues > 0;
      *value = counts.trues + counts.falses == 0 ? Value::Null() : Value::Boolean(truth);
      return FinishError::kNone;
    }
    case AccumulatorKind::kNarrow:
    case AccumulatorKind::kNarrowSquares:
      // count(x) may share the totals of a sum.
      if (kind == AggregateKind::kCount) {
        *value = Value::Integer(static_cast<int64_t>(As<NarrowSum>(state).count));
        return FinishError::kNone;
      }
      if (NeedsSquares(kind)) {
        return FinishNarrowSquares(kind, As<NarrowSquares>(state), plan.source.type.scale, value);
      }
      return FinishNarrow(kind, As<NarrowSum>(state), plan.source.type.scale, result, value);
    case AccumulatorKind::kDouble:
      return FinishDouble(kind, As<DoubleSums>(state), value);
    case AccumulatorKind::kWide:
      return FinishWide(kind, As<WideSums>(state), value);
    case AccumulatorKind::kDistinct:
      *value = Value::Integer(As<CountedSet>(state).size);
      return FinishError::kNone;
    default: {
      const auto& held = As<HeldValue>(state);
      *value = held.any == 0 ? Value::Null() : ToArena(held.value, plan.source.type, arena);
      return FinishError::kNone;
    }
  }
}

bool HoldsAny(const char* state) {
  return As<HeldValue>(state).any != 0;
}

void SaveState(const AccumulatorPlan& plan, const char* state, base::ByteWriter& writer) {
  switch (plan.kind) {
    case AccumulatorKind::kCount:
    case AccumulatorKind::kBool:
    case AccumulatorKind::kNarrow:
    case AccumulatorKind::kNarrowSquares:
      for (size_t i = 0; i < StateBytes(plan.kind); i += 8) {
        writer.U64Le(LoadAs<uint64_t>(state + i));
      }
      return;
    case AccumulatorKind::kDouble:
      return As<DoubleSums>(state).Save(writer);
    case AccumulatorKind::kWide:
      return As<WideSums>(state).Save(writer);
    case AccumulatorKind::kDistinct:
      return As<CountedSet>(state).Save(writer);
    default: {
      const auto& held = As<HeldValue>(state);
      writer.U8(held.any != 0 ? 1 : 0);
      if (held.any != 0) SaveValue(held.value, plan.source.type, writer);
    }
  }
}

bool LoadState(const AccumulatorPlan& plan, char* state, base::ByteReader& reader, SlabPool& pool) {
  switch (plan.kind) {
    case AccumulatorKind::kCount:
    case AccumulatorKind::kBool:
    case AccumulatorKind::kNarrow:
    case AccumulatorKind::kNarrowSquares:
      for (size_t i = 0; i < StateBytes(plan.kind); i += 8) {
        As<uint64_t>(state + i) = reader.U64Le();
      }
      return reader.ok();
    case AccumulatorKind::kDouble:
      return As<DoubleSums>(state).Load(reader, pool);
    case AccumulatorKind::kWide:
      return As<WideSums>(state).Load(reader, pool);
    case AccumulatorKind::kDistinct:
      return As<CountedSet>(state).Load(reader, pool);
    default: {
      uint8_t any = reader.U8();
      if (!reader.ok() || any > 1) return false;
      if (any == 0) return true;
      auto& held = As<HeldValue>(state);
      if (!LoadValue(plan.source.type, reader, pool, &held.value)) return false;
      held.any = 1;
      return true;
    }
  }
}

}  // namespace headrace::state
