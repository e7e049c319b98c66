#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sql/ast_expr.h"
#include "sql/ast_model.h"

namespace headrace::sql {

// ---------------------------------------------------------------------------- SELECT

struct Select;
using SelectPtr = std::unique_ptr<Select>;

enum class TableKind {
  kNone,       // SELECT without FROM
  kNamed,      // name [[FOR SYSTEM_TIME] AS OF [LSN] as_of] [alias]
  kSubquery,   // (query) [alias]
  kTumble,     // TUMBLE(TABLE name, DESCRIPTOR(descriptor), size[, offset])
  kHop,        // HOP(TABLE name, DESCRIPTOR(descriptor), slide, size[, offset])
  kCumulate,   // CUMULATE(TABLE name, DESCRIPTOR(descriptor), step, size[, offset])
  kSession,    // SESSION(TABLE name [PARTITION BY partition_by], DESCRIPTOR(descriptor), gap)
  kMlPredict,  // ML_PREDICT(TABLE name, MODEL model, DESCRIPTOR(columns))
};

// One table of a FROM clause. The window functions are also accepted as TUMBLE(name, ts, size) and
// TABLE(TUMBLE(...)).
struct TableReference {
  TableKind kind = TableKind::kNone;
  Identifier name;
  Identifier alias;                      // empty: none written
  Identifier descriptor;                 // window functions: the event-time column
  std::vector<ExpressionPtr> arguments;  // window functions: the intervals, in order as above
  std::vector<Identifier> partition_by;  // kSession
  Identifier model;                      // kMlPredict
  std::vector<Identifier> columns;       // kMlPredict: its inputs, in their order
  ExpressionPtr as_of;
  bool as_of_lsn = false;  // `as_of` is an LSN, not a time
  SelectPtr query;
  SourceSpan span;
};

enum class JoinKind { kInner, kLeft };

struct JoinClause {
  JoinKind kind = JoinKind::kInner;
  bool as_of = false;  // ASOF JOIN
  TableReference table;
  ExpressionPtr condition;  // ON
  SourceSpan span;
};

struct SelectItem {
  ExpressionPtr expression;  // may be kStar
  Identifier alias;          // empty: none written
};

struct NamedWindow {
  Identifier name;
  WindowSpec window;
};

enum class EmitMode { kOnArrival, kOnWatermark, kOnWindowClose, kChanges };

struct EmitClause {
  EmitMode mode = EmitMode::kOnArrival;
  ExpressionPtr every;  // EMIT CHANGES EVERY interval, or null
  SourceSpan span;
};

enum class LateAction { kDeadLetter, kDrop, kSideOutput };

struct LateRows {
  LateAction action = LateAction::kDeadLetter;
  Identifier output;  // kSideOutput
  SourceSpan span;
};

enum class StartKind { kEarliest, kNow, kTimestamp };

struct StartFrom {
  StartKind kind = StartKind::kEarliest;
  ExpressionPtr timestamp;  // kTimestamp: a kTypedLiteral of timestamptz
  SourceSpan span;
};

// A query. What was not written is empty; defaults are the planner's.
struct Select {
  bool distinct = false;
  std::vector<SelectItem> items;
  TableReference from;
  std::vector<JoinClause> joins;
  ExpressionPtr where;
  std::vector<ExpressionPtr> group_by;
  ExpressionPtr having;
  std::vector<NamedWindow> windows;
  ExpressionPtr qualify;
  std::vector<OrderItem> order_by;
  ExpressionPtr limit;
  ExpressionPtr offset;
  std::vector<Option> options;  // SELECT ... WITH (precision(d7) = '5 minutes')
  std::optional<EmitClause> emit;
  std::optional<LateRows> late_rows;
  ExpressionPtr allowed_lateness;
  std::optional<StartFrom> start_from;
  ExpressionPtr explain_when;  // EXPLAIN WHEN condition
  SourceSpan span;
};

// ---------------------------------------------------------------------------- CREATE

struct ColumnDefinition {
  Identifier name;
  std::optional<TypeName> type;  // none: a computed column takes the type of its expression
  bool not_null = false;
  bool primary_key = false;
  ExpressionPtr default_value;
  // The value of a computed column: `name type AS (e)`, `name AS e`, or
  // `name type GENERATED ALWAYS AS (e) STORED`. Null: the column is read from the event.
  ExpressionPtr computed;
  std::vector<ExpressionPtr> checks;
  SourceSpan span;
};

struct CheckDefinition {
  Identifier name;  // CONSTRAINT name, or empty
  ExpressionPtr condition;
};

// WATERMARK FOR column AS value [WITH (...)].
struct WatermarkDefinition {
  Identifier column;
  ExpressionPtr value;
  std::vector<Option> options;
  SourceSpan span;
};

// DEDUPLICATE BY (columns) WITHIN interval.
struct DeduplicateClause {
  std::vector<Identifier> columns;
  ExpressionPtr within;
  SourceSpan span;
};

enum class RelationKind { kStream, kTable, kView };

// CREATE STREAM | TABLE | MATERIALIZED VIEW. Either `columns` (a source) or `query` is there.
struct CreateRelation {
  RelationKind kind = RelationKind::kStream;
  bool or_replace = false;
  bool if_not_exists = false;
  Identifier name;
  std::vector<ColumnDefinition> columns;
  std::vector<CheckDefinition> checks;  // of the table
  std::vector<Identifier> primary_key;  // PRIMARY KEY (a, b); of a column: see ColumnDefinition
  std::optional<WatermarkDefinition> watermark;
  std::vector<Identifier> partition_by;
  std::optional<DeduplicateClause> deduplicate;
  std::vector<Option> options;
  SelectPtr query;
};

// ---------------------------------------------------------------------------- the rest

enum class ObjectKind { kStream, kTable, kView, kModel, kPolicy, kTopic };

struct Drop {
  ObjectKind kind = ObjectKind::kStream;
  bool if_exists = false;
  bool cascade = false;
  Identifier name;
};

struct Insert {
  Identifier target;
  std::vector<Identifier> columns;  // empty: all, in order
  std::vector<std::vector<ExpressionPtr>> rows;
};

struct Show {
  ObjectKind kind = ObjectKind::kStream;
};

struct Describe {
  Identifier name;
};

struct Statement;

struct Explain {
  bool analyze = false;
  bool diff = false;  // what a deployment of the statement would change
  std::unique_ptr<Statement> statement;
};

using StatementBody = std::variant<CreateRelation, CreateModel, CreatePolicy, AlterModel, Drop,
                                   Insert, SelectPtr, Show, Explain, Describe>;

// One statement of a script. `span` runs from its first word to its last, without the semicolon:
// the text between is what the user wrote. Movable, not copyable; unsynchronized.
struct Statement {
  SourceSpan span;
  std::vector<std::string> comments;  // those in front of it, each with its marks: "-- why"
  std::vector<std::string> trailing_comments;  // on the line of its semicolon
  bool inner_comments = false;                 // it holds comments that the tree does not
  size_t source_end = 0;                       // offset of its semicolon, or of the script's end
  StatementBody body;
};

}  // namespace headrace::sql
