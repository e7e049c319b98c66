#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/console.h"
#include "cli/temporary_directory.h"
#include "headrace/result.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace headrace::cli {

// What a benchmark works with: real clock and files, a directory of its own, and where its lines
// go. Confined.
class Bench {
 public:
  Bench(Console& console, os::FileSystem& files, TemporaryDirectory& directory)
      : console_(console), files_(files), directory_(directory.path()) {}

  // One line `name value unit`, four significant digits and more.
  void Report(std::string_view name, double value, std::string_view unit);

  os::FileSystem& files() { return files_; }
  const os::Clock& clock() const { return clock_; }
  os::Clock& clock() { return clock_; }
  const std::string& directory() const { return directory_; }

 private:
  Console& console_;
  os::FileSystem& files_;
  os::SystemClock clock_;
  std::string directory_;
};

struct Benchmark {
  std::string_view name;
  std::string_view summary;
  Status (*run)(Bench& bench);
};

std::vector<Benchmark> AllBenchmarks();

Status BenchScore(Bench& bench);          // score.*, shap.*
Status BenchTrain(Bench& bench);          // train.*
Status BenchTrainingSet(Bench& bench);    // trainingset.*
Status BenchSwap(Bench& bench);           // model.swap.*
Status BenchShadow(Bench& bench);         // shadow.*
Status BenchDetect(Bench& bench);         // detect.*
Status BenchLearn(Bench& bench);          // learn.*
Status BenchWatch(Bench& bench);          // watch.*
Status BenchChoose(Bench& bench);         // choose.*
Status BenchDisk(Bench& bench);           // disk.*
Status BenchJournal(Bench& bench);        // journal.append.*
Status BenchDecideHttp(Bench& bench);     // decide.http.*
Status BenchBackfill(Bench& bench);       // backfill.*
Status BenchDecideCompute(Bench& bench);  // decide.compute.*
Status BenchInferV2(Bench& bench);        // infer.v2.*
Status BenchFeastRead(Bench& bench);      // feast.read50.*

// The nearest-rank percentile of sorted numbers; 0 when there is none.
double Percentile(const std::vector<double>& sorted, double share);

}  // namespace headrace::cli
