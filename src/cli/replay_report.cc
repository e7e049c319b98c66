#include "cli/replay_report.h"

#include <algorithm>
#include <map>

#include "cli/listing.h"
#include "cli/why_text.h"
#include "row/text.h"

namespace headrace::cli {
namespace {

void AppendKey(std::string_view key, std::string& out) {
  if (out.back() != '{' && out.back() != '[') out += ',';
  row::AppendJsonString(key, out);
  out += ':';
}

void AppendNames(std::string_view key, const std::vector<std::string>& names, std::string& out) {
  AppendKey(key, out);
  out += '[';
  for (const std::string& name : names) {
    if (out.back() != '[') out += ',';
    row::AppendJsonString(name, out);
  }
  out += ']';
}

void AppendCount(std::string_view key, uint64_t count, std::string& out) {
  AppendKey(key, out);
  out += std::to_string(count);
}

// A decision as a member's name: a text is its own, another value is its JSON.
void AppendDecisionKey(const std::string& json, std::string& out) {
  if (out.back() != '{') out += ',';
  if (json.starts_with('"')) {
    out += json;
  } else {
    row::AppendJsonString(json, out);
  }
  out += ':';
}

// from -> to -> count, over all that --by tells apart.
void AppendFlips(const engine::WhatIfReport& report, std::string& out) {
  std::map<std::string, std::map<std::string, uint64_t>> counts;
  for (const engine::Flips& flips : report.flips)
    counts[flips.from][flips.to] += flips.count;
  AppendKey("flips", out);
  out += '{';
  for (const auto& [from, tos] : counts) {
    AppendDecisionKey(from, out);
    out += '{';
    for (const auto& [to, count] : tos) {
      AppendDecisionKey(to, out);
      out += std::to_string(count);
    }
    out += '}';
  }
  out += '}';
}

void AppendDetails(const engine::WhatIfReport& report, std::string& out) {
  AppendKey("details", out);
  out += '[';
  for (const engine::Flips& flips : report.flips) {
    out += out.back() == '[' ? "{\"from\":" : ",{\"from\":";
    out += flips.from + ",\"to\":" + flips.to + ",\"by\":" + flips.by +
           ",\"count\":" + std::to_string(flips.count) + ",\"sum\":" + flips.sum + "}";
  }
  out += ']';
}

void AppendSample(const engine::WhatIfReport& report, std::string& out) {
  AppendKey("sample", out);
  out += '[';
  for (const engine::ChangedRow& row : report.sample) {
    out += out.back() == '[' ? "{\"id\":" : ",{\"id\":";
    if (row.id.empty()) {
      out += "null";
    } else {
      row::AppendJsonString(row.id, out);
    }
    out += ",\"before\":" + row.before + ",\"after\":" + row.after;
    if (row.why_before != "null" || row.why_after != "null") {
      out += ",\"why_before\":" + row.why_before + ",\"why_after\":" + row.why_after;
    }
    out += "}";
  }
  out += ']';
}

void AppendConfusion(const engine::WhatIfReport& report, std::string& out) {
  if (report.confusion.empty()) return;
  AppendKey("confusion", out);
  out += '[';
  for (const engine::Confusion& cell : report.confusion) {
    out += out.back() == '[' ? "{\"decision\":" : ",{\"decision\":";
    out += cell.decision + ",\"label\":" + cell.label +
           ",\"before\":" + std::to_string(cell.before) +
           ",\"after\":" + std::to_string(cell.after) + "}";
  }
  out += ']';
}

// A JSON text without its marks, as far as that is the same.
std::string_view Bare(std::string_view json) {
  const bool plain = json.size() >= 2 && json.front() == '"' && json.find('\\') == json.npos;
  return plain ? json.substr(1, json.size() - 2) : json;
}

std::string FlipsTable(const engine::WhatIfReport& report) {
  const bool by = report.flips.front().by != "null" || report.flips.back().by != "null";
  const bool sum = report.flips.front().sum != "null";
  std::vector<std::string> columns = {"from", "to"};
  if (by) columns.emplace_back("by");
  columns.emplace_back("count");
  if (sum) columns.emplace_back("sum");
  Listing table(std::move(columns));
  for (const engine::Flips& flips : report.flips) {
    std::vector<Cell> cells = {Cell::Text(Bare(flips.from)), Cell::Text(Bare(flips.to))};
    if (by) cells.push_back(Cell::Text(Bare(flips.by)));
    cells.push_back(Cell::Number(flips.count));
    if (sum) cells.push_back({flips.sum, Cell::Kind::kNumber});
    table.Add(std::move(cells));
  }
  return table.Table();
}

// How often each decision met each label, as it was and as it would have been.
std::string ConfusionTable(const engine::WhatIfReport& report) {
  Listing table({"decision", "label", "before", "after"});
  for (const engine::Confusion& cell : report.confusion) {
    table.Add({Cell::Text(Bare(cell.decision)), Cell::Text(Bare(cell.label)),
               Cell::Number(cell.before), Cell::Number(cell.after)});
  }
  return table.Table();
}

// An explanation of one side, without what is long in it.
std::string SideText(const std::string& side, const std::string& row, const std::string& why) {
  std::string out = "  " + side + row + "\n";
  if (why == "null") return out;
  const std::string text = WhyText(why);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) out += "        " + text.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return out;
}

}  // namespace

std::string ReplayJson(const engine::WhatIfReport& report, bool compared, double seconds) {
  std::string out = "{";
  AppendKey("stream", out);
  row::AppendJsonString(report.stream, out);
  AppendNames("changed_statements", report.changed_statements, out);
  AppendCount("from_lsn", report.from_lsn, out);
  AppendCount("events", report.events, out);
  AppendCount("rows", report.rows, out);
  AppendKey("seconds", out);
  row::AppendJson(row::Value::Double(seconds), {row::TypeKind::kDouble, 0, 0}, out);
  if (compared) {
    AppendNames("decisions", report.decisions, out);
    AppendCount("compared", report.compared, out);
    AppendCount("differing", report.differing, out);
    AppendCount("changed", report.changed, out);
    AppendCount("only_before", report.only_before, out);
    AppendCount("only_after", report.only_after, out);
    AppendFlips(report, out);
    AppendDetails(report, out);
    AppendConfusion(report, out);
    AppendSample(report, out);
  }
  return out + "}\n";
}

std::string ReplayText(const engine::WhatIfReport& report) {
  std::string columns;
  for (const std::string& name : report.decisions)
    columns += (columns.empty() ? "" : ", ") + name;
  std::string out = std::to_string(report.compared) + " rows of " + report.stream + " compared, " +
                    std::to_string(report.changed) + " with another " + columns + ", " +
                    std::to_string(report.differing) + " with any difference\n";
  if (report.only_before + report.only_after > 0) {
    out += std::to_string(report.only_before) + " rows are in the log alone, " +
           std::to_string(report.only_after) + " in the replay alone\n";
  }
  if (!report.flips.empty()) out += "\n" + FlipsTable(report);
  if (!report.confusion.empty()) out += "\n" + ConfusionTable(report);
  if (!report.sample.empty()) out += "\n";
  for (const engine::ChangedRow& row : report.sample) {
    out += (row.id.empty() ? "(new)" : row.id) + "\n" +
           SideText("before  ", row.before, row.why_before) +
           SideText("after   ", row.after, row.why_after);
  }
  return out;
}

}  // namespace headrace::cli
