#pragma once

#include <string>

#include "cli/console.h"
#include "cli/train_order.h"
#include "cli/training_rows.h"
#include "train/table.h"

namespace headrace::cli {

struct TrainingTable {
  train::Table table;
  std::string told;  // a line for people, or nothing
};

// Reads what a command line names as a table to learn from. Of a training set, columns without
// numbers are left out unless they are named. Errors: those of ReadTrainingRows and
// train::ReadTable, which name the file and the line.
Result<TrainingTable> ReadTrainingTable(const Arguments& arguments, TrainOrder order);

// Reports an error; of the command line as such.
ExitCode FailTraining(const Error& error, std::string_view command, Console& console);

}  // namespace headrace::cli
