#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "learn/learner.h"
#include "learn/policy.h"
#include "model/remote_model.h"
#include "row/schema.h"

// What the SQL planner makes of models that have no file: learners, models that another program
// runs, policies; and how a SELECT calls them. Immutable, as all of plan.h.

namespace headrace::flow {

// A learner as CREATE MODEL declared it. The weights belong to the calls of LEARN, each of which
// has its own.
struct LearnerPlan {
  std::string name;
  learn::LearnerSpec spec;
  std::vector<row::Column> inputs;
  row::Column label;   // without a name when there is none
  row::Type answer{};  // of LEARN

  bool labelled() const { return spec.label != learn::LabelKind::kNone; }
};

// A model that another program runs, asked over the Open Inference Protocol: as CREATE MODEL
// declared it.
struct RemotePlan {
  enum class WhenFull : uint8_t { kWait, kDefault };

  std::string name;
  std::vector<row::Column> inputs;
  std::vector<row::Column> outputs;
  std::vector<model::RemoteValue> defaults;  // by output; what a question without an answer gives
  model::RemoteSignature signature;
  model::RemoteAddress address;
  std::string url;
  int64_t timeout_ms = 1000;
  int64_t queue = 1000;  // rows of a statement that may wait for answers
  WhenFull when_full = WhenFull::kWait;
  int64_t connections = 4;       // calls at a time
  int64_t breaker_failures = 5;  // one after the other: then no calls for the pause; 0: never
  int64_t breaker_pause_ms = 5000;
};

// A question to a remote model. The row waits for the answer behind the stage that asks.
struct RemoteQuestion {
  std::shared_ptr<const RemotePlan> model;
  int when_slot = -1;  // a boolean: where it is not true nothing is asked, and the answer is NULL
  std::vector<int> input_slots;
  std::vector<row::Type> input_types;
  std::vector<int> output_slots;  // by output
  int json_slot = -1;             // all outputs as a JSON array; -1: nobody reads it
  int status_slot = -1;           // a text: how it ended
  int detail_slot = -1;           // a text: what went wrong
};

// A policy as CREATE POLICY declared it. What it has learned, and the choices that wait for their
// rewards, belong to the graph (policy_node.h): all calls in it share them.
struct PolicyPlan {
  std::string name;
  std::vector<std::string> arms;
  std::vector<row::Column> context;
  learn::PolicySpec spec;
  int64_t reward_within = 0;             // microseconds of event time behind the choice
  size_t open_choices = 0;               // that wait for rewards, at most
  std::optional<double> expired_reward;  // of a choice that got none
  // Names it with all that its state depends on: only such a state may be loaded.
  std::string definition;
};

// CHOOSE or REWARD in a SELECT. They come last, when nothing can fail any more: a row whose choice
// was drawn is always emitted.
struct PolicyCall {
  enum class Kind : uint8_t { kChoose, kReward };
  Kind kind = Kind::kChoose;
  std::shared_ptr<const PolicyPlan> policy;
  // kChoose: the context. kReward: the id of the row that was chosen for, the reward and, if there
  // are three, what the guardrail watches.
  std::vector<int> argument_slots;
  std::vector<row::Type> argument_types;
  int result_slot = -1;      // the arm; or what became of the reward
  int propensity_slot = -1;  // kChoose
};

}  // namespace headrace::flow
