#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "expr/expr.h"
#include "flow/model_plan.h"
#include "flow/watch_plan.h"
#include "model/model.h"
#include "model/reasons.h"
#include "row/schema.h"
#include "schema/codec.h"
#include "state/group_table.h"
#include "state/key_block.h"
#include "state/running_function.h"

// What the SQL planner makes and operators run: immutable, shared by the live flow, by recovery and
// by every replay, which each build their own state from it.

namespace headrace::flow {

inline constexpr int64_t kDefaultLateness = 3'600'000'000;  // microseconds
inline constexpr int64_t kAnyLateness = INT64_MAX;          // no row is too late

// Evaluates an expression into a slot.
struct Evaluation {
  int slot = -1;
  std::shared_ptr<const expr::Expr> expression;
};

// How long the log keeps the rows of a stream; -1: for good.
struct Retention {
  int64_t ms = -1;
  int64_t bytes = -1;  // of each partition
};

// A declared stream: a topic seen through a schema and a watermark.
struct SourcePlan {
  std::string name;
  std::string topic;
  int32_t partitions = 1;
  row::Schema schema;   // all columns, computed ones included
  row::Schema decoded;  // the columns read from the payload: a prefix of the slots
  schema::JsonOptions json{};
  std::vector<int> schema_slots;  // slot of each column of `schema`
  std::vector<Evaluation> computed;
  struct Check {
    std::shared_ptr<const expr::Expr> expression;
    std::string text;
  };
  std::vector<Check> checks;
  int time_slot = -1;           // of the watermark's column; -1: no event time
  int64_t watermark_delay = 0;  // watermark = largest event time - delay, per partition
  std::vector<int> partition_slots;
  std::vector<row::Type> partition_types;
  std::vector<int> dedup_slots;
  std::vector<row::Type> dedup_types;
  int64_t dedup_within = 0;
  bool bad_to_dead_letters = true;
  Retention retention;
  int slots = 0;
};

enum class LatePolicy : uint8_t { kDeadLetter, kDrop, kSideOutput };

// One question to a model. The version is chosen per row: the one that decides at the row's cause,
// for the row's key (version_choice.h).
struct Prediction {
  // The score; the texts of what raised it most; version, reasons and contributions as JSON.
  enum class Answer : uint8_t { kScore, kReasons, kExplanation };
  std::string model;
  Answer answer = Answer::kScore;
  int when_slot = -1;  // a boolean: where it is not true the answer is NULL; -1: always answered
  std::vector<int> input_slots;
  std::vector<row::Type> input_types;
  int result_slot = -1;
  row::Type result_type{};
  int version_slot = -1;          // a bigint: which version answered; -1: nobody asks
  std::vector<int> output_slots;  // of ML_PREDICT: one for each output, beside `result_slot`

  bool gives_number() const {
    return answer == Answer::kScore && result_type.kind == row::TypeKind::kDouble;
  }
};

// What runs at one depth of a SELECT: expressions over what is there, then the windows, the
// functions with a memory and the predictions that read only those, then questions. The watches
// look at what was predicted.
struct Stage {
  std::vector<Evaluation> evaluations;
  std::vector<state::KeyBlockSpec> key_blocks;
  std::vector<state::RunningSpec> running;
  std::vector<Prediction> predictions;
  std::vector<WatchPlan> watches;
  std::vector<RemoteQuestion> questions;

  // How many blocks of state it has: those of windows, of `running`, then of watches.
  size_t blocks() const { return key_blocks.size() + running.size() + watches.size(); }
};

// A window aggregate, or a function with a memory, as `why` shows it.
struct FeatureNote {
  std::string name;    // output column or canonical text of the call
  std::string call;    // canonical text of the call without its window
  std::string window;  // canonical text of its frame and PARTITION BY
  int slot = -1;
  row::Type type{};
  size_t stage = 0;
  size_t block = 0;  // index into Stage::key_blocks
  int frame = -1;    // index into KeyBlockSpec::frames; -1 for lag and what is no window
};

// A CASE that decides, as `why` shows it: its branches with the text and place of each.
struct RuleNote {
  std::string column;
  struct Branch {
    std::shared_ptr<const expr::Expr> when;  // null: ELSE
    std::string text;
    std::string place;  // file:line:column
  };
  std::vector<Branch> branches;
};

// CREATE STREAM ... AS SELECT without GROUP BY: emits on arrival.
struct SelectPlan {
  std::string input;
  std::vector<int> copied_columns;  // input columns that are read: copied to the same slot
  std::shared_ptr<const expr::Expr> where;
  std::vector<Stage> stages;
  std::vector<int> output_slots;
  std::vector<PolicyCall> policy_calls;
  std::vector<std::string> learners;  // models that it says LEARN of
  std::vector<FeatureNote> features;
  std::vector<RuleNote> rules;
  std::vector<row::Type> slot_types;  // of all slots
  int slots = 0;

  // Whether rows wait for the answers of remote models. No stage behind one that asks has state.
  bool asks() const {
    return std::any_of(stages.begin(), stages.end(),
                       [](const Stage& stage) { return !stage.questions.empty(); });
  }
};

// SELECT ... FROM TUMBLE|HOP(...) GROUP BY: emits when a window closes.
struct WindowPlan {
  std::string input;
  std::shared_ptr<const expr::Expr> where;
  std::vector<Evaluation>
      evaluations;  // group keys and aggregate arguments, over the input's slots
  int time_column = -1;
  int64_t size = 0;   // microseconds; 0: no windows, one group per key, emitted on each change
  int64_t slide = 0;  // equal to size for TUMBLE
  int64_t offset = 0;
  int window_start_slot = -1;
  int window_end_slot = -1;
  state::GroupTableSpec table;         // keys: window_end, window_start, then GROUP BY keys
  std::vector<std::string> key_names;  // of the GROUP BY keys: the columns they are in the result,
                                       // or their canonical text
  // Over the slots [keys..., aggregates...] of a closed group.
  std::shared_ptr<const expr::Expr> having;
  std::vector<std::shared_ptr<const expr::Expr>> outputs;
  int slots = 0;
};

// A derived stream or view. Exactly one of `select` and `window` is set.
struct StatementPlan {
  std::string name;
  bool view = false;
  row::Schema schema;
  int time_column = -1;       // output column that carries the event time, or -1
  std::vector<int> view_key;  // output columns that identify a row of a view; the latest row counts
  // Output columns, and columns of the input, that carry the partition key of the source; empty:
  // not all of it is there.
  std::vector<int> partition_columns;
  std::vector<int> input_partition_columns;
  std::optional<SelectPlan> select;
  std::optional<WindowPlan> window;
  LatePolicy late_policy = LatePolicy::kDeadLetter;
  std::string side_output;  // kSideOutput: the statement that takes the late rows
  // A side output: of this statement. It selects all columns of that one's input and is given its
  // late rows instead of the input.
  std::string side_of;
  // The statement that takes what the watches of this one tell; that one has `of_health`, is a side
  // output too and selects all columns of HealthSchema().
  std::string health;
  bool of_health = false;
  // Rows of a `select` wait until the watermark, less `lateness`, has passed them.
  bool on_watermark = false;
  bool of_late_rows = false;  // a side output, or computed from one without a window between
  Retention retention;
  int64_t lateness = kDefaultLateness;
  row::Schema input_schema;  // of the input as this was planned: rows are laid out like it
  uint64_t created_lsn = 0;  // of its text: names the revision
  // Older causes are the past that the statement was computed over; UINT64_MAX while it is.
  uint64_t joined_lsn = 0;
  uint64_t start_lsn = 0;  // START FROM NOW: rows whose cause is older are not taken
  int64_t start_time = INT64_MIN;

  // CREATE OR REPLACE makes revisions of a statement. Each has its state over all that it reads,
  // and emits for causes in [from_lsn, until_lsn) alone.
  uint64_t from_lsn = 0;
  uint64_t until_lsn = UINT64_MAX;

  const std::string& input() const { return select ? select->input : window->input; }
  bool asks() const { return select && select->asks(); }
  // Whether what comes out depends on rows that came before.
  bool HasState() const {
    const auto holds = [](const Stage& stage) { return stage.blocks() > 0; };
    return window || on_watermark || asks() || !select->policy_calls.empty() ||
           std::any_of(select->stages.begin(), select->stages.end(), holds);
  }
  // Rows stand in the partition of the row they stem from; otherwise all of them in one, because
  // one event causes several.
  bool keeps_partitions() const { return select.has_value() && !on_watermark && !of_health; }
  // The side outputs that it makes: of late rows, and of health.
  std::vector<std::string> sides() const {
    std::vector<std::string> names;
    if (!side_output.empty()) names.push_back(side_output);
    if (!health.empty()) names.push_back(health);
    return names;
  }
  bool IsLive(uint64_t lsn) const { return from_lsn <= lsn && lsn < until_lsn; }
  // Whether a row is later than allowed; `watermark` is that before it, INT64_MIN when there is
  // none.
  bool IsTooLate(int64_t event_time, int64_t watermark) const {
    return watermark != INT64_MIN && lateness != kAnyLateness && event_time < watermark - lateness;
  }
};

// The versions of a model and from which LSN each decides. Immutable: a change makes a new one.
struct ModelVersions {
  struct Activation {
    uint64_t from_lsn = 0;
    int32_t version = 0;
  };
  // Another version decides for a share of the keys: for causes in [from_lsn, until_lsn).
  struct Canary {
    uint64_t from_lsn = 0;
    uint64_t until_lsn = UINT64_MAX;
    int32_t version = 0;
    int32_t percent = 0;
    std::string salt;
    std::string key;  // a column of the reader's input; empty: its partition key
  };
  std::vector<std::shared_ptr<const model::Model>> versions;  // index 0 is version 1
  std::vector<Activation> activations;                        // ascending
  std::vector<Canary> canaries;                               // ascending, apart
  std::vector<model::ReasonTexts> reasons;                    // as `versions`
  std::optional<WatchOptions> watch;                          // nothing: it is not watched

  const model::Model& Of(int32_t version) const { return *versions[size_t(version - 1)]; }
  // The version that decides at `lsn` for all keys that no canary takes. The first activation also
  // covers everything before it.
  int32_t VersionAt(uint64_t lsn) const;
  const Canary* CanaryAt(uint64_t lsn) const;
};

}  // namespace headrace::flow
