#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "cli/commands.h"
#include "cli/model_file.h"
#include "cli/prequential.h"
#include "train/evaluate.h"

namespace headrace::cli {
namespace {

std::string TextOf(double number, const char* no_meaning) {
  if (std::isnan(number)) return no_meaning;
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

std::string_view NameOf(train::Task task) {
  switch (task) {
    case train::Task::kBinary:
      return "binary";
    case train::Task::kRegression:
      return "regression";
    case train::Task::kMulticlass:
      return "multiclass";
  }
  return "";
}

std::string Json(const train::Evaluation& evaluation) {
  std::string out = "{\"objective\":\"" + std::string(NameOf(evaluation.task)) +
                    "\",\"rows\":" + std::to_string(evaluation.rows);
  for (const train::Measure& measure : evaluation.measures) {
    out += ",\"" + measure.name + "\":" + TextOf(measure.value, "null");
  }
  return out + "}\n";
}

std::string Table(const train::Evaluation& evaluation) {
  std::vector<std::pair<std::string, std::string>> lines = {
      {"objective", std::string(NameOf(evaluation.task))},
      {"rows", std::to_string(evaluation.rows)}};
  for (const train::Measure& measure : evaluation.measures) {
    lines.emplace_back(measure.name, TextOf(measure.value, "-"));
  }
  size_t width = 12;
  for (const auto& [name, value] : lines)
    width = std::max(width, name.size() + 1);
  std::string out;
  for (auto& [name, value] : lines) {
    name.resize(width, ' ');
    out += name + value + "\n";
  }
  return out;
}

// What --objective says of the labels, when the model does not.
Result<std::optional<train::Task>> ReadTask(const Arguments& arguments) {
  const std::string* word = arguments.Find("--objective");
  if (word == nullptr) return std::optional<train::Task>{};
  for (train::Task task :
       {train::Task::kBinary, train::Task::kRegression, train::Task::kMulticlass}) {
    if (*word == NameOf(task)) return std::optional<train::Task>(task);
  }
  return BadUsage("--objective takes binary, regression or multiclass, not `" + *word + "`");
}

Result<train::Evaluation> Evaluate(const Arguments& arguments, const std::string& label) {
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  HR_ASSIGN(const std::shared_ptr<const model::Model> loaded,
            LoadModelFile(*files, arguments.positionals()[0]));
  const std::string input = arguments.Get("--input", "-");
  HR_ASSIGN(const std::string rows, ReadRowsFile(*files, input));
  HR_ASSIGN(const auto task, ReadTask(arguments));
  Result<train::Evaluation> evaluation = train::EvaluateCsv(*loaded, rows, label, task);
  if (!evaluation.ok()) return InFile(input, evaluation.error());
  return evaluation;
}

ExitCode RunModelEvaluate(const Arguments& arguments, Console& console) {
  const std::string* label = arguments.Find("--label");
  if (label == nullptr) return console.FailUsage("--label COLUMN is missing", "model evaluate");
  const bool prequential = arguments.Has("--prequential");
  if (prequential != arguments.positionals().empty()) {
    return console.FailUsage("give a model file, or --prequential and a learner", "model evaluate");
  }
  for (const char* flag : {"--set", "--delay", "--features", "--ignore"}) {
    if (!prequential && arguments.Has(flag)) {
      return console.FailUsage(std::string(flag) + " belongs to --prequential", "model evaluate");
    }
  }
  Result<train::Evaluation> evaluation =
      prequential ? EvaluatePrequentially(arguments) : Evaluate(arguments, *label);
  if (!evaluation.ok() && evaluation.error().code() == "HR9001") {
    return console.FailUsage(evaluation.error().message(), "model evaluate");
  }
  if (!evaluation.ok()) return console.Fail(evaluation.error());
  console.Out(arguments.Has("--json") ? Json(*evaluation) : Table(*evaluation));
  return ExitCode::kOk;
}

}  // namespace

Command ModelEvaluateCommand() {
  return {
      .name = "model evaluate",
      .group = "Models",
      .summary = "measure a model file, or a learner, against the labels of a CSV",
      .positionals = "[FILE]",
      .positionals_min = 0,
      .positionals_max = 1,
      .flags = {{"--input", "ROWS.csv", "with a header; `-` or nothing: standard input"},
                {"--label", "COLUMN", "what was true: 0 or 1, a number, or a class from 0"},
                {"--prequential", "LEARNER", "guess and learn row by row; no FILE"},
                {"--set", "NAME=VALUE", "an option of the learner", true},
                {"--delay", "ROWS", "a label is known so many rows later (0)"},
                {"--features", "LIST", "what the learner sees; all other columns by default", true},
                {"--ignore", "LIST", "columns that the learner does not see", true},
                {"--objective", "NAME", "what the labels are, when the model does not say it"},
                {"--json", "", "one JSON document; a measure without a meaning is null"}},
      .more =
          "  headrace model evaluate fraud.lgb.txt --input rows.csv --label is_fraud\n"
          "  headrace model evaluate --prequential hoeffding_tree --input rows.csv --label up\n\n"
          "Binary: roc_auc, pr_auc (average precision), log_loss, brier, ece (10 bins), ks,\n"
          "accuracy (at 0.5), rmse. Regression: rmse, mae, r2. Several classes: accuracy,\n"
          "log_loss, roc_auc (mean of one class against the rest). Prequential: accuracy, kappa,\n"
          "no_change (the accuracy of the label that was known last) and kappa_temporal (against\n"
          "it); of numbers mae, rmse, r2.\n",
      .run = RunModelEvaluate};
}

}  // namespace headrace::cli
