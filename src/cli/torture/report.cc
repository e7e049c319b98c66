#include "cli/torture/report.h"

#include <cmath>
#include <cstdlib>

#include "cli/demo/decision_meter.h"
#include "row/text.h"

namespace headrace::cli::torture {
namespace {

std::string OneDigit(double number) {
  const auto tenths = static_cast<uint64_t>(std::llround(number * 10));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

void AppendName(std::string_view name, std::string& out) {
  if (!out.ends_with('{')) out += ',';
  out += '"';
  out += name;
  out += "\":";
}

void AppendNumber(std::string_view name, uint64_t number, std::string& out) {
  AppendName(name, out);
  out += std::to_string(number);
}

void AppendText(std::string_view name, std::string_view text, std::string& out) {
  AppendName(name, out);
  row::AppendJsonString(text, out);
}

void AppendFinding(const Finding& finding, std::string& out) {
  out += '{';
  AppendText("fault", ToString(finding.fault), out);
  if (finding.stream) AppendText("stream", ToString(*finding.stream), out);
  if (finding.place) {
    AppendNumber("partition", static_cast<uint64_t>(std::abs(finding.place->partition)), out);
    AppendNumber("offset", static_cast<uint64_t>(std::abs(finding.place->offset)), out);
  }
  if (finding.event) AppendText("value", ValueText(*finding.event), out);
  if (finding.lsn > 0) AppendNumber("lsn", finding.lsn, out);
  AppendNumber("life", finding.life, out);
  AppendNumber("found_in_life", finding.found_life, out);
  AppendText("text", finding.text, out);
  out += '}';
}

std::string FindingText(const Finding& finding) {
  std::string text = "  " + std::string(ToString(finding.fault));
  if (finding.stream) {
    text += "  ";
    text += finding.place ? PlaceText(*finding.stream, *finding.place)
                          : std::string(ToString(*finding.stream));
  }
  if (finding.event) text += "  value " + ValueText(*finding.event);
  if (finding.lsn > 0) text += "  LSN " + std::to_string(finding.lsn);
  text += "  life " + std::to_string(finding.life);
  if (finding.found_life != finding.life) {
    text += ", found in life " + std::to_string(finding.found_life);
  }
  return text + "\n    " + finding.text + "\n";
}

}  // namespace

void Report::Take(const Round& round) {
  ++rounds;
  totals.lives += round.totals().lives;
  totals.kills += round.totals().kills;
  totals.stops += round.totals().stops;
  counts += round.checker().counts();
  for (size_t i = 0; i < kFaults; ++i)
    fault_counts[i] += round.checker().count(static_cast<Fault>(i));
  findings = round.checker().findings();
}

uint64_t Report::finding_count() const {
  uint64_t all = 0;
  for (uint64_t count : fault_counts)
    all += count;
  return all;
}

std::string TextOf(const Report& report) {
  const Counts& counts = report.counts;
  std::string out =
      "torture  " + OneDigit(report.seconds) + " s  seed " + std::to_string(report.seed) +
      "\n  server   " + CountText(report.totals.lives) + " lives, killed " +
      CountText(report.totals.kills) + " times, stopped " + CountText(report.totals.stops) +
      "; directories " + CountText(report.rounds) + "\n  events   " + CountText(counts.events) +
      " sent, " + CountText(counts.acknowledged) + " acknowledged, " +
      CountText(counts.unanswered) + " times without an answer, " + CountText(counts.sent_again) +
      " sent again\n  rows     " + CountText(counts.rows_seen) + " seen by clients, " +
      CountText(counts.rows_audited) + " read in audits\n";
  if (report.finding_count() == 0) {
    return out +
           "nothing lost, duplicated, reordered, invented or seen too early; every computed row is "
           "right\n";
  }
  out += "found";
  for (size_t i = 0; i < kFaults; ++i) {
    if (report.fault_counts[i] == 0) continue;
    out += "  " + std::string(ToString(static_cast<Fault>(i))) + " " +
           CountText(report.fault_counts[i]);
  }
  out += "\n";
  for (const Finding& finding : report.findings)
    out += FindingText(finding);
  return out + "kept  " + report.kept + "\n";
}

std::string JsonOf(const Report& report) {
  std::string out = "{";
  AppendNumber("seed", report.seed, out);
  AppendName("seconds", out);
  out += OneDigit(report.seconds);
  AppendNumber("directories", report.rounds, out);
  AppendNumber("lives", report.totals.lives, out);
  AppendNumber("kills", report.totals.kills, out);
  AppendNumber("stops", report.totals.stops, out);
  AppendNumber("events", report.counts.events, out);
  AppendNumber("acknowledged", report.counts.acknowledged, out);
  AppendNumber("unanswered", report.counts.unanswered, out);
  AppendNumber("sent_again", report.counts.sent_again, out);
  AppendNumber("rows_seen", report.counts.rows_seen, out);
  AppendNumber("rows_audited", report.counts.rows_audited, out);
  AppendName("found", out);
  out += '{';
  for (size_t i = 0; i < kFaults; ++i)
    AppendNumber(ToString(static_cast<Fault>(i)), report.fault_counts[i], out);
  out += '}';
  AppendName("findings", out);
  out += '[';
  for (size_t i = 0; i < report.findings.size(); ++i) {
    if (i > 0) out += ',';
    AppendFinding(report.findings[i], out);
  }
  out += ']';
  if (!report.kept.empty()) AppendText("kept", report.kept, out);
  return out + "}\n";
}

std::string ProgressLine(const Report& before, const Round& round, double seconds) {
  const Counts& counts = round.checker().counts();
  return "torture  " + OneDigit(seconds) + " s  life " +
         std::to_string(before.totals.lives + round.totals().lives) + "  killed " +
         CountText(before.totals.kills + round.totals().kills) + "  events " +
         CountText(before.counts.events + counts.events) + "  rows " +
         CountText(before.counts.rows_seen + before.counts.rows_audited + counts.rows_seen +
                   counts.rows_audited) +
         "  found " + CountText(round.checker().finding_count()) + "\n";
}

}  // namespace headrace::cli::torture
