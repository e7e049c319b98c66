#include "cli/commands.h"
#include "cli/model_file.h"
#include "train/calibration.h"

namespace headrace::cli {
namespace {

Status Calibrate(const Arguments& arguments, train::Calibration method) {
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  const std::string& path = arguments.positionals()[0];
  HR_ASSIGN(const std::string text, os::ReadFile(*files, path, model::kModelBytesMax));
  const std::string input = arguments.Get("--input", "");
  HR_ASSIGN(const std::string csv, ReadRowsFile(*files, input));
  Result<std::string> calibrated =
      train::Calibrate(text, csv, arguments.Get("--label", ""), method);
  if (!calibrated.ok()) {
    const bool of_rows =
        calibrated.error().code() == "HR3005" || calibrated.error().code() == "HR3008";
    return InFile(of_rows ? input : path, calibrated.error());
  }
  return os::ReplaceFile(*files, arguments.Get("--output", ""), *calibrated);
}

ExitCode RunModelCalibrate(const Arguments& arguments, Console& console) {
  for (const char* flag : {"--input", "--label", "--method", "--output"}) {
    if (!arguments.Has(flag))
      return console.FailUsage(std::string(flag) + " is missing", "model calibrate");
  }
  const std::string method = arguments.Get("--method", "");
  if (method != "platt" && method != "isotonic") {
    return console.FailUsage("--method takes platt or isotonic, not `" + method + "`",
                             "model calibrate");
  }
  const Status done = Calibrate(
      arguments, method == "platt" ? train::Calibration::kPlatt : train::Calibration::kIsotonic);
  return done.ok() ? ExitCode::kOk : console.Fail(done.error());
}

}  // namespace

Command ModelCalibrateCommand() {
  return {.name = "model calibrate",
          .group = "Models",
          .summary = "make the probabilities of a binary model true of labelled rows",
          .positionals = "FILE",
          .positionals_min = 1,
          .positionals_max = 1,
          .flags = {{"--input", "ROWS.csv", "rows that the model was not learned from"},
                    {"--label", "COLUMN", "what was true: 0 or 1"},
                    {"--method", "NAME", "platt (a logistic curve) or isotonic (any that rises)"},
                    {"--output", "FILE", "the calibrated model"}},
          .more =
              "  headrace model calibrate fraud.lgb.txt --input later.csv --label is_fraud \\\n"
              "    --method platt --output fraud.calibrated.txt\n\n"
              "Takes models in LightGBM's text format, whoever learned them. LightGBM gives the\n"
              "same answers as Headrace to what --method platt wrote; it does not know isotonic\n"
              "curves, and answers without them.\n",
          .run = RunModelCalibrate};
}

}  // namespace headrace::cli
