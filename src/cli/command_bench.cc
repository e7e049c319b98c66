#include <charconv>
#include <cmath>
#include <string>

#include "cli/bench/bench.h"
#include "cli/commands.h"

namespace headrace::cli {

void Bench::Report(std::string_view name, double value, std::string_view unit) {
  char buffer[64];
  const int digits = std::abs(value) >= 1000 ? 0 : std::abs(value) >= 10 ? 1 : 3;
  auto [end, problem] =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits);
  std::string line = std::string(name) + " ";
  line += problem == std::errc() ? std::string(buffer, end) : "nan";
  console_.Out(line + " " + std::string(unit) + "\n");
  console_.Flush();
}

double Percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  const auto index = static_cast<size_t>(rank < 1 ? 0 : rank - 1);
  return sorted[index < sorted.size() ? index : sorted.size() - 1];
}

std::vector<Benchmark> AllBenchmarks() {
  return {{"score", "one row through 100 and 500 trees, and its contributions", BenchScore},
          {"train", "100 trees over a million rows of 30 features", BenchTrain},
          {"detect", "one value through each function with a memory", BenchDetect},
          {"learn", "examples through learners, one after the other", BenchLearn},
          {"choose", "one choice of each type of policy, 10 arms, 10 features", BenchChoose},
          {"disk", "flushed 4 KiB writes and one long one", BenchDisk},
          {"journal.append", "events into the log until all are durable", BenchJournal},
          {"decide.compute", "a decision without the disk", BenchDecideCompute},
          {"decide.http", "decisions over HTTP at fixed rates", BenchDecideHttp},
          {"infer.v2", "one row scored over the Open Inference Protocol", BenchInferV2},
          {"feast.read50", "50 features of one entity, as Feast's clients read", BenchFeastRead},
          {"backfill", "a feature deployed over 2 million events beside live ones", BenchBackfill}};
}

namespace {

std::string NamesText() {
  std::string text = "Benchmarks\n";
  for (const Benchmark& benchmark : AllBenchmarks()) {
    std::string name(benchmark.name);
    name.resize(18, ' ');
    text += "  " + name + std::string(benchmark.summary) + "\n";
  }
  return text;
}

ExitCode RunBench(const Arguments& arguments, Console& console) {
  const std::string& name = arguments.positionals()[0];
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  for (const Benchmark& benchmark : AllBenchmarks()) {
    if (benchmark.name != name) continue;
    Result<TemporaryDirectory> directory = TemporaryDirectory::Make();
    if (!directory.ok()) return console.Fail(directory.error());
    Bench bench(console, *files, *directory);
    Status done = benchmark.run(bench);
    return done.ok() ? ExitCode::kOk : console.Fail(done.error());
  }
  console.Note(NamesText());
  return console.FailUsage("unknown benchmark `" + name + "`", "bench");
}

}  // namespace

Command BenchCommand() {
  return {.name = "bench",
          .group = "Operate",
          .summary = "measure this machine; a line `name value unit` each",
          .positionals = "NAME",
          .positionals_min = 1,
          .positionals_max = 1,
          .more =
              "  score  train  learn  choose  detect  disk  journal.append  decide.compute  "
              "decide.http\n"
              "  backfill\n",
          .run = RunBench};
}

}  // namespace headrace::cli
