#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include "cli/bench/bench.h"
#include "cli/demo/embedded.h"
#include "cli/demo/payment_generator.h"
#include "engine/local_engine.h"

namespace headrace::cli {
namespace {

constexpr int64_t kStart = 1'772'409'600'000'000;
constexpr size_t kEvents = 200'000;
constexpr size_t kChunk = 4096;
constexpr int kRounds = 5;
constexpr size_t kPadding = 64;  // readable bytes behind a payload

// Of all threads of the process: on a machine that others use the wall clock says little.
double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::string ScriptOf(bool watched) {
  std::string script(DemoScript());
  const std::string_view model = "'fraud.lgb.txt'";
  if (!watched) script.replace(script.find(model), model.size(), "'fraud.lgb.txt', watch = off");
  return script;
}

// CPU seconds for all payments, from the first to the last row.
Result<double> Measure(Bench& bench, const std::vector<std::string_view>& payments, bool watched,
                       const std::string& name) {
  base::MetricsRegistry metrics;
  engine::EngineOptions options;
  options.directory = bench.directory() + "/" + name;
  HR_ASSIGN(std::unique_ptr<engine::LocalEngine> engine,
            engine::LocalEngine::Open(bench.files(), bench.clock(), metrics, options, nullptr));
  HR_TRY(engine->Execute(ScriptOf(watched), bench.directory() + "/app.sql"));
  const double begin = CpuSeconds();
  engine::BulkChunk chunk;
  chunk.topic = "payments";
  chunk.payloads = &payments;
  for (chunk.begin = 0; chunk.begin < payments.size(); chunk.begin = chunk.end) {
    chunk.end = std::min(payments.size(), chunk.begin + kChunk);
    HR_TRY(engine->Ingest(chunk));
  }
  HR_TRY(engine->log().WaitDurable(engine->log().last_lsn()));
  const double spent = CpuSeconds() - begin;
  HR_TRY(engine->Close());
  return spent;
}

// Rounds of both, in turn: the median of what a pair shows.
Status MeasureBoth(Bench& bench, int64_t step_micros, const std::string& name) {
  PaymentGenerator generator({1, kStart, step_micros});
  std::string text;
  std::vector<size_t> ends;
  for (size_t i = 0; i < kEvents; ++i) {
    text += generator.Next().Json();
    ends.push_back(text.size());
  }
  text.append(kPadding, ' ');
  std::vector<std::string_view> payments;
  for (size_t i = 0; i < ends.size(); ++i) {
    const size_t begin = i == 0 ? 0 : ends[i - 1];
    payments.push_back(std::string_view(text).substr(begin, ends[i] - begin));
  }
  std::vector<double> ratios;
  std::vector<double> nanos;
  for (int round = 0; round < kRounds; ++round) {
    const std::string directory = name + std::to_string(round);
    HR_ASSIGN(const double off, Measure(bench, payments, false, directory + ".off"));
    HR_ASSIGN(const double on, Measure(bench, payments, true, directory + ".on"));
    ratios.push_back(off / on);
    nanos.push_back((on - off) * 1e9 / static_cast<double>(kEvents));
  }
  std::sort(ratios.begin(), ratios.end());
  std::sort(nanos.begin(), nanos.end());
  bench.Report(name + ".ratio", Percentile(ratios, 0.5), "ratio");
  bench.Report(name + ".ns", Percentile(nanos, 0.5), "ns");
  return Ok();
}

}  // namespace

// What the watch of a model costs the demo's pipeline: events per CPU second with it, as a share of
// those without it. With two payments a second of event time, and with one in 40 seconds, where a
// window has few rows and all of them are looked at.
Status BenchWatch(Bench& bench) {
  HR_TRY(os::ReplaceFile(bench.files(), bench.directory() + "/fraud.lgb.txt", DemoModel()));
  HR_TRY(MeasureBoth(bench, 500'000, "watch"));
  return MeasureBoth(bench, 40'000'000, "watch.sparse");
}

}  // namespace headrace::cli
