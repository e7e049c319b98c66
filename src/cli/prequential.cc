#include "cli/prequential.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "cli/model_file.h"
#include "learn/prequential.h"
#include "model/csv_records.h"

namespace headrace::cli {
namespace {

Error BadRow(std::string message, size_t line) {
  return Error(ErrorKind::kCorruption, "HR3005", std::move(message))
      .AtPlace("line " + std::to_string(line));
}

// A cell as a number: empty, `nan` and infinities are missing. Nothing when it is another word.
std::optional<double> NumberOf(std::string_view cell) {
  if (cell.empty()) return std::numeric_limits<double>::quiet_NaN();
  double number = 0;
  const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (problem != std::errc() || end != cell.data() + cell.size()) return {};
  constexpr double kLargest = 1e150;
  return std::abs(number) < kLargest ? number : std::numeric_limits<double>::quiet_NaN();
}

// The columns of a CSV that are learned from, and the one that is the label.
struct Columns {
  std::vector<size_t> features;
  std::vector<std::string> names;  // of all columns
  size_t label = 0;
};

std::vector<std::string> ListsOf(const Arguments& arguments, std::string_view flag) {
  std::vector<std::string> names;
  for (const std::string& list : arguments.All(flag)) {
    for (size_t at = 0; at <= list.size();) {
      const size_t end = std::min(list.find(',', at), list.size());
      names.push_back(list.substr(at, end - at));
      at = end + 1;
    }
  }
  return names;
}

Result<Columns> ColumnsOf(const std::vector<std::string>& header, const Arguments& arguments) {
  Columns columns;
  columns.names = header;
  const auto find = [&](const std::string& name) {
    return static_cast<size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  columns.label = find(*arguments.Find("--label"));
  if (columns.label == header.size())
    return BadRow("there is no column `" + *arguments.Find("--label") + "`", 1);
  std::vector<bool> taken(header.size(), !arguments.Has("--features"));
  for (const char* flag : {"--features", "--ignore"}) {
    for (const std::string& name : ListsOf(arguments, flag)) {
      if (find(name) == header.size()) return BadRow("there is no column `" + name + "`", 1);
      taken[find(name)] = std::string_view(flag) == "--features";
    }
  }
  taken[columns.label] = false;
  for (size_t i = 0; i < header.size(); ++i)
    if (taken[i]) columns.features.push_back(i);
  return columns;
}

Status AddRow(const std::vector<std::string>& cells, const Columns& columns, size_t line,
              learn::LabelKind kind, learn::Prequential& prequential) {
  if (cells.size() != columns.names.size()) {
    return BadRow("the row has " + std::to_string(cells.size()) + " cells, not " +
                      std::to_string(columns.names.size()),
                  line);
  }
  std::vector<double> x;
  for (size_t column : columns.features) {
    const std::optional<double> number = NumberOf(cells[column]);
    if (!number) {
      return BadRow("`" + columns.names[column] + "` is '" + cells[column] + "', no number", line)
          .WithHint("--ignore leaves a column out");
    }
    x.push_back(*number);
  }
  learn::Label label;
  label.text = cells[columns.label];
  if (label.text.empty()) return BadRow("the label is missing", line);
  if (kind == learn::LabelKind::kNumber) {
    const std::optional<double> number = NumberOf(label.text);
    if (!number || std::isnan(*number)) {
      return BadRow("the label '" + std::string(label.text) + "' is no number", line);
    }
    label.number = *number;
  }
  prequential.Add(x, label);
  return Ok();
}

// Classes are named by their text; a learner of numbers refuses them.
Result<learn::Prequential> MakePrequential(const Arguments& arguments, size_t features,
                                           learn::LabelKind* kind) {
  learn::LearnerSpec spec;
  spec.kind = *arguments.Find("--prequential");
  spec.features = features;
  spec.label = learn::LabelKind::kText;
  HR_ASSIGN(spec.options, arguments.Pairs("--set"));
  HR_ASSIGN(const int64_t delay, arguments.Integer("--delay", 0, 0, 1'000'000));
  Result<std::unique_ptr<learn::Learner>> learner = learn::Learner::Make(spec);
  if (!learner.ok() && learner.error().code() == "HR3083") {
    spec.label = learn::LabelKind::kNumber;
    learner = learn::Learner::Make(spec);
  }
  if (!learner.ok()) return std::move(learner).error();
  *kind = spec.label;
  return learn::Prequential(std::move(*learner), spec.label, static_cast<size_t>(delay));
}

}  // namespace

Result<train::Evaluation> EvaluatePrequentially(const Arguments& arguments) {
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  const std::string input = arguments.Get("--input", "-");
  HR_ASSIGN(const std::string rows, ReadRowsFile(*files, input));
  model::CsvRecords records(rows);
  std::vector<std::string> cells;
  Result<bool> more = records.Next(&cells);
  if (!more.ok()) return InFile(input, more.error());
  if (!*more) return InFile(input, BadRow("there is no line of names", 1));
  Result<Columns> columns = ColumnsOf(cells, arguments);
  if (!columns.ok()) return InFile(input, columns.error());
  learn::LabelKind kind{};
  HR_ASSIGN(learn::Prequential prequential,
            MakePrequential(arguments, columns->features.size(), &kind));
  for (more = records.Next(&cells); more.ok() && *more; more = records.Next(&cells)) {
    if (cells.size() == 1 && cells[0].empty()) continue;
    Status added = AddRow(cells, *columns, records.line(), kind, prequential);
    if (!added.ok()) return InFile(input, added.error());
  }
  if (!more.ok()) return InFile(input, more.error());
  train::Evaluation evaluation;
  evaluation.task =
      kind == learn::LabelKind::kNumber ? train::Task::kRegression : train::Task::kMulticlass;
  evaluation.rows = prequential.examples();
  for (auto& [name, value] : prequential.Measures())
    evaluation.measures.push_back({name, value});
  return evaluation;
}

}  // namespace headrace::cli
