#include "sql/plan_support.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "row/text.h"

namespace headrace::sql {

Diagnostic& Complain(std::vector<Diagnostic>& diagnostics, std::string code, std::string message,
                     const SourceSpan& span) {
  return diagnostics.emplace_back(Diagnostic{std::move(code), std::move(message), span, "", {}});
}

namespace {

// A folded constant with its type, or nothing (with a diagnostic).
struct Constant {
  row::Value value;
  row::Type type;
  std::string text;  // of a text: the value's own bytes are gone
};

std::optional<Constant> Fold(const Expression& expression, std::string_view what,
                             std::vector<Diagnostic>& diagnostics) {
  EmptyScope scope;
  ExpressionBinder binder(scope, diagnostics);
  expr::ExprPtr bound = binder.BindResolved(expression);
  if (!bound) return {};
  base::Arena arena(1024);
  expr::EvalContext context{arena, std::nullopt};
  row::Value value = bound->Evaluate(nullptr, context);
  if (context.error || value.null) {
    Complain(diagnostics, "HR1123", std::string(what) + " must be a constant", expression.span);
    return {};
  }
  Constant constant{value, bound->type(), {}};
  if (bound->type().kind == row::TypeKind::kText) constant.text = value.text();
  return constant;
}

}  // namespace

std::optional<int64_t> ConstantMicros(const Expression& expression, std::string_view what,
                                      std::vector<Diagnostic>& diagnostics) {
  std::optional<Constant> constant = Fold(expression, what, diagnostics);
  if (!constant) return {};
  if (constant->type.kind != row::TypeKind::kInterval) {
    Complain(diagnostics, "HR1124",
             std::string(what) + " must be an interval, not " + row::ToString(constant->type),
             expression.span)
        .hint = "write INTERVAL '10 minutes'";
    return {};
  }
  row::Interval interval = constant->value.interval();
  if (interval.months != 0) {
    Complain(diagnostics, "HR1125", std::string(what) + " must not be counted in months or years",
             expression.span)
        .hint = "months differ in length: write days";
    return {};
  }
  return interval.micros + int64_t{interval.days} * 86'400'000'000;
}

std::optional<int64_t> ConstantInteger(const Expression& expression, std::string_view what,
                                       std::vector<Diagnostic>& diagnostics) {
  std::optional<Constant> constant = Fold(expression, what, diagnostics);
  if (!constant) return {};
  auto kind = constant->type.kind;
  if (kind != row::TypeKind::kInteger && kind != row::TypeKind::kBigint) {
    Complain(diagnostics, "HR1126",
             std::string(what) + " must be a whole number, not " + row::ToString(constant->type),
             expression.span);
    return {};
  }
  return constant->value.integer;
}

std::optional<double> ConstantNumber(const Expression& expression, std::string_view what,
                                     std::vector<Diagnostic>& diagnostics) {
  std::optional<Constant> constant = Fold(expression, what, diagnostics);
  if (!constant) return {};
  switch (constant->type.kind) {
    case row::TypeKind::kInteger:
    case row::TypeKind::kBigint:
      return static_cast<double>(constant->value.integer);
    case row::TypeKind::kDouble:
      return constant->value.number;
    case row::TypeKind::kDecimal:
      return row::DecimalToDouble(constant->value);
    default:
      Complain(diagnostics, "HR1186",
               std::string(what) + " must be a number, not " + row::ToString(constant->type),
               expression.span);
      return {};
  }
}

std::optional<std::string> ConstantText(const Expression& expression, std::string_view what,
                                        std::vector<Diagnostic>& diagnostics) {
  std::optional<Constant> constant = Fold(expression, what, diagnostics);
  if (!constant) return {};
  if (constant->type.kind == row::TypeKind::kText) return constant->text;
  if (constant->type.kind == row::TypeKind::kBoolean) {
    return constant->value.boolean ? "true" : "false";
  }
  Complain(diagnostics, "HR1186",
           std::string(what) + " must be a text, not " + row::ToString(constant->type),
           expression.span);
  return {};
}

std::optional<int64_t> ConstantTime(const Expression& expression, std::string_view what,
                                    std::vector<Diagnostic>& diagnostics) {
  EmptyScope scope;
  ExpressionBinder binder(scope, diagnostics);
  expr::ExprPtr bound = binder.BindResolved(expression);
  if (!bound) return {};
  base::Arena arena(256);
  expr::EvalContext context{arena, std::nullopt};
  row::Value value = bound->Evaluate(nullptr, context);
  if (context.error || value.null || bound->type().kind != row::TypeKind::kTimestampTz) {
    Complain(diagnostics, "HR1123", std::string(what) + " needs a TIMESTAMPTZ constant",
             expression.span);
    return {};
  }
  return value.integer;
}

const Option* FindOption(const std::vector<Option>& options, std::string_view key) {
  for (const Option& option : options) {
    if (option.key.name == key) return &option;
  }
  return nullptr;
}

void CheckOptions(const std::vector<Option>& options, const std::vector<std::string>& known,
                  std::vector<Diagnostic>& diagnostics) {
  for (const Option& option : options) {
    if (std::find(known.begin(), known.end(), option.key.name) != known.end()) continue;
    Diagnostic& diagnostic = Complain(diagnostics, "HR1131",
                                      "unknown option `" + option.key.name + "`", option.key.span);
    diagnostic.candidates = expr::CloseNames(option.key.name, known);
    std::string list;
    for (const std::string& name : known)
      list += (list.empty() ? "" : ", ") + name;
    diagnostic.hint = "options here: " + list;
  }
}

std::optional<KnownName> FindRelation(const NameLookup& names, const Identifier& name,
                                      std::vector<Diagnostic>& diagnostics) {
  std::optional<KnownName> known = names.Find(name.name);
  if (known && known->relation()) return known;
  Diagnostic& diagnostic =
      Complain(diagnostics, "HR1105", "unknown stream or view `" + name.name + "`", name.span);
  diagnostic.candidates = expr::CloseNames(name.name, names.relation_names());
  return {};
}

std::string DefaultName(const Expression& expression) {
  switch (expression.kind) {
    case ExpressionKind::kColumn:
    case ExpressionKind::kCall:
      return expression.name;
    case ExpressionKind::kPredict:
      return "predict";
    case ExpressionKind::kCase:
      return "case";
    case ExpressionKind::kCoalesce:
      return "coalesce";
    case ExpressionKind::kNullIf:
      return "nullif";
    case ExpressionKind::kArray:
      return "array";
    case ExpressionKind::kTypedLiteral:
      return expression.type.name;
    case ExpressionKind::kCast: {
      std::string inner = DefaultName(*expression.children[0]);
      return inner == "?column?" ? expression.type.name : inner;
    }
    default:
      return "?column?";
  }
}

void CheckUnique(const row::Schema& schema, const SourceSpan& span,
                 std::vector<Diagnostic>& diagnostics) {
  std::set<std::string> seen;
  for (const row::Column& column : schema.columns) {
    if (seen.insert(column.name).second) continue;
    Complain(diagnostics, "HR1117", "two columns are called `" + column.name + "`", span).hint =
        "give one of them another name with AS";
  }
}

std::string TextOf(const SourceMap& sources, const SourceSpan& span) {
  std::string_view text = sources.text(span.file);
  if (span.begin > text.size() || span.end > text.size()) return "";
  return std::string(text.substr(span.begin, span.end - span.begin));
}

std::string PlaceOf(const SourceMap& sources, const SourceSpan& span) {
  return std::string(sources.name(span.file)) + ":" + std::to_string(span.line) + ":" +
         std::to_string(span.column);
}

std::optional<Binding> ColumnScope::Resolve(const std::string& qualifier, const std::string& name) {
  if (!qualifier.empty() && qualifier != qualifier_) return {};
  int index = schema_.Find(name);
  if (index < 0) return {};
  return Binding{index, schema_.columns[static_cast<size_t>(index)].type};
}

std::vector<std::string> ColumnScope::names() const {
  std::vector<std::string> names;
  for (const row::Column& column : schema_.columns)
    names.push_back(column.name);
  return names;
}

}  // namespace headrace::sql
