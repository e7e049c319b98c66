#include <charconv>
#include <cmath>

#include "cli/commands.h"
#include "cli/off_policy.h"
#include "learn/policy.h"

namespace headrace::cli {
namespace {

using Estimate = learn::OffPolicy::Estimate;

std::string TextOf(double number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

std::string ShortText(double number) {
  char digits[32];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, number, std::chars_format::general, 6).ptr;
  return {digits, end};
}

struct Named {
  std::string_view name;
  Estimate estimate;
};

std::vector<Named> EstimatesOf(const OffPolicyReport& report) {
  std::vector<Named> all = {{"logged", report.estimates.Logged()},
                            {"ips", report.estimates.Ips()},
                            {"snips", report.estimates.Snips()}};
  if (report.robust) all.push_back({"doubly_robust", report.estimates.DoublyRobust()});
  return all;
}

std::string Json(const OffPolicyReport& report) {
  const learn::OffPolicy& of = report.estimates;
  std::string out = "{\"rows\":" + std::to_string(of.rows()) +
                    ",\"learned_rows\":" + std::to_string(report.learned_rows) +
                    ",\"arms\":" + std::to_string(report.arms);
  for (const Named& named : EstimatesOf(report)) {
    out += ",\"" + std::string(named.name) + "\":{\"value\":" + TextOf(named.estimate.value) +
           ",\"low\":" + TextOf(named.estimate.low) + ",\"high\":" + TextOf(named.estimate.high) +
           "}";
  }
  return out + ",\"effective_rows\":" + TextOf(of.effective_rows()) +
         ",\"mean_weight\":" + TextOf(of.mean_weight()) +
         ",\"largest_weight\":" + TextOf(of.largest_weight()) +
         ",\"clipped\":" + std::to_string(of.clipped()) + "}\n";
}

std::string Line(std::string name, const std::vector<std::string>& cells) {
  name.resize(16, ' ');
  for (std::string cell : cells) {
    cell.resize(std::max<size_t>(cell.size() + 1, 14), ' ');
    name += cell;
  }
  name.erase(name.find_last_not_of(' ') + 1);
  return name + "\n";
}

std::string Table(const OffPolicyReport& report) {
  const learn::OffPolicy& of = report.estimates;
  std::string out = Line("", {"value", "low", "high"});
  for (const auto& [name, estimate] : EstimatesOf(report)) {
    out += Line(std::string(name),
                {ShortText(estimate.value), ShortText(estimate.low), ShortText(estimate.high)});
  }
  out += Line("rows", {std::to_string(of.rows())});
  if (report.learned_rows > 0) out += Line("learned_rows", {std::to_string(report.learned_rows)});
  out += Line("arms", {std::to_string(report.arms)});
  out += Line("effective_rows", {ShortText(of.effective_rows())});
  out += Line("mean_weight", {ShortText(of.mean_weight())});
  out += Line("largest_weight", {ShortText(of.largest_weight())});
  if (of.clipped() > 0) out += Line("clipped", {std::to_string(of.clipped())});
  return out;
}

ExitCode RunPolicyEvaluate(const Arguments& arguments, Console& console) {
  if (arguments.Has("--target") && arguments.Has("--target-share")) {
    return console.FailUsage("give --target or --target-share", "policy evaluate");
  }
  if (arguments.Has("--data") && arguments.Has("--input")) {
    return console.FailUsage("give --data or --input", "policy evaluate");
  }
  for (const char* flag : {"--choices", "--rewards", "--on"}) {
    if (!arguments.Has("--data") && arguments.Has(flag)) {
      return console.FailUsage(std::string(flag) + " belongs to --data", "policy evaluate");
    }
  }
  const std::string target = arguments.Get("--target", "uniform");
  const bool learns = target != "uniform" && !target.starts_with("arm:");
  for (const char* flag : {"--set", "--learn-share"}) {
    if (!learns && arguments.Has(flag)) {
      return console.FailUsage(std::string(flag) + " belongs to a --target that learns",
                               "policy evaluate");
    }
  }
  const Result<OffPolicyReport> report = EvaluateOffPolicy(arguments);
  if (!report.ok()) return console.Fail(report.error());
  console.Out(arguments.Has("--json") ? Json(*report) : Table(*report));
  return ExitCode::kOk;
}

}  // namespace

Command PolicyEvaluateCommand() {
  return {
      .name = "policy evaluate",
      .group = "Models",
      .summary = "what another policy would have earned, from logged choices",
      .positionals = "",
      .positionals_min = 0,
      .positionals_max = 0,
      .flags = {{"--input", "ROWS.csv", "with a header; `-` or nothing: standard input"},
                {"--data", "DIR", "the log of a data directory instead"},
                {"--choices", "STREAM", "of the log: where was chosen"},
                {"--rewards", "STREAM", "of the log: where the rewards came in"},
                {"--on", "COLUMN", "of the rewards: the ID of the row that was chosen for"},
                {"--arm", "COLUMN", "what was chosen (arm)"},
                {"--reward", "COLUMN", "what it brought (reward)"},
                {"--propensity", "COLUMN", "the logged probability of that choice (propensity)"},
                {"--features", "LIST", "what a target and the model of rewards see", true},
                {"--missing", "NUMBER", "the reward where there is none"},
                {"--target", "WHAT", "uniform, arm:NAME, or a type of policy (uniform)"},
                {"--target-share", "COLUMN", "the target's probability of the logged arm"},
                {"--set", "NAME=VALUE", "an option of the target", true},
                {"--learn-share", "SHARE", "of the rows, in front: the target learns them (0.5)"},
                {"--clip", "WEIGHT", "larger weights count as this"},
                {"--json", "", "one JSON document"}},
      .more =
          "  headrace policy evaluate --input choices.csv --propensity arm_propensity\n"
          "  headrace policy evaluate --input choices.csv --target linucb --features age,hour\n"
          "  headrace policy evaluate --data DIR --choices shown --arm item --propensity\n"
          "      item_propensity --rewards purchases --on shown_id --reward bought --missing 0\n\n"
          "ips: inverse propensity scoring. snips: the same, normalized by its weights.\n"
          "doubly_robust: with a linear model of rewards by arm, fitted to the other half of the\n"
          "rows. low and high hold the value in about 95 of 100 logs. effective_rows: of how many\n"
          "rows of the target's own they are worth; mean_weight is 1 when propensities are "
          "right.\n",
      .run = RunPolicyEvaluate};
}

}  // namespace headrace::cli
