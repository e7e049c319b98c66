#include "cli/training_table.h"

#include <algorithm>

#include "cli/model_file.h"

namespace headrace::cli {
namespace {

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Result<TrainingTable> ReadTrainingTable(const Arguments& arguments, TrainOrder order) {
  HR_ASSIGN(const TrainingRows rows, ReadTrainingRows(arguments));
  TrainingTable read;
  train::ColumnChoice& columns = order.columns;
  for (const std::string& name : rows.other_columns) {
    if (!columns.features.empty() || Has(columns.categorical, name) || Has(columns.ignored, name) ||
        name == columns.fold || name == columns.label) {
      continue;
    }
    columns.ignored.push_back(name);
    read.told += (read.told.empty() ? "left out, being no numbers: " : ", ") + name;
  }
  if (!read.told.empty()) read.told += "\n";
  Result<train::Table> table =
      train::ReadTable(rows.csv, columns, order.options.task(), order.options.memory);
  if (!table.ok()) return InFile(rows.name, table.error());
  read.table = std::move(*table);
  return read;
}

ExitCode FailTraining(const Error& error, std::string_view command, Console& console) {
  return error.code() == "HR9001" ? console.FailUsage(error.message(), command)
                                  : console.Fail(error);
}

}  // namespace headrace::cli
