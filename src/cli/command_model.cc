#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/listing.h"
#include "cli/model_file.h"
#include "cli/sql_session.h"
#include "cli/workspace.h"
#include "model/model.h"
#include "model/score_csv.h"

namespace headrace::cli {
namespace {

bool ReadKind(const std::string& word, model::OutputKind* kind) {
  if (word == "raw") return *kind = model::OutputKind::kRaw, true;
  if (word == "probability") return *kind = model::OutputKind::kProbability, true;
  if (word == "leaf") return *kind = model::OutputKind::kLeaf, true;
  if (word == "contributions") return *kind = model::OutputKind::kContributions, true;
  return false;
}

Result<std::string> Score(const Arguments& arguments, model::OutputKind kind) {
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  HR_ASSIGN(const std::shared_ptr<const model::Model> loaded,
            LoadModelFile(*files, arguments.positionals()[0]));
  const std::string input = arguments.Get("--input", "-");
  HR_ASSIGN(const std::string rows, ReadRowsFile(*files, input));
  std::string out;
  const std::string* background = arguments.Find("--background");
  if (background == nullptr) {
    Status done = model::ScoreCsv(*loaded, rows, kind, &out);
    return done.ok() ? Result<std::string>(std::move(out)) : InFile(input, done.error());
  }
  HR_ASSIGN(const std::string usual, ReadRowsFile(*files, *background));
  Result<model::Background> read = model::ReadBackground(*loaded, usual);
  if (!read.ok()) return InFile(*background, read.error());
  Status done = model::ScoreCsvAgainst(*loaded, rows, *read, &out);
  return done.ok() ? Result<std::string>(std::move(out)) : InFile(input, done.error());
}

ExitCode RunModelScore(const Arguments& arguments, Console& console) {
  model::OutputKind kind{};
  const std::string word = arguments.Get("--output", "probability");
  if (!ReadKind(word, &kind)) {
    return console.FailUsage(
        "--output takes raw, probability, leaf or contributions, not `" + word + "`",
        "model score");
  }
  if (arguments.Has("--background") && kind != model::OutputKind::kContributions) {
    return console.FailUsage("--background goes with --output contributions", "model score");
  }
  Result<std::string> scored = Score(arguments, kind);
  if (!scored.ok()) return console.Fail(scored.error());
  console.Out(*scored);
  return ExitCode::kOk;
}

ExitCode RunModelList(const Arguments& arguments, Console& console) {
  ExitCode code = ExitCode::kOk;
  std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "model ls", &code);
  if (workspace == nullptr) return code;
  Result<engine::QueryResult> models = workspace->engine().Query("SHOW MODELS");
  if (!models.ok()) return console.Fail(models.error());
  ListingOf(*models).Print(arguments, console);
  return ExitCode::kOk;
}

}  // namespace

Command ModelListCommand() {
  return {.name = "model ls",
          .group = "Models",
          .summary = "list the models of a data directory, a line a version",
          .flags = ListingFlags({kDataFlag}),
          .run = RunModelList};
}

Command ModelScoreCommand() {
  return {
      .name = "model score",
      .group = "Models",
      .summary = "score the rows of a CSV with a model file",
      .positionals = "FILE",
      .positionals_min = 1,
      .positionals_max = 1,
      .flags = {{"--input", "ROWS.csv", "with a header; `-` or nothing: standard input"},
                {"--output", "KIND", "raw, probability (default), leaf or contributions"},
                {"--background", "ROWS.csv", "contributions against these rows, for any model"}},
      .more =
          "  headrace model score fraud.lgb.txt --input rows.csv --output contributions\n\n"
          "Takes LightGBM text, XGBoost JSON and UBJSON, ONNX. Writes a CSV; its numbers read\n"
          "back to the same bits. The raw scores of an ONNX model are all outputs of its graph,\n"
          "labels included, in their order.\n",
      .run = RunModelScore};
}

}  // namespace headrace::cli
