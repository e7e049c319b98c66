#pragma once

#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/workspace.h"
#include "engine/training_set.h"
#include "headrace/result.h"

namespace headrace::cli {

// A table to learn from, as the text of a CSV.
struct TrainingRows {
  std::string name;  // of the file or the stream, for errors
  std::string csv;
  // Of a training set: columns whose type is no number.
  std::vector<std::string> other_columns;
};

// --input FILE, or --training-set STREAM with --data DIR, --labels, --on, --label and the times:
// then the rows are read from the log as they were served (engine/training_set.h). Errors: HR9001,
// those of reading.
Result<TrainingRows> ReadTrainingRows(const Arguments& arguments);
// The flags that say so, but for --label.
std::vector<Flag> TrainingRowsFlags();

// What --labels, --on, --label, --as-of, --from and --to say of a stream. Error: HR9001.
Result<engine::TrainingSetRequest> ReadTrainingSetRequest(const Arguments& arguments,
                                                          const std::string& stream);

// Writes the rows to a file, by the extension of its name; `schema` may be null.
Result<engine::TrainingSetReport> WriteTrainingSet(Workspace& workspace,
                                                   const engine::TrainingSetRequest& request,
                                                   const std::string& path, row::Schema* schema);

}  // namespace headrace::cli
