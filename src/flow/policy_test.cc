#include <algorithm>

#include <gtest/gtest.h>

#include "flow/policy_node.h"
#include "flow/test_flow.h"

namespace headrace::flow {
namespace {

constexpr int64_t kOneSecond = 1'000'000;

std::shared_ptr<PolicyPlan> TestPolicy(const std::string& type, size_t features = 0) {
  auto plan = std::make_shared<PolicyPlan>();
  plan->name = "p";
  plan->arms = {"a", "b", "c"};
  for (size_t i = 0; i < features; ++i)
    plan->context.push_back({"x" + std::to_string(i), {row::TypeKind::kDouble, 0, 0}, false});
  plan->spec = {type, plan->arms.size(), features, 0, {{"epsilon", "0.3"}}};
  plan->reward_within = 60 * kOneSecond;
  plan->open_choices = 1000;
  plan->definition = "policy p " + type;
  return plan;
}

row::Row At(int64_t time, int64_t watermark) {
  row::Row row;
  row.event_time = time;
  row.watermark = watermark;
  return row;
}

PolicyNode::Outcome Reward(PolicyNode& node, const std::string& id, std::optional<double> reward,
                           int64_t time = 0) {
  return node.Reward(At(time, 0), {id, reward, {}, false});
}

TEST(PolicyNode, TakesOneRewardForEachChoiceByTheIdOfItsRow) {
  using enum PolicyNode::Outcome;
  PolicyNode node(TestPolicy("thompson"));
  const auto drawn = node.Choose(At(10 * kOneSecond, 0), {});
  node.Name(drawn.number, "shown", 2, 17);
  EXPECT_EQ(kRefused, Reward(node, "shown:2:17", {}));
  EXPECT_EQ(kRefused, Reward(node, "shown:2:17", 1.5));
  EXPECT_EQ(kTaken, Reward(node, "shown:2:17", 1));
  EXPECT_EQ(kSecond, Reward(node, "shown:2:17", 1));
  for (const char* const id : {"shown:2:18", "shown:1:17", "other:2:17", "", ":", "shown:2:", "17",
                               "shown:-2:17", "shown:2:17x", "shown:2:99999999999999999999"})
    EXPECT_EQ(kUnknown, Reward(node, id, 1)) << id;
}

TEST(PolicyNode, AChoiceExpiresInEventTime) {
  using enum PolicyNode::Outcome;
  auto plan = TestPolicy("thompson");
  PolicyNode node(plan);
  for (int i = 0; i < 3; ++i)
    node.Name(node.Choose(At(i * 10 * kOneSecond, 0), {}).number, "shown", 0, i);
  // The reward comes too late by its own time, though the choice is still there.
  EXPECT_EQ(kExpired, Reward(node, "shown:0:0", 1, 60 * kOneSecond + 1));
  EXPECT_EQ(kTaken, Reward(node, "shown:0:0", 1, 60 * kOneSecond));
  EXPECT_EQ(3u, node.open());
  node.Name(node.Choose(At(100 * kOneSecond, 71 * kOneSecond), {}).number, "shown", 0, 3);
  EXPECT_EQ(2u, node.open());
  EXPECT_EQ(kExpired, Reward(node, "shown:0:1", 1));
  EXPECT_EQ(kTaken, Reward(node, "shown:0:2", 1, 75 * kOneSecond));
}

TEST(PolicyNode, WhatGetsNoRewardIsGivenTheExpiredOne) {
  auto plan = TestPolicy("ucb1");
  plan->expired_reward = 0;
  auto counted = TestPolicy("ucb1");
  PolicyNode node(plan);
  PolicyNode told(counted);
  for (int i = 0; i < 200; ++i) {
    const int64_t time = i * 61 * kOneSecond;
    for (PolicyNode* each : {&node, &told})
      each->Name(each->Choose(At(time, time), {}).number, "s", 0, i);
    // The same by hand: before the next choice comes.
    EXPECT_EQ(PolicyNode::Outcome::kTaken, Reward(told, "s:0:" + std::to_string(i), 0, time));
  }
  // Apart from the last choice, which has expired in neither: the same draws.
  const auto draw = [](PolicyNode& each) {
    return each.Choose(At(300 * 61 * kOneSecond, 300 * 61 * kOneSecond), {}).choice;
  };
  const learn::Choice one = draw(node);
  const learn::Choice other = draw(told);
  EXPECT_EQ(other.arm, one.arm);
  EXPECT_EQ(other.propensity, one.propensity);
}

TEST(PolicyNode, RemembersNoMoreChoicesThanItMay) {
  using enum PolicyNode::Outcome;
  PolicyNode node(TestPolicy("thompson"));
  // More at once than may be open: their rows get their ids afterwards.
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 1500; ++i)
    numbers.push_back(node.Choose(At(0, 0), {}).number);
  for (int i = 0; i < 1500; ++i)
    node.Name(numbers[static_cast<size_t>(i)], "shown", 0, i);
  EXPECT_EQ(1000u, node.open());
  EXPECT_EQ(kExpired, Reward(node, "shown:0:499", 1));
  EXPECT_EQ(kTaken, Reward(node, "shown:0:500", 1));
}

TEST(PolicyNode, SavedAndLoadedItGoesOnTheSame) {
  const auto plan = TestPolicy("linucb", 2);
  auto node = std::make_unique<PolicyNode>(plan);
  PolicyNode undisturbed(plan);
  for (int i = 0; i < 3000; ++i) {
    const double x[] = {i % 7 * 0.1, i % 5 * 0.2};
    const int64_t time = i * kOneSecond;
    for (PolicyNode* each : {node.get(), &undisturbed}) {
      const auto drawn = each->Choose(At(time, time - kOneSecond), x);
      each->Name(drawn.number, i % 3 == 0 ? "one" : "two", i % 2, i);
      const int of = i - i % 90;
      Reward(*each,
             (of % 3 == 0 ? "one:" : "two:") + std::to_string(of % 2) + ":" + std::to_string(of),
             i % 4 * 0.25, time);
    }
    if (i % 250 != 0) continue;
    std::string bytes;
    std::string wanted;
    node->Save(bytes);
    undisturbed.Save(wanted);
    ASSERT_EQ(wanted, bytes) << i;
    node = std::make_unique<PolicyNode>(plan);
    ASSERT_TRUE(node->Load(bytes).ok()) << i;
    for (size_t cut = 0; cut < bytes.size(); cut += 101)
      EXPECT_FALSE(PolicyNode(plan).Load(std::string_view(bytes).substr(0, cut)).ok());
  }
}

// CHOOSE of p over the rows of s whose f is true, REWARD over the others: k is the id.
std::shared_ptr<StatementPlan> Choosing(const std::shared_ptr<const PolicyPlan>& policy) {
  auto plan = std::make_shared<StatementPlan>();
  plan->name = "shown";
  plan->schema.columns = {{"arm", kTextType, false}, {"p", {row::TypeKind::kDouble, 0, 0}, false}};
  SelectPlan& select = plan->select.emplace();
  select.input = "s";
  select.copied_columns = {kKeyColumn, kQuantityColumn, kFlagColumn, kTimeColumn};
  select.where = expr::Column(kFlagColumn, kBooleanType);
  select.slots = kTestColumns + 2;
  PolicyCall& call = select.policy_calls.emplace_back();
  call.policy = policy;
  call.result_slot = kTestColumns;
  call.propensity_slot = kTestColumns + 1;
  select.output_slots = {kTestColumns, kTestColumns + 1};
  plan->lateness = kAnyLateness;
  return plan;
}

std::shared_ptr<StatementPlan> Rewarding(const std::shared_ptr<const PolicyPlan>& policy) {
  auto plan = std::make_shared<StatementPlan>();
  plan->name = "told";
  plan->schema.columns = {{"outcome", kTextType, false}};
  SelectPlan& select = plan->select.emplace();
  select.input = "s";
  select.copied_columns = {kKeyColumn, kQuantityColumn, kFlagColumn, kTimeColumn};
  select.slots = kTestColumns + 1;
  PolicyCall& call = select.policy_calls.emplace_back();
  call.kind = PolicyCall::Kind::kReward;
  call.policy = policy;
  call.argument_slots = {kKeyColumn, kQuantityColumn};
  call.argument_types = {kTextType, kBigintType};
  call.result_slot = kTestColumns;
  select.output_slots = {kTestColumns};
  plan->lateness = kAnyLateness;
  return plan;
}

// Half of the events are to be chosen for, half reward the choice before: both from one source.
std::vector<std::string> Events(int count) {
  std::vector<std::string> events;
  for (int i = 0; i < count; ++i) {
    const std::string ts = std::to_string((i + 1) * kOneSecond);
    events.push_back(R"({"k":"x","q":1,"f":true,"ts":)" + ts + "}");
    events.push_back(R"({"k":"shown:0:)" + std::to_string(i) + R"(","q":)" +
                     std::to_string(i * 7 % 3 == 0 ? 1 : 0) + R"(,"f":false,"ts":)" + ts + "}");
  }
  return events;
}

TEST(Graph, WhatAPolicyChoosesDependsOnNoBatch) {
  const auto run = [](size_t batch) {
    const auto policy = TestPolicy("thompson");
    TestFlow flow(TestSource(0));
    flow.Add(Choosing(policy));
    flow.Add(Rewarding(policy));
    const std::vector<std::string> events = Events(300);
    for (size_t at = 0; at < events.size(); at += batch) {
      const size_t end = std::min(events.size(), at + batch);
      flow.Feed({events.begin() + static_cast<ptrdiff_t>(at),
                 events.begin() + static_cast<ptrdiff_t>(end)});
    }
    auto rows = flow.notes().rows("shown");
    const auto& told = flow.notes().rows("told");
    rows.insert(rows.end(), told.begin(), told.end());
    return rows;
  };
  const std::vector<std::string> one = run(1);
  EXPECT_EQ(one, run(2));
  EXPECT_EQ(one, run(37));
  EXPECT_EQ(one, run(600));
  // Each second event of "told" is a reward that was taken; the others are no reward at all.
  EXPECT_EQ(300, std::count(one.begin(), one.end(), "taken"));
  EXPECT_EQ(300, std::count(one.begin(), one.end(), "unknown"));
}

TEST(Graph, APolicyComesBackWithASnapshot) {
  const auto policy = TestPolicy("exp3");
  const std::vector<std::string> events = Events(200);
  const auto half = events.begin() + 201;
  TestFlow flow(TestSource(0));
  flow.Add(Choosing(policy));
  flow.Add(Rewarding(policy));
  flow.Feed({events.begin(), half});
  const std::string head = flow.graph().BeginSnapshot(true);
  const size_t before = flow.notes().rows("shown").size();
  flow.Feed({half, events.end()});

  const auto load = [&](const std::shared_ptr<const PolicyPlan>& as, Graph::Match match) {
    TestFlow other(TestSource(0));
    other.Add(Choosing(as));
    other.Add(Rewarding(as));
    return other.graph().BeginLoad(head, match).ok();
  };
  EXPECT_TRUE(load(policy, Graph::Match::kExact));
  const auto otherwise = TestPolicy("exp3");
  otherwise->definition = "another";
  EXPECT_FALSE(load(otherwise, Graph::Match::kExact));

  TestFlow again(TestSource(0));
  again.Add(Choosing(policy));
  again.Add(Rewarding(policy));
  ASSERT_TRUE(again.graph().BeginLoad(head, Graph::Match::kExact).ok());
  again.graph().EndLoad();
  // Rows stand behind those that were there.
  again.notes().rows("shown").resize(before);
  again.Feed({half, events.end()});
  const std::vector<std::string> wanted(
      flow.notes().rows("shown").begin() + static_cast<ptrdiff_t>(before),
      flow.notes().rows("shown").end());
  const std::vector<std::string> got(
      again.notes().rows("shown").begin() + static_cast<ptrdiff_t>(before),
      again.notes().rows("shown").end());
  EXPECT_EQ(wanted, got);
  EXPECT_EQ(flow.graph().BeginSnapshot(true), again.graph().BeginSnapshot(true));
}

}  // namespace
}  // namespace headrace::flow
