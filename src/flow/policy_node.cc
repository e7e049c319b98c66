#include "flow/policy_node.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "headrace/check.h"
#include "learn/classifier.h"

namespace headrace::flow {
namespace {

Error Damaged() {
  return Error(ErrorKind::kCorruption, "HR4245", "the state of a policy does not parse");
}

template <typename Number>
bool ReadNumber(std::string_view text, Number* to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *to);
  return error == std::errc() && end == text.data() + text.size() && *to >= 0;
}

}  // namespace

std::string_view ToString(PolicyNode::Outcome outcome) {
  switch (outcome) {
    case PolicyNode::Outcome::kTaken:
      return "taken";
    case PolicyNode::Outcome::kStopped:
      return "stopped";
    case PolicyNode::Outcome::kSecond:
      return "second";
    case PolicyNode::Outcome::kExpired:
      return "expired";
    case PolicyNode::Outcome::kUnknown:
      return "unknown";
    case PolicyNode::Outcome::kRefused:
      return "refused";
  }
  return "";
}

size_t PolicyNode::IdHash::operator()(const Id& id) const {
  uint64_t h = static_cast<uint64_t>(id.offset) * 0x9e3779b97f4a7c15;
  h ^= (uint64_t{id.stream} << 32 | static_cast<uint32_t>(id.partition)) * 0xbf58476d1ce4e5b9;
  return h ^ (h >> 29);
}

PolicyNode::PolicyNode(std::shared_ptr<const PolicyPlan> plan)
    : plan_(std::move(plan)), features_(plan_->context.size()) {
  Result<std::unique_ptr<learn::Policy>> policy = learn::Policy::Make(plan_->spec);
  HR_CHECK(policy.ok());  // the planner made one
  policy_ = std::move(policy).value();
}

PolicyNode::Drawn PolicyNode::Choose(const row::Row& row, std::span<const double> context) {
  HR_CHECK(context.size() == features_);
  clock_ = std::max(clock_, row.watermark);
  Expire();
  const Drawn drawn{policy_->Choose(context), first_ + open_.size()};
  Open& open = open_.emplace_back();
  open.time = row.event_time;
  open.arm = static_cast<uint32_t>(drawn.choice.arm);
  open.propensity = drawn.choice.propensity;
  contexts_.insert(contexts_.end(), context.begin(), context.end());
  return drawn;
}

void PolicyNode::Expire() {
  const int64_t oldest =
      clock_ < INT64_MIN + plan_->reward_within ? INT64_MIN : clock_ - plan_->reward_within;
  while (!open_.empty() && (open_.front().time < oldest || open_.size() >= plan_->open_choices))
    ForgetFirst();
}

void PolicyNode::ForgetFirst() {
  const Open& open = open_.front();
  if (!open.rewarded && plan_->expired_reward) {
    Learn(0, *plan_->expired_reward);
    policy_->Watch(*plan_->expired_reward);
  }
  if (open.stream != kUnnamed) {
    numbers_.erase({open.stream, open.partition, open.offset});
    int64_t& highest = forgotten_.try_emplace({open.stream, open.partition}, -1).first->second;
    highest = std::max(highest, open.offset);
  }
  open_.pop_front();
  contexts_.erase(contexts_.begin(), contexts_.begin() + static_cast<ptrdiff_t>(features_));
  ++first_;
}

void PolicyNode::Learn(size_t at, double reward) {
  const auto from = contexts_.begin() + static_cast<ptrdiff_t>(at * features_);
  x_.assign(from, from + static_cast<ptrdiff_t>(features_));
  policy_->Learn({open_[at].arm, x_, reward, open_[at].propensity});
}

void PolicyNode::Name(uint64_t number, const std::string& stream, int32_t partition,
                      int64_t offset) {
  const uint32_t known = StreamOf(stream);
  if (number < first_) {  // more were chosen for at once than may be open
    int64_t& highest = forgotten_.try_emplace({known, partition}, -1).first->second;
    highest = std::max(highest, offset);
    return;
  }
  Open& open = open_[number - first_];
  open.stream = known;
  open.partition = partition;
  open.offset = offset;
  numbers_[{known, partition, offset}] = number;
}

uint32_t PolicyNode::StreamOf(const std::string& name) {
  const auto known = std::find(streams_.begin(), streams_.end(), name);
  const auto at = static_cast<uint32_t>(known - streams_.begin());
  if (known == streams_.end()) streams_.push_back(name);
  return at;
}

std::optional<PolicyNode::Id> PolicyNode::IdOf(std::string_view text) const {
  const size_t last = text.rfind(':');
  if (last == std::string_view::npos || last == 0) return {};
  const size_t middle = text.rfind(':', last - 1);
  if (middle == std::string_view::npos) return {};
  const auto stream = std::find(streams_.begin(), streams_.end(), text.substr(0, middle));
  Id id{static_cast<uint32_t>(stream - streams_.begin()), 0, 0};
  const bool good = stream != streams_.end() &&
                    ReadNumber(text.substr(middle + 1, last - middle - 1), &id.partition) &&
                    ReadNumber(text.substr(last + 1), &id.offset);
  return good ? std::optional(id) : std::nullopt;
}

PolicyNode::Outcome PolicyNode::Reward(const row::Row& row, const Given& given) {
  const std::optional<Id> id = IdOf(given.id);
  if (!id) return Outcome::kUnknown;
  const auto found = numbers_.find(*id);
  if (found == numbers_.end()) {
    const auto forgotten = forgotten_.find({id->stream, id->partition});
    const bool was = forgotten != forgotten_.end() && id->offset <= forgotten->second;
    return was ? Outcome::kExpired : Outcome::kUnknown;
  }
  const size_t at = found->second - first_;
  Open& open = open_[at];
  if (open.rewarded) return Outcome::kSecond;
  // Rows without an event time have none that could be too late.
  if (open.time < row.event_time && row.event_time - open.time > plan_->reward_within) {
    return Outcome::kExpired;
  }
  const bool watched =
      !given.has_metric || (given.metric && std::abs(*given.metric) <= learn::Policy::kNumberMax);
  if (!given.reward || !policy_->Accepts(*given.reward) || !watched) return Outcome::kRefused;
  open.rewarded = true;
  Learn(at, *given.reward);
  policy_->Watch(given.has_metric ? *given.metric : *given.reward);
  return policy_->stopped() ? Outcome::kStopped : Outcome::kTaken;
}

size_t PolicyNode::bytes() const {
  constexpr size_t kIndexBytes = sizeof(Id) + 40;
  return sizeof *this + policy_->memory() + contexts_.size() * sizeof(double) +
         open_.size() * (sizeof(Open) + kIndexBytes) + forgotten_.size() * 64;
}

// Policy string; clock i64, first number varint, streams count, each a string; forgotten count,
// each stream, partition varint, offset zigzag; open count, each: time zigzag, stream varint (0: no
// id), partition, offset varint, arm varint, propensity, rewarded u8, the context.
void PolicyNode::Save(std::string& out) const {
  base::ByteWriter writer(out);
  writer.U8(kVersion);
  std::string policy;
  base::ByteWriter inner(policy);
  policy_->Save(inner);
  writer.String(policy);
  writer.U64Le(static_cast<uint64_t>(clock_));
  writer.Varint(first_);
  writer.Varint(streams_.size());
  for (const std::string& stream : streams_)
    writer.String(stream);
  writer.Varint(forgotten_.size());
  for (const auto& [of, offset] : forgotten_) {
    writer.Varint(of.first);
    writer.Varint(static_cast<uint64_t>(of.second));
    writer.Zigzag(offset);
  }
  writer.Varint(open_.size());
  auto feature = contexts_.begin();
  for (const Open& open : open_) {
    writer.Zigzag(open.time);
    writer.Varint(open.stream == kUnnamed ? 0 : uint64_t{open.stream} + 1);
    writer.Varint(static_cast<uint64_t>(open.partition));
    writer.Varint(static_cast<uint64_t>(open.offset));
    writer.Varint(open.arm);
    learn::SaveDouble(open.propensity, writer);
    writer.U8(open.rewarded ? 1 : 0);
    for (size_t f = 0; f < features_; ++f, ++feature)
      learn::SaveDouble(*feature, writer);
  }
}

Status PolicyNode::Load(std::string_view bytes) {
  base::ByteReader reader(bytes);
  if (reader.U8() != kVersion) return Damaged();
  base::ByteReader policy(reader.String());
  if (!policy_->Load(policy) || !policy.ok() || policy.remaining() != 0) return Damaged();
  clock_ = static_cast<int64_t>(reader.U64Le());
  first_ = reader.Varint();
  for (uint64_t i = reader.Varint(); i > 0 && reader.ok(); --i)
    streams_.emplace_back(reader.String());
  for (uint64_t i = reader.Varint(); i > 0 && reader.ok(); --i) {
    const auto stream = static_cast<uint32_t>(reader.Varint());
    const auto partition = static_cast<int32_t>(reader.Varint());
    forgotten_[{stream, partition}] = reader.Zigzag();
  }
  const uint64_t open = reader.Varint();
  if (!reader.ok() || open > plan_->open_choices) return Damaged();
  for (uint64_t i = 0; i < open; ++i) {
    if (!LoadOpen(reader)) return Damaged();
  }
  return reader.ok() && reader.remaining() == 0 ? Ok() : Status(Damaged());
}

bool PolicyNode::LoadOpen(base::ByteReader& reader) {
  Open open;
  open.time = reader.Zigzag();
  const uint64_t stream = reader.Varint();
  open.stream = stream == 0 ? kUnnamed : static_cast<uint32_t>(stream - 1);
  open.partition = static_cast<int32_t>(reader.Varint());
  open.offset = static_cast<int64_t>(reader.Varint());
  const uint64_t arm = reader.Varint();
  open.arm = static_cast<uint32_t>(arm);
  open.propensity = learn::LoadDouble(reader);
  const uint8_t rewarded = reader.U8();
  open.rewarded = rewarded != 0;
  for (size_t f = 0; f < features_; ++f) {
    contexts_.push_back(learn::LoadDouble(reader));
    if (!(std::abs(contexts_.back()) <= learn::Policy::kNumberMax)) return false;
  }
  const bool good = reader.ok() && stream <= streams_.size() && arm < plan_->arms.size() &&
                    open.propensity > 0 && open.propensity <= 1 + 1e-9 && rewarded <= 1;
  if (!good) return false;
  if (stream > 0) numbers_[{open.stream, open.partition, open.offset}] = first_ + open_.size();
  open_.push_back(open);
  return true;
}

}  // namespace headrace::flow
