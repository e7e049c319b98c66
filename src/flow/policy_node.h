#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "flow/plan.h"
#include "learn/policy.h"
#include "row/batch.h"

namespace headrace::flow {

// A policy in a graph: what it has learned, and its choices that still may get a reward. Every
// CHOOSE and REWARD of the policy, in whatever statement, goes through this one, in the order of
// the journal (Graph::Run sees to that).
//
// A choice is open from its row on until the watermark of rows that are chosen for has left it
// behind by more than reward_within, or until there are open_choices newer ones. It is known by the
// id of its row, STREAM:PARTITION:OFFSET, and may be rewarded once. One that goes without is given
// expired_reward, if that was said, and forgotten. Confined. Memory: about 120 bytes and 8 a
// feature for each open choice.
class PolicyNode {
 public:
  explicit PolicyNode(std::shared_ptr<const PolicyPlan> plan);

  // Draws an arm for the row. The choice is open, but has no id before Name is called.
  struct Drawn {
    learn::Choice choice;
    uint64_t number = 0;
  };
  Drawn Choose(const row::Row& row, std::span<const double> context);
  // The row that the choice was drawn for stands there.
  void Name(uint64_t number, const std::string& stream, int32_t partition, int64_t offset);

  // What became of a reward.
  enum class Outcome : uint8_t { kTaken, kStopped, kSecond, kExpired, kUnknown, kRefused };
  // `reward`, `metric`: nothing where it is NULL or not finite; without a metric of its own the
  // guardrail watches rewards.
  struct Given {
    std::string_view id;
    std::optional<double> reward;
    std::optional<double> metric;
    bool has_metric = false;
  };
  Outcome Reward(const row::Row& row, const Given& given);

  const PolicyPlan& plan() const { return *plan_; }
  size_t open() const { return open_.size(); }
  size_t bytes() const;

  void Save(std::string& out) const;
  // kCorruption (HR4245): the node must then be thrown away.
  Status Load(std::string_view bytes);

 private:
  static constexpr uint8_t kVersion = 1;
  static constexpr uint32_t kUnnamed = UINT32_MAX;

  struct Open {
    int64_t time = 0;  // event time of its row
    uint32_t stream = kUnnamed;
    int32_t partition = 0;
    int64_t offset = 0;
    uint32_t arm = 0;
    double propensity = 1;
    bool rewarded = false;
  };
  struct Id {
    uint32_t stream = 0;
    int32_t partition = 0;
    int64_t offset = 0;
    bool operator==(const Id&) const = default;
  };
  struct IdHash {
    size_t operator()(const Id& id) const;
  };

  uint32_t StreamOf(const std::string& name);
  std::optional<Id> IdOf(std::string_view text) const;
  // Forgets what is due, then makes room for one.
  void Expire();
  void ForgetFirst();
  void Learn(size_t at, double reward);
  bool LoadOpen(base::ByteReader& reader);

  std::shared_ptr<const PolicyPlan> plan_;
  std::unique_ptr<learn::Policy> policy_;
  size_t features_;
  int64_t clock_ = INT64_MIN;  // the highest watermark of a row that was chosen for
  uint64_t first_ = 0;         // number of open_.front()
  std::deque<Open> open_;
  std::deque<double> contexts_;       // features_ for each of open_
  std::vector<std::string> streams_;  // whose rows were chosen for, as they came
  // By stream and partition: the highest offset that was forgotten.
  std::map<std::pair<uint32_t, int32_t>, int64_t> forgotten_;
  std::vector<double> x_;
  std::unordered_map<Id, uint64_t, IdHash> numbers_;  // derived: of the open choices, by id
};

std::string_view ToString(PolicyNode::Outcome outcome);

}  // namespace headrace::flow
