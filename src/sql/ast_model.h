#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sql/ast_expr.h"

namespace headrace::sql {

enum class OptionValueKind { kString, kNumber, kBoolean, kWord };

// One `key = value` of WITH (...). A dotted key is one name: "kafka.group"; precision(d7) has
// argument "d7". Numbers keep their text (with sign), booleans are "true" or "false", words are
// identifiers.
struct Option {
  Identifier key;
  std::string argument;
  OptionValueKind kind = OptionValueKind::kString;
  std::string value;
  SourceSpan value_span;
};

// ---------------------------------------------------------------------------- models

// feature 'text', of REASONS (...).
struct ReasonDefinition {
  Identifier feature;
  std::string text;
};

struct ModelColumn {
  Identifier name;
  TypeName type;
};

// LEARNER kind (inputs...) LABEL (label)
struct LearnerClause {
  Identifier kind;
  std::vector<ModelColumn> inputs;
  std::optional<ModelColumn> label;  // none: it learns without
};

// INPUT (columns) OUTPUT (columns) of a model that another program runs
struct RemoteClause {
  std::vector<ModelColumn> inputs;
  std::vector<ModelColumn> outputs;
};

// A constant as it was written, and where.
struct WrittenConstant {
  std::string text;
  SourceSpan span;
};

// TRAIN algorithm (features...) LABEL label ON stream ... WHEN EVERY INTERVAL '1 day' [OR
// drift(model) > 0.2] INTO SHADOW OF model. The options stand between stream and WHEN. Of `every`
// and `drift` one is there.
struct TrainClause {
  Identifier algorithm;
  std::vector<Identifier> features;
  Identifier label;
  Identifier stream;
  std::optional<WrittenConstant> every;
  std::optional<WrittenConstant> drift;  // the limit
  Identifier drift_of;
  Identifier shadow_of;
};

struct CreateModel {
  bool or_replace = false;
  bool if_not_exists = false;
  Identifier name;
  std::optional<LearnerClause> learner;  // none of the three: a file
  std::optional<RemoteClause> remote;
  std::optional<TrainClause> train;
  std::vector<Option> options;
  std::vector<ReasonDefinition> reasons;
};

struct PolicyArm {
  std::string text;
  SourceSpan span;
};

// CREATE POLICY name ARMS ('a', 'b') [CONTEXT (x DOUBLE PRECISION, ...)] WITH (type = '...', ...)
struct CreatePolicy {
  bool or_replace = false;
  bool if_not_exists = false;
  Identifier name;
  std::vector<PolicyArm> arms;
  std::vector<ModelColumn> context;
  std::vector<Option> options;
};

enum class ModelAction { kAddVersion, kActivate, kShadow, kCanary, kRetire, kRollback };

// ALTER MODEL model ADD VERSION WITH (...) [REASONS (...)] | ACTIVATE VERSION n [BECAUSE 'text']
// | SHADOW VERSION n | CANARY p PERCENT [VERSION n] [WITH (...)] | RETIRE VERSION n | ROLLBACK
// [BECAUSE 'text']. Also read: CANARY VERSION n PERCENT p and CANARY VERSION n p PERCENT. A canary
// without a version (0) is the one that is on, or else the newest.
struct AlterModel {
  Identifier model;
  ModelAction action = ModelAction::kAddVersion;
  int version = 0;
  int percent = 0;                        // kCanary
  std::string reason;                     // kActivate, kRollback
  std::vector<Option> options;            // kAddVersion, kCanary
  std::vector<ReasonDefinition> reasons;  // kAddVersion
  SourceSpan version_span;
};

}  // namespace headrace::sql
