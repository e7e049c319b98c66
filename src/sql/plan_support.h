#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/bind_expression.h"
#include "sql/planner.h"

namespace headrace::sql {

// Adds a diagnostic and returns its hint-ready reference.
Diagnostic& Complain(std::vector<Diagnostic>& diagnostics, std::string code, std::string message,
                     const SourceSpan& span);

// The value of a constant expression of the wanted kind, or nothing (with a diagnostic). Intervals
// come back in microseconds, days being 24 hours; months are refused.
std::optional<int64_t> ConstantMicros(const Expression& expression, std::string_view what,
                                      std::vector<Diagnostic>& diagnostics);
std::optional<int64_t> ConstantInteger(const Expression& expression, std::string_view what,
                                       std::vector<Diagnostic>& diagnostics);
std::optional<double> ConstantNumber(const Expression& expression, std::string_view what,
                                     std::vector<Diagnostic>& diagnostics);
// A text, or a boolean as `true` or `false`.
std::optional<std::string> ConstantText(const Expression& expression, std::string_view what,
                                        std::vector<Diagnostic>& diagnostics);

// A constant moment in microseconds since 1970, or nothing (with a diagnostic).
std::optional<int64_t> ConstantTime(const Expression& expression, std::string_view what,
                                    std::vector<Diagnostic>& diagnostics);

// The option's value; nothing when it is not given.
const Option* FindOption(const std::vector<Option>& options, std::string_view key);
// Complains about options that are not in `known`.
void CheckOptions(const std::vector<Option>& options, const std::vector<std::string>& known,
                  std::vector<Diagnostic>& diagnostics);

// The options that say how long a stream's rows are kept, and what they say.
inline const std::vector<std::string> kRetentionOptions = {"retention", "retention_bytes",
                                                           "retention.ms", "retention.bytes"};
flow::Retention PlanRetention(const std::vector<Option>& options,
                              std::vector<Diagnostic>& diagnostics);
// An interval of a millisecond and more, in milliseconds; or nothing.
std::optional<int64_t> ParseMilliseconds(std::string_view text);

// The options that say how a model is watched, and what they say; nothing: it is not.
inline const std::vector<std::string> kWatchOptions = {
    "watch",     "watch_window", "watch_rows", "watch_baseline_rows",
    "watch_psi", "watch_nulls",  "watch_range"};
std::optional<flow::WatchOptions> PlanWatch(const std::vector<Option>& options,
                                            std::vector<Diagnostic>& diagnostics);

// Finds the relation or complains with close names.
std::optional<KnownName> FindRelation(const NameLookup& names, const Identifier& name,
                                      std::vector<Diagnostic>& diagnostics);

// The name of an output column without alias, as PostgreSQL chooses it.
std::string DefaultName(const Expression& expression);

// Complains about two output columns of one name.
void CheckUnique(const row::Schema& schema, const SourceSpan& span,
                 std::vector<Diagnostic>& diagnostics);

// The text between two places of a script, as the user wrote it.
std::string TextOf(const SourceMap& sources, const SourceSpan& span);
std::string PlaceOf(const SourceMap& sources, const SourceSpan& span);

// The columns of one relation at slots 0..n-1. Base of the planner's scopes.
class ColumnScope : public NameScope {
 public:
  ColumnScope(const row::Schema& schema, std::string qualifier)
      : schema_(schema), qualifier_(std::move(qualifier)) {}

  std::optional<Binding> Resolve(const std::string& qualifier, const std::string& name) override;
  std::vector<std::string> names() const override;
  Interception Intercept(const Expression&, Binding*) override { return Interception::kNone; }
  std::vector<std::string> call_names() const override { return {}; }

  const row::Schema& schema() const { return schema_; }
  const std::string& qualifier() const { return qualifier_; }

 private:
  const row::Schema& schema_;
  std::string qualifier_;
};

}  // namespace headrace::sql
