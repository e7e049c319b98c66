#include "cli/why_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "cli/listing.h"

namespace headrace::cli {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

std::string TextOf(const element& value) {
  if (value.is_string()) return std::string(value.get_string().value_unsafe());
  return simdjson::minify(value);
}

// The JSON text at a path of names as it stands in the document, so that a DECIMAL keeps its
// digits; what the parsed value says when it cannot be had that way.
std::string Verbatim(const simdjson::padded_string& document,
                     std::initializer_list<std::string_view> path, const element& parsed) {
  if (parsed.is_string()) return TextOf(parsed);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document whole;
  simdjson::ondemand::value value;
  if (parser.iterate(document).get(whole) != simdjson::SUCCESS ||
      whole.get_value().get(value) != simdjson::SUCCESS) {
    return TextOf(parsed);
  }
  for (std::string_view name : path) {
    simdjson::ondemand::value inner;
    if (value[name].get(inner) != simdjson::SUCCESS) return TextOf(parsed);
    value = inner;
  }
  std::string_view text;
  if (simdjson::to_json_string(value).get(text) != simdjson::SUCCESS) return TextOf(parsed);
  const size_t end = text.find_last_not_of(" \t\r\n");
  return std::string(text.substr(0, end + 1));
}

std::string Member(const element& document, std::string_view name) {
  element value;
  return document[name].get(value) == simdjson::SUCCESS ? TextOf(value) : "";
}

void AppendLine(std::string_view label, const std::string& text, std::string& out) {
  if (text.empty() || text == "null") return;
  out += "  ";
  out += label;
  out.append(label.size() < 10 ? 10 - label.size() : 1, ' ');
  out += text + "\n";
}

std::string Indented(const std::string& text) {
  std::string out = "    ";
  for (size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '\n' && i + 1 < text.size()) out += "    ";
  }
  return out;
}

std::string Signed(double number) {
  char buffer[32];
  const char* sign = number < 0 ? "-" : "+";
  auto [end, problem] =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(number), std::chars_format::fixed, 4);
  return sign + std::string(buffer, problem == std::errc() ? end : buffer);
}

void AppendFeatures(const simdjson::padded_string& text, const element& document,
                    std::string& out) {
  object features;
  if (document["features"].get(features) != simdjson::SUCCESS || features.size() == 0) return;
  Listing listing({"feature", "value", "events", "window"});
  for (auto [name, feature] : features) {
    element value;
    const bool has_value = feature["value"].get(value) == simdjson::SUCCESS;
    listing.Add(
        {Cell::Text(name),
         {has_value ? Verbatim(text, {"features", name, "value"}, value) : "", Cell::Kind::kNumber},
         {Member(feature, "events"), Cell::Kind::kNumber},
         Cell::Text(Member(feature, "window"))});
  }
  out += "  what was known then\n" + Indented(listing.Table());
}

// A row of a windowed GROUP BY: what its group was made from.
void AppendGroup(const element& document, std::string& out) {
  element window;
  if (document["window"].get(window) != simdjson::SUCCESS) return;
  AppendLine("window", Member(window, "start") + " to " + Member(window, "end"), out);
  const std::string key = Member(document, "key");
  AppendLine("group", key == "{}" ? "" : key, out);
  std::string rows = Member(document, "events");
  simdjson::dom::array sample;
  if (document["sample"].get(sample) == simdjson::SUCCESS) {
    const char* separator = ": ";
    for (const element id : sample) {
      rows += separator + TextOf(id);
      separator = ", ";
    }
    if (std::to_string(sample.size()) != Member(document, "events")) rows += ", ...";
  }
  if (Member(document, "complete") == "false") rows += " (and what retention removed)";
  AppendLine("rows", rows, out);
  AppendLine("closed by", Member(document, "closed_by"), out);
}

void AppendContributions(const element& document, std::string& out) {
  object given;
  if (document["contributions"].get(given) != simdjson::SUCCESS) return;
  std::vector<std::pair<std::string, double>> parts;
  for (auto [name, value] : given) {
    double number = 0;
    if (value.get(number) == simdjson::SUCCESS) parts.emplace_back(name, number);
  }
  if (parts.empty()) return;
  std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
    return std::abs(a.second) > std::abs(b.second);
  });
  Listing listing({"contribution", "to the raw score"});
  for (const auto& [name, number] : parts) {
    listing.Add({Cell::Text(name), {Signed(number), Cell::Kind::kNumber}});
  }
  out += "  why the model said so\n" + Indented(listing.Table());
}

void AppendReasons(const element& document, std::string& out) {
  simdjson::dom::array reasons;
  if (document["reasons"].get(reasons) != simdjson::SUCCESS) return;
  for (const element reason : reasons)
    AppendLine("reason", Member(reason, "text"), out);
}

// "approve with n_10m <= 3 (score 0.41)".
void AppendInstead(const element& document, std::string& out) {
  simdjson::dom::array all;
  if (document["instead"].get(all) != simdjson::SUCCESS) return;
  for (const element instead : all) {
    std::string changes;
    for (const element change : instead["changes"].get_array()) {
      changes += (changes.empty() ? "" : " and ") + Member(change, "feature") + " " +
                 Member(change, "relation") + " " + Member(change, "bound");
    }
    AppendLine("instead",
               Member(instead, "decision") + " with " + changes + " (score " +
                   Member(instead, "score") + ")",
               out);
  }
}

void AppendRules(const element& document, std::string& out) {
  simdjson::dom::array rules;
  if (document["rules"].get(rules) != simdjson::SUCCESS) return;
  for (const element rule : rules) {
    AppendLine("rule", Member(rule, "text") + "   (" + Member(rule, "place") + ")", out);
  }
}

}  // namespace

std::string WhyText(std::string_view document) {
  const simdjson::padded_string text(document);
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(text).get(root) != simdjson::SUCCESS) return std::string(document) + "\n";
  std::string out = Member(root, "id") + "\n";
  element event;
  if (root["event"].get(event) == simdjson::SUCCESS) {
    AppendLine("event", Verbatim(text, {"event"}, event), out);
  }
  AppendGroup(root, out);
  AppendLine("released", Member(root, "released_by"), out);
  AppendLine("late for", Member(root, "late_for"), out);
  AppendFeatures(text, root, out);
  element model;
  if (root["model"].get(model) == simdjson::SUCCESS && model.is_object()) {
    AppendLine("model",
               Member(model, "name") + " " + Member(model, "version").substr(0, 12) + " (" +
                   Member(model, "format") + ")",
               out);
    element canary;
    if (model["canary"].get(canary) == simdjson::SUCCESS) {
      const bool decided = Member(canary, "decided") == "true";
      AppendLine("canary",
                 "version " + Member(canary, "number") + " for " + Member(canary, "percent") +
                     " percent of the keys" +
                     (decided ? ", this one among them" : ", not this one"),
                 out);
    }
  }
  AppendLine("score", Member(root, "score"), out);
  AppendContributions(root, out);
  AppendReasons(root, out);
  AppendRules(root, out);
  AppendLine("decision", Member(root, "decision"), out);
  const std::string proof = Member(root, "recomputed");  // empty: of what never was
  AppendLine("proof",
             proof == "true"    ? "recomputed from the log: the same bytes"
             : proof == "false" ? "recomputed from the log: DIFFERENT from what was logged"
                                : "",
             out);
  AppendInstead(root, out);
  return out;
}

}  // namespace headrace::cli
