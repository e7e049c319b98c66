#include "sql/format_select.h"

#include <algorithm>
#include <utility>

#include "sql/format.h"
#include "sql/format_expr.h"

namespace headrace::sql {
namespace {

constexpr size_t kWidth = 100;

std::string Separated(const std::vector<ExpressionPtr>& items) {
  std::string text;
  for (const ExpressionPtr& item : items)
    text += (text.empty() ? "" : ", ") + Format(*item);
  return text;
}

// Words and dots need no quotes as the key of an option.
bool IsPlainKey(const std::string& key) {
  bool start = true;
  for (const char c : key) {
    const bool letter = (c >= 'a' && c <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
    const bool later = (c >= '0' && c <= '9') || c == '$';
    if (start ? !letter : !(letter || later || c == '.')) return false;
    start = c == '.';
  }
  return !start;
}

std::string WriteOption(const Option& option) {
  const std::string& key = option.key.name;
  std::string text = IsPlainKey(key) ? key : WriteString(key);
  if (!option.argument.empty()) text += "(" + FormatName(option.argument) + ")";
  const bool quoted = option.kind == OptionValueKind::kString;
  return text + " = " + (quoted ? WriteString(option.value) : option.value);
}

std::string_view FunctionWord(TableKind kind) {
  switch (kind) {
    case TableKind::kTumble:
      return "TUMBLE";
    case TableKind::kHop:
      return "HOP";
    case TableKind::kCumulate:
      return "CUMULATE";
    case TableKind::kSession:
      return "SESSION";
    default:
      return "";
  }
}

std::string WriteTable(const TableReference& table) {
  std::string text;
  if (table.kind == TableKind::kNamed) {
    text = FormatName(table.name.name);
    if (table.as_of)
      text += (table.as_of_lsn ? " AS OF LSN " : " FOR SYSTEM_TIME AS OF ") + Format(*table.as_of);
  } else if (table.kind == TableKind::kSubquery) {
    text = "(" + WriteSelect(*table.query, false) + ")";
  } else if (table.kind == TableKind::kMlPredict) {
    std::string columns;
    for (const Identifier& column : table.columns)
      columns += (columns.empty() ? "" : ", ") + FormatName(column.name);
    text = "ML_PREDICT(TABLE " + FormatName(table.name.name) + ", MODEL " +
           FormatName(table.model.name) + ", DESCRIPTOR(" + columns + "))";
  } else {
    text = std::string(FunctionWord(table.kind)) + "(TABLE " + FormatName(table.name.name);
    std::string keys;
    for (const Identifier& key : table.partition_by) {
      keys += (keys.empty() ? "" : ", ") + FormatName(key.name);
    }
    if (!keys.empty()) text += " PARTITION BY (" + keys + ")";
    text += ", DESCRIPTOR(" + FormatName(table.descriptor.name) + ")";
    for (const ExpressionPtr& argument : table.arguments)
      text += ", " + Format(*argument);
    text += ")";
  }
  if (!table.alias.empty()) text += " AS " + FormatName(table.alias.name);
  return text;
}

std::string WriteJoin(const JoinClause& join) {
  std::string text = join.kind == JoinKind::kLeft ? "LEFT " : "";
  if (join.as_of) text += "ASOF ";
  return text + "JOIN " + WriteTable(join.table) + " ON " + Format(*join.condition);
}

// Collects clauses, each on its line or behind the one before.
class ClauseWriter {
 public:
  explicit ClauseWriter(bool lines) : lines_(lines) {}

  void Add(const std::string& clause) {
    if (!text_.empty()) text_ += lines_ ? "\n" : " ";
    text_ += clause;
  }
  // The items behind `head`: on its line when they fit, otherwise under each other.
  void AddList(const std::string& head, const std::vector<std::string>& items, bool always_break) {
    size_t length = head.size() + 1;
    for (const std::string& item : items)
      length += item.size() + 2;
    const bool broken = lines_ && (length > kWidth || (always_break && items.size() > 1));
    const std::string between = broken ? ",\n" + std::string(head.size() + 1, ' ') : ", ";
    std::string clause = head + " ";
    for (size_t i = 0; i < items.size(); ++i)
      clause += (i == 0 ? "" : between) + items[i];
    Add(clause);
  }
  std::string Take() { return std::move(text_); }

 private:
  bool lines_;
  std::string text_;
};

void AddItems(const Select& select, ClauseWriter& out) {
  std::vector<std::string> items;
  for (const SelectItem& item : select.items) {
    const std::string alias = item.alias.empty() ? "" : " AS " + FormatName(item.alias.name);
    items.push_back(Format(*item.expression) + alias);
  }
  out.AddList(select.distinct ? "SELECT DISTINCT" : "SELECT", items, false);
}

void AddWindows(const Select& select, ClauseWriter& out) {
  if (select.windows.empty()) return;
  std::vector<std::string> items;
  for (const NamedWindow& window : select.windows) {
    items.push_back(FormatName(window.name.name) + " AS (" + Format(window.window) + ")");
  }
  out.AddList("WINDOW", items, true);
}

std::string WriteEmit(const EmitClause& emit) {
  switch (emit.mode) {
    case EmitMode::kOnArrival:
      return "EMIT ON ARRIVAL";
    case EmitMode::kOnWatermark:
      return "EMIT ON WATERMARK";
    case EmitMode::kOnWindowClose:
      return "EMIT ON WINDOW CLOSE";
    case EmitMode::kChanges:
      return emit.every ? "EMIT CHANGES EVERY " + Format(*emit.every) : "EMIT CHANGES";
  }
  return "";
}

std::string WriteLateRows(const LateRows& late) {
  switch (late.action) {
    case LateAction::kDeadLetter:
      return "LATE ROWS DEAD LETTER";
    case LateAction::kDrop:
      return "LATE ROWS DROP";
    case LateAction::kSideOutput:
      return "LATE ROWS SIDE OUTPUT TO " + FormatName(late.output.name);
  }
  return "";
}

std::string WriteStart(const StartFrom& start) {
  if (start.kind == StartKind::kEarliest) return "START FROM EARLIEST";
  if (start.kind == StartKind::kNow) return "START FROM NOW";
  return "START FROM " + Format(*start.timestamp);
}

void AddStreaming(const Select& select, ClauseWriter& out) {
  if (!select.options.empty()) out.Add(WriteOptions(select.options));
  if (select.emit) out.Add(WriteEmit(*select.emit));
  if (select.late_rows) out.Add(WriteLateRows(*select.late_rows));
  if (select.allowed_lateness) out.Add("ALLOWED LATENESS " + Format(*select.allowed_lateness));
  if (select.start_from) out.Add(WriteStart(*select.start_from));
  if (select.explain_when) out.Add("EXPLAIN WHEN " + Format(*select.explain_when));
}

}  // namespace

std::string WriteOptions(const std::vector<Option>& options) {
  std::string text;
  for (const Option& option : options)
    text += (text.empty() ? "" : ", ") + WriteOption(option);
  return "WITH (" + text + ")";
}

std::string WriteSelect(const Select& select, bool lines) {
  ClauseWriter out(lines);
  AddItems(select, out);
  if (select.from.kind != TableKind::kNone) out.Add("FROM " + WriteTable(select.from));
  for (const JoinClause& join : select.joins)
    out.Add(WriteJoin(join));
  if (select.where) out.Add("WHERE " + Format(*select.where));
  if (!select.group_by.empty()) out.Add("GROUP BY " + Separated(select.group_by));
  if (select.having) out.Add("HAVING " + Format(*select.having));
  AddWindows(select, out);
  if (select.qualify) out.Add("QUALIFY " + Format(*select.qualify));
  if (!select.order_by.empty()) out.Add("ORDER BY " + WriteOrder(select.order_by));
  if (select.limit) out.Add("LIMIT " + Format(*select.limit));
  if (select.offset) out.Add("OFFSET " + Format(*select.offset));
  AddStreaming(select, out);
  return out.Take();
}

std::string Format(const Select& select) {
  return WriteSelect(select, false);
}

}  // namespace headrace::sql
