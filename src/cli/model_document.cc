#include "cli/model_document.h"

#include <cmath>
#include <cstdio>

#include <simdjson.h>

namespace headrace::cli {
namespace {

using simdjson::dom::element;

Error Unread() {
  return {ErrorKind::kInternal, "HR9021", "the report of a model does not parse"};
}

int64_t Whole(element of, std::string_view name) {
  int64_t number = 0;
  return of[name].get(number) == simdjson::SUCCESS ? number : 0;
}

double Number(element of, std::string_view name) {
  double number = 0;
  return of[name].get(number) == simdjson::SUCCESS ? number : ModelComparison::kNone;
}

std::string Text(element of, std::string_view name) {
  std::string_view text;
  return of[name].get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

Cell Rounded(double number) {
  if (std::isnan(number)) return Cell::Text("");
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", number);
  return {text, Cell::Kind::kNumber};
}

// The lines `before` and `after` of an object of two, with the named numbers of each.
std::string TableOf(element both, const std::vector<std::string>& names) {
  std::vector<std::string> columns = {""};
  columns.insert(columns.end(), names.begin(), names.end());
  Listing listing(std::move(columns));
  for (const auto& [key, label] :
       {std::pair{"before", "decides"}, std::pair{"after", "compared"}}) {
    element side;
    if (both[key].get(side) != simdjson::SUCCESS) continue;
    std::vector<Cell> cells = {Cell::Text(label)};
    for (const std::string& name : names)
      cells.push_back(Rounded(Number(side, name)));
    listing.Add(std::move(cells));
  }
  return listing.Table();
}

ModelComparison ComparisonOf(element from) {
  ModelComparison comparison;
  comparison.role = Text(from, "role");
  comparison.version = Whole(from, "version");
  comparison.since_lsn = Whole(from, "since_lsn");
  comparison.stream = Text(from, "stream");
  comparison.compared = static_cast<uint64_t>(Whole(from, "compared"));
  comparison.flips = static_cast<uint64_t>(Whole(from, "flips"));
  simdjson::dom::array details;
  if (from["details"].get(details) == simdjson::SUCCESS) {
    for (const element flip : details) {
      comparison.details.push_back(simdjson::minify(flip["from"]) + " -> " +
                                   simdjson::minify(flip["to"]) + "  " +
                                   std::to_string(Whole(flip, "count")));
    }
  }
  element scores;
  if (from["scores"].get(scores) == simdjson::SUCCESS) {
    comparison.psi = Number(scores, "psi");
    comparison.table =
        TableOf(scores, {"mean", "min", "p10", "p25", "p50", "p75", "p90", "p99", "max"});
  }
  element latency;
  if (from["latency"].get(latency) == simdjson::SUCCESS) {
    comparison.table += "\nmicroseconds of one score, over " +
                        std::to_string(Whole(latency, "rows")) + " rows\n" +
                        TableOf(latency, {"mean", "p50", "p99"});
  }
  element metrics;
  if (from["metrics"].get(metrics) != simdjson::SUCCESS) return comparison;
  comparison.labelled = static_cast<uint64_t>(Whole(metrics, "labelled"));
  element side;
  if (metrics["before"].get(side) == simdjson::SUCCESS) {
    comparison.auc_before = Number(side, "roc_auc");
  }
  if (metrics["after"].get(side) == simdjson::SUCCESS) {
    comparison.auc_after = Number(side, "roc_auc");
  }
  comparison.table += "\n" + TableOf(metrics, {"roc_auc", "pr_auc", "log_loss", "brier"});
  return comparison;
}

// A row of a watch: of a column, or of all of them together, which comes last.
void TakeHealth(element row, ModelDocument& document) {
  const std::string kind = Text(row, "kind");
  if (kind == "all") {
    const std::string baseline = Text(row, "baseline");
    document.windows.push_back(Text(row, "statement") + " asked version " +
                               std::to_string(Whole(row, "version")) + " from " +
                               Text(row, "window_start") + " to " + Text(row, "window_end") + ": " +
                               std::to_string(Whole(row, "scored")) + " rows, " +
                               (baseline.empty() ? "no baseline yet" : "against its " + baseline));
    return;
  }
  document.health.Add({Cell::Text(Text(row, "statement")), Cell::Number(Whole(row, "version")),
                       Cell::Text(kind == "score" ? "(score)" : Text(row, "feature")),
                       Cell::Number(Whole(row, "scored")), Rounded(Number(row, "null_share")),
                       Rounded(Number(row, "p50")), Rounded(Number(row, "psi")),
                       Rounded(Number(row, "ks")), Rounded(Number(row, "out_of_range")),
                       Cell::Text(Text(row, "alarm"))});
}

}  // namespace

Result<ModelDocument> ModelDocument::Parse(const std::string& report) {
  simdjson::dom::parser parser;
  element root;
  simdjson::dom::array versions;
  simdjson::dom::array comparisons;
  if (parser.parse(report).get(root) != simdjson::SUCCESS ||
      root["versions"].get(versions) != simdjson::SUCCESS ||
      root["comparisons"].get(comparisons) != simdjson::SUCCESS) {
    return Unread();
  }
  ModelDocument document;
  for (const element version : versions) {
    element decides_from;
    if (version["decides_from"].get(decides_from) != simdjson::SUCCESS) return Unread();
    document.versions.Add(
        {Cell::Number(Whole(version, "number")), Cell::Text(cli::Text(version, "role")),
         Cell::Text(cli::Text(version, "format")), Cell::Text(cli::Text(version, "sha256")),
         Cell::Text(simdjson::minify(decides_from))});
  }
  for (const element comparison : comparisons)
    document.comparisons.push_back(ComparisonOf(comparison));
  simdjson::dom::array health;
  if (root["health"].get(health) == simdjson::SUCCESS) {
    for (const element row : health)
      TakeHealth(row, document);
  }
  element url;
  if (root["url"].get(url) == simdjson::SUCCESS) {
    for (const char* key : {"url", "inputs", "outputs", "timeout_ms", "connections", "queue",
                            "when_full", "breaker_failures", "breaker_pause_ms", "asked_by"}) {
      element value;
      if (root[key].get(value) != simdjson::SUCCESS) return Unread();
      document.remote += std::string(key) + "  " + std::string(simdjson::minify(value)) + "\n";
    }
  }
  return document;
}

ModelComparison ModelDocument::Of(int64_t version) const {
  for (const ModelComparison& comparison : comparisons) {
    if (comparison.version == version) return comparison;
  }
  return {};
}

std::string ModelDocument::Text() const {
  if (!remote.empty()) return remote;
  std::string out = versions.Table();
  for (const ModelComparison& comparison : comparisons) {
    out += "\n" + comparison.role + " " + std::to_string(comparison.version) + " since LSN " +
           std::to_string(comparison.since_lsn) + ": " + std::to_string(comparison.compared) +
           " rows of " + comparison.stream + " compared, " + std::to_string(comparison.flips) +
           " would have been decided otherwise\n";
    for (const std::string& flip : comparison.details)
      out += "  " + flip + "\n";
    if (comparison.table.empty()) continue;
    char psi[64];
    std::snprintf(psi, sizeof psi, "scores moved by %.4f (population stability index)\n",
                  comparison.psi);
    out += psi + comparison.table;
    if (comparison.labelled > 0)
      out += "over " + std::to_string(comparison.labelled) + " rows with a label\n";
  }
  if (windows.empty()) return out;
  out += "\n";
  for (const std::string& window : windows)
    out += "watched: " + window + "\n";
  return out + health.Table();
}

}  // namespace headrace::cli
