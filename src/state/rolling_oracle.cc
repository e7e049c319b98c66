#include "state/rolling_oracle.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "row/text.h"

namespace headrace::state {
namespace {

using row::Type;
using row::TypeKind;
using row::Value;
using Kind = AggregateKind;

constexpr Type kMoney{TypeKind::kDecimal, 12, 2};
constexpr Type kFree{TypeKind::kDecimal, 0, 0};

constexpr Type TypeOf(int slot) {
  switch (slot) {
    case kAmount:
      return kMoney;
    case kQuantity:
      return {TypeKind::kBigint, 0, 0};
    case kX:
      return {TypeKind::kDouble, 0, 0};
    case kOk:
      return {TypeKind::kBoolean, 0, 0};
    case kRate:
      return kFree;
    default:
      return {TypeKind::kText, 0, 0};
  }
}

struct Random {
  std::mt19937_64 engine;
  int64_t Below(int64_t n) { return static_cast<int64_t>(engine() % static_cast<uint64_t>(n)); }
  bool OneIn(int64_t n) { return Below(n) == 0; }
};

std::string Terminal(Random& random) {
  std::string name = "t" + std::to_string(random.Below(9));
  // Some longer than fits in place.
  if (random.OneIn(3)) name += "-a-terminal-with-a-long-name";
  return name;
}

int64_t Quantity(Random& random) {
  if (random.OneIn(10)) return INT64_MAX;
  if (random.OneIn(10)) return INT64_MIN;
  return random.Below(1000) - 500;
}

OracleEvent MakeEvent(Random& random, int keys) {
  OracleEvent event;
  int64_t key = random.Below(keys + 1);
  if (key < keys) {
    event.key = "card" + std::to_string(key);
    if (key % 2 == 1) *event.key += "-of-a-holder-with-a-long-name";
  }
  if (!random.OneIn(8)) {
    event.amount = random.OneIn(10) ? (random.OneIn(2) ? 999999999999 : -999999999999)
                                    : random.Below(20000) - 5000;
  }
  if (!random.OneIn(8)) event.quantity = Quantity(random);
  if (!random.OneIn(8)) event.x = static_cast<double>(random.Below(1 << 20) - (1 << 19)) / 64;
  if (!random.OneIn(8)) event.terminal = Terminal(random);
  if (!random.OneIn(8)) event.ok = random.OneIn(2);
  if (!random.OneIn(8)) {
    event.rate = {random.Below(2000000) - 1000000, static_cast<int>(random.Below(4)) * 2};
  }
  return event;
}

FrameSpec Range(int64_t start, int64_t end) {
  FrameSpec frame;
  frame.start = start;
  frame.end = end;
  return frame;
}
FrameSpec Rows(int64_t start, int64_t end) {
  FrameSpec frame = Range(start, end);
  frame.rows = true;
  return frame;
}
FrameSpec Unbounded(FrameSpec frame) {
  frame.unbounded = true;
  return frame;
}

Value ValueOf(const OracleEvent& event, int slot) {
  switch (slot) {
    case kAmount:
      return event.amount ? Value::Decimal(*event.amount, 2) : Value::Null();
    case kQuantity:
      return event.quantity ? Value::Integer(*event.quantity) : Value::Null();
    case kX:
      return event.x ? Value::Double(*event.x) : Value::Null();
    case kTerminal:
      return event.terminal ? Value::Text(*event.terminal) : Value::Null();
    case kOk:
      return event.ok ? Value::Boolean(*event.ok) : Value::Null();
    case kRate:
      return event.rate
                 ? Value::Decimal(event.rate->first, static_cast<uint8_t>(event.rate->second))
                 : Value::Null();
    default:
      return event.key ? Value::Text(*event.key) : Value::Null();
  }
}

// The events of the key of `at` that had arrived (with `peers`: all of its time), by (time,
// arrival), and the place of `at`.
std::vector<size_t> Arrived(const std::vector<OracleEvent>& events, size_t at, bool peers,
                            size_t* place) {
  std::vector<size_t> mine;
  size_t end = at + 1;
  while (peers && end < events.size() && events[end].time == events[at].time)
    ++end;
  for (size_t i = 0; i < end; ++i) {
    if (events[i].key == events[at].key) mine.push_back(i);
  }
  std::stable_sort(mine.begin(), mine.end(),
                   [&events](size_t a, size_t b) { return events[a].time < events[b].time; });
  *place = static_cast<size_t>(std::find(mine.begin(), mine.end(), at) - mine.begin());
  return mine;
}

std::vector<size_t> InFrame(const FrameSpec& frame, const std::vector<OracleEvent>& events,
                            size_t at, bool peers) {
  size_t place = 0;
  std::vector<size_t> mine = Arrived(events, at, peers, &place);
  std::vector<size_t> inside;
  for (size_t i = 0; i < mine.size(); ++i) {
    auto back = frame.rows ? static_cast<int64_t>(place) - static_cast<int64_t>(i)
                           : events[at].time - events[mine[i]].time;
    if (back >= frame.end && (frame.unbounded || back <= frame.start)) inside.push_back(mine[i]);
  }
  return inside;
}

// The frame's events that pass the filter.
std::vector<size_t> Selected(const KeyBlockSpec& spec, const AggregateSpec& aggregate,
                             const std::vector<OracleEvent>& events, size_t at) {
  std::vector<size_t> inside =
      InFrame(spec.frames[static_cast<size_t>(aggregate.frame)], events, at, spec.peers);
  if (aggregate.filter_slot < 0) return inside;
  std::erase_if(inside, [&events](size_t i) { return !events[i].ok.value_or(false); });
  return inside;
}

std::string Text(const Value& value, Type type) {
  if (value.null) return "null";
  std::string text;
  row::AppendText(value, type, text);
  return text;
}

std::string Sum(const std::vector<Value>& values, int slot) {
  if (values.empty()) return "null";
  if (slot == kX) {
    double sum = 0;  // multiples of 1/64: exact in any order
    for (const Value& value : values)
      sum += value.number;
    return Text(Value::Double(sum), TypeOf(kX));
  }
  row::Int128 sum = 0;
  uint8_t scale = 0;
  for (const Value& value : values)
    scale = slot == kQuantity ? 0 : std::max(scale, value.scale);
  for (const Value& value : values) {
    row::Int128 scaled = slot == kQuantity ? value.integer : value.unscaled();
    for (int i = slot == kQuantity ? 0 : value.scale; i < scale; ++i)
      scaled *= 10;
    sum += scaled;
  }
  return Text(Value::Decimal(sum, scale), kFree);
}

std::string Extreme(const std::vector<Value>& values, Type type, bool smallest) {
  if (values.empty()) return "null";
  Value best = values[0];
  for (const Value& value : values) {
    int order = row::Compare(value, best, type);
    if (smallest ? order <= 0 : order >= 0) best = value;
  }
  return Text(best, type);
}

std::string Truth(const std::vector<Value>& values, bool all) {
  if (values.empty()) return "null";
  auto is_true = [](const Value& value) { return value.boolean; };
  bool truth = all ? std::all_of(values.begin(), values.end(), is_true)
                   : std::any_of(values.begin(), values.end(), is_true);
  return Text(Value::Boolean(truth), TypeOf(kOk));
}

size_t Different(const std::vector<Value>& values, Type type) {
  std::set<std::string> seen;
  for (const Value& value : values) {
    std::string key;
    row::AppendKey(value, type, key);
    seen.insert(key);
  }
  return seen.size();
}

}  // namespace

std::vector<OracleEvent> OracleStream::Make() const {
  Random random{std::mt19937_64(seed)};
  std::vector<OracleEvent> made;
  int64_t now = 1000;
  int64_t newest = INT64_MIN;
  while (static_cast<int>(made.size()) < events) {
    now += random.Below(2 * step + 1);
    if (random.OneIn(200)) now += 3000;
    OracleEvent event = MakeEvent(random, keys);
    event.time = random.OneIn(3) ? now - random.Below(disorder + 1) : now;
    event.watermark = newest == INT64_MIN ? INT64_MIN : newest - delay;
    if (newest != INT64_MIN && event.time < event.watermark - lateness) continue;
    newest = std::max(newest, event.time);
    made.push_back(event);
  }
  return made;
}

KeyBlockSpec OracleSpec(bool unbounded) {
  KeyBlockSpec spec;
  spec.key_slots = {kKey};
  spec.key_types = {TypeOf(kKey)};
  spec.lateness = 30;
  spec.frames = {Range(60, 0), Range(1000, 0), Range(5000, 0), Range(900, 300),
                 Rows(4, 0),   Rows(5, 1),     Rows(100, 2),   Range(0, 0)};
  if (unbounded) {
    spec.frames.push_back(Unbounded(Range(0, 0)));
    spec.frames.push_back(Unbounded(Range(0, 200)));
    spec.frames.push_back(Unbounded(Rows(0, 3)));
  }
  int result = kInputs;
  auto add = [&spec, &result](Kind kind, int slot, int frame, int filter) {
    AggregateSpec aggregate;
    aggregate.kind = kind;
    aggregate.argument_slot = slot;
    aggregate.argument_type = slot < 0 ? Type{} : TypeOf(slot);
    aggregate.filter_slot = filter;
    aggregate.frame = frame;
    aggregate.result_slot = result++;
    aggregate.result_type = ResultType(kind, aggregate.argument_type).value();
    spec.aggregates.push_back(aggregate);
  };
  for (int frame = 0; frame < static_cast<int>(spec.frames.size()); ++frame) {
    for (int filter : {-1, static_cast<int>(kOk)}) {
      add(Kind::kCountRows, -1, frame, filter);
      for (int slot : {kAmount, kQuantity, kX, kTerminal, kOk, kRate}) {
        add(Kind::kCount, slot, frame, filter);
        add(Kind::kCountDistinct, slot, frame, filter);
        add(Kind::kFirstValue, slot, frame, filter);
        add(Kind::kLastValue, slot, frame, filter);
        if (slot == kOk) continue;
        add(Kind::kMin, slot, frame, filter);
        add(Kind::kMax, slot, frame, filter);
        if (slot == kTerminal) continue;
        add(Kind::kSum, slot, frame, filter);
        add(Kind::kVarPop, slot, frame, filter);
        add(Kind::kStddevSamp, slot, frame, filter);
      }
      add(Kind::kBoolAnd, kOk, frame, filter);
      add(Kind::kBoolOr, kOk, frame, filter);
    }
    spec.frames[static_cast<size_t>(frame)].count_slot = result++;
  }
  for (int64_t back : {0, 1, 3}) {
    add(Kind::kLag, kTerminal, 0, -1);
    spec.aggregates.back().lag = back;
  }
  return spec;
}

std::optional<std::string> OracleValue(const KeyBlockSpec& spec, size_t index,
                                       const std::vector<OracleEvent>& events, size_t at) {
  const AggregateSpec& aggregate = spec.aggregates[index];
  Type type = aggregate.argument_type;
  if (aggregate.kind == Kind::kLag) {
    size_t place = 0;
    std::vector<size_t> mine = Arrived(events, at, spec.peers, &place);
    auto back = static_cast<size_t>(aggregate.lag);
    if (back > place) return "null";
    return Text(ValueOf(events[mine[place - back]], aggregate.argument_slot), type);
  }
  std::vector<size_t> inside = Selected(spec, aggregate, events, at);
  std::vector<Value> all;
  std::vector<Value> values;
  for (size_t i : inside) {
    if (aggregate.argument_slot < 0) continue;
    all.push_back(ValueOf(events[i], aggregate.argument_slot));
    if (!all.back().null) values.push_back(all.back());
  }
  switch (aggregate.kind) {
    case Kind::kCountRows:
      return std::to_string(inside.size());
    case Kind::kCount:
      return std::to_string(values.size());
    case Kind::kCountDistinct:
      return std::to_string(Different(values, type));
    case Kind::kSum:
      return Sum(values, aggregate.argument_slot);
    case Kind::kMin:
    case Kind::kMax:
      return Extreme(values, type, aggregate.kind == Kind::kMin);
    case Kind::kFirstValue:
      return all.empty() ? "null" : Text(all.front(), type);
    case Kind::kLastValue:
      return all.empty() ? "null" : Text(all.back(), type);
    case Kind::kBoolAnd:
    case Kind::kBoolOr:
      return Truth(values, aggregate.kind == Kind::kBoolAnd);
    default:
      return std::nullopt;
  }
}

std::optional<double> OracleSpread(const KeyBlockSpec& spec, size_t index,
                                   const std::vector<OracleEvent>& events, size_t at) {
  const AggregateSpec& aggregate = spec.aggregates[index];
  std::vector<long double> values;
  for (size_t i : Selected(spec, aggregate, events, at)) {
    Value value = ValueOf(events[i], aggregate.argument_slot);
    if (value.null) continue;
    values.push_back(aggregate.argument_slot == kX ? value.number
                     : aggregate.argument_slot == kQuantity
                         ? static_cast<long double>(value.integer)
                         : row::DecimalToDouble(value));
  }
  bool sample = aggregate.kind == Kind::kStddevSamp || aggregate.kind == Kind::kVarSamp;
  bool root = aggregate.kind == Kind::kStddevSamp || aggregate.kind == Kind::kStddevPop;
  if (values.empty() || (sample && values.size() == 1)) return std::nullopt;
  auto n = static_cast<long double>(values.size());
  long double mean = 0;
  for (long double value : values)
    mean += value / n;
  long double squares = 0;
  for (long double value : values)
    squares += (value - mean) * (value - mean);
  long double variance = squares / (sample ? n - 1 : n);
  return static_cast<double>(root ? std::sqrt(variance) : variance);
}

}  // namespace headrace::state
