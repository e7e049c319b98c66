#include "cli/training_rows.h"

#include <memory>

#include "cli/data_commands.h"
#include "cli/label_flags.h"
#include "cli/model_file.h"
#include "cli/temporary_directory.h"
#include "connect/row_file.h"

namespace headrace::cli {
namespace {

constexpr std::string_view kOfTheLog[] = {"--data",  "--labels", "--on",
                                          "--as-of", "--from",   "--to"};

bool IsNumber(const row::Type& type) {
  return type.kind == row::TypeKind::kInteger || type.kind == row::TypeKind::kBigint ||
         type.kind == row::TypeKind::kDouble || type.kind == row::TypeKind::kDecimal;
}

Result<TrainingRows> ReadFromLog(const Arguments& arguments, const std::string& stream) {
  if (!arguments.Has("--data")) return BadUsage("--data DIR is missing");
  HR_ASSIGN(const auto request, ReadTrainingSetRequest(arguments, stream));
  HR_ASSIGN(const auto workspace, Workspace::Open({arguments.Get("--data", ""), true, false}));
  HR_ASSIGN(const TemporaryDirectory directory, TemporaryDirectory::Make());
  const std::string path = directory.path() + "/rows.csv";
  row::Schema schema;
  HR_ASSIGN(const engine::TrainingSetReport report,
            WriteTrainingSet(*workspace, request, path, &schema));
  TrainingRows rows;
  rows.name = stream;
  for (const row::Column& column : schema.columns) {
    if (!IsNumber(column.type)) rows.other_columns.push_back(column.name);
  }
  HR_ASSIGN(rows.csv, ReadRowsFile(workspace->files(), path));
  return rows;
}

}  // namespace

Result<TrainingRows> ReadTrainingRows(const Arguments& arguments) {
  const std::string* stream = arguments.Find("--training-set");
  if (arguments.Has("--input") == (stream != nullptr)) {
    return BadUsage("give --input FILE or --training-set STREAM");
  }
  if (stream != nullptr) return ReadFromLog(arguments, *stream);
  for (std::string_view flag : kOfTheLog) {
    if (arguments.Has(flag)) return BadUsage(std::string(flag) + " belongs to --training-set");
  }
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  TrainingRows rows;
  rows.name = arguments.Get("--input", "");
  HR_ASSIGN(rows.csv, ReadRowsFile(*files, rows.name));
  return rows;
}

std::vector<Flag> TrainingRowsFlags() {
  return {{"--input", "ROWS.csv", "with a header; `-`: standard input"},
          {"--training-set", "STREAM", "instead: its rows as they were served, from the log"},
          {"--data", "DIR", "of --training-set: the data directory"},
          {"--labels", "STREAM", "of --training-set: where the labels come in"},
          {"--on", "COLUMN", "of both streams; or THEIRS=OURS; `_id` is a row's ID"},
          {"--as-of", "T", "of --training-set: labels that were known then"},
          {"--from", "T", "of --training-set: leave out earlier rows"},
          {"--to", "T", "of --training-set: leave out later rows"}};
}

Result<engine::TrainingSetRequest> ReadTrainingSetRequest(const Arguments& arguments,
                                                          const std::string& stream) {
  HR_ASSIGN(auto labels, ReadLabels(arguments));
  if (!labels) return BadUsage("--labels is missing");
  engine::TrainingSetRequest request;
  request.stream = stream;
  request.labels = labels->labels;
  request.on = labels->on;
  request.labels_on = labels->labels_on;
  request.label = labels->label;
  request.as_of = labels->as_of;
  HR_ASSIGN(request.from, ReadTime(arguments, "--from"));
  HR_ASSIGN(request.to, ReadTime(arguments, "--to"));
  return request;
}

Result<engine::TrainingSetReport> WriteTrainingSet(Workspace& workspace,
                                                   const engine::TrainingSetRequest& request,
                                                   const std::string& path, row::Schema* schema) {
  std::unique_ptr<connect::RowFile> file;
  engine::TrainingSetTaker taker;
  taker.begin = [&](const row::Schema& columns) -> Status {
    if (schema != nullptr) *schema = columns;
    HR_ASSIGN(file, connect::RowFile::Create(workspace.files(), path, columns));
    return Ok();
  };
  taker.take = [&](const row::Value* values) { return file->Append(values); };
  HR_ASSIGN(engine::TrainingSetReport report, workspace.engine().TrainingSet(request, taker));
  HR_TRY(file->Finish());
  return report;
}

}  // namespace headrace::cli
